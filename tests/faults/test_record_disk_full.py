"""A disk that is full: the error says so, what was committed stays, and work goes on when there is room again."""

import multiprocessing
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from argosy.errors import EnvironmentTrouble
from argosy.model.events import AttemptExited, Fact
from argosy.record.journal import Journal, NewRun
from argosy.record.ownership import Owner, this_process

RUN = NewRun(name="run", uid="u", namespace="default", created_at=1.0, manifest=b'{"metadata":{},"spec":{}}')
BIG: list[Fact] = [AttemptExited(at=1.0, node="n", phase="Failed", message="x" * 1000)] * 10
ME = Owner(host="here", pid=1)


def append_until_full(journal: Journal) -> tuple[int, EnvironmentTrouble]:
    """How many facts were committed before the trouble, and the trouble."""
    lease = journal.acquire(1, owner=ME, seconds=0)
    for count in range(0, 1_000_000, len(BIG)):
        try:
            journal.append(lease, BIG)
        except EnvironmentTrouble as trouble:
            return count, trouble
    raise AssertionError("the disk never filled up")


def check_nothing_lost(journal: Journal, committed: int) -> None:
    assert committed > 0
    assert len(list(journal.events(1))) == committed


def test_a_database_that_may_not_grow(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "argosy.db", now=time.time)
    journal.create_run(RUN)
    journal.database.execute("PRAGMA max_page_count = 100")
    committed, trouble = append_until_full(journal)
    assert "the disk is full" in trouble.message
    assert "free some space" in trouble.hint
    check_nothing_lost(journal, committed)
    journal.database.execute("PRAGMA max_page_count = 1000000")
    journal.append(journal.acquire(1, owner=ME, seconds=60), BIG)
    check_nothing_lost(journal, committed + len(BIG))
    journal.close()


def fill_limited(path: Path, answer: Connection) -> None:
    # Writes past the limit fail with EFBIG: Python ignores the signal that goes with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    journal = Journal.open(path, now=time.time)
    committed, trouble = append_until_full(journal)
    answer.send((committed, trouble.message, trouble.hint, len(list(journal.events(1)))))


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "argosy.db"
    journal = Journal.open(path, now=time.time)
    journal.create_run(RUN)
    journal.close()
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    writer = context.Process(target=fill_limited, args=(path, sender))
    writer.start()
    assert receiver.poll(60)
    committed, message, hint, seen = receiver.recv()
    writer.join()
    assert str(path) in message
    assert "free some space" in hint
    journal = Journal.open(path, now=time.time)
    assert seen == committed
    check_nothing_lost(journal, committed)
    journal.append(journal.acquire(1, owner=this_process(), seconds=60), BIG)
    journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a disk of its own can only be mounted by root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a disk")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    journal = Journal.open(small_disk / "argosy.db", now=time.time)
    journal.create_run(RUN)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 150_000)
    committed, trouble = append_until_full(journal)
    assert "the disk" in trouble.message
    check_nothing_lost(journal, committed)
    ballast.unlink()
    journal.append(journal.acquire(1, owner=ME, seconds=60), BIG)
    check_nothing_lost(journal, committed + len(BIG))
    journal.close()


def test_no_room_for_a_new_record(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 700_000)
    with pytest.raises(EnvironmentTrouble, match="the disk") as caught:
        Journal.open(small_disk / "argosy.db", now=time.time)
    assert "free some space" in caught.value.hint
