"""Opening the record: new, old, newer, foreign and unusable files, each with an error that says what to do."""

import sqlite3
import threading
from pathlib import Path

import pytest

from argosy.errors import EnvironmentTrouble
from argosy.record import database as module
from argosy.record.database import Database
from argosy.record.schema import MIGRATIONS
from argosy.record.troubles import RecordTrouble


def test_a_new_file_is_durable_and_checked(path: Path) -> None:
    with Database.open(path) as database:
        pragmas = {name: database.rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")}
        pragmas["foreign_keys"] = database.rows("PRAGMA foreign_keys")[0][0]
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_opening_again_changes_nothing(path: Path) -> None:
    Database.open(path).close()
    before = path.read_bytes()
    Database.open(path).close()
    assert path.read_bytes() == before


def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    with Database.open(path) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(RecordTrouble, match="has format 99") as caught:
        Database.open(path)
    assert "upgrade argosy" in caught.value.hint
    assert path.read_bytes() == before


def test_an_older_file_is_migrated_and_keeps_its_rows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Database.open(path) as database:
        database.execute("INSERT INTO memos VALUES ('c', 'k', 'n', x'00', 1, 1)")
    monkeypatch.setattr(
        module, "MIGRATIONS", (*MIGRATIONS, ("ALTER TABLE memos ADD COLUMN extra TEXT NOT NULL DEFAULT 'x'",))
    )
    with Database.open(path) as database:
        assert database.rows("SELECT key, extra FROM memos") == [("k", "x")]
        assert database.rows("PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]


def test_a_migration_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database.open(path).close()
    broken = ("ALTER TABLE memos ADD COLUMN extra TEXT", "CREATE NONSENSE")
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", (*MIGRATIONS, broken))
        with pytest.raises(RecordTrouble):
            Database.open(path)
    with Database.open(path) as database:
        assert "extra" not in {row[1] for row in database.rows("PRAGMA table_info(memos)")}


def test_files_that_are_something_else(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to be looked at as one " * 50)
    with pytest.raises(RecordTrouble, match="it is not a database") as caught:
        Database.open(path)
    assert "--home" in caught.value.hint
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    for read_only in (False, True):
        with pytest.raises(RecordTrouble, match="is not an argosy record"):
            Database.open(path, read_only=read_only)


def test_a_damaged_file_says_how_to_save_what_is_left(path: Path) -> None:
    with Database.open(path) as database:
        database.execute_many(
            "INSERT INTO memos VALUES ('c', ?, 'n', zeroblob(2000), 1, 1)", [(str(key),) for key in range(500)]
        )
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * len(data[8192:])
    path.write_bytes(data)
    with pytest.raises(RecordTrouble, match="it is damaged") as caught, Database.open(path) as database:
        database.rows("SELECT count(*), sum(length(outputs)) FROM memos")
    assert ".recover" in caught.value.hint


def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "argosy.db", tmp_path):
        with pytest.raises(EnvironmentTrouble, match="cannot be used") as caught:
            Database.open(path)
        assert "--home" in caught.value.hint


def test_reading_a_record_that_is_not_there_makes_none(path: Path) -> None:
    path.parent.mkdir()
    with pytest.raises(RecordTrouble, match="cannot be opened"):
        Database.open(path, read_only=True)
    assert list(path.parent.iterdir()) == []


def test_a_locked_file_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    with Database.open(path) as one, Database.open(path) as two, one.write():
        with pytest.raises(RecordTrouble, match="another process holds it locked"), two.write():
            pytest.fail("two writers at once")
        assert two.rows("SELECT count(*) FROM runs") == [(0,)]


def test_many_at_once_may_make_the_file(path: Path) -> None:
    failures: list[Exception] = []
    start = threading.Barrier(8)

    def open_it() -> None:
        start.wait()
        try:
            Database.open(path).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Database.open(path) as database:
        assert database.rows("SELECT count(*) FROM counters") == [(2,)]


class _Refused(Exception):
    """What a block fails with."""


def _insert_and_fail(database: Database, number: int, *, undone_alone: bool) -> None:
    with database.write(undone_alone=undone_alone):
        database.execute("INSERT INTO numbers VALUES (?)", (number,))
        raise _Refused


@pytest.mark.parametrize(("undone_alone", "kept"), [(True, [1, 3]), (False, [1, 2, 3])])
def test_a_block_within_a_block_is_undone_alone_unless_both_are_to_fail(
    path: Path, undone_alone: bool, kept: list[int]
) -> None:
    with Database.open(path) as database:
        database.execute("CREATE TEMP TABLE numbers (n INTEGER)")
        with database.write():
            database.execute("INSERT INTO numbers VALUES (1)")
            with pytest.raises(_Refused):
                _insert_and_fail(database, 2, undone_alone=undone_alone)
            database.execute("INSERT INTO numbers VALUES (3)")
        assert [n for (n,) in database.rows("SELECT n FROM numbers ORDER BY n")] == kept


@pytest.mark.parametrize("undone_alone", [True, False])
def test_what_fails_with_the_block_around_it_is_undone(path: Path, undone_alone: bool) -> None:
    with Database.open(path) as database:
        database.execute("CREATE TEMP TABLE numbers (n INTEGER)")
        with pytest.raises(_Refused), database.write():
            _insert_and_fail(database, 2, undone_alone=undone_alone)
        assert database.rows("SELECT n FROM numbers") == []
