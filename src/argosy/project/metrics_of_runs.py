"""Metrics of this project's runs: gathered as a run is driven, or later for one whose driver was killed.

It knows where the parts come from: the run's folder, the rules of argosy.toml, logs without secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import ArgosyError
from argosy.model.metric_rules import METRICS
from argosy.project.step_files import StepLogs

if TYPE_CHECKING:
    from argosy.experiments.gathering import Gatherer
    from argosy.model.manifest import Template, Workflow
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary


# From so many runs on people are told why it takes a while.
MANY = 20


def gatherer_of(project: Project, summary: RunSummary, workflow: Workflow, runtime: str) -> Gatherer:
    """The gatherer of a run's metrics. What the record has of its nodes stays."""
    from argosy.experiments.gathering import Gatherer, Places
    from argosy.record.database import Database
    from argosy.record.experiments import Experiments

    logs = StepLogs(project.home)

    def read_log(path: Path, start: int) -> Iterator[bytes]:
        reader = logs.reader(path)
        reader.offset = start
        for line in reader.lines(to_end=True):
            yield line.data

    known = Experiments(project.journal.database).nodes_with_metrics(summary.id) if summary.generation == 1 else ()
    return Gatherer(
        run_id=summary.id,
        places=Places(
            folder=project.home.run(summary.uid),
            generation=summary.generation,
            runtime=runtime,
            rules=project.configuration.metrics,
            templates=_with_rules(workflow),
        ),
        read_log=read_log,
        open_database=lambda: Database.open(project.home.record),
        known=known,
    )


def _with_rules(workflow: Workflow) -> dict[str, Template]:
    return {
        one.name: one
        for one in workflow.spec.templates
        if one.metadata is not None and METRICS in one.metadata.annotations
    }


def gather_missing(project: Project, say: Callable[[str], None] = lambda text: None) -> None:
    """Gather the metrics of finished runs whose drivers had no time for it. say: is told what there is to say.

    Costs a look at an index when there are none. A run whose record is damaged is not tried again.
    """
    from argosy.record.experiments import Experiments
    from argosy.record.troubles import DamagedRun

    missing = Experiments(project.queries.database).not_gathered()
    if len(missing) > MANY:
        say(f"gathering the metrics of {len(missing)} earlier runs, once")
    for run_id in missing:
        try:
            for note in gather_again(project, project.queries.numbered(run_id), only_missing=True):
                say(f"note: {note}")
        except (DamagedRun, msgspec.MsgspecError) as error:
            said = f"the metrics of run number {run_id} are lost, since its record is damaged: {error}"
            Experiments(project.journal.database).put(run_id, (), done=True, notes=[said])
            say(f"note: {said}")
        except (ArgosyError, OSError) as error:
            say(f"note: the metrics of run number {run_id} could not be gathered: {error}")


def gather_again(project: Project, summary: RunSummary, *, only_missing: bool = False) -> list[str]:
    """Gather the metrics of a run that is over; what there is to say about it.

    only_missing: nodes that have metrics keep them.
    """
    from argosy.project.views import view

    run = view(project, summary)
    gatherer = gatherer_of(project, summary, run.workflow, run.options.runtime)
    if not only_missing:
        gatherer.forget()
    return gatherer.finish(run.nodes)


def gather_so_far(project: Project, summary: RunSummary) -> list[str]:
    """Have the metrics of every step of the run that ended by now; what there is to say about it.

    Costs a look when they are all there. What a step that runs has printed is not looked at.
    """
    from argosy.project.views import view
    from argosy.record.experiments import Experiments

    experiments = Experiments(project.queries.database)
    if summary.finished:
        if experiments.is_gathered(summary.id):
            return experiments.notes_of_gathering(summary.id)
        return gather_again(project, summary, only_missing=True)
    run = view(project, summary)
    return gatherer_of(project, summary, run.workflow, run.options.runtime).finish(run.nodes, over=False)
