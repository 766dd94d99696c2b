"""Onepanel's parameters as inputs of a run, and what is wrong with them.

It knows widgets, options and visibility; node pools are the project's, put in later.
Source: onepanelio/core, pkg/common_types.go and pkg/workflow_template.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from argosy.checks.finding import Finding
from argosy.dialects.onepanel.schema import (
    DROPPED,
    NODE_POOL,
    NOT_SHOWN,
    VISIBILITIES,
    WIDGETS,
    WITH_OPTIONS,
    OnepanelParameter,
)
from argosy.model.inputs import Choice, Input, InputType, Signature, Visibility
from argosy.syntax.diagnostics import Severity, did_you_mean

# The node pool that stands for the first one.
DEFAULT_POOL = "default"
PARAMETERS = ("spec", "arguments", "parameters")
NAMESPACE = "default"
_NAMESPACE = re.compile(r"\{\{\s*(?:workflow|workspace)\.namespace\s*\}\}")
_NAME = re.compile(r"[A-Za-z0-9-]+")


def signature_of(parameters: Iterable[OnepanelParameter]) -> Signature:
    """What a template takes, as its form shows it."""
    return Signature(inputs=tuple(_input(place, one) for place, one in enumerate(parameters)))


def value_of(one: OnepanelParameter) -> str | None:
    """The value that a parameter has unless another is given, None when one must be given.

    A node pool's is the first pool; a required one is not empty. The namespace is put in at once, as the server does.
    """
    if one.type == NODE_POOL and not one.value:
        return DEFAULT_POOL
    if one.value is None or (one.required and not one.value):
        return None
    return namespace_in(one.value)


def namespace_in(text: str) -> str:
    """The text with the namespace put in."""
    return _NAMESPACE.sub(NAMESPACE, text)


def _input(place: int, one: OnepanelParameter) -> Input:
    value = value_of(one)
    return Input(
        name=one.name,
        type=_type(one, value),
        default=value,
        choices=_choices(one),
        # Nothing but the pools of the project may be given, and these are not known yet.
        open_choices=one.type == NODE_POOL,
        hint=one.hint or one.description,
        required=one.required or value is None,
        visibility=_visibility(one),
        display_name=one.display_name,
        path=(*PARAMETERS, place),
    )


def _type(one: OnepanelParameter, value: str | None) -> InputType:
    widget = WIDGETS.get(one.type, "string")
    if widget == "string" and value is not None and "\n" in value:
        return "text"
    return widget


def _choices(one: OnepanelParameter) -> tuple[Choice, ...]:
    if one.type not in WITH_OPTIONS:
        return ()
    return tuple(Choice(value=namespace_in(each.value), label=each.name) for each in one.options or ())


def _visibility(one: OnepanelParameter) -> Visibility:
    if one.type in NOT_SHOWN or (one.type not in WIDGETS and "input" not in one.type):
        return "hidden"
    for known in VISIBILITIES:
        if known == one.visibility:
            return known
    return "public"


def problems_of(parameters: Iterable[OnepanelParameter]) -> list[Finding]:
    """What is wrong with parameters, at their places."""
    found: list[Finding] = []
    for place, one in enumerate(parameters):
        path = (*PARAMETERS, place)
        for field, severity, message, why, hint in _problems(one):
            found.append(
                Finding(
                    rule=f"onepanel-{field}",
                    severity=severity,
                    path=(*path, _WRITTEN.get(field, field)),
                    message=message,
                    why=why,
                    hint=hint,
                )
            )
    return found


# Where a problem stands, by its rule.
_WRITTEN = {"widget": "type", "parameter-name": "name", "argo-field": ""}
_Problem = tuple[str, Severity, str, str, str]


def _problems(one: OnepanelParameter) -> Iterator[_Problem]:
    if one.name and _NAME.fullmatch(one.name) is None:
        message = f"a parameter's name has letters, digits and dashes, not {one.name!r}"
        yield "parameter-name", "warning", message, "Onepanel's reference says so", ""
    if one.visibility is not None and one.visibility not in VISIBILITIES:
        near = did_you_mean(one.visibility, VISIBILITIES)
        hint = f"did you mean `{near}`?" if near else f"it is one of {', '.join(VISIBILITIES)}"
        yield "visibility", "error", f"invalid visibility '{one.visibility}' for parameter '{one.name}'", "", hint
    yield from _problems_of_type(one)
    yield from _problems_of_options(one)
    for field, written in DROPPED.items():
        if getattr(one, field):
            message = f"`{written}` of the parameter {one.name} has no effect"
            yield "argo-field", "warning", message, "Onepanel's server reads only its name and its value", "remove it"


def _problems_of_type(one: OnepanelParameter) -> Iterator[_Problem]:
    if one.type in WIDGETS:
        return
    near = did_you_mean(one.type, [known for known in WIDGETS if "." in known])
    shows = "a box for text" if "input" in one.type else "nothing"
    hint = f"did you mean `{near}`?" if near else ""
    yield "widget", "warning", f"there is no widget `{one.type}`", f"Onepanel's form shows {shows} for it", hint


def _problems_of_options(one: OnepanelParameter) -> Iterator[_Problem]:
    if one.type == NODE_POOL:
        if one.options is not None:
            hint = "remove them: the pools are those of [node-pools.NAME] in argosy.toml"
            yield "options", "error", f"{NODE_POOL} must not have any options", "", hint
        return
    if one.options and one.type not in WITH_OPTIONS and one.type in WIDGETS:
        widget = one.type or "input.text"
        yield "options", "warning", f"options have no effect on {widget}", "", "write `type: select.select`"
    if one.type not in WITH_OPTIONS:
        return
    values = [each.value for each in one.options or ()]
    if not values:
        yield (
            "options",
            "warning",
            f"{one.type} has no options to choose from",
            "",
            "add `options: [{name: ..., value: ...}]`",
        )
    elif one.value and one.value not in values:
        near = did_you_mean(one.value, values)
        hint = f"did you mean `{near}`?" if near else f"they are {', '.join(values)}"
        yield "options", "warning", f"the value of {one.name} is none of its options: {one.value!r}", "", hint
