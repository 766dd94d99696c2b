"""`argosy compare`.

It knows how a comparison is drawn; what is compared is up to `argosy.experiments`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.options import complete_runs, console, home_option, open_project, output_option

if TYPE_CHECKING:
    from argosy.experiments.comparison import Line
    from argosy.experiments.runs import Row

SCHEMA = "argosy.compare/v1"
NEWEST = 10


@click.command("compare")
@click.argument("runs", nargs=-1, shell_complete=complete_runs)
@click.option(
    "-w", "--where", default="", metavar="CONDITION", help="The runs that fulfil this, as argosy runs has it."
)
@click.option("-s", "--sort", default="", metavar="[-]NAME", help="Sort by this; -NAME has the greatest first.")
@click.option("-n", "--limit", type=click.IntRange(min=1), help=f"At most so many.  [default without RUNS: {NEWEST}]")
@click.option("-d", "--diff-only", is_flag=True, help="Only what is not the same in all of them.")
@output_option("json", "csv")
@home_option
def command(
    runs: tuple[str, ...],
    where: str,
    sort: str,
    limit: int | None,
    diff_only: bool,
    output: str | None,
    home: Path | None,
) -> None:
    """Set runs beside one another: status, parameters and metrics. Without RUNS or --where the newest."""
    from argosy.experiments.comparison import compared
    from argosy.experiments.runs import choose, rows_of
    from argosy.project.experiments import asking
    from argosy.project.metrics_of_runs import gather_missing

    project = open_project(home)
    talk = console()
    named = [project.find(name).id for name in runs]
    gather_missing(project, talk.say)
    question = asking(project)
    if where or sort or not named:
        most = limit if limit is not None or where or named else NEWEST
        chosen = choose(question, where=where, sort=sort, limit=None if named else most).run_ids
        if named and not where:
            chosen = tuple(one for one in chosen if one in named)
        elif named:
            chosen = tuple(dict.fromkeys((*named, *chosen)))
        ids = chosen
    else:
        ids = tuple(dict.fromkeys(named))
    rows = rows_of(question, ids[:limit])
    _show(rows, compared(rows, diff_only=diff_only) if rows else [], output)


def _show(rows: list[Row], lines: list[Line], output: str | None) -> None:
    from argosy.cli.experiment_tables import SIDE_BY_SIDE, csv_of, side_by_side, table

    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, "runs": [row.name for row in rows], "lines": [_as_json(line) for line in lines]})
    elif output == "csv":
        head, body = _columns(rows, lines, exact=True)
        talk.data(csv_of(["run", *head], body))
    elif not rows:
        talk.say("no runs")
    elif not lines:
        talk.say(f"the {len(rows)} runs have the same parameters and metrics")
    elif len(rows) <= SIDE_BY_SIDE:
        side_by_side(rows, [(line.name, [_text(line, value) for value in line.values]) for line in lines])
    else:
        head, body = _columns(rows, lines, exact=False)
        table(["RUN", *head], body)


def _columns(rows: list[Row], lines: list[Line], *, exact: bool) -> tuple[list[str], list[list[Any]]]:
    names = [line.name for line in lines]
    head = [f"{line.kind}:{line.name}" if names.count(line.name) > 1 else line.name for line in lines]
    return head, [
        [row.name, *((_exact if exact else _text)(line, line.values[place]) for line in lines)]
        for place, row in enumerate(rows)
    ]


def _text(line: Line, value: Any) -> str:
    from argosy.cli.experiment_tables import short, shown_number, when
    from argosy.cli.progress import spell

    if value is None:
        return ""
    if line.name == "started" and line.kind == "attribute":
        return when(value)
    if line.name == "duration" and line.kind == "attribute":
        return spell(value)
    return short(value) if isinstance(value, str) else shown_number(value)


def _exact(line: Line, value: Any) -> Any:
    from argosy.cli.experiment_tables import exact_number, when

    if line.name == "started" and line.kind == "attribute":
        return when(value)
    return value if value is None or isinstance(value, str) else exact_number(value)


def _as_json(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "name": line.name,
        "same": line.same,
        "values": [_exact(line, value) for value in line.values],
    }
