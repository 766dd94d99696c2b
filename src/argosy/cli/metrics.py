"""`argosy metrics`.

It knows how metrics are drawn; they are gathered and kept elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.options import console, home_option, open_project, output_option, run_argument
from argosy.errors import NotFound

if TYPE_CHECKING:
    from argosy.record.experiments import Experiments, Metric, Series

SCHEMA = "argosy.metrics/v1"


@click.command("metrics")
@run_argument
@click.argument("name", required=False)
@click.option("--step", default="", help="Only of this step.")
@click.option("--history", is_flag=True, help="Every value.")
@click.option("--again", is_flag=True, help="Gather them again from what the steps left.")
@output_option("json", "csv")
@home_option
def command(
    run: str, name: str | None, step: str, history: bool, again: bool, output: str | None, home: Path | None
) -> None:
    """Show the metrics of a run; of one NAME with its curve."""
    from argosy.project.experiments import experiments_of
    from argosy.project.metrics_of_runs import gather_again, gather_so_far

    project = open_project(home)
    summary = project.find(run)
    talk = console()
    experiments = experiments_of(project)
    said = gather_again(project, summary) if again and summary.finished else gather_so_far(project, summary)
    found = [one for one in experiments.metrics([summary.id])[summary.id] if _is_meant(one, name, step)]
    if (name or step) and not found:
        raise _no_such(experiments, summary.id, summary.name, name or "", step)
    if output == "json":
        talk.json(
            {
                "schema": SCHEMA,
                "run": summary.name,
                "notes": said,
                "metrics": [_as_json(experiments, summary.id, one, history=history or bool(name)) for one in found],
            }
        )
        return
    for note in said:
        talk.say(f"note: {note}")
    if output == "csv":
        _csv(experiments, summary.id, found)
    elif not found:
        talk.say(f"{summary.name} has no metrics")
    elif name:
        for one in found:
            _draw(experiments, summary.id, one, history=history)
    else:
        _table(experiments, summary.id, found)


def _is_meant(one: Metric, name: str | None, step: str) -> bool:
    return (not name or one.name == name) and (not step or one.step == step or one.step.startswith(f"{step}("))


def _no_such(experiments: Experiments, run_id: int, run: str, name: str, step: str) -> NotFound:
    from argosy.syntax.diagnostics import did_you_mean

    found = experiments.metrics([run_id])[run_id]
    names = dict.fromkeys(one.name for one in found) if name else dict.fromkeys(one.step for one in found)
    near = did_you_mean(name or step, names)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(names)}" if names else "it has none"
    return NotFound(
        f"Run {run} has no metric {name!r}" if name else f"No step {step!r} of {run} has metrics", hint=hint
    )


def _history(experiments: Experiments, run_id: int, one: Metric) -> Series:
    found = experiments.history(run_id, one.name, one.node)
    if found is None:
        raise NotFound(f"The metric {one.name} is gone")
    return found


def _table(experiments: Experiments, run_id: int, found: list[Metric]) -> None:
    from argosy.cli.experiment_tables import shown_number, table
    from argosy.experiments.curves import spark

    table(
        ("NAME", "STEP", "LAST", "MIN", "MAX", "MEAN", "COUNT", ""),
        [
            [
                one.name,
                one.step,
                *(shown_number(value) for value in (one.last, one.min, one.max, one.mean)),
                str(one.count),
                spark(_history(experiments, run_id, one).values) if one.count > 1 else "",
            ]
            for one in found
        ],
    )


def _draw(experiments: Experiments, run_id: int, one: Metric, *, history: bool) -> None:
    from argosy.cli.console import BOLD, visible
    from argosy.cli.experiment_tables import shown_number
    from argosy.experiments.curves import curve

    talk = console()
    series = _history(experiments, run_id, one)
    talk.data(talk.paint(visible(f"{one.name} of {one.step}"), BOLD) + f"  {one.count} values, from {one.source}")
    lines = curve(series.steps, series.values)
    ends = {0: shown_number(one.max), len(lines) - 1: shown_number(one.min)}
    for number, line in enumerate(lines):
        talk.data(f"{ends.get(number, ''):>12} ┤{line}")
    if lines:
        talk.data(f"{'':>13} step {min(series.steps)} to {max(series.steps)}")
    talk.data(
        f"last {shown_number(one.last)}, min {shown_number(one.min)}, max {shown_number(one.max)}, "
        f"mean {shown_number(one.mean)}"
    )
    if history:
        for step, value in zip(series.steps, series.values, strict=True):
            talk.data(f"{step:>12}  {shown_number(value)}")


def _csv(experiments: Experiments, run_id: int, found: list[Metric]) -> None:
    from argosy.cli.experiment_tables import csv_of, exact_number

    rows: list[list[Any]] = []
    for one in found:
        series = _history(experiments, run_id, one)
        for place, (step, value) in enumerate(zip(series.steps, series.values, strict=True)):
            rows.append([one.name, one.step, step, exact_number(value), series.times[place] if series.times else None])
    console().data(csv_of(("name", "step", "number", "value", "time"), rows))


def _as_json(experiments: Experiments, run_id: int, one: Metric, *, history: bool) -> dict[str, Any]:
    from argosy.cli.experiment_tables import exact_number, metric_as_json

    shown = metric_as_json(one)
    if history:
        series = _history(experiments, run_id, one)
        shown["steps"] = list(series.steps)
        shown["values"] = [exact_number(value) for value in series.values]
        shown["times"] = list(series.times)
    return shown
