"""The store while things go wrong: killed writers, full disks, errors at every call, prunes and puts at once."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.artifacts.disk import Disk
from argosy.artifacts.store import Store
from argosy.artifacts.troubles import StoreTrouble

WRITER = """
import sys
from pathlib import Path
from argosy.artifacts.store import Store
store, source = Store.open(Path(sys.argv[1])), Path(sys.argv[2])
print("ready", flush=True)
for number in range(10_000):
    store.put_bytes(b"%d" % number * 1000, sync=number % 5 == 0)
    (source / "changing").write_bytes(b"%d" % number * 300_000)
    print(store.put(source), flush=True)
"""


def whole(store: Store) -> None:
    """Nothing visible is partial: every object is what its name says and every folder has its files."""
    report = store.check(read_data=True)
    assert report.corrupt == ()
    assert report.missing == ()


@pytest.mark.parametrize("seed", range(12))
def test_a_killed_writer_leaves_nothing_partial(tmp_path: Path, seed: int) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "big").write_bytes(os.urandom(2_000_000))
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "store"), str(source)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    with writer.stdout:
        assert writer.stdout.readline() == "ready\n"
        killer = threading.Timer(random.Random(seed).uniform(0, 0.3), writer.send_signal, [signal.SIGKILL])
        killer.start()
        reported = writer.stdout.read().splitlines()
    killer.join()
    assert writer.wait() == -signal.SIGKILL
    store = Store.open(tmp_path / "store")
    whole(store)
    for number, digest in enumerate(line for line in reported if line.endswith(".tree")):
        if number in (0, len(reported) - 1):
            store.materialize(digest, tmp_path / f"out{number}")
    # What the killed one left is found once it is old, and goes.
    for path in (store.root / "tmp").iterdir():
        os.utime(path, (0, 0))
    store.prune(reported)
    assert store.check(read_data=False).leftover == ()


class FailingDisk(Disk):
    """Each kind of call works until its turn comes; then it fails as a full or broken disk does."""

    def __init__(self, call: str, turn: int, number: int = errno.ENOSPC) -> None:
        self.call, self.turn, self.number = call, turn, number

    def _count(self, call: str) -> None:
        if call == self.call:
            self.turn -= 1
            if self.turn == 0:
                raise OSError(self.number, os.strerror(self.number))

    def create(self, path: Path, mode: int = 0o600) -> int:
        self._count("create")
        return super().create(path, mode)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        try:
            self._count("write")
        except OSError:
            # A full disk takes a part first.
            super().write(descriptor, memoryview(data)[: len(data) // 2])
            raise
        super().write(descriptor, data)

    def flush_paths(self, paths: object) -> None:
        self._count("flush")
        super().flush_paths(paths)  # type: ignore[arg-type]

    def rename(self, source: Path, target: Path) -> None:
        self._count("rename")
        super().rename(source, target)


def trouble_of(action: Callable[[], object]) -> StoreTrouble | None:
    try:
        action()
    except StoreTrouble as error:
        return error
    return None


def make_source(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    for name, size in (("a", 10), ("b", 300_000), ("sub/c", 3_000_000), ("sub/d", 11)):
        (folder / name).write_bytes(os.urandom(size))
    return folder


@pytest.mark.parametrize("call", ["create", "write", "flush", "rename"])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_every_failing_call_leaves_the_store_whole(tmp_path: Path, call: str, turn: int, number: int) -> None:
    source = make_source(tmp_path / "source")
    disk = FailingDisk(call, turn, number)
    failing = Store.open(tmp_path / "store", disk=disk)
    trouble = trouble_of(lambda: failing.put(source))
    assert (trouble is None) == (disk.turn > 0)
    if trouble:
        assert str(tmp_path / "store") in trouble.message
        assert trouble.hint
    disk.turn = 0
    whole(Store.open(tmp_path / "store"))
    # The same store goes on once there is room again.
    digest = failing.put(source)
    whole(Store.open(tmp_path / "store"))
    failing.materialize(digest, tmp_path / "out")
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


@pytest.mark.parametrize("call", ["create", "write"])
@pytest.mark.parametrize("turn", range(1, 6))
def test_a_failing_materialize_leaves_nothing_half(tmp_path: Path, call: str, turn: int) -> None:
    store = Store.open(tmp_path / "store")
    digest = store.put(make_source(tmp_path / "source"))
    disk = FailingDisk(call, turn)
    failing = Store.open(tmp_path / "store", disk=disk)
    trouble = trouble_of(lambda: failing.materialize(digest, tmp_path / "out" / "x"))
    assert (trouble is None) == (disk.turn > 0)
    assert (trouble is None) == (tmp_path / "out" / "x").exists()
    assert trouble is None or "No space" in trouble.message
    assert store.check(read_data=True).sound


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    source = make_source(tmp_path / "source")
    (source / "gone").symlink_to("nowhere")
    with pytest.raises(StoreTrouble, match="gone"):
        store.put(source, follow=True)
    store.sync()
    assert list((store.root / "tmp").iterdir()) == []


def test_a_file_that_changes_while_it_is_stored_is_stored_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(4_000_000))
    store = Store.open(tmp_path / "store", disk=Changing(path))
    digest = store.put(path)
    assert digest != "sha256:" + hashlib.sha256(bytes(4_000_000)).hexdigest()
    whole(store)


class Changing(Disk):
    """Changes the source behind the reader's back."""

    def __init__(self, source: Path) -> None:
        self.source = source

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        with self.source.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"x")
        super().write(descriptor, data)


def test_prunes_and_puts_at_once_lose_nothing_that_is_young(tmp_path: Path) -> None:
    """A put makes its old objects young again, or anew: a prune at that very moment takes none of them."""
    store = Store.open(tmp_path / "store")
    source = make_source(tmp_path / "source")
    stop = threading.Event()
    failures: list[BaseException] = []

    def prune() -> None:
        other = Store.open(store.root)
        try:
            while not stop.is_set():
                other.prune([])
        except BaseException as error:
            failures.append(error)

    pruner = threading.Thread(target=prune)
    pruner.start()
    try:
        for number in range(40):
            for path in [*store.root.glob("objects/*/*"), *store.root.glob("trees/*/*")]:
                age(path)
            store.materialize(store.put(source), tmp_path / f"out{number}")
    finally:
        stop.set()
        pruner.join()
    assert failures == []
    whole(store)


def age(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.utime(path, (0, 0))
