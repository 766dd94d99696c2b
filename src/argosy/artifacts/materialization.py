"""Putting a stored file or folder at a path of a step: by shared blocks, a hard link or a verified copy.

It knows the cheapest safe way to give a step its bytes; not how objects are written.
"""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.artifacts.disk import CHUNK_BYTES
from argosy.artifacts.trees import Digest, hash_of, parse_digest
from argosy.artifacts.troubles import ArtifactNotFound, StoreTrouble, disk_errors

if TYPE_CHECKING:
    from argosy.artifacts.store import Store

WRITE_BITS = 0o222
# Below this a copy is as cheap as trying to share blocks.
SHARE_FROM_BYTES = 1 << 14


class Materialization:
    """One call of `Store.materialize`."""

    def __init__(self, store: Store, mode: int | None, recurse_mode: bool, writable: bool) -> None:
        self.store = store
        self.mode = mode
        self.recurse_mode = recurse_mode
        self.writable = writable
        self._objects = str(store.root / "objects")

    def make(self, digest: Digest, target: Path) -> None:
        """Make `target`, or leave nothing there."""
        with disk_errors("make", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            was_folder = _empty_place(target, digest)
        try:
            with disk_errors("write", target):
                self._make(digest, target, self.mode)
        except (OSError, StoreTrouble, ArtifactNotFound):
            _clear(target, keep_folder=was_folder)
            raise

    def _make(self, digest: Digest, target: Path, mode: int | None) -> None:
        if digest.form == "tree":
            target.mkdir(0o700, exist_ok=True)
            self._fill(digest, target)
            target.chmod(mode if mode is not None else 0o755)
        else:
            self._file(digest, target, mode, 0o755 if digest.form == "exec" else 0o644)

    def _fill(self, digest: Digest, folder: Path) -> None:
        inner = self.mode if self.recurse_mode else None
        for entry in self.store.entries(digest):
            if self.writable and entry.kind == "file" and entry.size < SHARE_FROM_BYTES:
                mode = entry.mode if inner is None else inner
                if self._small_file(entry.digest, f"{folder}/{entry.name}", mode):
                    continue
            place = folder / entry.name
            if entry.kind == "link":
                os.symlink(entry.digest, place)
            elif entry.kind == "tree":
                place.mkdir(0o700)
                self._fill(parse_digest(entry.digest), place)
                place.chmod(entry.mode | 0o700 if inner is None else inner)
            else:
                self._file(parse_digest(entry.digest), place, inner, entry.mode)

    def _small_file(self, digest: str, target: str, mode: int) -> bool:
        """Copy a file that fits into one read, as folders of code have them by the hundred; False if it is not there.

        The same as `_file`, but for the store's bookkeeping, which costs more than such a copy.
        """
        hex = digest.removeprefix("sha256:")
        try:
            source = os.open(f"{self._objects}/{hex[:2]}/{hex[2:]}", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            # It waits to become durable, or is lost: the other way tells.
            return False
        try:
            data = os.read(source, SHARE_FROM_BYTES)
        finally:
            os.close(source)
        if hash_of(data) != hex:
            raise self.store.quarantine(Digest(hex))
        descriptor = self.store.disk.create(target, 0o600)
        try:
            self.store.disk.write(descriptor, data)
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
        return True

    def _file(self, digest: Digest, target: Path, asked: int | None, usual: int) -> None:
        mode = usual if asked is None else asked
        if not self.writable:
            mode &= ~WRITE_BITS
        with self.store.opened(digest) as source:
            if not self.writable and asked is None and not mode & 0o111 and self._link(digest, source, target):
                return
            # While it is filled it is nobody else's; the mode comes last, as it may forbid writing.
            descriptor = self.store.disk.create(target, 0o600)
            try:
                self._copy(digest, source, descriptor)
                os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)

    def _link(self, digest: Digest, source: FileIO, target: Path) -> bool:
        self.store.verify_once(digest, source)
        try:
            os.link(self.store.locate(digest), target, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError:
            # Another file system, or too many links already: a copy does as well.
            source.seek(0)
            return False
        return True

    def _copy(self, digest: Digest, source: FileIO, writer: int) -> None:
        import hashlib

        reader = source.fileno()
        large = os.fstat(reader).st_size >= SHARE_FROM_BYTES
        if large and self.store.disk.share_blocks(reader, writer):
            self.store.verify_once(digest, source)
            return
        hasher = hashlib.sha256()
        buffer = memoryview(bytearray(CHUNK_BYTES if large else SHARE_FROM_BYTES))
        while count := os.readv(reader, [buffer]):
            hasher.update(buffer[:count])
            self.store.disk.write(writer, buffer[:count])
        if hasher.hexdigest() != digest.hex:
            raise self.store.quarantine(digest)


def _empty_place(target: Path, digest: Digest) -> bool:
    """Whether an empty folder is there already, which only a folder may fill. Raises StoreTrouble otherwise."""
    if not os.path.lexists(target):
        return False
    if digest.form == "tree" and target.is_dir() and not target.is_symlink() and not any(target.iterdir()):
        return True
    raise StoreTrouble(f"Cannot write {target}: something is there already.", hint="Give a path that does not exist.")


def _clear(target: Path, *, keep_folder: bool) -> None:
    if target.is_dir() and not target.is_symlink():
        import shutil

        shutil.rmtree(target, ignore_errors=True)
        if keep_folder:
            target.mkdir(exist_ok=True)
    else:
        target.unlink(missing_ok=True)
