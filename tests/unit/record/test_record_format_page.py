"""The page on the format names every table and column, and its commands work."""

import re
from pathlib import Path

import pytest
from record_samples import FIRST, new_run

from argosy.model.events import AttemptStarted, RunStarted
from argosy.record.journal import Journal
from argosy.record.schema import APPLICATION_ID, MIGRATIONS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "record-format.md").read_text()


def described() -> dict[str, set[str]]:
    """Table name to columns, as the page tells them."""
    found: dict[str, set[str]] = {}
    for section in PAGE.split("\n### ")[1:]:
        table = re.match(r"`(\w+)`", section)
        assert table, section
        found[table[1]] = set(re.findall(r"^\| `(\w+)` \|", section.split("\n## ")[0], re.MULTILINE))
    return found


def test_the_page_tells_every_table_and_column_and_no_other(journal: Journal) -> None:
    tables = [
        name
        for (name,) in journal.database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not name.startswith("sqlite_")
    ]
    actual = {table: {row[1] for row in journal.database.rows(f"PRAGMA table_info({table})")} for table in tables}
    assert described() == actual


def test_the_page_tells_the_version_and_the_mark() -> None:
    assert f"0x{APPLICATION_ID:X}" in PAGE
    assert f"is the version of this format: {len(MIGRATIONS)}." in PAGE


@pytest.mark.parametrize("query", re.findall(r"^sqlite> (.*);$", PAGE, re.MULTILINE))
def test_the_queries_of_the_page_answer(journal: Journal, query: str) -> None:
    for number in range(7):
        run = journal.create_run(new_run(f"r{number}"))
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    journal.append(lease, [RunStarted(at=1.0), AttemptStarted(at=2.0, node="n")])
    journal.database.execute("INSERT INTO locks VALUES ('k', 7, 'n', 1, 0, 0, 1, 0)")
    journal.database.execute("UPDATE generations SET status = ? WHERE run = 7", (b'{"phase":"Running"}',))
    rows = journal.database.rows(query)
    assert rows
    assert all(value is not None for row in rows for value in row)
