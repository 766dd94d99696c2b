"""One run as it is in the record, to be taken out of it and put into another one.

It knows rows, not what facts mean nor where files are. Secrets are in no row of a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from argosy.errors import InvalidFile, UsageError
from argosy.model.events import decode, encode
from argosy.record import facts as rows_of_facts
from argosy.record.database import Database
from argosy.record.experiments import Experiments, Gathered, Notes, Series, put_parameters

SCHEMA = "argosy.run/v1"
_RUN = (
    "name, uid, namespace, created_at, generation, phase, message, progress, started_at, finished_at, template,"
    " workflow, labels, parameters"
)


class GenerationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A generation of a run. manifest, options, status: JSON, as it is kept; a status may be null."""

    generation: int
    created_at: float
    manifest: msgspec.Raw
    source: str
    options: msgspec.Raw
    status: msgspec.Raw


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of one node with its history. values: None for one that is no number, a word for an infinite one."""

    name: str
    node: str
    step: str
    source: Literal["output", "file", "parameter", "tensorboard", "logged"]
    steps: list[int]
    values: list[float | Literal["Infinity", "-Infinity"] | None]
    times: list[float]
    at: float


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is over, without its facts and metrics."""

    name: str
    uid: str
    namespace: str
    created_at: float
    generation: int
    phase: str
    message: str
    progress: str
    started_at: float
    finished_at: float
    template: str
    workflow: str
    labels: dict[str, str]
    parameters: dict[str, str | None]
    notes: Notes
    generations: list[GenerationRow]
    schema: str = SCHEMA


def read_run(database: Database, run_id: int) -> RunRow:
    """The run's rows. Raises UsageError when it is not over: its facts are not all there yet."""
    found = database.row(f"SELECT finished, {_RUN} FROM runs WHERE id = ?", (run_id,))
    assert found is not None
    values: dict[str, Any] = dict(zip(_RUN.replace(" ", "").split(","), found[1:], strict=True))
    if not found[0]:
        raise UsageError(f"Run {values['name']} is not over", hint="wait for its end, or stop it")
    values["labels"] = msgspec.json.decode(values["labels"])
    values["parameters"] = msgspec.json.decode(values["parameters"])
    return RunRow(
        **values,
        notes=Experiments(database).notes([run_id])[run_id],
        generations=[
            GenerationRow(
                generation=generation,
                created_at=created_at,
                manifest=msgspec.Raw(manifest),
                source=source,
                options=msgspec.Raw(options),
                status=msgspec.Raw(status or b"null"),
            )
            for generation, created_at, manifest, source, options, status in database.rows(
                "SELECT generation, created_at, manifest, source, options, status FROM generations WHERE run = ?"
                " ORDER BY generation",
                (run_id,),
            )
        ],
    )


def read_facts(database: Database, run_id: int, generation: int, name: str) -> Iterator[bytes]:
    """The facts of a generation as they are kept. Raises DamagedRun."""
    for _, fact in rows_of_facts.read(database, run_id, generation, name):
        yield encode(fact)


def read_metrics(database: Database, run_id: int) -> Iterator[MetricRow]:
    """The run's metrics with their histories."""
    experiments = Experiments(database)
    for metric in experiments.metrics([run_id])[run_id]:
        series = experiments.history(run_id, metric.name, metric.node)
        if series is None:
            continue
        yield MetricRow(
            name=metric.name,
            node=metric.node,
            step=metric.step,
            source=series.source,
            steps=list(series.steps),
            values=[_written(value) for value in series.values],
            times=list(series.times),
            at=metric.at,
        )


def _written(value: float) -> Any:
    if value != value:
        return None
    return value if abs(value) != float("inf") else "Infinity" if value > 0 else "-Infinity"


def refuse_known(database: Database, run: RunRow) -> None:
    """Raises UsageError when a run of this name or uid is there."""
    taken = database.row("SELECT name, uid FROM runs WHERE name = ? OR uid = ?", (run.name, run.uid))
    if taken is None:
        return
    if taken[1] == run.uid:
        raise UsageError(f"Run {taken[0]} is here already (uid {taken[1]})")
    raise UsageError(
        f"There is another run named {run.name} (uid {taken[1]})", hint=f"argosy delete {run.name} would make room"
    )


def add_run(
    database: Database, run: RunRow, facts: dict[int, list[bytes]], metrics: list[MetricRow], notes: list[str]
) -> int:
    """Put a run that is over into the record, whole or not at all; its number.

    notes: what there is to say of its metrics. Raises UsageError when it is there, InvalidFile for facts that are none.
    """
    with database.write():
        refuse_known(database, run)
        columns = _RUN.replace(" ", "").split(",")
        written = {column: getattr(run, column) for column in columns}
        for column in ("labels", "parameters"):
            written[column] = msgspec.json.encode(written[column]).decode()
        marks = ", ".join("?" * len(columns))
        run_id = database.execute(
            f"INSERT INTO runs ({_RUN}, finished) VALUES ({marks}, 1)", tuple(written.values())
        ).lastrowid
        assert run_id is not None
        database.execute("INSERT INTO leases (run) VALUES (?)", (run_id,))
        for one in run.generations:
            database.execute(
                "INSERT INTO generations (run, generation, created_at, manifest, source, options, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(run_id, one.generation, one.created_at, bytes(one.manifest), one.source, bytes(one.options)),
                    None if bytes(one.status) == b"null" else bytes(one.status),
                ),
            )
            _add_facts(database, run_id, one.generation, facts.get(one.generation, []))
        put_parameters(database, run_id, run.parameters)
        database.execute("INSERT INTO gathering (run, done) VALUES (?, 1)", (run_id,))
        _add_metrics(Experiments(database), run_id, metrics, notes)
        experiments = Experiments(database)
        experiments.note(run_id, label=run.notes.label, comment=run.notes.comment, marked=run.notes.marked)
        experiments.tag(run_id, add=run.notes.tags)
    return run_id


def _add_facts(database: Database, run_id: int, generation: int, bodies: list[bytes]) -> None:
    for number, body in enumerate(bodies, 1):
        try:
            decode(body)
        except msgspec.MsgspecError as error:
            raise InvalidFile(f"Fact {number} of generation {generation} is none: {error}") from None
    rows_of_facts.insert(database, run_id, generation, bodies)


def _add_metrics(experiments: Experiments, run_id: int, metrics: list[MetricRow], notes: list[str]) -> None:
    nodes: dict[str, list[MetricRow]] = {}
    for one in metrics:
        if not one.values or len(one.values) != len(one.steps) or (one.times and len(one.times) != len(one.values)):
            raise InvalidFile(f"The metric {one.name} has not as many values as steps or times")
        nodes.setdefault(one.node, []).append(one)
    experiments.put(
        run_id,
        [
            Gathered(node=node, step=rows[0].step, series=tuple(_series(row) for row in rows))
            for node, rows in nodes.items()
        ],
        notes=notes,
    )


def _series(row: MetricRow) -> Series:
    values = [float("nan") if value is None else float(value) for value in row.values]
    return Series(name=row.name, source=row.source, steps=row.steps, values=values, times=row.times, at=row.at)
