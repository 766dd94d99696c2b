"""Sweeps: one run with many trials, each a run of its own; made, looked at, and asked for the next values.

It knows how trials become an Argo workflow that creates workflows; driving them is the runner's matter. Nothing of a
sweep is kept but the runs themselves: what was tried is what the record has of its trials.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from argosy.dialects.argo_inputs import signature_of
from argosy.dialects.secret_text import without_values
from argosy.errors import NotFound, UsageError
from argosy.experiments.spaces import Interval, Space, read_space
from argosy.experiments.sweep_workflow import sweep_workflow
from argosy.experiments.trials import DEFAULT_TRIALS, Trial, chosen_of_grid, drawn
from argosy.model.inputs import Signature
from argosy.model.manifest import Workflow
from argosy.model.sweeps import SWEEP, TRIAL, Direction, Method, Sweep, TrialOptions, trial_name
from argosy.project import arguments
from argosy.project.submission import Wanted, referenced_by

if TYPE_CHECKING:
    from argosy.experiments.optimizing import Tried
    from argosy.project.project import Project, Submitted
    from argosy.project.sources import Candidate, Source
    from argosy.record.queries import RunSummary


class SweepWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for: spaces as written, by parameter; rows of files of trials.

    method: None for what the spaces and the objective suggest.
    """

    spaces: Mapping[str, str]
    rows: tuple[Trial, ...] = ()
    method: Method | None = None
    objective: str = ""
    direction: Direction = "minimize"
    max_trials: int | None = None
    seed: int | None = None
    fail_fast: bool = False


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep as a workflow to be submitted."""

    workflow: Workflow
    sweep: Sweep


# -- making one


def made(workflow: Workflow, asked: SweepWanted, wanted: Wanted, takes: Signature) -> Made:
    """The workflow that makes the trials. workflow: of a trial, all other values put in.

    Raises UsageError for values that an input does not take, EnvironmentTrouble without Optuna where it is needed.
    """
    spaces, rows = _read(asked, takes)
    method = asked.method or _method_of(spaces, asked)
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    trials, left_out = _trials(method, spaces, rows, asked, seed)
    names = list(dict.fromkeys([*(name for row in rows for name in row), *spaces]))
    _check(trials, spaces, takes)
    written = {name: asked.spaces.get(name) or f"{len(rows)} values of a file" for name in names}
    sweep = Sweep(
        method=method,
        spaces=written,
        trials=len(trials),
        left_out=left_out,
        objective=asked.objective,
        direction=asked.direction,
        seed=seed,
        options=TrialOptions(
            runtime=wanted.runtime,
            gpus=wanted.gpus,
            ignore_resources=wanted.ignore_resources,
            labels=dict(wanted.labels),
            cache=wanted.cache,
            refresh=wanted.refresh,
        ),
    )
    return Made(workflow=sweep_workflow(workflow, sweep, names, trials, wanted.jobs or 1, asked.fail_fast), sweep=sweep)


def submit(project: Project, source: Source, candidate: Candidate, wanted: Wanted, asked: SweepWanted) -> Submitted:
    """Put a sweep of the workflow into the record. Raises InvalidFile with findings at their places in the file.

    A trial is checked as a whole first: what is wrong with all of them is told before there is any.
    """
    from argosy.project import sources
    from argosy.project.hosting import leaves_of
    from argosy.project.resolving import with_data
    from argosy.project.submission import Refused, prepare

    takes = wanted.signature or sources.takes(project, candidate)
    spaces, rows = _read(asked, takes)
    first = {name: _first(space) for name, space in spaces.items()} | (rows[0] if rows else {})
    again = [name for name in first if name in wanted.parameters]
    if again:
        raise UsageError(f"{again[0]} is given as one value and as many", hint="leave one of them out")
    trial = replace(wanted, name="", signature=takes, parameters={**wanted.parameters, **first})
    try:
        sources.check_format(project, candidate.workflow, trial)
        prepared = prepare(candidate.workflow, trial, project.documents, project.configuration)
        # Data that is not there is told now, not by every trial.
        with_data(project, prepared)
    except Refused as refused:
        raise sources.refusal(refused, candidate) from None
    referenced = referenced_by(candidate.workflow, project.documents)
    child = arguments.with_parameters(candidate.workflow, wanted.parameters, referenced, takes)
    child = arguments.with_entrypoint(child, wanted.entrypoint, referenced)
    needs_code = bool(leaves_of(prepared.workflow, prepared.options.surroundings).hosts)
    found = made(child, asked, replace(wanted, runtime=prepared.options.runtime), takes)
    code = wanted.code if wanted.code.take is not None or not needs_code else replace(wanted.code, take=True)
    parent = Wanted(
        name=wanted.name,
        signature=takes,
        # Its own steps only make runs.
        runtime="process",
        jobs=wanted.jobs or 1,
        labels=wanted.labels,
        code=code,
        # Trials may be made of what is cached, each by itself; that one was made is never taken from there.
        cache=False,
        sweep=found.sweep,
    )
    # What there is to say is about the file, not about the workflow made from it.
    return replace(project.submit(found.workflow, parent, without_values(source.text)), findings=prepared.findings)


def _first(space: Space) -> str:
    if isinstance(space, Interval):
        return str(int(space.low)) if space.whole else str(space.low)
    return space.values[0]


def _read(asked: SweepWanted, takes: Signature) -> tuple[dict[str, Space], list[Trial]]:
    spaces: dict[str, Space] = {}
    for name, text in asked.spaces.items():
        one = takes.find(name)
        fractions = one is not None and one.type in ("float", "number")
        space = read_space(text, fractions=fractions, surely=True)
        assert space is not None
        spaces[one.name if one is not None else name] = space
    rows: list[Trial] = []
    for row in asked.rows:
        known = {(one.name if (one := takes.find(name)) is not None else name): text for name, text in row.items()}
        if twice := known.keys() & spaces.keys():
            name = min(twice)
            raise UsageError(f"{name} is given by the file of trials and as {asked.spaces[name]}", hint="leave one out")
        rows.append(known)
    return spaces, rows


def _method_of(spaces: Mapping[str, Space], asked: SweepWanted) -> Method:
    if not any(isinstance(one, Interval) for one in spaces.values()):
        return "grid"
    return "bayesian" if asked.objective else "random"


def _trials(
    method: Method, spaces: dict[str, Space], rows: list[Trial], asked: SweepWanted, seed: int
) -> tuple[list[Trial], int]:
    """The values of each trial, and how many of a grid are left out. Those of a Bayesian sweep come later."""
    most = asked.max_trials
    if method == "grid":
        return chosen_of_grid(spaces, rows, most, seed)
    count = DEFAULT_TRIALS if most is None else most
    if method == "random":
        return drawn(spaces, rows, count, seed), 0
    from argosy.experiments.optimizing import check_optuna

    if not asked.objective:
        raise UsageError("A Bayesian sweep needs to know what is best", hint="give --minimize or --maximize METRIC")
    if rows:
        raise UsageError("A Bayesian sweep chooses its trials itself, so a file of trials is nothing for it")
    check_optuna()
    return [{} for _ in range(count)], 0


def _check(trials: Sequence[Trial], spaces: Mapping[str, Space], takes: Signature) -> None:
    """Every value that a trial may get. Raises UsageError."""
    seen: set[tuple[str, str]] = set()
    for trial in trials:
        seen.update(trial.items())
    for name, space in spaces.items():
        if isinstance(space, Interval):
            ends = (int(space.low), int(space.high)) if space.whole else (space.low, space.high)
            seen.update((name, str(end)) for end in ends)
        else:
            seen.update((name, value) for value in space.values)
    for name, text in sorted(seen):
        if "{{" in text:
            raise UsageError(f"{name}: {text!r} has a tag in it, which a trial's value cannot have")
        one = takes.find(name)
        if one is not None:
            arguments.accepted_value(one, text)


# -- its trials


def sweep_of_trial(project: Project, workflow: Workflow) -> tuple[RunSummary, Sweep] | None:
    """The sweep that a workflow is a trial of; None if it is none."""
    from argosy.project.views import options_of

    name = workflow.metadata.labels.get(SWEEP)
    if not name or TRIAL not in workflow.metadata.labels:
        return None
    try:
        summary = project.find(name)
    except NotFound:
        return None
    sweep = options_of(project, summary.id).sweep if summary.name == name else None
    return (summary, sweep) if sweep is not None else None


def submit_trial(project: Project, summary: RunSummary, sweep: Sweep, workflow: Workflow) -> Submitted:
    """Put a trial of the sweep into the record. Raises UsageError when it is there already.

    It is run as its sweep was asked to, with the code that the sweep has kept. Raises EnvironmentTrouble when values
    have to be asked for and Optuna is not there.
    """
    from argosy.project.hosting import same_code
    from argosy.project.submission import prepare
    from argosy.project.views import options_of

    options, given = options_of(project, summary.id), sweep.options
    takes = Signature(inputs=options.inputs) if options.inputs else signature_of(workflow)
    parameters: dict[str, str] = {}
    if sweep.method == "bayesian":
        parameters = _suggested(project, summary, sweep, takes, int(workflow.metadata.labels[TRIAL]))
    wanted = Wanted(
        name=workflow.metadata.name,
        parameters=parameters,
        signature=takes,
        runtime=given.runtime,
        gpus=given.gpus,
        ignore_resources=given.ignore_resources,
        labels=given.labels,
        code=same_code(options),
        cache=given.cache,
        refresh=given.refresh,
    )
    prepared = prepare(workflow, wanted, project.documents, project.configuration)
    return project.submitted(prepared, project.queries.source(summary.id), workflow_name=options.workflow_name)


def _suggested(project: Project, summary: RunSummary, sweep: Sweep, takes: Signature, number: int) -> Trial:
    from argosy.experiments.optimizing import suggest

    spaces, _ = _read(SweepWanted(spaces=sweep.spaces), takes)
    tried = tried_in(project, summary, sweep)
    return suggest(spaces, tried, number=number, direction=sweep.direction, seed=sweep.seed)


def trials_of(project: Project, summary: RunSummary) -> list[tuple[int, RunSummary]]:
    """The trials of a sweep that there are, by number."""
    found = [
        (int(run.labels[TRIAL]), run)
        for run in project.queries.named_from(f"{summary.name}-")
        if run.labels.get(SWEEP) == summary.name and run.labels.get(TRIAL, "").isdecimal()
    ]
    return sorted((number, run) for number, run in found if run.name == trial_name(summary.name, number))


def trials_to_delete(project: Project, summary: RunSummary) -> list[RunSummary]:
    """The trials that go with a run: none, unless it is a sweep. Raises UsageError when one of them is driven."""
    from argosy.project.views import options_of

    if options_of(project, summary.id).sweep is None:
        return []
    trials = [run for _, run in trials_of(project, summary)]
    if driven := next((one.name for one in trials if one.driven), ""):
        raise UsageError(f"{driven}, a trial of {summary.name}, goes on", hint=f"argosy terminate {driven} ends it")
    return trials


def tried_in(project: Project, summary: RunSummary, sweep: Sweep) -> list[Tried]:
    """What was tried, with the values and the objective of each trial."""
    from argosy.experiments.optimizing import Tried

    trials = trials_of(project, summary)
    values = objectives(project, [run for _, run in trials], sweep.objective)
    return [
        Tried(
            number=number,
            values={name: text for name, text in run.parameters.items() if name in sweep.spaces and text is not None},
            state="running" if not run.finished else "done" if run.phase == "Succeeded" else "failed",
            value=values.get(run.id) if run.phase == "Succeeded" else None,
        )
        for number, run in trials
    ]


def objectives(project: Project, runs: Sequence[RunSummary], metric: str) -> dict[int, float]:
    """The last value of a metric of each run that has it."""
    if not metric or not runs:
        return {}
    from argosy.project.metrics_of_runs import gather_missing
    from argosy.record.experiments import Experiments

    gather_missing(project)
    found = Experiments(project.queries.database).metrics([run.id for run in runs])
    values: dict[int, float] = {}
    for run_id, metrics in found.items():
        for one in metrics:
            if one.name == metric and one.last is not None:
                values[run_id] = one.last
    return values
