"""`argosy runs`.

It knows columns; which runs there are and what holds of them is answered in `argosy.experiments`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.options import console, home_option, open_project, output_option

if TYPE_CHECKING:
    from argosy.experiments.columns import Asking
    from argosy.experiments.runs import Row

SCHEMA = "argosy.runs/v1"
MOST_COLUMNS = 5
_ENDED_BY_A_PERSON = {"Stopped with strategy 'Stop'": "Stopped", "Stopped with strategy 'Terminate'": "Terminated"}


@click.command("runs")
@click.option("-w", "--where", default="", metavar="CONDITION", help='As in "loss < 0.3 and label = tuned".')
@click.option("-s", "--sort", default="", metavar="[-]NAME", help="Sort by this; -NAME has the greatest first.")
@click.option("-c", "--columns", default="", metavar="NAMES", help='As in "name, lr, train#loss as loss, min(acc)".')
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("-a", "--all", "everything", is_flag=True, help="However many there are.")
@output_option("wide", "json", "csv", "name")
@home_option
def command(
    where: str, sort: str, columns: str, limit: int, everything: bool, output: str | None, home: Path | None
) -> None:
    """List runs as experiments: with parameters and metrics, filtered and sorted by them.

    A CONDITION compares attributes (name, status, label, comment, marked, tag, workflow, created, started, finished,
    duration), parameters and metrics by name: = != < <= > >=, contains, in (A, B), not, and, or, brackets. A bare name
    asks whether the run has it. STEP#METRIC is the metric of one step, min(METRIC) its least value; param:NAME and
    metric:NAME say which is meant.

    \b
      argosy runs -w "loss < 0.3 and lr in (0.1, 0.01)" -s loss
      argosy runs -w "status = Failed and started > 2h ago"
    """
    from argosy.errors import NotFound
    from argosy.experiments.runs import choose, rows_of
    from argosy.project.experiments import asking
    from argosy.project.metrics_of_runs import gather_missing

    project = open_project(home)
    talk = console()
    try:
        _ = project.queries
    except NotFound as error:
        # No runs is an answer too.
        if output == "json":
            talk.json({"schema": SCHEMA, "total": 0, "runs": []})
        elif output is None or output == "wide":
            talk.say(error.message)
        return
    gather_missing(project, talk.say)
    question = asking(project)
    chosen = choose(question, where=where, sort=sort, limit=None if everything else limit)
    if columns:
        _show_columns(question, chosen.run_ids, columns, output)
    else:
        _show(rows_of(question, chosen.run_ids), output, chosen.total)
    if output in (None, "wide") and chosen.total > len(chosen.run_ids):
        talk.say(f"{len(chosen.run_ids)} of {chosen.total}; --all shows every one")


def _show_columns(question: Asking, run_ids: tuple[int, ...], columns: str, output: str | None) -> None:
    from argosy.cli.experiment_tables import cell, csv_of, plain, table
    from argosy.experiments.runs import chosen_columns, values_of

    wanted = chosen_columns(question, columns)
    read = values_of(question, run_ids, wanted)
    titles = [column.title for column in wanted]
    rows = [list(zip(wanted, read[run_id], strict=True)) for run_id in run_ids if run_id in read]
    if output == "json":
        found = [{column.title: plain(column, value) for column, value in row} for row in rows]
        console().json({"schema": SCHEMA, "total": len(found), "runs": found})
    elif output == "csv":
        console().data(csv_of(titles, [[plain(column, value) for column, value in row] for row in rows]))
    elif not rows:
        console().say("no runs")
    else:
        now = time.time()
        table(
            [title.upper() for title in titles], [[cell(column, value, now) for column, value in row] for row in rows]
        )


def _show(rows: list[Row], output: str | None, total: int) -> None:
    from argosy.cli.experiment_tables import csv_of, row_as_json, table

    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, "total": total, "runs": [row_as_json(row) for row in rows]})
    elif output == "name":
        for row in rows:
            talk.data(row.name)
    elif output == "csv":
        talk.data(csv_of(*csv_rows(rows)))
    elif not rows:
        talk.say("no runs")
    else:
        table(*_table(rows, wide=output == "wide"))


def csv_rows(rows: list[Row]) -> tuple[list[str], list[list[Any]]]:
    """Every parameter and metric, a column each. A name that is both gets its kind in front."""
    from argosy.cli.experiment_tables import exact_number, when
    from argosy.experiments.runs import metric_names, parameter_names

    parameters, metrics = parameter_names(rows), metric_names(rows)
    own = ("run", "status", "workflow", "label", "marked", "created", "started", "duration")
    twice = (set(parameters) & set(metrics)) | (set(parameters) & set(own)) | (set(metrics) & set(own))
    head = [
        *own,
        *(f"param:{name}" if name in twice else name for name in parameters),
        *(f"metric:{name}" if name in twice else name for name in metrics),
    ]
    body: list[list[Any]] = []
    for row in rows:
        values = {one.name: exact_number(one.last) for one in row.metrics}
        body.append(
            [
                *(row.name, row.status, row.workflow, row.notes.label, "yes" if row.notes.marked else ""),
                *(when(row.created_at), when(row.started_at), row.duration),
                *(row.parameters.get(name) for name in parameters),
                *(values.get(name) for name in metrics),
            ]
        )
    return head, body


def _table(rows: list[Row], *, wide: bool) -> tuple[list[str], list[list[str]]]:
    from argosy.cli.experiment_tables import short, shown_number
    from argosy.cli.progress import spell
    from argosy.experiments.runs import metric_names, parameter_names

    now = time.time()
    parameters, metrics = parameter_names(rows, differing=not wide and len(rows) > 1), metric_names(rows)
    if not wide:
        parameters, metrics = parameters[:MOST_COLUMNS], metrics[:MOST_COLUMNS]
    labelled = wide or any(row.notes.label or row.notes.marked or row.notes.tags for row in rows)
    head = ["NAME", "STATUS", "AGE", "TOOK", *(["LABEL"] if labelled else []), *parameters, *metrics]
    body: list[list[str]] = []
    for row in rows:
        values = {one.name: one.last for one in row.metrics}
        took = spell(row.duration) if row.duration is not None and row.status != "Interrupted" else ""
        body.append(
            [
                *(row.name, shown_status(row), spell(now - row.created_at), took),
                *([short(label_of(row))] if labelled else []),
                *(short(row.parameters.get(name) or "") for name in parameters),
                *(shown_number(values[name]) if name in values else "" for name in metrics),
            ]
        )
    return head, body


def shown_status(row: Row) -> str:
    """A run's status for people: Argo has no word for a run that a person ended but Failed."""
    return ended_by_a_person(row.message) or row.status


def ended_by_a_person(message: str) -> str:
    """The word for a run with this message that a person has ended; "" for any other."""
    return _ENDED_BY_A_PERSON.get(message, "")


def label_of(row: Row) -> str:
    """A run's label for people, with its mark and its tags."""
    notes = row.notes
    return " ".join(
        [*(["*"] if notes.marked else []), *([notes.label] if notes.label else []), *(f"#{t}" for t in notes.tags)]
    )
