"""What an operation says of the search for its best flags: objective, optimizer, how many trials.

It knows Guild's names of optimizers, not how values are chosen.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from argosy.dialects.guild.operations import Found
from argosy.dialects.guild.trees import Findings
from argosy.model.inputs import Search
from argosy.syntax.diagnostics import did_you_mean

OBJECTIVE = "loss"
_METHODS: dict[str, Literal["grid", "random", "bayesian"]] = {
    "random": "random",
    "grid": "grid",
    "gp": "bayesian",
    "bayesian": "bayesian",
    "forest": "bayesian",
    "gbrt": "bayesian",
}


def search_of(found: Found, findings: Findings) -> Search | None:
    """What the operation says, None if it says nothing. What cannot be followed is in the findings."""
    operation = found.operation
    assert operation is not None
    if operation.optimizer is not None and operation.optimizers is not None:
        message = f"the operation {found.whole_name} has both `optimizer` and `optimizers`"
        findings.at("guild-optimizer", message, found.places.span(("optimizers",)), hint="leave one of them")
        return None
    key = "optimizers" if operation.optimizers is not None else "optimizer"
    given: Any = getattr(operation, key)
    if given is None and operation.objective is None and operation.default_max_trials is None:
        return None
    objective, maximize = _objective(operation.objective)
    return Search(
        method=_method(found, key, given, findings) if given is not None else "",
        objective=objective or (OBJECTIVE if given is not None else ""),
        maximize=maximize,
        most=operation.default_max_trials,
    )


def _objective(given: Any) -> tuple[str, bool]:
    """The metric, and whether the greatest is the best: `-METRIC` and {maximize: METRIC} say so."""
    if isinstance(given, dict):
        named = cast("dict[str, Any]", given)
        greatest = named.get("maximize")
        return str(greatest or named.get("minimize") or ""), greatest is not None
    text = str(given or "")
    return text.removeprefix("-"), text.startswith("-")


def _method(found: Found, key: str, given: Any, findings: Findings) -> Literal["grid", "random", "bayesian"]:
    name, flags = _chosen(key, given)
    span = found.places.span((key,))
    method = _METHODS.get(name.rpartition(":")[2])
    if method is None:
        near = did_you_mean(name, _METHODS)
        hint = f"did you mean `{near}`?" if near else f"the optimizers are {', '.join(_METHODS)}"
        message = f"there is no optimizer `{name}` here; bayesian is used"
        findings.at("guild-optimizer", message, span, severity="warning", hint=hint)
    if flags:
        message = f"flags of optimizers have no effect here: {', '.join(flags)}"
        findings.at("guild-optimizer", message, span, severity="warning", hint="Optuna chooses by its own defaults")
    return method or "bayesian"


def _chosen(key: str, given: Any) -> tuple[str, list[str]]:
    """The default one's algorithm, and its flags: of several the one that says so, else the first."""
    if isinstance(given, list):
        items = cast("list[Any]", given)
        marked: list[Any] = [
            one for one in items if isinstance(one, dict) and _mapping(cast("object", one)).get("default")
        ]
        return _chosen("optimizer", (marked or items or [""])[0])
    if not isinstance(given, dict):
        return str(given), []
    named = cast("dict[str, Any]", given)
    if key == "optimizers":
        several = {name: _mapping(one) for name, one in named.items()}
        name = next((name for name, one in several.items() if one.get("default")), next(iter(several), ""))
        return _chosen("optimizer", {"algorithm": name, **several.get(name, {})})
    flags = [name for name in named if name not in ("algorithm", "default")]
    return str(named.get("algorithm", "")), flags


def _mapping(given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return cast("dict[str, Any]", given)
    return {"algorithm": given} if given is not None else {}
