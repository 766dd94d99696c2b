"""The readers of the record: finding runs, listing them, their manifests, statuses and facts.

It writes nothing, and does not know how a status follows from facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

from argosy.errors import NotFound, UsageError
from argosy.model.events import Fact
from argosy.record import facts
from argosy.record.database import Database
from argosy.record.leases import Holding
from argosy.record.ownership import Liveness, Owner, liveness
from argosy.record.troubles import DamagedRun

LATEST = "@latest"
# On runs of a template of Onepanel: what the template is called.
TEMPLATE_UID = "onepanel.io/workflow-template-uid"
# How many names an error lists before it stops.
_NAMED = 5


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list. Times are seconds since the epoch, 0.0 while unset.

    driven: a process drives it now. interrupted: it was begun, is not over, and nobody drives it.
    damaged: what of it cannot be read, "" for a sound run. reused: how many nodes were not run because an earlier
    outcome was used.
    """

    id: int
    name: str
    uid: str
    namespace: str
    phase: str
    message: str
    created_at: float
    started_at: float
    finished_at: float
    progress: str
    labels: dict[str, str]
    parameters: dict[str, str | None]
    template: str
    generation: int
    finished: bool
    driven: bool
    interrupted: bool
    owner: Owner | None
    damaged: str = ""
    reused: int = 0


_COLUMNS = (
    "r.id, r.name, r.uid, r.namespace, r.phase, r.message, r.created_at, r.started_at, r.finished_at, r.progress,"
    " r.template, r.generation, r.finished, r.labels, r.parameters,"
    " l.fence, l.host, l.pid, l.boot_id, l.start_ticks, l.expires_at, r.reused"
)
_TABLES = "runs r LEFT JOIN leases l ON l.run = r.id"


class Queries:
    """Answers questions about runs."""

    def __init__(self, database: Database, *, now: Callable[[], float], alive: Liveness = liveness) -> None:
        self._database = database
        self._now = now
        self._alive = alive

    @classmethod
    def open(cls, path: Path, *, now: Callable[[], float], alive: Liveness = liveness) -> Self:
        """Readers of an existing file, which is not changed. Raises RecordTrouble."""
        return cls(Database.open(path, read_only=True), now=now, alive=alive)

    def close(self) -> None:
        self._database.close()

    @property
    def database(self) -> Database:
        """The connection that is read."""
        return self._database

    def numbered(self, run_id: int) -> RunSummary:
        """The run of that number. Raises NotFound."""
        found = self._select("r.id = ?", (run_id,))
        if not found:
            raise NotFound(f"Run number {run_id} is not in the record", hint="argosy list shows what is")
        return found[0]

    def unfinished(self) -> list[RunSummary]:
        """The runs that are not over."""
        return self._select("r.finished = 0", ())

    def find(self, name: str) -> RunSummary:
        """The run with that name, or the only one whose name or uid begins so; `@latest` is the newest.

        Raises NotFound with names that look alike, UsageError naming the runs when several begin so.
        """
        if name == LATEST:
            return self._latest()
        exact = self._select("r.name = ? OR r.uid = ?", (name, name))
        if exact:
            return exact[0]
        found = self._select(
            "substr(r.name, 1, ?) = ? OR substr(r.uid, 1, ?) = ?", (len(name), name) * 2, limit=_NAMED + 1
        )
        if not found or not name:
            raise self._no_such_run(name)
        if len(found) > 1:
            names = ", ".join(run.name for run in found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
            raise UsageError(f"Several runs begin with {name}: {names}", hint="give more of the name")
        return found[0]

    def _latest(self) -> RunSummary:
        newest = self._select("1", (), limit=1)
        if not newest:
            raise NotFound("There are no runs yet", hint="start one with argosy run FILE")
        return newest[0]

    def _no_such_run(self, name: str) -> NotFound:
        import difflib  # only for this error

        names = [row[0] for row in self._database.rows("SELECT name FROM runs ORDER BY id DESC LIMIT 1000")]
        alike = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(alike)}?" if alike else "argosy list shows the runs there are"
        return NotFound(f"There is no run named {name!r}", hint=hint)

    def runs(
        self,
        *,
        phase: str | None = None,
        label: tuple[str, str] | None = None,
        since: float | None = None,
        template: str | None = None,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Runs, newest first. label: a key and its value. since: created at that time or later.

        The keys `name` and `template` find what has the value in its name, or in its template's (Onepanel's search).
        """
        conditions: dict[str, Any] = {}
        if phase is not None:
            conditions["r.phase = ?"] = phase
        if since is not None:
            conditions["r.created_at >= ?"] = since
        if template is not None:
            # NAME@VERSION is a run of NAME too.
            conditions["? IN (r.template, substr(r.template, 1, instr(r.template || '@', '@') - 1))"] = template
        found = self._select(
            " AND ".join(conditions) or "1", tuple(conditions.values()), limit=None if label else limit
        )
        if label is not None:
            found = [run for run in found if _is_labelled(run, *label)][:limit]
        return found

    def named(self, name: str) -> RunSummary | None:
        """The run of exactly that name."""
        found = self._select("r.name = ?", (name,))
        return found[0] if found else None

    def named_from(self, prefix: str) -> list[RunSummary]:
        """The runs whose names begin so, newest first; costs a look at those only."""
        return self._select("r.name >= ? AND r.name < ?", (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)))

    def _select(self, condition: str, parameters: tuple[object, ...], limit: int | None = None) -> list[RunSummary]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM {_TABLES} WHERE {condition} ORDER BY r.created_at DESC, r.id DESC"
            f" LIMIT {-1 if limit is None else int(limit)}",
            parameters,
        )
        return [self._summary(row) for row in rows]

    def _summary(self, row: tuple[Any, ...]) -> RunSummary:
        fence, host, pid, boot_id, start_ticks, expires_at = row[15:21]
        owner = None if host is None else Owner(host=host, pid=pid, boot_id=boot_id, start_ticks=start_ticks)
        lease = Holding(fence=fence or 0, owner=owner, expires_at=expires_at or 0.0)
        finished = bool(row[12])
        driven = not finished and lease.held(now=self._now(), alive=self._alive)
        labels, parameters, damaged = _columns_of_json(row[13], row[14])
        return RunSummary(
            id=row[0],
            name=row[1],
            uid=row[2],
            namespace=row[3],
            phase=row[4],
            message=row[5],
            created_at=row[6],
            started_at=row[7],
            finished_at=row[8],
            progress=row[9],
            template=row[10],
            generation=row[11],
            finished=finished,
            labels=labels,
            parameters=parameters,
            reused=row[21],
            driven=driven,
            interrupted=not finished and not driven and lease.fence > 0,
            owner=owner if driven else None,
            damaged=damaged,
        )

    def status_document(self, run_id: int, generation: int | None = None) -> bytes | None:
        """The final status (JSON), None while the run is not over. generation: the present one unless given."""
        return self._of_generation(run_id, "status", generation)

    def manifest(self, run_id: int, generation: int | None = None) -> bytes:
        """The Workflow as it is run, JSON."""
        return self._of_generation(run_id, "manifest", generation)

    def source(self, run_id: int, generation: int | None = None) -> str:
        """The text of the file as given, "" when there was none."""
        return self._of_generation(run_id, "source", generation)

    def options(self, run_id: int, generation: int | None = None) -> bytes:
        """The options that the generation was begun with, JSON."""
        return self._of_generation(run_id, "options", generation)

    def _of_generation(self, run_id: int, column: str, generation: int | None) -> Any:
        found = self._database.row(
            f"SELECT {column} FROM generations JOIN runs ON runs.id = run"
            " WHERE run = ? AND generations.generation = coalesce(?, runs.generation)",
            (run_id, generation),
        )
        if found is None:
            raise NotFound(f"Run number {run_id} is not in the record", hint="argosy list shows what is")
        return found[0]

    def events(self, run_id: int, after: int = 0, generation: int | None = None) -> Iterator[tuple[int, Fact]]:
        """The facts numbered above `after`, each with its number. Raises DamagedRun, NotFound."""
        found = self._database.row("SELECT name, generation FROM runs WHERE id = ?", (run_id,))
        if found is None:
            raise NotFound(f"Run number {run_id} is not in the record", hint="argosy list shows what is")
        return facts.read(self._database, run_id, generation or found[1], found[0], after)

    def damage(self) -> list[DamagedRun]:
        """One error for each run whose facts cannot all be read; reads every fact of the record."""
        found: list[DamagedRun] = []
        for run_id, name, generation in self._database.rows(
            "SELECT r.id, r.name, g.generation FROM runs r JOIN generations g ON g.run = r.id ORDER BY r.id, 3"
        ):
            try:
                for _ in facts.read(self._database, run_id, generation, name):
                    pass
            except DamagedRun as error:
                found.append(error)
        return found


def _is_labelled(run: RunSummary, key: str, value: str) -> bool:
    searched = {"name": (run.name,), "template": (run.template, run.labels.get(TEMPLATE_UID))}.get(key, ())
    return run.labels.get(key) == value or any(value in one for one in searched if one)


def _columns_of_json(labels: str, parameters: str) -> tuple[dict[str, str], dict[str, str | None], str]:
    """Both columns as mappings, and what is wrong with them: a list never stops at one bad run."""
    try:
        return (
            msgspec.json.decode(labels, type=dict[str, str]),
            msgspec.json.decode(parameters, type=dict[str, str | None]),
            "",
        )
    except msgspec.MsgspecError as error:
        return {}, {}, f"its labels or parameters cannot be read ({error})"
