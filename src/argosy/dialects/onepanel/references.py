"""References to what only a workspace has, in a template of a workflow: nothing is put in for them.

It knows texts and names; references to what a workflow has are checked as of any workflow.
Source: onepanelio/core, pkg/workspace.go; onepanelio/templates, tasks/slack-notify.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from argosy.checks.finding import Finding, Path
from argosy.dialects.onepanel.inputs import namespace_in
from argosy.dialects.onepanel.schema import OnepanelSpec

_OF_WORKSPACE = re.compile(r"\{\{\s*workspace\.([\w.-]+)\s*\}\}")


def references_of(spec: OnepanelSpec) -> Iterator[Finding]:
    """A warning for each reference to a workspace. The namespace is known: it is put into values of parameters."""
    parameters = {one.name for one in spec.arguments.parameters} if spec.arguments is not None else set[str]()
    for path, text in _texts(msgspec.to_builtins(spec), ("spec",)):
        for found in _OF_WORKSPACE.finditer(namespace_in(text) if path[1] == "arguments" else text):
            prefix, _, name = found[1].rpartition(".")
            known = (prefix == "parameters" and name in parameters) or found[1] in ("name", "namespace", "uid")
            yield Finding(
                rule="onepanel-reference",
                severity="warning",
                path=path,
                message=f"{found[0]} is for workspaces: nothing is put in for it",
                why="it stays as it is written, as there is no workspace that a workflow is run for",
                hint=f"did you mean {{{{workflow.{found[1]}}}}}?" if known else "",
            )


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if "workspace." in value:
            yield path, value
    elif isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            yield from _texts(one, (*path, key))
    elif isinstance(value, list | tuple):
        for place, one in enumerate(cast("Sequence[object]", value)):
            yield from _texts(one, (*path, place))
