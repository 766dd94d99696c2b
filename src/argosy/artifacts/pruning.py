"""Keeping the store's house: what is missing, damaged or left over, and removing what nothing needs.

It knows how objects reach one another; not which runs want them: the caller says what to keep.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.artifacts.trees import Digest, Entry, Form, decode_tree, hash_of, parse_digest
from argosy.artifacts.troubles import ArtifactNotFound, StoreTrouble

if TYPE_CHECKING:
    from argosy.artifacts.store import Store

# Writers wait while a prune holds its lock, so it lets them in after so many objects.
OBJECTS_A_TURN = 500


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. missing: digests that a folder names and that are not here.

    corrupt: digests of the damaged, which were put aside, so that the same content is stored anew. leftover: files that
    an interrupted writer left. quarantined: damaged objects put aside, now or earlier.
    """

    objects: int
    size_bytes: int
    missing: tuple[str, ...] = ()
    corrupt: tuple[str, ...] = ()
    leftover: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Nothing is missing and nothing is damaged."""
        return not self.missing and not self.corrupt


def check_store(store: Store, read_data: bool, grace_seconds: float) -> Report:
    """See `Store.check`. What is damaged is put aside: as long as it lay there, its name would stand for it."""
    objects, size_bytes = 0, 0
    corrupt: list[str] = []
    missing: set[str] = set()
    for digest, path in stored_objects(store.root):
        objects += 1
        size_bytes += path.stat().st_size
        if digest.form == "tree":
            entries = _tree_entries(path, digest)
            if entries is None:
                store.quarantine(digest)
                corrupt.append(str(digest))
                continue
            missing.update(e.digest for e in entries if e.kind != "link" and not _is_here(store, e))
        elif read_data and _hash(path) != digest.hex:
            store.quarantine(digest)
            corrupt.append(str(digest))
    return Report(
        objects=objects,
        size_bytes=size_bytes,
        missing=tuple(sorted(missing - set(corrupt))),
        corrupt=tuple(sorted(corrupt)),
        leftover=tuple(str(path) for path in old_files(store.root / "tmp", grace_seconds)),
        quarantined=tuple(sorted(path.name for path in (store.root / "quarantine").iterdir())),
    )


def prune_store(store: Store, keep: Iterable[Digest], grace_seconds: float) -> int:
    """See `Store.prune`."""
    wanted = _reached(store, keep)
    before = time.time() - grace_seconds
    # A young folder may be about to be named by its run: what it holds stays as long as it does.
    young = [d for d, p in stored_objects(store.root) if d.form == "tree" and _is_young(p, before)]
    wanted |= _reached(store, young, tolerant=True)
    unwanted = [path for digest, path in stored_objects(store.root) if store.place(digest) not in wanted]
    freed = 0
    for start in range(0, len(unwanted), OBJECTS_A_TURN):
        with _exclusive(store.root):
            freed += sum(_remove_old(path, before) for path in unwanted[start : start + OBJECTS_A_TURN])
    for path in old_files(store.root / "tmp", grace_seconds):
        freed += _remove_old(path, before)
    return freed


def stored_objects(root: Path) -> Iterator[tuple[Digest, Path]]:
    """Every object with its digest, in order."""
    kinds: tuple[tuple[str, Form], ...] = (("objects", "file"), ("trees", "tree"))
    for folder, form in kinds:
        for shard in sorted((root / folder).iterdir()):
            for path in sorted(shard.iterdir()):
                yield Digest(shard.name + path.name, form), path


def old_files(folder: Path, grace_seconds: float) -> list[Path]:
    """The files of a folder that were last changed longer ago than the grace period."""
    before = time.time() - grace_seconds
    return [path for path in sorted(folder.iterdir()) if not _is_young(path, before)]


def _reached(store: Store, start: Iterable[Digest], *, tolerant: bool = False) -> set[Path]:
    """The places of these objects and of all that they hold; tolerant of folders that are not whole."""
    reached: set[Path] = set()
    waiting = list(start)
    while waiting:
        digest = waiting.pop()
        place = store.place(digest)
        if place in reached:
            continue
        reached.add(place)
        if digest.form == "tree":
            with contextlib.suppress(*((ArtifactNotFound, StoreTrouble) if tolerant else ())):
                waiting.extend(parse_digest(e.digest) for e in store.entries(digest) if e.kind != "link")
    return reached


def _tree_entries(path: Path, digest: Digest) -> list[Entry] | None:
    """The entries of a tree object, or None when it is damaged."""
    data = path.read_bytes()
    if hash_of(data) != digest.hex:
        return None
    try:
        return decode_tree(data)
    except ValueError:
        return None


def _is_here(store: Store, entry: Entry) -> bool:
    with contextlib.suppress(OSError):
        found = store.place(parse_digest(entry.digest)).stat()
        return entry.kind == "tree" or found.st_size == entry.size
    return False


def _hash(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_young(path: Path, before: float) -> bool:
    try:
        return path.lstat().st_mtime > before
    except FileNotFoundError:
        return True


def _remove_old(path: Path, before: float) -> int:
    """Remove a file unless somebody made it young meanwhile; the bytes that this frees."""
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if found.st_mtime <= before:
            path.unlink()
            return found.st_size if found.st_nlink == 1 else 0
    return 0


@contextlib.contextmanager
def _exclusive(root: Path) -> Generator[None, None, None]:
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
