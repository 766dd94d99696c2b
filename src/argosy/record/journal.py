"""The journal: runs, and for each the facts that came from outside the planner, in order and durable.

It knows how runs are kept, not what facts mean; whatever else is to be seen of a run follows from its manifest
and its facts. Reading for people is in `argosy.record.queries`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

from argosy.errors import NotFound, UsageError
from argosy.model.events import Fact, decode, encode
from argosy.model.run_notes import LABEL, TAGS, tags_of
from argosy.record import facts as rows_of_facts
from argosy.record.database import Database
from argosy.record.experiments import Experiments, expect_metrics, put_parameters
from argosy.record.leases import Lease, Leases
from argosy.record.ownership import Liveness, Owner, liveness

__all__ = ["Journal", "Lease", "NewRun", "Owner", "Progress"]


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be put into the record.

    created_at: seconds since the epoch. manifest: the Workflow as it will be run, JSON. source: the text of the
    file as given, "" when there was none. options: JSON that the record does not look into.
    """

    name: str
    uid: str
    namespace: str
    created_at: float
    manifest: bytes
    source: str = ""
    options: bytes = b"{}"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What lists show of a run; None leaves what is there. progress: as Argo writes it, "3/10".

    reused: how many nodes were not run because an earlier outcome was used.
    """

    phase: str | None = None
    message: str | None = None
    progress: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    labels: dict[str, str] | None = None
    reused: int | None = None


class _Named(msgspec.Struct):
    name: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    generate_name: str = ""
    labels: dict[str, Any] = {}
    annotations: dict[str, Any] = {}


class _Value(msgspec.Struct):
    name: str
    value: Any = None


class _Arguments(msgspec.Struct):
    parameters: tuple[_Value, ...] = ()


class _Spec(msgspec.Struct, rename="camel"):
    arguments: _Arguments | None = None
    workflow_template_ref: _Named | None = None


class _Head(msgspec.Struct):
    """What lists show of a manifest."""

    metadata: _Metadata
    spec: _Spec


class Journal:
    """The writer of runs and facts. One connection: use it from the thread that opened it."""

    def __init__(self, database: Database, *, now: Callable[[], float], alive: Liveness = liveness) -> None:
        self.database = database
        self._now = now
        self._leases = Leases(database, now=now, alive=alive)

    @classmethod
    def open(cls, path: Path, *, now: Callable[[], float], alive: Liveness = liveness) -> Self:
        """The journal in the file, which is made when it is not there. Raises RecordTrouble (an EnvironmentTrouble)."""
        return cls(Database.open(path), now=now, alive=alive)

    def close(self) -> None:
        self.database.close()

    def create_run(self, run: NewRun) -> int:
        """Put the run into the record, durably; its number. Raises UsageError when its name or uid is taken."""
        with self.database.write():
            taken = self.database.row("SELECT name, uid FROM runs WHERE name = ? OR uid = ?", (run.name, run.uid))
            if taken:
                raise UsageError(
                    f"There is already a run named {taken[0]} (uid {taken[1]})",
                    hint=f"choose another name with --name, or remove the old one with argosy delete {taken[0]}",
                )
            run_id = self.database.execute(
                "INSERT INTO runs (name, uid, namespace, created_at) VALUES (?, ?, ?, ?)",
                (run.name, run.uid, run.namespace, run.created_at),
            ).lastrowid
            assert run_id is not None
            self.database.execute("INSERT INTO leases (run) VALUES (?)", (run_id,))
            self._add_generation(run_id, 1, run.created_at, run.manifest, run.source, run.options)
            self._add_notes(run_id, run.manifest)
        return run_id

    def _add_notes(self, run_id: int, manifest: bytes) -> None:
        """The label and the tags that the manifest gives to its runs."""
        if LABEL.encode() not in manifest and TAGS.encode() not in manifest:
            return
        head = msgspec.json.decode(manifest, type=_Head)
        annotations = head.metadata.annotations
        label, tags = _text(annotations.get(LABEL)), tags_of(_text(annotations.get(TAGS)) or "")
        for parameter in head.spec.arguments.parameters if label and "{{" in label and head.spec.arguments else ():
            label = (label or "").replace(f"{{{{workflow.parameters.{parameter.name}}}}}", _text(parameter.value) or "")
        if label or tags:
            experiments = Experiments(self.database)
            experiments.note(run_id, label=label)
            experiments.tag(run_id, add=tags)

    def _add_generation(
        self, run_id: int, generation: int, created_at: float, manifest: bytes, source: str, options: bytes
    ) -> None:
        self.database.execute(
            "INSERT INTO generations (run, generation, created_at, manifest, source, options)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, generation, created_at, manifest, source, options),
        )
        labels, parameters, template, workflow = _shown_of(manifest)
        self.database.execute(
            "UPDATE runs SET generation = ?, labels = ?, parameters = ?, template = ?, workflow = ? WHERE id = ?",
            (generation, labels, msgspec.json.encode(parameters).decode(), template, workflow, run_id),
        )
        put_parameters(self.database, run_id, parameters)
        expect_metrics(self.database, run_id)

    def acquire(self, run_id: int, *, owner: Owner, seconds: float) -> Lease:
        """Take the run, to be its only writer for `seconds`.

        An owner known to be dead is replaced at once, one known to live never, one that cannot be looked at (another
        machine's) when its time is over. A process that held the run before must wait for its own time to pass.
        Raises LeaseHeld naming the process that drives the run, NotFound.
        """
        return self._leases.acquire(run_id, self._name(run_id), owner=owner, seconds=seconds)

    def renew(self, lease: Lease) -> None:
        """Hold the run for another `lease.seconds` from now. Raises LeaseLost."""
        self._leases.renew(lease)

    def release(self, lease: Lease) -> None:
        """Give the run back; nothing happens when it was lost already."""
        self._leases.release(lease)

    def append(self, lease: Lease, facts: Iterable[Fact], *, progress: Progress | None = None) -> None:
        """Put the facts after the last one; durable when this returns, or with the `write` around it, all or none.

        Raises LeaseLost when another process took the run over, RecordTrouble.
        """
        bodies = rows_of_facts.encoded(facts)
        with self.database.write(undone_alone=False):
            self._leases.check(lease)
            if bodies:
                rows_of_facts.insert(self.database, lease.run_id, lease.generation, bodies)
            if progress is not None:
                self._write_progress(lease.run_id, progress)

    def set_progress(self, lease: Lease, progress: Progress) -> None:
        """Change what lists show of the run. Raises LeaseLost."""
        self.append(lease, (), progress=progress)

    def _write_progress(self, run_id: int, progress: Progress) -> None:
        changed: dict[str, object] = {
            field: value
            for field in ("phase", "message", "progress", "started_at", "finished_at", "reused")
            if (value := getattr(progress, field)) is not None
        }
        if progress.labels is not None:
            changed["labels"] = msgspec.json.encode(progress.labels).decode()
        if changed:
            assignments = ", ".join(f"{column} = ?" for column in changed)
            self.database.execute(f"UPDATE runs SET {assignments} WHERE id = ?", (*changed.values(), run_id))

    def events(self, run_id: int, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """The facts of the present generation numbered above `after`, in order, each with its number (from 1).

        Raises DamagedRun at the first fact that cannot be read.
        """
        return rows_of_facts.read(self.database, run_id, self._generation(run_id), self._name(run_id), after)

    def finish(self, lease: Lease, *, phase: str, message: str, finished_at: float, status: bytes) -> None:
        """The run is over: keep its status document (JSON) and give up its locks; once is enough.

        Raises LeaseLost.
        """
        with self.database.write():
            self._leases.check(lease)
            if self._finished_phase(lease.run_id):
                return
            self.database.execute(
                "UPDATE runs SET phase = ?, message = ?, finished_at = ?, finished = 1 WHERE id = ?",
                (phase, message, finished_at, lease.run_id),
            )
            self.database.execute(
                "UPDATE generations SET status = ? WHERE run = ? AND generation = ?",
                (status, lease.run_id, lease.generation),
            )
            self._forget_waiting(lease.run_id)

    def _forget_waiting(self, run_id: int) -> None:
        """A run that is over holds no lock and answers no request."""
        self.database.execute("DELETE FROM locks WHERE run = ?", (run_id,))
        self.database.execute("DELETE FROM inbox WHERE run = ?", (run_id,))

    def request(self, run_id: int, request: Fact) -> None:
        """Ask whoever drives the run (now or later) to take in a fact: stop, suspend, resume.

        Raises UsageError when the run is over, NotFound.
        """
        with self.database.write():
            name = self._name(run_id)
            if phase := self._finished_phase(run_id):
                raise UsageError(f"Run {name} is over: {phase}", hint=f"run it again with argosy resubmit {name}")
            self.database.execute(
                "INSERT INTO inbox (run, asked_at, body) VALUES (?, ?, ?)", (run_id, self._now(), encode(request))
            )

    def pending_requests(self, run_id: int) -> list[Fact]:
        """What was asked of the run and nobody has taken in yet."""
        return [
            decode(body)
            for (body,) in self.database.rows("SELECT body FROM inbox WHERE run = ? ORDER BY id", (run_id,))
        ]

    def take_requests(self, lease: Lease) -> list[Fact]:
        """What was asked since the last call, in order; each is now a fact of the run. Raises LeaseLost."""
        if not self.database.row("SELECT 1 FROM inbox WHERE run = ? LIMIT 1", (lease.run_id,)):
            return []
        with self.database.write():
            self._leases.check(lease)
            rows = self.database.rows("SELECT body FROM inbox WHERE run = ? ORDER BY id", (lease.run_id,))
            requests = [rows_of_facts.decoded(lease.name, "a request", body) for (body,) in rows]
            rows_of_facts.insert(self.database, lease.run_id, lease.generation, rows_of_facts.encoded(requests))
            self.database.execute("DELETE FROM inbox WHERE run = ?", (lease.run_id,))
        return requests

    def reopen(self, run_id: int, *, manifest: bytes, source: str = "", options: bytes = b"{}") -> int:
        """Begin a new generation of the run with an empty journal; the old one's facts and status are kept.

        The generation's number. Raises LeaseHeld when somebody drives the run, NotFound.
        """
        with self.database.write():
            fence = self._leases.refuse_held(run_id, self._name(run_id))
            self._leases.revoke(run_id, fence)
            self._forget_waiting(run_id)
            generation = self._generation(run_id) + 1
            self._add_generation(run_id, generation, self._now(), manifest, source, options)
            self.database.execute(
                "UPDATE runs SET phase = 'Pending', message = '', progress = '', started_at = 0, finished_at = 0,"
                " finished = 0, reused = 0 WHERE id = ?",
                (run_id,),
            )
        return generation

    def refuse_driven(self, run_id: int) -> None:
        """Raises LeaseHeld, naming the process, when somebody drives the run; NotFound."""
        self._leases.refuse_held(run_id, self._name(run_id))

    def delete_run(self, run_id: int) -> None:
        """Remove the run with all its generations. Raises LeaseHeld when somebody drives it, NotFound."""
        with self.database.write():
            self._leases.refuse_held(run_id, self._name(run_id))
            self.database.execute("DELETE FROM runs WHERE id = ?", (run_id,))

    def _name(self, run_id: int) -> str:
        return self._column(run_id, "name")

    def _generation(self, run_id: int) -> int:
        return self._column(run_id, "generation")

    def _finished_phase(self, run_id: int) -> str:
        """The phase the run ended with, "" while it goes on."""
        return self._column(run_id, "CASE finished WHEN 1 THEN phase ELSE '' END")

    def _column(self, run_id: int, expression: str) -> Any:
        found = self.database.row(f"SELECT {expression} FROM runs WHERE id = ?", (run_id,))
        if found is None:
            raise NotFound(f"Run number {run_id} is not in the record", hint="argosy list shows what is")
        return found[0]


def _shown_of(manifest: bytes) -> tuple[str, dict[str, str | None], str, str]:
    """Labels as JSON, parameters, the template's and the workflow's name: what lists show of a manifest."""
    head = msgspec.json.decode(manifest, type=_Head)
    parameters = head.spec.arguments.parameters if head.spec.arguments else ()
    template = head.spec.workflow_template_ref
    return (
        msgspec.json.encode({key: _text(value) for key, value in head.metadata.labels.items()}).decode(),
        {parameter.name: _text(parameter.value) for parameter in parameters},
        template.name if template else "",
        head.metadata.generate_name.rstrip("-.") or head.metadata.name,
    )


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
