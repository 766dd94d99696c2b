"""The files that a run made, one by one.

It knows output artifacts and the store; what is printed of them is up to the caller.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from io import FileIO
from typing import TYPE_CHECKING

import msgspec

from argosy.artifacts.trees import parse_digest
from argosy.errors import NotFound
from argosy.project.named_data import outputs_of
from argosy.syntax.diagnostics import did_you_mean

if TYPE_CHECKING:
    from argosy.catalog.contents import Part
    from argosy.project.project import Project
    from argosy.project.views import RunView


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run. path: below the run; with its step's name first when several steps made files."""

    path: str
    digest: str
    size_bytes: int


def files_of(project: Project, run: RunView, below: str = "") -> list[RunFile]:
    """The files in a run's output artifacts, by path. below: only those at this path or below it."""
    parts, _ = outputs_of(run.nodes, of_all=True)
    several = len({part.node for part in parts}) > 1
    found: dict[str, RunFile] = {}
    for part in parts:
        if not project.store.has(part.digest):
            continue
        prefix = posixpath.join(part.step if several else "", _place(part))
        for path, digest, size in _entries(project, part.digest, prefix):
            found[path] = RunFile(path=path, digest=digest, size_bytes=size)
    return _chosen(found.values(), below)


def files_of_tag(project: Project, tag: str, below: str = "") -> list[RunFile]:
    """The files that a tag points to, by path. Raises NotFound."""
    entries = _entries(project, project.names.version("tag", tag).content.digest, "")
    return _chosen((RunFile(path=path, digest=digest, size_bytes=size) for path, digest, size in entries), below)


def _chosen(found: Iterable[RunFile], below: str) -> list[RunFile]:
    chosen = [one for one in found if not below or one.path == below or one.path.startswith(f"{below}/")]
    return sorted(chosen, key=lambda one: one.path)


def _place(part: Part) -> str:
    path = posixpath.normpath(part.path) if part.path else part.artifact
    return "" if path == "." else part.artifact if path.startswith(("/", "..")) else path


def _entries(project: Project, digest: str, prefix: str) -> list[tuple[str, str, int]]:
    parsed = parse_digest(digest)
    if parsed.form != "tree":
        return [(prefix or "output", digest, project.store.size(digest))]
    found: list[tuple[str, str, int]] = []
    for entry in project.store.entries(parsed):
        path = posixpath.join(prefix, entry.name)
        if entry.kind == "tree":
            found += _entries(project, entry.digest, path)
        elif entry.kind == "file":
            found.append((path, entry.digest, entry.size))
    return found


def opened(project: Project, run: RunView, path: str) -> FileIO:
    """A file of a run, to be read. Raises NotFound with what was meant."""
    files = files_of(project, run)
    name = posixpath.normpath(path)
    for one in files:
        if one.path == name:
            return project.store.opened(parse_digest(one.digest))
    near = did_you_mean(name, [one.path for one in files])
    hint = f"did you mean {near}?" if near else f"argosy ls {run.summary.name} lists its files"
    raise NotFound(f"Run {run.summary.name} made no file {path!r}", hint=hint)
