"""Workflows that were kept under a name: the text of a file and inputs for it, in versions.

It knows how they are kept; reading and running them is not its matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.catalog.names import Origin, Version
from argosy.catalog.refs import parse_ref
from argosy.errors import NotFound, UsageError
from argosy.syntax.limits import LARGEST_FILE_BYTES

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary

WORKFLOW_WORDS = ("workflow", "workflows")
KIND = "workflow"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A kept workflow: its text, what its file was called, and the inputs that a run takes unless others are given."""

    version: Version
    data: bytes
    file: str
    inputs: dict[str, str]


def keep(project: Project, text: str, file: Path, inputs: Mapping[str, str], *, note: str = "") -> tuple[Version, bool]:
    """Keep a file as the next version of a name; whether it is new. Raises InvalidFile, NotFound, UsageError."""
    from argosy.catalog.contents import content_of
    from argosy.project import programs
    from argosy.project.files import read

    if programs.meant(str(file)) is not None:
        hint = f"argosy convert {file} -o FILE.yaml makes a manifest of it, which can be kept"
        raise UsageError(f"{file} is a program, and what it makes may be another thing tomorrow", hint=hint)
    ref = parse_ref(KIND, text)
    loaded = read(str(file)).checked()
    if not any(one.value.kind == "Workflow" for one in loaded.documents):
        raise UsageError(f"{file} holds no workflow", hint="argosy apply keeps templates")
    data = file.read_bytes()
    details: dict[str, Any] = {"file": file.name, "inputs": dict(inputs)}
    content = content_of(project.store, project.store.put_bytes(data))
    if project.names.exists(KIND, text) and project.names.named(KIND, text).latest:
        latest = project.names.version(KIND, ref.whole_name)
        if latest.content.digest == content.digest and latest.details == details:
            return (project.names.tag(KIND, ref.whole_name, ref.tag) if ref.tag else latest), False
    origin = Origin(source=str(file.resolve()))
    return project.names.add(KIND, text, content, origin, note=note, details=details), True


def read_kept(project: Project, text: str) -> Kept:
    """The workflow of that name, of its latest version or the one that is named. Raises NotFound."""
    version = project.names.version(KIND, text)
    data = project.store.read_bytes(version.content.digest, LARGEST_FILE_BYTES)
    return Kept(
        version=version,
        data=data,
        file=str(version.details.get("file") or version.whole_name),
        inputs=dict(version.details.get("inputs") or {}),
    )


def runs_of(project: Project, whole_name: str) -> list[RunSummary]:
    """The runs of a kept workflow, the newest first."""
    found: list[RunSummary] = []
    for id in project.uses.runs_of(whole_name):
        row = project.journal.database.row("SELECT name FROM runs WHERE id = ?", (id,))
        if row is not None:
            try:
                found.append(project.find(row[0]))
            except NotFound:
                # It was deleted a moment ago.
                continue
    return found
