"""The lineage of what a person names: a run, or data of any kind.

It knows how to tell one from the other; the tree is the catalog's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.catalog.refs import KINDS, Kind
from argosy.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argosy.catalog.lineage import Lineage
    from argosy.project.project import Project


def lineage(project: Project, name: str, *, limit: int, depth: int) -> Lineage:
    """The lineage of a run, or of data as KIND/REF or REF alone. Raises NotFound, UsageError when several are meant."""
    from argosy.catalog.lineage import Tracer

    tracer = Tracer(project.journal.database, project.names, project.uses, limit=limit, depth=depth)
    word, slash, rest = name.partition("/")
    if slash and word == "run":
        summary = project.find(rest)
        return tracer.of_run(summary.uid, summary.name)
    if slash and word in KINDS:
        return tracer.of_version(project.names.version(_kind(word), rest))
    kinds = _kinds_named(project, name)
    run = _exact_run(project, name)
    if len(kinds) + (run is not None) > 1:
        meant = ", ".join(f"{kind}/{name}" for kind in (*kinds, *(("run",) if run else ())))
        raise UsageError(f"Several things are called {name}", hint=f"write one of {meant}")
    if run is not None:
        return tracer.of_run(run, name)
    if kinds:
        return tracer.of_version(project.names.version(kinds[0], name))
    try:
        summary = project.find(name)
    except NotFound as problem:
        hint = problem.hint if "did you mean" in problem.hint else _nearest(project, name) or problem.hint
        raise NotFound(f"There is neither a run nor data named {name!r}", hint=hint) from None
    return tracer.of_run(summary.uid, summary.name)


def _kind(word: str) -> Kind:
    return next(kind for kind in KINDS if kind == word)


def _exact_run(project: Project, name: str) -> str | None:
    row = project.journal.database.row("SELECT uid FROM runs WHERE name = ?", (name,))
    return None if row is None else str(row[0])


def _kinds_named(project: Project, name: str) -> list[Kind]:
    found: list[Kind] = []
    for kind in KINDS:
        try:
            if project.names.exists(kind, name):
                found.append(kind)
        except UsageError:
            continue
    return found


def _nearest(project: Project, name: str) -> str:
    from argosy.syntax.diagnostics import did_you_mean

    near = did_you_mean(name.partition(":")[0], [one.whole_name for kind in KINDS for one in project.names.list(kind)])
    return f"did you mean {near}?" if near else ""
