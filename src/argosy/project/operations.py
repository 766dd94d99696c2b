"""Data that is named by what made it: the files of a run of an operation, and files of the project itself.

It knows how such runs are looked for: a marked one first, else the latest. Source: Guild's resolver.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.catalog.uses import Use
from argosy.dialects.guild.names import fits
from argosy.errors import NotFound
from argosy.model.manifest import Workflow
from argosy.syntax.diagnostics import did_you_mean

if TYPE_CHECKING:
    from argosy.catalog.contents import Part
    from argosy.catalog.resolution import Question
    from argosy.project.project import Project

# Kinds of named data: `artifact` says which operation or path, `ref` which run or path instead, "" for none.
OPERATION, PATH = "operation", "path"
KINDS = (OPERATION, PATH)
# On a workflow: the operations whose files its run has, separated by commas.
OPERATIONS = "argosy.dev/operations"
_PREFIX = "operation:"
# What a flag is that nobody gave.
NOTHING = "null"
_MOST_SHOWN = 5


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A run that may be meant."""

    run_id: int
    name: str
    operation: str
    phase: str
    marked: bool


class NoRun(NotFound):
    """No run of an operation has files that can be taken. operation: as it was asked for."""

    operation = ""


def names_of(workflow: Workflow) -> list[str]:
    """Under which names a run is found as one of an operation."""
    given = workflow.metadata.annotations.get(OPERATIONS, "")
    return [f"{_PREFIX}{name}" for name in given.split(",") if name]


def found(project: Project, question: Question) -> Use:
    """What the question means. Raises NotFound."""
    if question.digest:
        # Found before, for the run that this one repeats: it stays what it was, even if that run is no more.
        named = question.named
        row = project.journal.database.row("SELECT uid FROM runs WHERE name = ?", (named.found,))
        return Use(
            place=question.place,
            kind=named.kind,
            asked=question.asked,
            found=named.found,
            digest=question.digest,
            from_run=row[0] if row is not None and named.kind == OPERATION else "",
        )
    if question.asked == NOTHING:
        question = msgspec.structs.replace(question, asked="")
    return _of_path(project, question) if question.named.kind == PATH else _of_operation(project, question)


def _of_path(project: Project, question: Question) -> Use:
    from argosy.catalog.contents import content_of_path

    given = question.asked or question.named.artifact
    if not given:
        raise NotFound("no path is given")
    path = Path(given).expanduser()
    path = path if path.is_absolute() else project.folder / path
    if not path.exists():
        raise NotFound(f"There is nothing at {given}", hint=f"paths are relative to {project.folder}")
    content = content_of_path(project.store, path.resolve(), project.journal.database)
    return Use(place=question.place, kind=PATH, asked=question.asked, found=given, digest=content.digest)


def _of_operation(project: Project, question: Question) -> Use:
    wanted = question.named.artifact
    candidates = [_named(project, question.asked)] if question.asked else candidates_of(project, wanted)
    for one in candidates:
        digest = _files(project, one, wanted)
        if digest:
            uid = project.find(one.name).uid
            return Use(
                place=question.place,
                kind=OPERATION,
                asked=question.asked,
                found=one.name,
                digest=digest,
                from_run=uid,
            )
    raise _none(project, wanted, candidates)


def _named(project: Project, name: str) -> Candidate:
    """The run that a person chose: by its name, the beginning of one, or its id. Raises NotFound."""
    row = project.journal.database.row("SELECT name FROM runs WHERE replace(uid, '-', '') = ? OR uid = ?", (name, name))
    summary = project.find(row[0] if row is not None else name)
    return Candidate(run_id=summary.id, name=summary.name, operation="", phase=summary.phase, marked=False)


def candidates_of(project: Project, wanted: str) -> list[Candidate]:
    """The runs of these operations, names or patterns with commas between them: marked ones first, then the latest."""
    rows = project.journal.database.rows(
        "SELECT r.id, r.name, w.workflow, r.phase, coalesce(n.marked, 0) FROM run_workflows w"
        " JOIN runs r ON r.id = w.run LEFT JOIN run_notes n ON n.run = r.id"
        " WHERE w.workflow >= ? AND w.workflow < ? ORDER BY coalesce(n.marked, 0) DESC, r.created_at DESC, r.id DESC",
        (_PREFIX, _PREFIX + "\U0010ffff"),
    )
    found: list[Candidate] = []
    for run_id, name, workflow, phase, marked in rows:
        operation = str(workflow).removeprefix(_PREFIX)
        if fits(wanted, operation):
            found.append(Candidate(run_id=run_id, name=name, operation=operation, phase=phase, marked=bool(marked)))
    return found


def _files(project: Project, one: Candidate, wanted: str) -> str:
    """The digest of what the run's steps of the operation made, the last one's; "" when it has nothing."""
    from argosy.project.named_data import outputs_of
    from argosy.project.views import view

    parts, _ = outputs_of(view(project, project.find(one.name)).nodes)
    artifact = re.sub(r"[^-a-zA-Z0-9_]", "-", one.operation)
    own = [part for part in parts if part.artifact == artifact] if one.operation else _fitting(parts, wanted)
    own = [part for part in own if project.store.has(part.digest)]
    return own[-1].digest if own else ""


def _fitting(parts: list[Part], wanted: str) -> list[Part]:
    """Of a run that a person chose: what the operation made, or anything if no step is of that operation."""
    own = [part for part in parts if fits(wanted, part.artifact) or part.artifact == wanted.replace(":", "-")]
    return own or parts


def _none(project: Project, wanted: str, looked_at: list[Candidate]) -> NoRun:
    """That there is no such run, and which were looked at."""
    if looked_at:
        shown = ", ".join(f"{one.name} ({one.phase.lower()})" for one in looked_at[:_MOST_SHOWN])
        more = f" and {len(looked_at) - _MOST_SHOWN} more" if len(looked_at) > _MOST_SHOWN else ""
        said = f"none of its runs has files to take: {shown}{more}"
    else:
        said = "there is no run of it"
    known = {name.removeprefix(_PREFIX) for name in project.uses.workflows() if name.startswith(_PREFIX)}
    near = did_you_mean(wanted, sorted(known)) if not looked_at else None
    hint = f"did you mean {near}?" if near else f"argosy run {wanted} makes one; --needed does so by itself"
    error = NoRun(f"There is no suitable run for {wanted}: {said}", hint=hint)
    error.operation = wanted
    return error
