"""Runs set beside one another: what each has of attributes, parameters and metrics, and where they differ.

It knows rows of runs, not how a comparison is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from argosy.experiments.runs import Row, metric_names, parameter_names

Kind = Literal["attribute", "parameter", "metric"]
Value = str | float | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is compared, with the value of each run; None where a run lacks it. same: in all of them."""

    kind: Kind
    name: str
    values: tuple[Value, ...]

    @property
    def same(self) -> bool:
        return all(
            value == self.values[0] or (value != value and self.values[0] != self.values[0]) for value in self.values
        )


def compared(rows: Sequence[Row], *, diff_only: bool = False) -> list[Line]:
    """The lines of a comparison. diff_only: only what is not the same in all of them; times never count as a
    difference."""
    lines = [
        Line(kind="attribute", name="status", values=tuple(row.status for row in rows)),
        Line(kind="attribute", name="workflow", values=tuple(row.workflow for row in rows)),
        Line(kind="attribute", name="label", values=tuple(row.notes.label for row in rows)),
        Line(kind="attribute", name="started", values=tuple(row.started_at for row in rows)),
        Line(kind="attribute", name="duration", values=tuple(row.duration for row in rows)),
    ]
    for name in parameter_names(rows):
        lines.append(Line(kind="parameter", name=name, values=tuple(row.parameters.get(name) for row in rows)))
    last = [{one.name: one.last for one in row.metrics} for row in rows]
    nan = float("nan")
    for name in metric_names(rows):
        values = tuple((nan if one[name] is None else one[name]) if name in one else None for one in last)
        lines.append(Line(kind="metric", name=name, values=values))
    if not diff_only:
        return lines
    return [line for line in lines if not line.same and line.name not in ("started", "duration")]
