"""How fast facts become durable: the journal's append beside plain sqlite3 executemany, for several group sizes.

It knows nothing of runs that do anything. Run: python benchmarks/journal.py
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from argosy.model.events import AttemptExited, AttemptStarted, Fact, encode
from argosy.record.journal import Journal, NewRun, Progress
from argosy.record.ownership import this_process

COMMITS = 200
SIZES = (1, 10, 50, 1000)


def facts_of(size: int) -> list[Fact]:
    return [
        AttemptStarted(at=1763700000.123, node=f"train[0].fan-out({number})")
        if number % 2
        else AttemptExited(at=1763700001.456, node=f"train[0].fan-out({number})", phase="Succeeded")
        for number in range(size)
    ]


def journal_writer(folder: Path, size: int) -> Callable[[], None]:
    journal = Journal.open(folder / f"journal-{size}.db", now=time.time)
    run = journal.create_run(
        NewRun(name="r", uid="u", namespace="n", created_at=0.0, manifest=b'{"metadata":{},"spec":{}}')
    )
    lease = journal.acquire(run, owner=this_process(), seconds=600)
    facts, progress = facts_of(size), Progress(phase="Running", progress="1/2")
    return lambda: journal.append(lease, facts, progress=progress)


def plain_writer(folder: Path, size: int) -> Callable[[], None]:
    connection = sqlite3.connect(folder / f"plain-{size}.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE facts (seq INTEGER PRIMARY KEY, body BLOB)")
    bodies = [(encode(fact),) for fact in facts_of(size)]

    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO facts (body) VALUES (?)", bodies)
        connection.execute("COMMIT")

    return write


def milliseconds_a_commit(write: Callable[[], None], commits: int) -> float:
    write()
    begun = time.perf_counter()
    for _ in range(commits):
        write()
    return (time.perf_counter() - begun) / commits * 1000


def reading(folder: Path) -> float:
    """Facts a second when 100,000 are read back."""
    journal = Journal.open(folder / "reading.db", now=time.time)
    run = journal.create_run(
        NewRun(name="r", uid="u", namespace="n", created_at=0.0, manifest=b'{"metadata":{},"spec":{}}')
    )
    journal.append(journal.acquire(run, owner=this_process(), seconds=600), facts_of(100_000))
    begun = time.perf_counter()
    count = sum(1 for _ in journal.events(run))
    return count / (time.perf_counter() - begun)


def main() -> None:
    # Beside this file, not in /tmp: that may be memory, where nothing waits for a disk.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as name:
        folder = Path(name)
        print(
            f"{'facts a commit':>14} {'journal ms':>11} {'plain ms':>9} {'ms / 10 facts':>14} {'journal facts/s':>16}"
        )
        for size in SIZES:
            commits = COMMITS if size < 1000 else COMMITS // 4
            journal = milliseconds_a_commit(journal_writer(folder, size), commits)
            plain = milliseconds_a_commit(plain_writer(folder, size), commits)
            rate = size / journal * 1000
            print(f"{size:>14} {journal:>11.3f} {plain:>9.3f} {journal / size * 10:>14.3f} {rate:>16,.0f}")
        print(f"read back: {reading(folder):,.0f} facts a second")


if __name__ == "__main__":
    main()
