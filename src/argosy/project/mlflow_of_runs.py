"""Runs logged to MLflow: whether and where, and what of a run goes there.

It knows where the tracking address comes from; the writing is `argosy.experiments.mlflow_log`'s.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from argosy.errors import ArgosyError, UsageError

if TYPE_CHECKING:
    from argosy.experiments.mlflow_log import Logged
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary

ADDRESS = "MLFLOW_TRACKING_URI"
EXPERIMENT = "MLFLOW_EXPERIMENT_NAME"


def tracking_address(project: Project) -> str:
    """Where runs are logged to, "" for nowhere: the environment's word before argosy.toml's."""
    return os.environ.get(ADDRESS) or project.configuration.mlflow.tracking_uri


def log_if_wanted(project: Project, run_id: int, say: Callable[[str], None]) -> None:
    """Log a run that is over, if an address is set. What goes wrong is said, and fails nothing."""
    if not tracking_address(project):
        return
    try:
        summary = project.queries.numbered(run_id)
        log_run(project, summary)
    except (ArgosyError, OSError) as error:
        hint = f"; {error.hint}" if isinstance(error, ArgosyError) and error.hint else ""
        say(f"the run is not in MLflow: {error}{hint}")


def log_run(project: Project, summary: RunSummary) -> bool:
    """Log a run that is over; whether it was not there yet. Raises UsageError, EnvironmentTrouble."""
    from argosy.experiments.mlflow_log import log

    address = tracking_address(project)
    if not address:
        raise UsageError("There is no MLflow address", hint=f"set {ADDRESS}, or [mlflow] tracking_uri in argosy.toml")
    if not summary.finished:
        raise UsageError(f"Run {summary.name} is not over", hint="it is logged at its end")
    experiment = os.environ.get(EXPERIMENT) or project.configuration.mlflow.experiment or project.folder.name
    return log(_logged(project, summary), tracking_uri=address, experiment=experiment or "argosy")


def _logged(project: Project, summary: RunSummary) -> Logged:
    from argosy.experiments.mlflow_log import Logged
    from argosy.project.artifacts_of_runs import artifacts_of
    from argosy.project.metrics_of_runs import gather_so_far
    from argosy.project.views import view
    from argosy.record.experiments import Experiments

    gather_so_far(project, summary)
    experiments = Experiments(project.queries.database)
    notes = experiments.notes([summary.id])[summary.id]
    metrics = experiments.metrics([summary.id])[summary.id]
    histories = [(one, experiments.history(summary.id, one.name, one.node)) for one in metrics]
    tags = {f"label.{key}": value for key, value in summary.labels.items()}
    tags |= {"argosy.label": notes.label, "argosy.tags": " ".join(notes.tags), "argosy.message": summary.message}
    return Logged(
        name=summary.name,
        uid=summary.uid,
        generation=summary.generation,
        phase=summary.phase,
        started_at=summary.started_at or summary.created_at,
        finished_at=summary.finished_at,
        comment=notes.comment,
        tags=tags,
        parameters=experiments.parameters([summary.id])[summary.id],
        metrics=[(one, series) for one, series in histories if series is not None],
        artifacts=[
            {"step": found.step, "name": found.artifact.name, "place": found.place, "sizeBytes": found.size_bytes}
            for found in artifacts_of(project, view(project, summary), None, inputs=False)
        ],
    )
