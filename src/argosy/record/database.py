"""One connection to the record's file: opening, migrating, and the one way to write.

It knows SQLite and the disk, not what a run is.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from argosy.record.schema import APPLICATION_ID, MIGRATIONS
from argosy.record.troubles import RecordTrouble, trouble_of

Row = tuple[Any, ...]

# How long a writer waits for another process's commit before it gives up.
BUSY_SECONDS = 30.0
# After how many pages the write-ahead log is moved into the file and begun anew. Syncing a log that is written over
# takes half the time of syncing one that grows; SQLite's own 1,000 would have it grow for most of a run.
LOG_PAGES = 200


class Database:
    """A connection for one thread of one process. Make it with `Database.open`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._depth = 0

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the file, making or migrating it as needed; only its owner may read it.

        Raises RecordTrouble when it is damaged, foreign, newer than this program, read-only, or the disk is full.
        """
        path = path.absolute()
        if not read_only:
            _make_private(path)
        mode = "ro" if read_only else "rw"
        try:
            connection = sqlite3.connect(
                f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
            )
        except sqlite3.Error as error:
            raise trouble_of(error, path) from error
        database = cls(path, connection)
        try:
            database._prepare(read_only)
        except BaseException:
            connection.close()
            raise
        return database

    def _prepare(self, read_only: bool) -> None:
        version = self._version()
        self.execute("PRAGMA foreign_keys = ON")
        if read_only:
            if version == 0:
                raise _foreign(self.path)
            return
        _use_write_ahead_log(self)
        self.execute("PRAGMA synchronous = FULL")
        self.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        if version < len(MIGRATIONS):
            self._migrate()

    def _version(self) -> int:
        """The file's schema version, 0 for an empty file. Raises RecordTrouble when it is not ours or newer."""
        # Tables first: another process may be making them this moment, and marks the file in the same commit.
        filled = self.row("SELECT 1 FROM sqlite_master LIMIT 1") is not None
        application = self.rows("PRAGMA application_id")[0][0]
        version = int(self.rows("PRAGMA user_version")[0][0])
        if application != APPLICATION_ID and (application or filled):
            raise _foreign(self.path)
        if version > len(MIGRATIONS):
            raise RecordTrouble(
                f"The record {self.path} has format {version}; this argosy knows formats up to {len(MIGRATIONS)}",
                hint="upgrade argosy, or choose another folder with --home",
            )
        return version

    def _migrate(self) -> None:
        with self.write():
            # Another process may have migrated while this one waited for its turn.
            for version in range(self._version(), len(MIGRATIONS)):
                for statement in MIGRATIONS[version]:
                    self.execute(statement)
            self.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement; durable when it returns, or with the `write` it stands in. Raises RecordTrouble."""
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise trouble_of(error, self.path) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise trouble_of(error, self.path) from error

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise trouble_of(error, self.path) from error

    def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        found = self.rows(sql, parameters)
        return found[0] if found else None

    @contextmanager
    def write(self, *, undone_alone: bool = True) -> Generator[Self]:
        """Everything inside is committed together, durable when the block ends, or not at all.

        A block inside a block joins it: its writes become durable with the outer one, and are undone alone
        when it fails and the outer one goes on. undone_alone: False where the outer one fails too, which costs less.
        """
        if self._depth and not undone_alone:
            yield self
            return
        if self._depth:
            opening, closing, undoing = "SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part")
        else:
            opening, closing, undoing = "BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",)
        self.execute(opening)
        self._depth += 1
        try:
            yield self
            self.execute(closing)
        except BaseException:
            # SQLite itself undoes the whole transaction on some errors, as on a full disk.
            for statement in undoing:
                if self._connection.in_transaction:
                    self.execute(statement)
            raise
        finally:
            self._depth -= 1

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _foreign(path: Path) -> RecordTrouble:
    return RecordTrouble(
        f"{path} is not an argosy record", hint="move that file away or choose another folder with --home"
    )


def _make_private(path: Path) -> None:
    """Make the file and its folder; secrets are inside, so nobody else may read it (the log files take its mode)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only a file that is not there is opened: closing it again would drop the locks that other connections
        # of this process hold on it, and another process could then take away the log under them (POSIX locks).
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise RecordTrouble(
            f"The record {path} cannot be used: {error.strerror or error}",
            hint="check that you may write there and that the disk has space, or choose another folder with --home",
        ) from error


def _use_write_ahead_log(database: Database) -> None:
    """SQLite does not wait for others when it changes the log's mode, so wait here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while database.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except RecordTrouble:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
