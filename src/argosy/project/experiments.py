"""This project's runs as experiments: what the verbs that filter, compare and note are given.

It knows how the record is opened for that and who drives what; the questions are answered in `argosy.experiments`.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from argosy.experiments.columns import Asking
from argosy.experiments.runs import choose
from argosy.record.experiments import Experiments

if TYPE_CHECKING:
    from argosy.experiments.runs import Chosen
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary


def asking(project: Project) -> Asking:
    """A question about this project's runs, as of now. Raises NotFound when there is no record yet."""
    queries = project.queries
    interrupted = [run.id for run in queries.unfinished() if run.interrupted]
    return Asking(experiments=Experiments(queries.database), now=time.time(), interrupted=json.dumps(interrupted))


def runs_meant(project: Project, names: tuple[str, ...], where: str) -> list[RunSummary]:
    """The runs of these names, and those that fulfil the condition; none twice. Raises NotFound, WhereError."""
    found = {run.id: run for run in (project.find(name) for name in names)}
    if where:
        for run_id in chosen_runs(project, where=where).run_ids:
            if run_id not in found:
                found[run_id] = project.queries.numbered(run_id)
    return list(found.values())


def chosen_runs(project: Project, *, where: str = "", sort: str = "", limit: int | None = None) -> Chosen:
    """The runs that fulfil a condition, sorted. Raises WhereError, NotFound when there is no record yet."""
    return choose(asking(project), where=where, sort=sort, limit=limit)


def experiments_of(project: Project) -> Experiments:
    """The record of experiments, to write to. Raises NotFound when there is no record yet."""
    project.queries  # noqa: B018  # says that there are no runs instead of making a record
    return Experiments(project.journal.database)
