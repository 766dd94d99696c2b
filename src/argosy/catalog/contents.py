"""What a name will point to, made in the store: a file or folder, or the outputs of a run as one folder.

It knows trees; not names, and not where a run's outputs are found.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import msgspec

from argosy.artifacts.known_files import Identity, KnownFiles
from argosy.artifacts.store import Store
from argosy.artifacts.trees import Digest, Entry, parse_digest
from argosy.catalog.names import Content
from argosy.record.database import Database

MOST_KNOWN_FILES = 10_000


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One output artifact of a run. path: where its step left it. step: the node's name as people see it."""

    artifact: str
    step: str
    node: str
    path: str
    digest: str


class _Folder(dict[str, "Entry | _Folder"]):
    """A folder that is being made, by name."""


def content_of_path(store: Store, path: Path, database: Database) -> Content:
    """A file or folder put into the store, durable. Big files that have not changed are not read again.

    database: where it is kept which they are. Raises ArtifactNotFound, StoreTrouble.
    """

    def look(identity: Identity) -> str | None:
        row = database.row(
            "SELECT digest FROM known_files"
            " WHERE device = ? AND inode = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ?",
            msgspec.structs.astuple(identity),
        )
        return None if row is None else str(row[0])

    known = KnownFiles(look)
    store.known_files = known
    try:
        digest = store.put(path)
    finally:
        store.known_files = None
    if known.learned:
        with database.write():
            database.execute_many(
                "INSERT OR REPLACE INTO known_files (device, inode, size, mtime_ns, ctime_ns, digest)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(*msgspec.structs.astuple(one), found) for one, found in known.learned.items()],
            )
            database.execute(
                "DELETE FROM known_files WHERE id <= (SELECT max(id) FROM known_files) - ?", (MOST_KNOWN_FILES,)
            )
    return content_of(store, digest)


def content_of(store: Store, digest: str) -> Content:
    """How much a stored thing is. Raises ArtifactNotFound, StoreTrouble."""
    parsed = parse_digest(digest)
    files = _files_in(store, parsed, {}) if parsed.form == "tree" else 1
    return Content(digest=digest, files=files, size_bytes=store.size(digest))


def _files_in(store: Store, folder: Digest, known: dict[str, int]) -> int:
    """How many files are below a folder; one that is there several times is looked at once."""
    if folder.hex not in known:
        entries = store.entries(folder)
        below = sum(_files_in(store, parse_digest(one.digest), known) for one in entries if one.kind == "tree")
        known[folder.hex] = below + sum(1 for one in entries if one.kind == "file")
    return known[folder.hex]


def combined(store: Store, parts: Sequence[Part]) -> str:
    """Outputs of a run as one folder, in the store but not yet durable; its digest.

    What a step left at a relative path keeps that path, and folders at the same path are laid over one another in the
    order of `parts`: where two have the same file, the later one's is there. What was at an absolute path has the
    artifact's name. Things that cannot be laid together stand in a folder of their step's name.
    """
    places: dict[str, list[Part]] = {}
    for part in parts:
        places.setdefault(_place(part), []).append(part)
    root = _Folder()
    for place, there in places.items():
        if len({one.digest for one in there}) == 1:
            _lay(store, root, place, there[0].digest)
        elif all(parse_digest(one.digest).form == "tree" for one in there):
            for one in there:
                _lay(store, root, place, one.digest)
        else:
            for one in there:
                _lay(store, root, f"{one.step.replace('/', '_')}/{place}", one.digest)
    return _put(store, root)[0]


def _place(part: Part) -> str:
    path = posixpath.normpath(part.path) if part.path else ""
    return part.artifact if not path or path.startswith(("/", "..")) else path


def _lay(store: Store, root: _Folder, place: str, digest: str) -> None:
    """Put a stored thing at a path of the folder that is being made, over what is there."""
    *above, name = [one for one in place.split("/") if one != "."] or [""]
    folder = root
    for part in above:
        folder = _opened(store, folder, part)
    parsed = parse_digest(digest)
    if parsed.form != "tree":
        mode = 0o755 if parsed.form == "exec" else 0o644
        folder[name or "output"] = Entry(name or "output", mode, "file", f"sha256:{parsed.hex}", store.size(digest))
        return
    if not name:
        _lay_entries(store, folder, parsed)
    elif name not in folder:
        folder[name] = Entry(name, 0o755, "tree", digest, store.size(digest))
    else:
        _lay_entries(store, _opened(store, folder, name), parsed)


def _lay_entries(store: Store, folder: _Folder, tree: Digest) -> None:
    for entry in store.entries(tree):
        if entry.kind == "tree" and entry.name in folder:
            _lay_entries(store, _opened(store, folder, entry.name), parse_digest(entry.digest))
        else:
            folder[entry.name] = entry


def _opened(store: Store, folder: _Folder, name: str) -> _Folder:
    """A folder inside the one that is being made, its entries taken out so that others can join them."""
    there = folder.get(name)
    if isinstance(there, _Folder):
        return there
    made = _Folder()
    if isinstance(there, Entry) and there.kind == "tree":
        _lay_entries(store, made, parse_digest(there.digest))
    folder[name] = made
    return made


def _put(store: Store, folder: _Folder) -> tuple[str, int]:
    """The digest of a folder that was made, and the bytes of all its files."""
    entries: list[Entry] = []
    for name, there in folder.items():
        if isinstance(there, Entry):
            entries.append(there)
        else:
            digest, size = _put(store, there)
            entries.append(Entry(name, 0o755, "tree", digest, size))
    return store.put_tree(entries), sum(one.size for one in entries)
