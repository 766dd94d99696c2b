"""What became of a sweep's trials, the best first.

It knows what the record has of them; how it is shown is up to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from argosy.errors import UsageError
from argosy.model.sweeps import SWEEP, Sweep
from argosy.project.sweeping import objectives, trials_of
from argosy.project.views import options_of, shown_phase

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """One trial. seconds: how long it took, None while it is not over. values: of the parameters that are swept."""

    number: int
    name: str
    phase: str
    seconds: float | None
    objective: float | None
    values: dict[str, str]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep with its trials: the best first, those without a result last. metrics: names that trials have."""

    name: str
    sweep: Sweep
    trials: tuple[TrialResult, ...]
    metrics: tuple[str, ...] = ()

    @property
    def best(self) -> TrialResult | None:
        """The best trial, None if none has the metric or nothing was looked for."""
        first = self.trials[0] if self.trials else None
        return first if first is not None and first.objective is not None else None


def results_of(project: Project, summary: RunSummary) -> Results:
    """The trials of a sweep, or of the sweep that the run is a trial of. Raises UsageError when it is neither."""
    parent = project.queries.named(summary.labels.get(SWEEP, ""))
    summary = parent or summary
    sweep = options_of(project, summary.id).sweep
    if sweep is None:
        raise UsageError(
            f"Run {summary.name} is no sweep", hint="argosy run FILE NAME=[VALUE,VALUE] makes one with many trials"
        )
    runs = trials_of(project, summary)
    values = objectives(project, [run for _, run in runs], sweep.objective)
    found = [_result(number, run, sweep, values.get(run.id)) for number, run in runs]
    if sweep.objective:
        sign = -1.0 if sweep.direction == "maximize" else 1.0
        found.sort(key=lambda one: (one.objective is None, sign * (one.objective or 0.0), one.number))
    names = _metric_names(project, [run for _, run in runs]) if sweep.objective and not values else ()
    return Results(name=summary.name, sweep=sweep, trials=tuple(found), metrics=names)


def _result(number: int, run: RunSummary, sweep: Sweep, objective: float | None) -> TrialResult:
    return TrialResult(
        number=number,
        name=run.name,
        phase=shown_phase(run),
        seconds=run.finished_at - run.started_at if run.finished else None,
        # What a failed trial said last is no result.
        objective=objective if run.phase == "Succeeded" else None,
        values={name: text for name in sweep.spaces if (text := run.parameters.get(name)) is not None},
    )


def _metric_names(project: Project, runs: list[RunSummary]) -> tuple[str, ...]:
    from argosy.record.experiments import Experiments

    found = Experiments(project.queries.database).metrics([run.id for run in runs])
    return tuple(sorted({one.name for metrics in found.values() for one in metrics}))
