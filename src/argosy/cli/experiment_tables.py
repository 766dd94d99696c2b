"""Tables of runs as experiments: how values are written, and the forms for people and programs.

It knows text, not where values come from.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from argosy.cli.options import console
from argosy.cli.progress import COLORS, spell

if TYPE_CHECKING:
    from argosy.experiments.columns import Column
    from argosy.experiments.runs import Row
    from argosy.record.experiments import Metric

# A cell of a table for people is cut here.
WIDEST = 40
# Up to so many runs stand side by side, with a line for each thing to compare.
SIDE_BY_SIDE = 6


def shown_number(value: float | None) -> str:
    """A number for people: six digits that matter."""
    if value is None:
        return "nan"
    if value == int(value) if math.isfinite(value) else False:
        return str(int(value)) if abs(value) < 1e15 else f"{value:.6g}"
    return f"{value:.6g}"


def exact_number(value: float | None) -> float | int | str | None:
    """A number for programs; None for one that is none, a word for an infinite one."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def cell(column: Column, value: Any, now: float) -> str:
    """A value for people."""
    if value is None:
        return ""
    if column.kind == "time":
        return spell(now - value) if column.name == "created" else when(value)
    if column.kind == "duration":
        return spell(value)
    if column.kind == "flag":
        return "yes" if value else ""
    return shown_number(value) if isinstance(value, int | float) else short(str(value))


def plain(column: Column, value: Any) -> Any:
    """A value for programs."""
    if column.kind == "time":
        from argosy.model.status import timestamp

        return timestamp(value) if value else None
    if column.kind == "flag":
        return bool(value)
    return exact_number(value) if isinstance(value, int | float) else value


def when(seconds: float) -> str:
    """A time for people, in this place."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""


def short(text: str) -> str:
    """A text that fits into a cell."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def csv_of(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The rows as CSV (RFC 4180), without the last line's end."""
    import csv
    import io

    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return target.getvalue().rstrip("\n")


def row_as_json(row: Row) -> dict[str, Any]:
    """A run for programs."""
    from argosy.model.status import timestamp

    metrics: dict[str, Any] = {}
    for one in row.metrics:
        metrics[one.name] = exact_number(one.last)
    return {
        "name": row.name,
        "status": row.status,
        "workflow": row.workflow,
        "label": row.notes.label,
        "comment": row.notes.comment,
        "marked": row.notes.marked,
        "tags": list(row.notes.tags),
        "createdAt": timestamp(row.created_at),
        "startedAt": timestamp(row.started_at) if row.started_at else None,
        "durationSeconds": row.duration,
        "message": row.message,
        "parameters": dict(row.parameters),
        "metrics": dict(sorted(metrics.items())),
    }


def metric_as_json(one: Metric) -> dict[str, Any]:
    """A metric for programs."""
    return {
        "name": one.name,
        "step": one.step,
        "node": one.node,
        "source": one.source,
        "count": one.count,
        **{key: exact_number(getattr(one, key)) for key in ("first", "last", "min", "max", "mean")},
        "lastStep": one.last_step,
        "at": one.at,
    }


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people, on stdout."""
    console().table(head, rows, colors=COLORS)


def side_by_side(rows: Sequence[Row], lines: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Runs as columns, and a line for each thing to compare."""
    table(("", *(row.name for row in rows)), [[name, *values] for name, values in lines])
