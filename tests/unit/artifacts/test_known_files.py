"""Big files that were hashed before are not read again, and never at the price of a change that is missed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from argosy.artifacts import known_files
from argosy.artifacts.known_files import Identity, KnownFiles
from argosy.artifacts.store import SMALL_BYTES, Store
from argosy.artifacts.trees import Digest

BIG = SMALL_BYTES + 1
LATER = 60_000_000_000


class Disk:
    """A store whose big files are remembered; the clock is ahead of the files, so that they are at rest."""

    def __init__(self, folder: Path, ahead_ns: int = LATER) -> None:
        self.kept: dict[Identity, str] = {}
        self.file = folder / "big"
        self.file.write_bytes(b"a" * BIG)
        self.store = Store.open(folder / "store")
        self.ahead_ns = ahead_ns
        self.reads = 0
        original = self.store._put_big_file

        def counted(path: Path, source: int, start: bytes) -> tuple[str, int]:
            self.reads += 1
            return original(path, source, start)

        self.store._put_big_file = counted

    def put(self) -> str:
        now = max(self.file.stat().st_mtime_ns, self.file.stat().st_ctime_ns) + self.ahead_ns
        known = KnownFiles(self.kept.get, now_ns=lambda: now)
        self.store.known_files = known
        digest = self.store.put(self.file)
        self.kept |= known.learned
        return digest


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_an_unchanged_file_is_read_once(disk: Disk) -> None:
    assert disk.put() == disk.put() == f"sha256:{hashlib.sha256(b'a' * BIG).hexdigest()}"
    assert disk.reads == 1


def test_a_change_that_keeps_size_and_mtime_is_seen(disk: Disk) -> None:
    first = disk.put()
    found = disk.file.stat()
    disk.file.write_bytes(b"b" * BIG)
    os.utime(disk.file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert disk.put() != first
    assert disk.reads == 2


def test_another_file_in_its_place_is_seen(disk: Disk, tmp_path: Path) -> None:
    first = disk.put()
    found = disk.file.stat()
    (tmp_path / "other").write_bytes(b"c" * BIG)
    os.utime(tmp_path / "other", ns=(found.st_atime_ns, found.st_mtime_ns))
    (tmp_path / "other").rename(disk.file)
    assert disk.put() != first


def test_a_file_just_changed_is_not_trusted(tmp_path: Path) -> None:
    disk = Disk(tmp_path, ahead_ns=known_files.REST_NANOSECONDS // 2)
    disk.put()
    disk.put()
    assert disk.reads == 2
    assert disk.kept == {}


def test_a_file_from_the_near_future_is_not_trusted(tmp_path: Path) -> None:
    disk = Disk(tmp_path, ahead_ns=-known_files.REST_NANOSECONDS // 2)
    disk.put()
    assert disk.kept == {}


def test_a_file_that_changes_while_it_is_read_is_not_learned(disk: Disk) -> None:
    counted = disk.store._put_big_file

    def meddled(path: Path, source: int, start: bytes) -> tuple[str, int]:
        made = counted(path, source, start)
        with disk.file.open("ab") as file:
            file.write(b"more")
        return made

    disk.store._put_big_file = meddled
    disk.put()
    assert disk.kept == {}


def test_what_the_store_has_lost_is_read_again(disk: Disk) -> None:
    digest = disk.put()
    disk.store.place(Digest(digest.removeprefix("sha256:"))).unlink()
    assert disk.put() == digest
    assert disk.reads == 2
    assert disk.store.has(digest)
