"""Two drivers that want one run at the same moment: exactly one gets it, and only its facts are there."""

import multiprocessing
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Barrier as ThreadBarrier

from argosy.model.events import AttemptStarted
from argosy.record.journal import Journal, Lease, NewRun
from argosy.record.locks import Granted, Holder, Locks
from argosy.record.ownership import Owner, this_process
from argosy.record.troubles import LeaseHeld, LeaseLost

ROUNDS = 200
MANIFEST = b'{"metadata":{},"spec":{}}'


def add_run(journal: Journal, name: str) -> int:
    return journal.create_run(NewRun(name=name, uid=name, namespace="default", created_at=1.0, manifest=MANIFEST))


def drive_all(path: Path, start: Barrier, node: str, fails: Barrier) -> None:
    """Race for every run; write one fact into each that is won."""
    journal = Journal.open(path, now=time.time)
    for run in range(1, ROUNDS + 1):
        start.wait()
        try:
            lease = journal.acquire(run, owner=this_process(), seconds=60)
        except LeaseHeld:
            pass
        else:
            journal.append(lease, [AttemptStarted(at=1.0, node=node)])
        fails.wait()


def test_two_processes_race_for_a_lease(tmp_path: Path) -> None:
    path = tmp_path / "argosy.db"
    journal = Journal.open(path, now=time.time)
    with journal.database.write():
        for number in range(ROUNDS):
            add_run(journal, f"run-{number}")
    context = multiprocessing.get_context("forkserver")
    start, end = context.Barrier(2), context.Barrier(2)
    drivers = [context.Process(target=drive_all, args=(path, start, node, end)) for node in ("one", "two")]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join(timeout=120)
    assert [driver.exitcode for driver in drivers] == [0, 0]
    winners = [[fact.node for _, fact in journal.events(run)] for run in range(1, ROUNDS + 1)]
    assert all(len(nodes) == 1 for nodes in winners)
    journal.close()


def test_an_overtaken_driver_and_its_successor_append_at_once(tmp_path: Path) -> None:
    """Whatever the order, the journal holds a prefix of the old driver's facts and then only the new one's."""
    path = tmp_path / "argosy.db"
    clock = [0.0]
    owners = {name: Owner(host="far", pid=1, boot_id=name) for name in ("old", "new")}
    start = ThreadBarrier(2)

    def drive(name: str, taken: Lease | None) -> bool:
        journal = Journal.open(path, now=lambda: clock[0])
        start.wait()
        try:
            lease = taken or journal.acquire(run, owner=owners[name], seconds=1)
            for _ in range(10):
                journal.append(lease, [AttemptStarted(at=1.0, node=name)])
        except LeaseLost:
            return False
        finally:
            journal.close()
        return True

    journal = Journal.open(path, now=lambda: clock[0])
    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            run = add_run(journal, f"run-{number}")
            lease = journal.acquire(run, owner=owners["old"], seconds=1)
            clock[0] += 2
            old, new = pool.submit(drive, "old", lease), pool.submit(drive, "new", None)
            assert new.result()
            names = "".join(fact.node[0] for _, fact in journal.events(run))
            assert names.count("n") == 10
            assert names == "o" * names.count("o") + "n" * 10
            assert old.result() == (names.count("o") == 10)
    journal.close()


def hold_in_turn(path: Path, run_id: int, rounds: int) -> None:
    """Take the lock, write down that it is held, and give it up again."""
    journal = Journal.open(path, now=time.time)
    locks = Locks(journal.database, now=time.time)
    journal.acquire(run_id, owner=this_process(), seconds=60)
    witness = sqlite3.connect(path.with_name("witness.db"), timeout=60, isolation_level=None)
    for _ in range(rounds):
        while locks.acquire(Holder(run_id), [("mutex", 1)], now=time.time()) != Granted():
            time.sleep(0.0005)
        witness.execute("INSERT INTO inside VALUES (1)")
        witness.execute("DELETE FROM inside")
        locks.release(Holder(run_id))
    witness.close()
    journal.close()


def test_a_mutex_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "argosy.db"
    journal = Journal.open(path, now=time.time)
    runs = [add_run(journal, f"run-{number}") for number in range(2)]
    witness = sqlite3.connect(path.with_name("witness.db"))
    # A second one inside breaks the primary key, and so its process.
    witness.execute("CREATE TABLE inside (one INTEGER PRIMARY KEY)")
    witness.execute("PRAGMA journal_mode = WAL")
    witness.commit()
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=hold_in_turn, args=(path, run, 50)) for run in runs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert Locks(journal.database, now=time.time).holders("mutex") == []
    witness.close()
    journal.close()
