"""Values that a person gives to a workflow: put into it, or refused with what was meant.

It knows parameters and labels, not files and not runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from argosy.errors import InvalidFile, UsageError
from argosy.model.manifest import Arguments, Parameter, Workflow, WorkflowSpec
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse


def read_parameters_file(text: str | bytes, file: str) -> dict[str, str]:
    """The parameters of a YAML or JSON file: one mapping of names to values. Raises InvalidFile."""
    parsed = parse(text, file)
    errors = [found for found in parsed.diagnostics if found.severity == "error"]
    if errors:
        raise InvalidFile(f"{file}: {errors[0].message}", diagnostics=tuple(parsed.diagnostics))
    values: object = plain(parsed.documents[0]) if parsed.documents else {}
    if not isinstance(values, dict) or len(parsed.documents) > 1:
        raise InvalidFile(
            f"{file} does not hold parameters", hint="write one mapping, a line `name: value` for each parameter"
        )
    return {name: text_of(value) for name, value in cast("dict[str, object]", values).items()}


def text_of(value: object) -> str:
    """A value of a file as the text that a parameter is: JSON for what is not a text."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def with_parameters(workflow: Workflow, given: Mapping[str, str], referenced: WorkflowSpec | None) -> Workflow:
    """The workflow with these values. referenced: the spec that its workflowTemplateRef means.

    Raises UsageError for a parameter that the workflow neither has nor mentions, or a value that its enum lacks.
    """
    if not given:
        return workflow
    arguments = workflow.spec.arguments or Arguments()
    known = {one.name: one for one in _parameters(referenced)} | {one.name: one for one in arguments.parameters}
    text = ""
    for name, value in given.items():
        if name not in known:
            text = text or msgspec.json.encode((workflow.spec, referenced)).decode()
            if f"workflow.parameters.{name}" not in text and f"workflow.parameters['{name}']" not in text:
                raise _unknown(name, known)
        _check_enum(known.get(name), value)
    kept = [
        msgspec.structs.replace(one, value=given[one.name], value_from=None) if one.name in given else one
        for one in arguments.parameters
    ]
    own = {one.name for one in kept}
    kept += [Parameter(name=name, value=value) for name, value in given.items() if name not in own]
    replaced = msgspec.structs.replace(arguments, parameters=tuple(kept))
    return msgspec.structs.replace(workflow, spec=msgspec.structs.replace(workflow.spec, arguments=replaced))


def _parameters(spec: WorkflowSpec | None) -> tuple[Parameter, ...]:
    return spec.arguments.parameters if spec is not None and spec.arguments is not None else ()


def _unknown(name: str, known: Iterable[str]) -> UsageError:
    near = did_you_mean(name, known)
    names = ", ".join(known)
    hint = f"did you mean {near}?" if near else f"it has {names}" if names else "it has no parameters"
    return UsageError(f"The workflow has no parameter {name!r}", hint=hint)


def _check_enum(parameter: Parameter | None, value: str) -> None:
    if parameter is None or not parameter.enum or value in parameter.enum:
        return
    near = did_you_mean(value, parameter.enum)
    hint = f"did you mean {near!r}?" if near else ""
    raise UsageError(f"{parameter.name} is one of {', '.join(parameter.enum)}, not {value!r}", hint=hint)


def with_entrypoint(workflow: Workflow, entrypoint: str, referenced: WorkflowSpec | None) -> Workflow:
    """The workflow beginning at another template. Raises UsageError when it has none of that name."""
    if not entrypoint:
        return workflow
    names = [one.name for one in (*workflow.spec.templates, *(referenced.templates if referenced else ()))]
    if entrypoint not in names:
        near = did_you_mean(entrypoint, names)
        hint = f"did you mean {near}?" if near else f"it has {', '.join(names)}"
        raise UsageError(f"The workflow has no template {entrypoint!r}", hint=hint)
    return msgspec.structs.replace(workflow, spec=msgspec.structs.replace(workflow.spec, entrypoint=entrypoint))
