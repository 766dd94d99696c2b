"""Runs as experiments: parameters as rows, metrics with their histories, and what people note about a run.

It knows rows; what a metric is read from, and what is asked of them, is up to `argosy.experiments`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from argosy.record.database import Database

Source = Literal["output", "file", "parameter", "tensorboard", "logged"]
# Of a longer history every second value is left out, as often as it takes; what lists show is of all of them.
MOST_POINTS = 20_000
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
# So many question marks stand in one statement.
_PIECE = 500


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one metric of one node. steps: the step number of each. times: seconds since the epoch, or ().

    at: when the last value came.
    """

    name: str
    source: Source
    steps: Sequence[int]
    values: Sequence[float]
    times: Sequence[float] = ()
    at: float = 0.0


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """What lists show of a metric. first and the like: None for a value that is not a number."""

    run: int
    name: str
    node: str
    step: str
    source: str
    count: int
    first: float | None
    last: float | None
    min: float | None
    max: float | None
    mean: float | None
    last_step: int
    at: float


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What people wrote about a run."""

    label: str = ""
    comment: str = ""
    marked: bool = False
    tags: tuple[str, ...] = ()


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of one node that ended. step: its name as people see it. series: () to have none."""

    node: str
    step: str
    series: tuple[Series, ...]


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """A node that has the outcome of another instead of its own. from_run: the other's run, by name."""

    node: str
    step: str
    from_run: str
    from_node: str


def number_of(text: str | None) -> float | None:
    """The number that a text is, None for any other text. Words such as `inf` are none."""
    return float(text) if text is not None and len(text) < 64 and re.fullmatch(_NUMBER, text.strip()) else None


def put_parameters(database: Database, run_id: int, parameters: Mapping[str, str | None]) -> None:
    """Make these the parameters of the run. Call it inside a write."""
    database.execute("DELETE FROM run_parameters WHERE run = ?", (run_id,))
    database.execute_many(
        "INSERT INTO run_parameters VALUES (?, ?, ?, ?)",
        [(run_id, name, value, number_of(value)) for name, value in parameters.items()],
    )


def expect_metrics(database: Database, run_id: int) -> None:
    """Say that the run's metrics are still to be gathered. Call it inside a write."""
    database.execute(
        "INSERT INTO gathering (run) VALUES (?) ON CONFLICT (run) DO UPDATE SET done = 0, notes = '[]'", (run_id,)
    )


class Experiments:
    """Writes and reads them. One connection: use it from the thread that opened it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- metrics

    def put(self, run_id: int, gathered: Iterable[Gathered], *, done: bool = False, notes: Iterable[str] = ()) -> None:
        """Make these the metrics of these nodes, in one commit; what the nodes had before is replaced.

        done: nothing more is to come. notes: sentences for whoever looks at the run.
        """
        with self.database.write():
            if self.database.row("SELECT 1 FROM runs WHERE id = ?", (run_id,)) is None:
                return
            found = list(gathered)
            # Rows are found by run and name: what many nodes had is looked for once.
            nodes = msgspec.json.encode([one.node for one in found]).decode()
            for table in ("run_metrics", "metric_histories") if found else ():
                self.database.execute(
                    f"DELETE FROM {table} WHERE run = ? AND node IN (SELECT value FROM json_each(?))", (run_id, nodes)
                )
            for one in found:
                self._put_node(run_id, one)
            more = list(notes)
            if more:
                kept = self.notes_of_gathering(run_id)
                self.database.execute(
                    "UPDATE gathering SET notes = ? WHERE run = ?",
                    (msgspec.json.encode(list(dict.fromkeys([*kept, *more]))).decode(), run_id),
                )
            if done:
                self.database.execute("UPDATE gathering SET done = 1 WHERE run = ?", (run_id,))

    def take_over(self, run_id: int, taken: Iterable[TakenOver]) -> None:
        """Give nodes the metrics that others have, besides their own, in one commit."""
        by_run: dict[str, dict[str, list[TakenOver]]] = {}
        for one in taken:
            by_run.setdefault(one.from_run, {}).setdefault(one.from_node, []).append(one)
        with self.database.write():
            for run, nodes in by_run.items():
                self._take_over(run_id, run, nodes)

    def _take_over(self, run_id: int, run: str, nodes: Mapping[str, Sequence[TakenOver]]) -> None:
        metrics = self.database.rows(
            "SELECT m.node, m.name, m.source, m.count, m.first, m.last, m.min, m.max, m.mean, m.last_step, m.at"
            " FROM run_metrics m JOIN runs r ON r.id = m.run WHERE r.name = ?",
            (run,),
        )
        self.database.execute_many(
            "INSERT OR IGNORE INTO run_metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(run_id, name, to.node, to.step, *rest) for node, name, *rest in metrics for to in nodes.get(node, ())],
        )
        if not metrics:
            return
        histories = self.database.rows(
            "SELECT h.node, h.name, h.points FROM metric_histories h JOIN runs r ON r.id = h.run WHERE r.name = ?",
            (run,),
        )
        self.database.execute_many(
            "INSERT OR IGNORE INTO metric_histories (run, name, node, points) VALUES (?, ?, ?, ?)",
            [(run_id, name, to.node, points) for node, name, points in histories for to in nodes.get(node, ())],
        )

    def _put_node(self, run_id: int, one: Gathered) -> None:
        self.database.execute_many(
            "INSERT INTO run_metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(run_id, series.name, one.node, one.step, *_shown_of(series)) for series in one.series],
        )
        self.database.execute_many(
            "INSERT INTO metric_histories VALUES (?, ?, ?, ?)",
            [(run_id, series.name, one.node, _packed(series)) for series in one.series if len(series.values) > 1],
        )

    def not_gathered(self) -> list[int]:
        """The runs that are over and whose metrics are not all there."""
        return [
            run
            for (run,) in self.database.rows(
                "SELECT g.run FROM gathering g JOIN runs r ON r.id = g.run WHERE g.done = 0 AND r.finished = 1"
            )
        ]

    def is_gathered(self, run_id: int) -> bool:
        """Whether all metrics of the run are there."""
        return self.database.row("SELECT 1 FROM gathering WHERE run = ? AND done = 1", (run_id,)) is not None

    def notes_of_gathering(self, run_id: int) -> list[str]:
        """What there was to say when the run's metrics were gathered."""
        found = self.database.row("SELECT notes FROM gathering WHERE run = ?", (run_id,))
        return msgspec.json.decode(found[0], type=list[str]) if found else []

    def nodes_with_metrics(self, run_id: int) -> set[str]:
        """The nodes of the run that have metrics."""
        return {node for (node,) in self.database.rows("SELECT node FROM run_metrics WHERE run = ?", (run_id,))}

    def metrics(self, run_ids: Sequence[int]) -> dict[int, list[Metric]]:
        """The metrics of these runs, by name, those of one name in the order in which they came."""
        found: dict[int, list[Metric]] = {run_id: [] for run_id in run_ids}
        for row in self._of_runs("SELECT * FROM run_metrics WHERE run IN ({}) ORDER BY run, name, at, node", run_ids):
            found[row[0]].append(Metric(**dict(zip(_METRIC, row, strict=True))))
        return found

    def history(self, run_id: int, name: str, node: str) -> Series | None:
        """All values of a metric, None if there is none."""
        row = self.database.row(
            "SELECT m.source, m.last_step, m.last, m.at, h.points FROM run_metrics m LEFT JOIN metric_histories h"
            " ON h.run = m.run AND h.name = m.name AND h.node = m.node WHERE m.run = ? AND m.name = ? AND m.node = ?",
            (run_id, name, node),
        )
        if row is None:
            return None
        source, last_step, last, at, points = row
        if points is None:
            value = math.nan if last is None else last
            return Series(name=name, source=source, steps=(last_step,), values=(value,), at=at)
        steps, values, times = _unpack(points)
        return Series(name=name, source=source, steps=steps, values=values, times=times or (), at=at)

    # -- parameters

    def parameters(self, run_ids: Sequence[int]) -> dict[int, dict[str, str | None]]:
        """The parameters of these runs, by name."""
        found: dict[int, dict[str, str | None]] = {run_id: {} for run_id in run_ids}
        statement = "SELECT run, name, value FROM run_parameters WHERE run IN ({}) ORDER BY run, name"
        for run, name, value in self._of_runs(statement, run_ids):
            found[run][name] = value
        return found

    def names(self, table: Literal["run_parameters", "run_metrics"]) -> list[str]:
        """The names of all parameters, or of all metrics: a jump from one to the next, however many rows there are."""
        return [
            name
            for (name,) in self.database.rows(
                f"WITH RECURSIVE names (name) AS (SELECT min(name) FROM {table} UNION ALL"
                f" SELECT (SELECT min(t.name) FROM {table} t WHERE t.name > names.name) FROM names"
                " WHERE names.name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL"
            )
        ]

    def has_name(self, table: Literal["run_parameters", "run_metrics"], name: str) -> bool:
        """Whether any run has a parameter, or a metric, of that name."""
        return self.database.row(f"SELECT 1 FROM {table} WHERE name = ? LIMIT 1", (name,)) is not None

    # -- notes

    def note(
        self, run_id: int, *, label: str | None = None, comment: str | None = None, marked: bool | None = None
    ) -> None:
        """Change what is noted about a run; None leaves what is there."""
        changed: dict[str, object] = {
            column: value
            for column, value in (("label", label), ("comment", comment), ("marked", marked))
            if value is not None
        }
        with self.database.write():
            self.database.execute("INSERT OR IGNORE INTO run_notes (run) VALUES (?)", (run_id,))
            for column, value in changed.items():
                self.database.execute(f"UPDATE run_notes SET {column} = ? WHERE run = ?", (value, run_id))

    def tag(self, run_id: int, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Give a run tags, or take them away."""
        with self.database.write():
            self.database.execute_many("DELETE FROM run_tags WHERE run = ? AND tag = ?", [(run_id, t) for t in remove])
            self.database.execute_many("INSERT OR IGNORE INTO run_tags VALUES (?, ?)", [(run_id, t) for t in add])

    def preferred(self, workflow: str) -> int | None:
        """The run that a workflow's name stands for: the newest marked one, else the newest that succeeded."""
        found = self.database.row(
            "SELECT r.id FROM runs r LEFT JOIN run_notes n ON n.run = r.id WHERE (r.workflow = ? OR r.template = ?)"
            " AND (r.phase = 'Succeeded' OR n.marked = 1)"
            " ORDER BY coalesce(n.marked, 0) DESC, r.created_at DESC, r.id DESC LIMIT 1",
            (workflow, workflow),
        )
        return found[0] if found else None

    def notes(self, run_ids: Sequence[int]) -> dict[int, Notes]:
        """What is noted about these runs."""
        tags: dict[int, list[str]] = {}
        for run, tag in self._of_runs("SELECT run, tag FROM run_tags WHERE run IN ({}) ORDER BY run, tag", run_ids):
            tags.setdefault(run, []).append(tag)
        found = {run_id: Notes(tags=tuple(tags.get(run_id, ()))) for run_id in run_ids}
        statement = "SELECT run, label, comment, marked FROM run_notes WHERE run IN ({})"
        for run, label, comment, marked in self._of_runs(statement, run_ids):
            found[run] = Notes(label=label, comment=comment, marked=bool(marked), tags=tuple(tags.get(run, ())))
        return found

    def _of_runs(self, statement: str, run_ids: Sequence[int]) -> Iterable[tuple[Any, ...]]:
        for start in range(0, len(run_ids), _PIECE):
            piece = run_ids[start : start + _PIECE]
            yield from self.database.rows(statement.format(", ".join("?" * len(piece))), piece)


_METRIC = Metric.__struct_fields__


def _shown_of(series: Series) -> tuple[object, ...]:
    """The columns of run_metrics from `source` on."""
    values = series.values
    real = values if all(map(math.isfinite, values)) else [one for one in values if not math.isnan(one)]
    return (
        series.source,
        len(values),
        values[0],
        values[-1],
        min(real, default=None),
        max(real, default=None),
        sum(real) / len(real) if real else None,
        series.steps[-1],
        series.at,
    )


def _packed(series: Series) -> bytes:
    steps, values, times = series.steps, series.values, series.times
    while len(values) > MOST_POINTS:
        last = len(values) - 1
        kept = [*range(0, last, 2), last]
        steps, values = [steps[i] for i in kept], [values[i] for i in kept]
        times = [times[i] for i in kept] if times else ()
    return msgspec.msgpack.encode((list(steps), list(values), list(times) or None))


_unpack = msgspec.msgpack.Decoder(tuple[list[int], list[float], list[float] | None]).decode
