"""Snapshots: the code of a run in the store, with what was known of where it came from.

It knows files, the store and git's words; not which runs need code nor how a step gets it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from argosy.artifacts.store import Store
from argosy.artifacts.trees import Entry, parse_digest
from argosy.artifacts.troubles import ArtifactNotFound
from argosy.experiments.code_files import CodeFile, Listing, list_code
from argosy.experiments.git_folder import GitTrouble, difference
from argosy.experiments.provenance import LeftOut, Snapshot, Stored
from argosy.model.host_templates import CodeRules

INDEX = "code-index.json"
# A file changed so shortly before it was hashed may be changed again within the same tick of its times.
_SETTLED_NANOSECONDS = 2_000_000_000
_LARGEST_DIFFERENCE_BYTES = 8 << 20


class _Indexed(msgspec.Struct, frozen=True, array_like=True):
    stamp: tuple[int, ...]
    digest: str
    size: int


class _Folder:
    """A folder before it is stored."""

    __slots__ = ("files", "folders")

    def __init__(self) -> None:
        self.files: list[Entry] = []
        self.folders: dict[str, _Folder] = {}


def take(store: Store, project: Path, rules: CodeRules, home: Path) -> Snapshot:
    """Put the code of a project into the store and say what it is. Durable when it returns. Raises ArgosyError."""
    listing = list_code(project, rules, home)
    digest = _keep(store, listing, home / INDEX)
    git = listing.git
    note = f"git was not asked: {listing.trouble}" if listing.trouble else ""
    text = ""
    if git is not None and git.commit and git.changed:
        try:
            text = difference(listing.root)
        except GitTrouble as error:
            note = f"the difference from the commit is not kept: {error}"
    if len(text) > _LARGEST_DIFFERENCE_BYTES:
        text, note = "", "the difference from the commit is too large to be kept; the files themselves are"
    untracked = set(git.untracked) if git is not None else set[str]()
    added = sum(1 for one in listing.files if git is None or one.path in untracked)
    kept = Stored(digest=store.put_bytes(text.encode("utf-8", "surrogateescape"), sync=False)) if text else None
    store.sync()
    return Snapshot(
        digest=digest,
        files=len(listing.files),
        size_bytes=listing.size_bytes,
        taken_at=time.time(),
        folder=shown(str(listing.root)),
        commit=git.commit if git is not None else "",
        branch=git.branch if git is not None else "",
        remote=git.remote if git is not None else "",
        dirty=git is not None and (git.changed or added > 0),
        untracked=added,
        difference=kept,
        left_out=tuple(LeftOut(path=shown(one.path), reason=one.reason) for one in listing.left_out),
        left_out_count=listing.left_out_count,
        dest=rules.dest,
        note=note,
    )


def shown(path: str) -> str:
    """A path as text that every place can hold, whatever bytes its name is made of."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


# -- into the store


def _keep(store: Store, listing: Listing, index: Path) -> str:
    """Store the files of a listing as one folder; only those that changed since they were last seen are read."""
    known = _standing(store, listing, _read_index(index))
    seen: dict[str, _Indexed] = {}
    now = time.time_ns()
    fresh = False
    tree = _Folder()
    for file in listing.files:
        entry, indexed = _entry(store, listing.root, file, known, now)
        if indexed is not None:
            place = f"{listing.root}/{file.path}"
            seen[place] = indexed
            fresh = fresh or known.get(place) is not indexed
        folder = tree
        *above, _ = file.path.split("/")
        for part in above:
            folder = folder.folders.setdefault(part, _Folder())
        folder.files.append(entry)
    digest, _ = _put_folder(store, tree)
    if fresh or len(seen) != len(known):
        _write_index(index, seen)
    return digest


def _standing(store: Store, listing: Listing, indexed: dict[str, _Indexed]) -> dict[str, _Indexed]:
    """What of an index still holds: the file is as it was, and the store has its content."""
    found: dict[str, _Indexed] = {}
    for file in listing.files:
        place = f"{listing.root}/{file.path}"
        one = indexed.get(place)
        if one is not None and one.stamp == file.stamp:
            found[place] = one
    missing = store.hold_all({one.digest for one in found.values()})
    return {place: one for place, one in found.items() if one.digest not in missing}


def _entry(
    store: Store, root: Path, file: CodeFile, known: dict[str, _Indexed], now: int
) -> tuple[Entry, _Indexed | None]:
    name = file.path.rpartition("/")[2]
    if file.target:
        return Entry(name, 0o777, "link", file.target, 0), None
    place = f"{root}/{file.path}"
    indexed = known.get(place)
    if indexed is None:
        digest = f"sha256:{parse_digest(store.put(Path(place), sync=False)).hex}"
        size = store.size(digest)
        settled = size == file.size and max(file.stamp[3:], default=now) < now - _SETTLED_NANOSECONDS
        indexed = _Indexed(file.stamp if settled else (), digest, size)
    mode = 0o755 if file.executable else 0o644
    return Entry(name, mode, "file", indexed.digest, indexed.size), indexed


def _put_folder(store: Store, folder: _Folder) -> tuple[str, int]:
    entries = list(folder.files)
    for name, below in folder.folders.items():
        digest, size = _put_folder(store, below)
        entries.append(Entry(name, 0o755, "tree", digest, size))
    return store.put_tree(entries), sum(one.size for one in entries)


def _read_index(path: Path) -> dict[str, _Indexed]:
    """The files seen last time. An index that cannot be read is as none: every file is read then."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Indexed])
    except (OSError, msgspec.DecodeError):
        return {}


def _write_index(path: Path, seen: dict[str, _Indexed]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(msgspec.json.encode(seen))
        os.replace(temporary, path)
    except (OSError, UnicodeEncodeError):
        # It only saves time.
        temporary.unlink(missing_ok=True)


# -- out of it


def files_of(store: Store, digest: str) -> dict[str, Entry]:
    """Every file and link of a stored folder by its path. Raises ArtifactNotFound, StoreTrouble."""
    found: dict[str, Entry] = {}
    waiting = [("", digest)]
    while waiting:
        prefix, one = waiting.pop()
        for entry in store.entries(parse_digest(one)):
            if entry.kind == "tree":
                waiting.append((f"{prefix}{entry.name}/", entry.digest))
            else:
                found[prefix + entry.name] = entry
    return dict(sorted(found.items()))


def written_besides(store: Store, digest: str, folder: Path) -> list[str]:
    """The files below a working folder that are not as the snapshot has them: what a step wrote or changed."""
    import hashlib

    try:
        code = files_of(store, digest)
    except ArtifactNotFound:
        code = {}
    found: list[str] = []
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        for name in sorted(names):
            place = Path(above, name)
            path = place.relative_to(folder).as_posix()
            entry = code.get(path)
            if entry is None:
                found.append(path)
            elif entry.kind == "link":
                if not place.is_symlink() or os.readlink(place) != entry.digest:
                    found.append(path)
            elif place.is_symlink() or place.stat().st_size != entry.size:
                found.append(path)
            else:
                with open(place, "rb") as file:
                    if f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != entry.digest:
                        found.append(path)
    return found
