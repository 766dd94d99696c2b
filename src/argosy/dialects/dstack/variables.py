"""`.dstack/variables.yaml`: the variables of each workflow, and the global ones.

It knows the file's shape; how a run is given values is not its matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

from argosy.dialects.dstack.problems import Problems
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described

GLOBAL = "global"
# The key above them; the second is of January 2022, when the file was configs.yaml.
VARIABLES = ("variables", "configs")


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable. default: as it is written in the file. place: FILE:LINE."""

    name: str
    default: str
    place: str


# By workflow (or GLOBAL), then by name.
Variables = dict[str, dict[str, Variable]]


def read_variables(root: Node, problems: Problems) -> Variables:
    """The variables of a file; what is wrong with it is among the problems."""
    given = root.values if isinstance(root, Mapping) else {}
    top = next((given[word] for word in VARIABLES if word in given), None)
    if isinstance(top, Scalar) and top.value is None:
        return {}
    if not isinstance(top, Mapping):
        place = top.place if top is not None else root.place
        problems.add("dstack-variables", "there are no `variables` here", place, hint="variables: {train: {epochs: 1}}")
        return {}
    found: Variables = {}
    for workflow, node in top.values.items():
        if isinstance(node, Scalar) and node.value is None:
            continue
        if not isinstance(node, Mapping):
            problems.add(
                "dstack-variables",
                f"`{workflow}`: expected variables, found {described(node)}",
                node.place,
                hint=f"variables stand below a workflow's name, or below `{GLOBAL}`",
            )
            continue
        found[problems.key(workflow, top.key_place(workflow))] = _of_workflow(node, problems)
    return found


def _of_workflow(node: Mapping, problems: Problems) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for (key, value), place in zip(node.values.items(), node.key_places, strict=True):
        name = problems.key(key, place)
        same = next((one for one in found if environment_name(one) == environment_name(name)), None)
        if same is not None:
            problems.add(
                "dstack-variables",
                f"`{same}` and `{name}` are the same variable {environment_name(name)} of the environment",
                place,
                severity="warning",
                hint="give one of them another name",
            )
        if environment_name(name) == "PATH":
            message = f"`{name}` is the variable PATH of the environment, by which programs are found"
            problems.add("dstack-variables", message, place, severity="warning", hint="give it another name")
        found[name] = Variable(name=name, default=_text(value, problems), place=_place(problems, place))
    return found


def check_owners(root: Mapping, workflows: Iterable[str], problems: Problems) -> None:
    """Note variables that are nobody's: of a workflow that there is not."""
    top = next((root.values[word] for word in VARIABLES if word in root.values), None)
    known = (GLOBAL, *workflows)
    pairs = zip(top.values, top.key_places, strict=True) if isinstance(top, Mapping) else ()
    for key, place in pairs:
        name = problems.key(key, place)
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"did you mean {near}?" if near else f"the workflows are {', '.join(known[1:])}"
            message = f"there is no workflow {name!r} to have these variables"
            problems.add("dstack-variables", message, place, severity="warning", hint=hint)


def _text(node: Node, problems: Problems) -> str:
    if isinstance(node, Scalar):
        return "" if node.value is None else problems.written(node)
    return json.dumps(_plain(node, problems), separators=(",", ":"))


def _plain(node: Node, problems: Problems) -> object:
    if not isinstance(node, Mapping):
        return [_plain(one, problems) for one in node.items] if isinstance(node, Sequence) else node.value
    pairs = zip(node.values.items(), node.key_places, strict=True)
    return {problems.key(key, place): _plain(one, problems) for (key, one), place in pairs}


def _place(problems: Problems, place: int) -> str:
    span = problems.source.span(place)
    return f"{span.file}:{span.line}"


def environment_name(name: str) -> str:
    """The variable of the environment: upper case, `_` for all but letters and digits (dstack's runner)."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())
