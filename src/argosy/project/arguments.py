"""Values that a person gives to a workflow: put into it, or refused with what was meant.

It knows parameters and labels, not files and not runs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import msgspec

from argosy.dialects.argo_inputs import signature_of
from argosy.errors import InvalidFile, NotFound, UsageError
from argosy.model.input_values import canonical, problem_of
from argosy.model.inputs import Input, Signature, names_of
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


def read_inputs_file(path: Path) -> dict[str, str]:
    """The inputs of a YAML or JSON file, each a value or, as Gradient's users write it, `{ref: NAME}`, `{value: TEXT}`.

    Raises NotFound, InvalidFile.
    """
    try:
        found = read_parameters_file(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}", hint="an input is written NAME=VALUE") from None
    except OSError as error:
        raise InvalidFile(f"{path} cannot be read: {error.strerror or error}") from error
    return {name: _plain_input(text) for name, text in found.items()}


def _plain_input(text: str) -> str:
    """The one value in a mapping such as `{"ref": "mnist"}`; any other text as it is."""
    try:
        given = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return text
    if len(given) == 1 and (key := next(iter(given))) in ("ref", "id", "value"):
        return text_of(given[key])
    return text


def text_of(value: object) -> str:
    """A value of a file as the text that a parameter is: JSON for what is not a text."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def with_parameters(
    workflow: Workflow, given: Mapping[str, str], referenced: WorkflowSpec | None, signature: Signature | None = None
) -> Workflow:
    """The workflow with these values. referenced: the spec that its workflowTemplateRef means.

    signature: what the run takes, as its format says; what its arguments say unless given. Raises UsageError for a
    parameter that the workflow neither has nor mentions, and for a value that its input does not take.
    """
    if not given:
        return workflow
    takes = signature or signature_of(workflow, referenced)
    given = accepted(takes, given, lambda name: _mentions(workflow, referenced, name))
    arguments = workflow.spec.arguments or Arguments()
    kept = [
        msgspec.structs.replace(one, value=given[one.name], value_from=None) if one.name in given else one
        for one in arguments.parameters
    ]
    own = {one.name for one in kept}
    kept += [Parameter(name=name, value=value) for name, value in given.items() if name not in own]
    replaced = msgspec.structs.replace(arguments, parameters=tuple(kept))
    return msgspec.structs.replace(workflow, spec=msgspec.structs.replace(workflow.spec, arguments=replaced))


def accepted(takes: Signature, given: Mapping[str, str], mentioned: Callable[[str], bool]) -> dict[str, str]:
    """The values by the inputs' own names and in their own spelling.

    mentioned: whether something that is no input may be given nevertheless. Raises UsageError.
    """
    found: dict[str, str] = {}
    for name, text in given.items():
        one = takes.find(name)
        if one is None:
            if not mentioned(name):
                raise unknown(name, takes)
            found[name] = text
            continue
        if one.name in found:
            raise UsageError(f"{one.name} is given twice, once as {name}", hint="leave one of them out")
        found[one.name] = accepted_value(one, text)
    return found


def accepted_value(one: Input, text: str) -> str:
    """The value in the input's own spelling. Raises UsageError that says what is allowed and where that is said."""
    if one.type == "artifact":
        raise UsageError(
            f"{one.name} is an artifact, which is given by its location in the file and not by a value",
            hint=_said_at(one),
        )
    value = canonical(one, text)
    problem = problem_of(one, value)
    if problem is not None:
        near = did_you_mean(text, problem.allowed)
        raise UsageError(problem.message, hint=_joined(f"did you mean {near!r}?" if near else "", _said_at(one)))
    if one.type == "existing-path" and not os.path.exists(value):
        raise UsageError(f"{one.name} is a path to something that is there, and {value} is not", hint=_said_at(one))
    return value


def check_required(takes: Signature, workflow: Workflow, referenced: WorkflowSpec | None) -> None:
    """Raises UsageError that names every input that needs a value and has none."""
    valued = {
        one.name
        for one in (*_parameters(referenced), *_parameters(workflow.spec))
        if one.value is not None or one.value_from is not None
    }
    missing = [one for one in takes.inputs if one.required and one.type != "artifact" and one.name not in valued]
    if not missing:
        return
    wanted = ", ".join(one.name for one in missing)
    write = " ".join(f"{one.name}=VALUE" for one in missing)
    what = "needs a value" if len(missing) == 1 else "need values"
    raise UsageError(f"{wanted} {what}", hint=_joined(f"write {write} after the file, or --ask", _said_at(missing[0])))


def _parameters(spec: WorkflowSpec | None) -> tuple[Parameter, ...]:
    return spec.arguments.parameters if spec is not None and spec.arguments is not None else ()


def _said_at(one: Input) -> str:
    return f"{one.place} says what it takes" if one.place else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _mentions(workflow: Workflow, referenced: WorkflowSpec | None, name: str) -> bool:
    """Whether a tag somewhere reads the parameter: Argo takes it then, declared or not."""
    text = msgspec.json.encode((workflow.spec, referenced)).decode()
    # Not only the beginning of a longer name, which is how a misspelt one may look.
    after = re.compile(rf"workflow\.parameters(?:\.{re.escape(name)}(?![\w-])|\[\\?['\"]{re.escape(name)}\\?['\"]\])")
    return after.search(text) is not None


def unknown(name: str, takes: Signature) -> UsageError:
    """That the workflow has no such parameter, and which it has."""
    near = did_you_mean(name, names_of(takes.inputs))
    names = ", ".join(one.name for one in takes.inputs)
    hint = f"did you mean {near}?" if near else f"it has {names}" if names else "it has no parameters"
    return UsageError(f"The workflow has no parameter {name!r}", hint=hint)


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
