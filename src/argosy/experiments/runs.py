"""Runs as a table: chosen by a condition, sorted, with the columns that were asked for or that say most.

It knows rows and columns, not how they are drawn. Of all runs only a number and what is compared or sorted by is looked
at; the rest is read for the runs that are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from argosy.experiments.columns import Asking, Column, Sql, column_of, columns_of, condition_sql, value_sql
from argosy.experiments.where import Name, parse_name
from argosy.record.experiments import Metric, Notes

Value = str | float | int | bool | None
_FROM = "FROM runs r LEFT JOIN run_notes n ON n.run = r.id"
MOST_COLUMNS = 5


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that fulfil a condition. total: how many there are, also beyond the limit."""

    run_ids: tuple[int, ...]
    total: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a table. parameters: as given. metrics: every one, the last that came of each name last."""

    run_id: int
    name: str
    status: str
    created_at: float
    started_at: float
    duration: float | None
    workflow: str
    message: str
    labels: str
    notes: Notes
    parameters: Mapping[str, str | None]
    metrics: Sequence[Metric]

    def metric(self, name: str) -> float | None:
        """The metric's last value, of the step that gave it last; None if it is no number."""
        return next((one.last for one in reversed(self.metrics) if one.name == name), None)


def choose(asking: Asking, *, where: str = "", sort: str = "", limit: int | None = None) -> Chosen:
    """The runs that fulfil the condition, sorted by a column (-NAME for the greatest first), newest first without.

    Runs that lack the column come last. Raises WhereError.
    """
    condition = condition_sql(asking, where) if where.strip() else Sql("1")
    order, parameters = _order(asking, sort)
    rows = asking.experiments.database.rows(
        f"SELECT r.id {_FROM} WHERE {condition.text} ORDER BY {order}r.created_at DESC, r.id DESC LIMIT ?",
        (*condition.parameters, *parameters, -1 if limit is None else limit),
    )
    total = len(rows)
    if limit is not None and total >= limit:
        total = asking.experiments.database.rows(
            f"SELECT count(*) {_FROM} WHERE {condition.text}", condition.parameters
        )[0][0]
    return Chosen(run_ids=tuple(row[0] for row in rows), total=total)


def _order(asking: Asking, sort: str) -> tuple[str, tuple[object, ...]]:
    if not sort.strip():
        return "", ()
    word = sort.strip()
    descending = word.startswith("-")
    word = word.lstrip("-+")
    column = column_of(asking, parse_name(word), word)
    value = value_sql(asking, column)
    way = "DESC" if descending else "ASC"
    return f"{value.text} {way} NULLS LAST, ", value.parameters


def rows_of(asking: Asking, run_ids: Sequence[int]) -> list[Row]:
    """What there is to know of these runs, in this order."""
    experiments = asking.experiments
    parameters = experiments.parameters(run_ids)
    metrics = experiments.metrics(run_ids)
    notes = experiments.notes(run_ids)
    names = ("name", "status", "created", "started", "duration", "workflow", "message")
    columns = [column_of(asking, Name(one, parse_name(one).place), one) for one in names]
    read = values_of(asking, run_ids, columns, more=("r.labels",))
    found: list[Row] = []
    for run_id in run_ids:
        if run_id not in read:
            continue
        name, status, created, started, duration, workflow, message, labels = read[run_id]
        found.append(
            Row(
                run_id=run_id,
                name=name,
                status=status,
                created_at=created,
                started_at=started or 0.0,
                duration=duration,
                workflow=workflow,
                message=message,
                labels=labels,
                notes=notes[run_id],
                parameters=parameters[run_id],
                metrics=sorted(metrics[run_id], key=lambda one: one.at),
            )
        )
    return found


def values_of(
    asking: Asking, run_ids: Sequence[int], columns: Sequence[Column], more: Sequence[str] = ()
) -> dict[int, list[Any]]:
    """For each run the values of the columns."""
    parts = [value_sql(asking, column) for column in columns]
    selected = ", ".join(["r.id", *(part.text for part in parts), *more])
    parameters = [one for part in parts for one in part.parameters]
    found: dict[int, list[Any]] = {}
    for start in range(0, len(run_ids), 500):
        piece = run_ids[start : start + 500]
        marks = ", ".join("?" * len(piece))
        for row in asking.experiments.database.rows(
            f"SELECT {selected} {_FROM} WHERE r.id IN ({marks})", (*parameters, *piece)
        ):
            found[row[0]] = list(row[1:])
    return found


def chosen_columns(asking: Asking, text: str) -> list[Column]:
    """The columns that a person asked for."""
    return columns_of(asking, text)


def parameter_names(rows: Sequence[Row], *, differing: bool = False) -> list[str]:
    """The parameters of these runs, as they first come. differing: only those that are not the same in all."""
    names = dict.fromkeys(name for row in rows for name in row.parameters)
    if not differing:
        return list(names)
    return [name for name in names if len({row.parameters.get(name) for row in rows}) > 1]


def metric_names(rows: Sequence[Row], *, differing: bool = False) -> list[str]:
    """The metrics of these runs: those that most have first, then by name."""
    counts: dict[str, int] = {}
    for row in rows:
        for name in {one.name for one in row.metrics}:
            counts[name] = counts.get(name, 0) + 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    if not differing:
        return names
    return [name for name in names if len({row.metric(name) for row in rows}) > 1]
