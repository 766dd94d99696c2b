"""The content-addressed store: files and folders by the hash of what they hold, kept once and verified when read.

It knows blobs, trees and how to keep them whole through crashes; not runs, steps or artifacts' names.

Layout under the root: `objects/ab/<hex>` file contents, `trees/ab/<hex>` folders, `tmp/` what is being written,
`quarantine/` objects that turned out damaged, `lock` shared by writers and exclusive to a prune.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import threading
import time
from collections.abc import Generator, Iterable
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.artifacts.disk import CHUNK_BYTES, Disk
from argosy.artifacts.known_files import Identity, KnownFiles
from argosy.artifacts.trees import Digest, Entry, decode_tree, encode_tree, hash_of, parse_digest
from argosy.artifacts.troubles import ArtifactNotFound, StoreTrouble, disk_errors, store_trouble

if TYPE_CHECKING:
    from argosy.artifacts.pruning import Report

# Files up to this size are hashed before anything is written: most are there already.
SMALL_BYTES = 1 << 18
GRACE_SECONDS = 3600.0


class Store:
    """One store on one file system. Methods may be called from any thread and from several processes."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self.root = root
        self.disk = disk
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        # Complete objects that wait for `sync`: where each belongs, and its temporary file.
        self._pending: dict[Path, Path] = {}
        self._waiting: set[Path] = set()
        self._shards: set[Path] = set()
        self._verified: dict[str, tuple[int, int, int]] = {}
        # Big files that need not be read again, for one who stores the same folder time and again.
        self.known_files: KnownFiles | None = None

    @classmethod
    def open(cls, root: Path, *, disk: Disk | None = None) -> Store:
        """Open the store at `root`, made when absent. Raises StoreTrouble."""
        with disk_errors("open the store at", root):
            for folder in ("objects", "trees", "tmp", "quarantine"):
                (root / folder).mkdir(parents=True, exist_ok=True)
            os.close(os.open(root / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        return cls(root, disk or Disk())

    # -- writing

    def put(self, path: Path, *, follow: bool = False, sync: bool = True) -> str:
        """Store a file or a folder and return its digest.

        follow: take what symbolic links point at; otherwise links inside a folder are kept as links, and a `path` that
        is itself a link is refused. sync=False leaves durability (and sight of it by other processes) to `sync()`.
        Raises ArtifactNotFound, StoreTrouble.
        """
        try:
            found = os.stat(path) if follow else os.lstat(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ArtifactNotFound(f"There is nothing at {path}.") from error
        except OSError as error:
            raise store_trouble("read", path, error) from error
        if stat.S_ISDIR(found.st_mode):
            digest, _ = self._put_folder(path, follow, ((found.st_dev, found.st_ino),))
        elif stat.S_ISREG(found.st_mode):
            digest = Digest(self._put_file(path, follow)[0], "exec" if found.st_mode & 0o100 else "file")
        else:
            raise StoreTrouble(f"Cannot store {path}: it is a {_kind_word(found.st_mode)}.", hint=_SPECIAL_HINT)
        if sync:
            self.sync()
        return str(digest)

    def put_bytes(self, data: bytes, *, sync: bool = True) -> str:
        """Store `data` as a file and return its digest. Raises StoreTrouble."""
        digest = Digest(hash_of(data))
        self._keep_bytes(digest, data)
        if sync:
            self.sync()
        return str(digest)

    def put_tree(self, entries: list[Entry]) -> str:
        """Store a folder of these entries, whose objects are here, and return its digest; `sync` makes it durable."""
        data = encode_tree(entries)
        digest = Digest(hash_of(data), "tree")
        self._keep_bytes(digest, data)
        return str(digest)

    def hold(self, digest: str) -> bool:
        """Whether the object is here; if so, no prune takes it for the next hour. Of a tree, only its list."""
        return not self.hold_all([digest])

    def hold_all(self, digests: Iterable[str]) -> set[str]:
        """As `hold`, of many at little cost; the ones that are not here."""
        missing: set[str] = set()
        root = str(self.root)
        with self._lock:
            pending = {str(path) for path in self._pending}
        with self._shared_lock():
            for text in digests:
                digest = parse_digest(text)
                folder = "trees" if digest.form == "tree" else "objects"
                place = f"{root}/{folder}/{digest.hex[:2]}/{digest.hex[2:]}"
                try:
                    os.utime(place)
                except FileNotFoundError:
                    if place not in pending:
                        missing.add(text)
                except OSError as error:
                    raise store_trouble("use", Path(place), error) from error
        return missing

    def sync(self) -> None:
        """Make everything put so far by this Store durable, with few flushes for many objects. Raises StoreTrouble."""
        with self._sync_lock:
            if self._pending:
                self._sync_pending()

    def _sync_pending(self) -> None:
        with disk_errors("make durable what is in", self.root):
            with self._lock:
                waiting = dict(self._pending)
            self.disk.flush_paths(waiting.values())
            folders = {self.root / "objects", self.root / "trees"}
            with self._shared_lock():
                for place, temporary in waiting.items():
                    with self._lock:
                        self.disk.rename(temporary, place)
                        del self._pending[place]
                        self._waiting.discard(temporary)
                    folders.add(place.parent)
            self.disk.flush_paths(sorted(folders))

    def _put_folder(self, path: Path, follow: bool, above: tuple[tuple[int, int], ...]) -> tuple[Digest, int]:
        with disk_errors("read", path), os.scandir(path) as listing:
            items = sorted(listing, key=lambda item: os.fsencode(item.name))
        entries = [self._entry(Path(item.path), follow, above) for item in items]
        return parse_digest(self.put_tree(entries)), sum(entry.size for entry in entries)

    def _entry(self, path: Path, follow: bool, above: tuple[tuple[int, int], ...]) -> Entry:
        with disk_errors("read", path):
            found = os.stat(path) if follow else os.lstat(path)
            mode = stat.S_IMODE(found.st_mode) & 0o777
            if stat.S_ISLNK(found.st_mode):
                return Entry(path.name, 0o777, "link", os.readlink(path), 0)
        if stat.S_ISREG(found.st_mode):
            hex_digest, size = self._put_file(path, follow)
            return Entry(path.name, mode, "file", f"sha256:{hex_digest}", size)
        if not stat.S_ISDIR(found.st_mode):
            raise StoreTrouble(f"Cannot store {path}: it is a {_kind_word(found.st_mode)}.", hint=_SPECIAL_HINT)
        identity = (found.st_dev, found.st_ino)
        if identity in above:
            raise StoreTrouble(f"Cannot store {path}: its links lead back to a folder above it.", hint=_SPECIAL_HINT)
        digest, size = self._put_folder(path, follow, (*above, identity))
        return Entry(path.name, mode, "tree", str(digest), size)

    def _put_file(self, path: Path, follow: bool) -> tuple[str, int]:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
        with disk_errors("read", path):
            source = os.open(path, flags)
        try:
            with disk_errors("read", path):
                start = os.read(source, SMALL_BYTES + 1)
            if len(start) <= SMALL_BYTES:
                digest = Digest(hash_of(start))
                self._keep_bytes(digest, start)
                return digest.hex, len(start)
            return self._put_unless_known(path, source, start)
        finally:
            os.close(source)

    def _put_unless_known(self, path: Path, source: int, start: bytes) -> tuple[str, int]:
        known = self.known_files
        if known is None:
            return self._put_big_file(path, source, start)
        before = Identity.of(os.fstat(source))
        told = known.digest(before)
        if told is not None and self._touched(Digest(told)):
            return told, before.size
        at_rest = known.is_at_rest(before)
        hex_digest, size = self._put_big_file(path, source, start)
        if at_rest:
            known.learn(before, Identity.of(os.fstat(source)), hex_digest)
        return hex_digest, size

    def _put_big_file(self, path: Path, source: int, start: bytes) -> tuple[str, int]:
        import hashlib

        with self._temporary() as temporary:
            hasher, size = hashlib.sha256(), 0
            with self._written(temporary) as target:
                data: bytes | memoryview = start
                buffer = memoryview(bytearray(CHUNK_BYTES))
                while data:
                    with disk_errors("write", temporary):
                        self.disk.write(target, data)
                    hasher.update(data)
                    size += len(data)
                    with disk_errors("read", path):
                        data = buffer[: os.readv(source, [buffer])]
            digest = Digest(hasher.hexdigest())
            if not self._touched(digest):
                self._keep(digest, temporary)
            return hasher.hexdigest(), size

    def _keep_bytes(self, digest: Digest, data: bytes) -> None:
        if self._touched(digest):
            return
        with self._temporary() as temporary:
            with self._written(temporary) as target, disk_errors("write", temporary):
                self.disk.write(target, data)
            self._keep(digest, temporary)

    def _keep(self, digest: Digest, temporary: Path) -> None:
        """Let a complete temporary file wait to become the object."""
        place = self.place(digest)
        if place.parent not in self._shards:
            with disk_errors("make", place.parent):
                place.parent.mkdir(exist_ok=True)
            self._shards.add(place.parent)
        with self._lock:
            if place not in self._pending:
                self._pending[place] = temporary
                self._waiting.add(temporary)

    def _touched(self, digest: Digest) -> bool:
        """Whether the store has the object; if so it is made young, so that no prune under way takes it."""
        place = self.place(digest)
        with self._lock:
            if place in self._pending:
                return True
        try:
            with self._shared_lock():
                os.utime(place)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise store_trouble("use", place, error) from error
        return True

    @contextlib.contextmanager
    def _temporary(self) -> Generator[Path, None, None]:
        """A name for a file being written; the file is removed unless it waits for `sync`."""
        temporary = self.root / "tmp" / f"{os.getpid()}-{os.urandom(8).hex()}"
        try:
            yield temporary
        finally:
            if temporary not in self._waiting:
                with contextlib.suppress(OSError):
                    temporary.unlink()

    @contextlib.contextmanager
    def _written(self, temporary: Path) -> Generator[int, None, None]:
        with disk_errors("write", temporary):
            descriptor = self.disk.create(temporary, 0o444)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _shared_lock(self) -> Generator[None, None, None]:
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    # -- reading

    def place(self, digest: Digest) -> Path:
        """Where an object is kept once it is durable."""
        folder = "trees" if digest.form == "tree" else "objects"
        return self.root / folder / digest.hex[:2] / digest.hex[2:]

    def locate(self, digest: Digest) -> Path:
        """The file of an object, also before `sync`. Raises ArtifactNotFound."""
        place = self.place(digest)
        with self._lock:
            if (waiting := self._pending.get(place)) is not None:
                return waiting
        if not place.is_file():
            raise ArtifactNotFound(
                f"The store {self.root} holds no {digest}.",
                hint="It was pruned or lost; `argosy check` names all that is missing, `argosy retry` makes it anew.",
            )
        return place

    def opened(self, digest: Digest) -> FileIO:
        """An object's file, open for reading. Raises ArtifactNotFound, StoreTrouble."""
        while True:
            path = self.locate(digest)
            try:
                return FileIO(path)
            except FileNotFoundError:
                # `sync` moved it between the two calls, or it is gone and `locate` says so.
                continue
            except OSError as error:
                raise store_trouble("read", path, error) from error

    def has(self, digest: str) -> bool:
        """Whether the object is here; of a tree, only its list."""
        try:
            self.locate(parse_digest(digest))
        except ArtifactNotFound:
            return False
        return True

    def size(self, digest: str) -> int:
        """Bytes of a file, or of all files of a folder. Raises ArtifactNotFound, StoreTrouble."""
        parsed = parse_digest(digest)
        if parsed.form == "tree":
            return sum(entry.size for entry in self.entries(parsed))
        with self.opened(parsed) as file:
            return os.fstat(file.fileno()).st_size

    def read_bytes(self, digest: str, limit: int) -> bytes:
        """The verified content of a file of at most `limit` bytes. Raises ArtifactNotFound, StoreTrouble."""
        parsed = parse_digest(digest)
        if parsed.form == "tree":
            raise StoreTrouble(f"{digest} is a folder, not a file.", hint="Materialize it, or name a file of it.")
        with self.opened(parsed) as file, disk_errors("read", self.place(parsed)):
            data = _read_up_to(file, limit + 1)
        if len(data) > limit:
            raise StoreTrouble(f"{digest} has more than {limit} bytes.", hint="Pass it as an artifact, not as a value.")
        if hash_of(data) != parsed.hex:
            raise self.quarantine(parsed)
        return data

    def entries(self, digest: Digest) -> list[Entry]:
        """The verified entries of a folder. Raises ArtifactNotFound, StoreTrouble."""
        place = self.place(digest)
        with self.opened(digest) as file, disk_errors("read", place):
            data = file.read()
        if hash_of(data) != digest.hex:
            raise self.quarantine(digest)
        try:
            return decode_tree(data)
        except ValueError as error:
            raise StoreTrouble(f"The object {place} is not a tree: {error}.", hint=_DAMAGED_HINT) from error

    def descend(self, digest: str, sub_path: str) -> str:
        """The digest of what is at `sub_path` inside a folder. Raises ArtifactNotFound, StoreTrouble."""
        parsed = parse_digest(digest)
        for part in (part for part in sub_path.split("/") if part not in ("", ".")):
            entries = self.entries(parsed) if parsed.form == "tree" else []
            entry = next((entry for entry in entries if entry.name == part), None)
            if entry is None:
                raise ArtifactNotFound(f"There is no {sub_path!r} in the artifact {digest}.", hint="Check subPath.")
            if entry.kind == "link":
                raise StoreTrouble(f"{part!r} of subPath {sub_path!r} is a link.", hint="Name what it points at.")
            parsed = parse_digest(entry.digest)
            if entry.kind == "file" and entry.mode & 0o100:
                parsed = Digest(parsed.hex, "exec")
        return str(parsed)

    def materialize(
        self, digest: str, target: Path, *, mode: int | None = None, recurse_mode: bool = False, writable: bool = True
    ) -> None:
        """Put a stored file or folder at `target`, where nothing may be but an empty folder.

        mode: permission bits of `target` (of everything below too with recurse_mode). writable=False lets files be hard
        links into the store: only for a step that cannot write them. Raises ArtifactNotFound, StoreTrouble; nothing
        is left at `target` then.
        """
        from argosy.artifacts.materialization import Materialization

        Materialization(self, mode, recurse_mode, writable).make(parse_digest(digest), target)

    def verify_once(self, digest: Digest, file: FileIO) -> None:
        """Hash an open object unless this Store did so since it last changed. Raises StoreTrouble."""
        found = os.fstat(file.fileno())
        seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self._verified.get(digest.hex) == seen:
            return
        import hashlib

        if hashlib.file_digest(file, "sha256").hexdigest() != digest.hex:
            raise self.quarantine(digest)
        self._verified[digest.hex] = seen

    def quarantine(self, digest: Digest) -> StoreTrouble:
        """Take a damaged object out of use; the error to raise for it. Putting the same content again heals."""
        place = self.place(digest)
        kept = self.root / "quarantine" / f"{digest.hex}-{time.time_ns()}"
        with contextlib.suppress(OSError):
            self.disk.rename(place, kept)
        return StoreTrouble(f"The object {place} is damaged; it was moved to {kept}.", hint=_DAMAGED_HINT)

    # -- keeping house

    def check(self, read_data: bool) -> Report:
        """Look at every object; with read_data also hash the content of all files. Raises StoreTrouble."""
        with disk_errors("check", self.root):
            from argosy.artifacts.pruning import check_store

            return check_store(self, read_data, GRACE_SECONDS)

    def prune(self, keep: Iterable[str], *, grace_seconds: float = GRACE_SECONDS) -> int:
        """Remove what no digest in `keep` reaches and return the bytes freed.

        Objects and temporary files younger than `grace_seconds` stay: their run may be about to name them.
        Raises StoreTrouble, and ArtifactNotFound when a kept folder is not whole.
        """
        with disk_errors("prune", self.root):
            from argosy.artifacts.pruning import prune_store

            return prune_store(self, [parse_digest(text) for text in keep], grace_seconds)


_SPECIAL_HINT = "Only files, folders and symbolic links inside folders can be stored."
_DAMAGED_HINT = "Run `argosy check --read-data`, then `argosy retry` the steps that made what is damaged."


def _read_up_to(file: FileIO, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit and (part := file.read(min(limit, CHUNK_BYTES))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _kind_word(mode: int) -> str:
    words = {stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
    return words.get(stat.S_IFMT(mode), "device")
