"""A guild.yml as text, read with made-up files around it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from argosy.dialects.argo import Loaded, LoadedDocument
from argosy.dialects.guild.load import load
from argosy.dialects.guild.surroundings import Surroundings
from argosy.model.manifest import Template, Workflow
from argosy.project.guild_files import _several, _trials


def read(text: str, files: Mapping[str, str] | None = None, **more: Any) -> Loaded:
    """The file with these others beside it."""
    given = dict(files or {})

    def kind(path: str) -> Any:
        return "file" if path in given else "folder" if any(one.startswith(f"{path}/") for one in given) else ""

    around = Surroundings(read=given.get, kind=kind, several=_several, trials=_trials, folder="/project", **more)
    return load(text, "guild.yml", surroundings=around)


def good(text: str, files: Mapping[str, str] | None = None, **more: Any) -> Loaded:
    """The same, of a file with nothing wrong."""
    loaded = read(text, files, **more)
    assert [str(one.span) + " " + one.message for one in loaded.diagnostics if one.severity == "error"] == []
    return loaded


def document(loaded: Loaded, name: str) -> LoadedDocument:
    """The operation of that name."""
    return next(one for one in loaded.documents if _workflow(one).metadata.annotations["argosy.dev/workflow"] == name)


def workflow(loaded: Loaded, name: str) -> Workflow:
    """The workflow of an operation."""
    return _workflow(document(loaded, name))


def _workflow(one: LoadedDocument) -> Workflow:
    assert isinstance(one.value, Workflow)
    return one.value


def spec_of(template: Template) -> dict[str, Any]:
    """What the program of a template is told."""
    assert template.script is not None
    call = ast.parse(template.script.source.replace("{{=toJson(inputs.parameters)}}", "{}").splitlines()[-1]).body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    (run,) = call.value.args
    assert isinstance(run, ast.Call)
    found: dict[str, Any] = ast.literal_eval(run.args[0])
    return found


def spec(loaded: Loaded, name: str) -> dict[str, Any]:
    """What the program of an operation is told."""
    return spec_of(workflow(loaded, name).spec.templates[0])


def flags(loaded: Loaded, name: str) -> dict[str, Any]:
    """The flags of an operation as inputs, by name."""
    signature = document(loaded, name).signature
    assert signature is not None
    return {one.name: one for one in signature.inputs}


def problems(loaded: Loaded, severity: str = "") -> list[str]:
    """What was found, as LINE:COLUMN severity: message."""
    return [
        f"{one.span.line}:{one.span.column} {one.severity}: {one.message}"
        for one in loaded.diagnostics
        if one.span is not None and severity in ("", one.severity)
    ]
