"""Runs and facts: what was appended is read back, by one writer at a time."""

import os
import sqlite3
from pathlib import Path

import pytest
from record_samples import FIRST, SECOND, World, new_run

from argosy.errors import NotFound, UsageError
from argosy.model.events import AttemptStarted, Fact, Resumed, RunStarted, StopRequested, Suspended
from argosy.record.journal import Journal, Progress
from argosy.record.queries import Queries
from argosy.record.troubles import DamagedRun, LeaseHeld, LeaseLost


def started(count: int, first: int = 0) -> list[Fact]:
    return [AttemptStarted(at=float(number), node=f"n{number}") for number in range(first, first + count)]


def test_facts_come_back_in_order_with_their_numbers(journal: Journal) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    journal.append(lease, [RunStarted(at=1.0), *started(3)])
    journal.append(lease, started(2, first=3))
    numbers, facts = zip(*journal.events(run), strict=True)
    assert numbers == (1, 2, 3, 4, 5, 6)
    assert list(facts) == [RunStarted(at=1.0), *started(5)]
    assert [number for number, _ in journal.events(run, after=4)] == [5, 6]


def test_more_facts_than_one_piece_of_reading(journal: Journal) -> None:
    run = journal.create_run(new_run())
    journal.append(journal.acquire(run, owner=FIRST, seconds=10), started(4001))
    assert [fact for _, fact in journal.events(run)] == started(4001)


def test_two_runs_do_not_mix(journal: Journal) -> None:
    one, two = journal.create_run(new_run("one")), journal.create_run(new_run("two"))
    for run, first in ((one, 0), (two, 100)):
        journal.append(journal.acquire(run, owner=FIRST, seconds=10), started(2, first))
    assert [fact for _, fact in journal.events(two)] == started(2, 100)


@pytest.mark.parametrize("changes", [{"uid": "other"}, {"name": "other", "uid": "uid-of-train"}])
def test_a_taken_name_or_uid_is_refused(journal: Journal, changes: dict[str, object]) -> None:
    journal.create_run(new_run())
    with pytest.raises(UsageError, match="already a run named train"):
        journal.create_run(new_run(**changes))


def test_the_name_of_a_deleted_run_is_free_but_its_number_is_not(journal: Journal) -> None:
    run = journal.create_run(new_run())
    journal.append(journal.acquire(run, owner=FIRST, seconds=0), started(3))
    journal.delete_run(run)
    again = journal.create_run(new_run())
    assert again > run
    assert list(journal.events(again)) == []
    with pytest.raises(NotFound):
        journal.events(run)


def test_a_second_owner_is_refused_and_told_who_has_it(journal: Journal) -> None:
    run = journal.create_run(new_run())
    journal.acquire(run, owner=FIRST, seconds=10)
    with pytest.raises(LeaseHeld, match="train is driven by process 10 on here") as caught:
        journal.acquire(run, owner=SECOND, seconds=10)
    assert "argosy watch train" in caught.value.hint


def test_the_same_process_cannot_drive_a_run_twice(journal: Journal, world: World) -> None:
    world.lives[FIRST] = True
    run = journal.create_run(new_run())
    journal.acquire(run, owner=FIRST, seconds=10)
    with pytest.raises(LeaseHeld):
        journal.acquire(run, owner=FIRST, seconds=10)
    world.time += 10
    journal.acquire(run, owner=FIRST, seconds=10)


def test_an_owner_that_cannot_be_looked_at_is_replaced_when_its_time_is_over(journal: Journal, world: World) -> None:
    run = journal.create_run(new_run())
    old = journal.acquire(run, owner=FIRST, seconds=10)
    world.time += 9.9
    journal.renew(old)
    world.time += 9.9
    with pytest.raises(LeaseHeld):
        journal.acquire(run, owner=SECOND, seconds=10)
    world.time += 0.2
    new = journal.acquire(run, owner=SECOND, seconds=10)
    assert new.fence > old.fence


def test_a_dead_owner_is_replaced_at_once_and_a_live_one_never(journal: Journal, world: World) -> None:
    run = journal.create_run(new_run())
    journal.acquire(run, owner=FIRST, seconds=10)
    world.lives[FIRST] = True
    world.time += 1000
    with pytest.raises(LeaseHeld):
        journal.acquire(run, owner=SECOND, seconds=10)
    world.lives[FIRST] = False
    journal.acquire(run, owner=SECOND, seconds=10)


def test_an_overtaken_owner_can_write_nothing(journal: Journal, world: World) -> None:
    run = journal.create_run(new_run())
    old = journal.acquire(run, owner=FIRST, seconds=1)
    world.time += 2
    new = journal.acquire(run, owner=SECOND, seconds=10)
    journal.request(run, Suspended(at=1.0))
    for act in (
        lambda: journal.append(old, started(1)),
        lambda: journal.renew(old),
        lambda: journal.set_progress(old, Progress(message="stale")),
        lambda: journal.take_requests(old),
        lambda: journal.finish(old, phase="Failed", message="", finished_at=1.0, status=b"{}"),
    ):
        with pytest.raises(LeaseLost, match="train"):
            act()
    journal.release(old)
    assert list(journal.events(run)) == []
    journal.append(new, started(1))


def test_a_released_lease_is_over_and_the_run_free(journal: Journal) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    journal.release(lease)
    with pytest.raises(LeaseLost):
        journal.append(lease, started(1))
    journal.acquire(run, owner=SECOND, seconds=10)


def test_deleting_and_reopening_need_a_run_that_nobody_drives(journal: Journal) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    with pytest.raises(LeaseHeld):
        journal.delete_run(run)
    with pytest.raises(LeaseHeld):
        journal.reopen(run, manifest=new_run().manifest)
    journal.release(lease)
    journal.delete_run(run)
    with pytest.raises(LeaseLost, match="deleted"):
        journal.append(lease, started(1))


def test_progress_is_committed_with_the_facts(journal: Journal, queries: Queries) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    shown = Progress(phase="Running", progress="1/3", started_at=1001.0, labels={"a": "b"})
    journal.append(lease, started(1), progress=shown)
    journal.set_progress(lease, Progress(message="half way"))
    summary = queries.find("train")
    assert (summary.phase, summary.progress, summary.started_at, summary.message) == (
        "Running",
        "1/3",
        1001.0,
        "half way",
    )
    assert summary.labels == {"a": "b"}


def test_finishing_keeps_the_first_status(journal: Journal, queries: Queries) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    assert queries.status_document(run) is None
    journal.finish(lease, phase="Succeeded", message="done", finished_at=1005.0, status=b'{"phase":"Succeeded"}')
    journal.finish(lease, phase="Failed", message="again", finished_at=1006.0, status=b"{}")
    summary = queries.find("train")
    assert (summary.phase, summary.message, summary.finished_at) == ("Succeeded", "done", 1005.0)
    assert (summary.finished, summary.driven, summary.interrupted) == (True, False, False)
    assert queries.status_document(run) == b'{"phase":"Succeeded"}'


def test_requests_become_facts_once_in_the_order_they_were_made(journal: Journal) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    asked = [Suspended(at=1.0), Resumed(at=2.0), StopRequested(at=3.0, strategy="Stop")]
    for request in asked:
        journal.request(run, request)
    assert list(journal.events(run)) == []
    assert journal.take_requests(lease) == asked
    assert journal.take_requests(lease) == []
    assert [fact for _, fact in journal.events(run)] == asked


def test_a_run_that_is_over_takes_no_requests(journal: Journal) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    journal.finish(lease, phase="Failed", message="", finished_at=1.0, status=b"{}")
    with pytest.raises(UsageError, match="train is over: Failed"):
        journal.request(run, Suspended(at=1.0))
    with pytest.raises(NotFound):
        journal.request(run + 1, Suspended(at=1.0))


def test_a_reopened_run_begins_anew_and_keeps_its_past(journal: Journal, queries: Queries) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    journal.append(lease, started(3))
    journal.finish(lease, phase="Failed", message="bad", finished_at=1005.0, status=b'{"old":1}')
    journal.release(lease)
    manifest = b'{"metadata":{"labels":{"n":"2"}},"spec":{}}'
    assert journal.reopen(run, manifest=manifest, options=b'{"carry":[]}') == 2
    summary = queries.find("train")
    assert (summary.phase, summary.generation, summary.finished, summary.labels) == ("Pending", 2, False, {"n": "2"})
    assert (queries.status_document(run), queries.manifest(run)) == (None, manifest)
    assert queries.options(run) == b'{"carry":[]}'
    assert list(journal.events(run)) == []
    with pytest.raises(LeaseLost):
        journal.append(lease, started(1))
    journal.append(journal.acquire(run, owner=SECOND, seconds=10), started(1))
    assert len(list(journal.events(run))) == 1
    assert len(list(queries.events(run, generation=1))) == 3
    assert queries.status_document(run, generation=1) == b'{"old":1}'


def test_nothing_of_a_failed_append_stays(journal: Journal) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    with pytest.raises(AttributeError):
        journal.append(lease, started(2), progress="not progress")  # pyright: ignore[reportArgumentType]
    assert list(journal.events(run)) == []
    journal.append(lease, started(1))


def test_writes_inside_a_write_are_one_commit(journal: Journal, path: Path) -> None:
    run = journal.create_run(new_run())
    lease = journal.acquire(run, owner=FIRST, seconds=10)
    with sqlite3.connect(path) as other, journal.database.write():
        journal.append(lease, started(1))
        with pytest.raises(NotFound):
            journal.request(run + 1, Suspended(at=1.0))
        assert other.execute("SELECT count(*) FROM facts").fetchone() == (0,)
        journal.append(lease, started(1, first=1))
    other.close()
    assert [fact for _, fact in journal.events(run)] == started(2)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE facts SET body = x'7b7d' WHERE seq = 2", "fact 2 does not match its checksum"),
        ("UPDATE facts SET body = x'7b7d', crc = 2745614147 WHERE seq = 2", "fact 2 cannot be read"),
        ("DELETE FROM facts WHERE seq = 2", "fact 2 is missing"),
    ],
)
def test_a_damaged_fact_names_its_run_and_spares_the_others(
    journal: Journal, queries: Queries, change: str, named: str
) -> None:
    run = journal.create_run(new_run("bad"))
    journal.append(journal.acquire(run, owner=FIRST, seconds=10), started(3))
    sound = journal.create_run(new_run("good"))
    journal.append(journal.acquire(sound, owner=FIRST, seconds=10), started(3))
    journal.database.execute(change + " AND run = 1")
    with pytest.raises(DamagedRun, match=f"run bad is damaged: {named}"):
        list(journal.events(run))
    assert len(list(journal.events(sound))) == 3
    assert {summary.name for summary in queries.runs()} == {"bad", "good"}
    assert [named in error.message for error in queries.damage()] == [True]


def test_only_the_owner_may_read_the_files(journal: Journal, path: Path) -> None:
    journal.create_run(new_run())
    modes = {name: os.stat(path.parent / name).st_mode & 0o777 for name in os.listdir(path.parent)}
    assert modes == {"argosy.db": 0o600, "argosy.db-wal": 0o600, "argosy.db-shm": 0o600}
