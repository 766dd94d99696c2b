"""Which run took which data by name, and under which names a run is found: tables of the record.

It knows names as texts and runs as uids; looking names up is `resolution`'s matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from argosy.record.database import Database


class Use(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A name that was looked up for a run.

    place: where the manifest asks, as TEMPLATE/ARTIFACT. asked: the name as asked for. found: with the version that it
    meant then. version: that version's id, 0 for a run or a template. from_run: the uid of the run whose outputs it is.
    """

    place: str
    kind: str
    asked: str
    found: str
    digest: str = ""
    version: int = 0
    from_run: str = ""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """A use, by whom and when, in seconds since the epoch."""

    run: str
    run_name: str
    used_at: float
    use: Use


_COLUMNS = "run, run_name, used_at, place, kind, asked, found, digest, version, from_run"


class Uses:
    """Reads and writes uses through one connection: for one thread."""

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def record(self, run: str, run_name: str, uses: Iterable[Use]) -> None:
        """Keep what a run uses, in place of what it used before."""
        now = self._now()
        rows = [
            (run, run_name, now, one.place, one.kind, one.asked, one.found, one.digest, one.version, one.from_run)
            for one in uses
        ]
        with self._database.write():
            self._database.execute("DELETE FROM data_uses WHERE run = ?", (run,))
            self._database.execute_many(
                f"INSERT OR REPLACE INTO data_uses ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )

    def of_run(self, run: str) -> list[Used]:
        """What a run took by name."""
        return self._where("run = ? ORDER BY place", run)

    def of_version(self, version: int) -> list[Used]:
        """The runs that took a version, in the order in which they did."""
        return self._where("version = ? AND version > 0 ORDER BY used_at, run", version)

    def of_outputs(self, run: str) -> list[Used]:
        """The runs that took a run's outputs."""
        return self._where("from_run = ? AND from_run <> '' ORDER BY used_at, run", run)

    def _where(self, condition: str, value: object) -> list[Used]:
        found: list[Used] = []
        for row in self._database.rows(f"SELECT {_COLUMNS} FROM data_uses WHERE {condition}", (value,)):
            run, run_name, used_at, place, kind, asked, found_, digest, version, from_run = row
            use = Use(
                place=place,
                kind=kind,
                asked=asked,
                found=found_,
                digest=digest,
                version=version,
                from_run=from_run,
            )
            found.append(Used(run=run, run_name=run_name, used_at=used_at, use=use))
        return found

    # -- runs by the names of their workflows

    def name_workflow(self, run_id: int, names: Iterable[str]) -> None:
        """Let a run be found under these names of workflows."""
        self._database.execute_many(
            "INSERT OR IGNORE INTO run_workflows VALUES (?, ?)", [(name, run_id) for name in names if name]
        )

    def latest_run(self, workflows: Iterable[str]) -> tuple[int, str] | None:
        """The number and name of the latest run of any of these workflows that succeeded; None if there is none."""
        newest: tuple[int, str] | None = None
        for name in workflows:
            row = self._database.row(
                "SELECT r.id, r.name FROM run_workflows w JOIN runs r ON r.id = w.run"
                " WHERE w.workflow = ? AND r.phase = 'Succeeded' AND r.finished = 1 ORDER BY w.run DESC LIMIT 1",
                (name,),
            )
            if row is not None and (newest is None or row[0] > newest[0]):
                newest = (row[0], row[1])
        return newest

    def runs_of(self, workflow: str, *, after: int = 0) -> list[int]:
        """The numbers of all runs of a workflow, the newest first. after: only of those made after this one."""
        rows = self._database.rows(
            "SELECT run FROM run_workflows WHERE workflow = ? AND run > ? ORDER BY run DESC", (workflow, after)
        )
        return [id for (id,) in rows]

    def workflows(self) -> list[str]:
        """The names of workflows that have runs."""
        return [name for (name,) in self._database.rows("SELECT DISTINCT workflow FROM run_workflows")]
