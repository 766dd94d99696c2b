"""A stored folder without what other stored folders hold: what was written, told from what was there before.

It knows trees, not whose they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from argosy.artifacts.trees import Entry, parse_digest

if TYPE_CHECKING:
    from argosy.artifacts.store import Store

# What Python leaves beside the files that it was given.
LEFT_BY_PYTHON = "__pycache__"


def without(store: Store, digest: str, held: Mapping[str, str], dropped: Iterable[str] = ()) -> str:
    """The folder without the files that `held` has at the same path with the same content, and without `dropped`.

    held: digests of files and folders by their path below the folder, "." for the folder itself. Folders that are
    empty only thereby go too. The result is durable after `Store.sync`. Raises ArtifactNotFound, StoreTrouble.
    """
    known: dict[str, str] = {}
    for path, one in held.items():
        prefix = "" if path == "." else f"{path.strip('/')}"
        parsed = parse_digest(one)
        if parsed.form == "tree":
            known |= {f"{prefix}/{below}".lstrip("/"): content for below, content in _contents(store, one)}
        else:
            known[prefix] = f"sha256:{parsed.hex}"
    return _Subtraction(store, known, {path.strip("/") for path in dropped}).folder(digest, "")[0]


def _contents(store: Store, digest: str) -> Iterable[tuple[str, str]]:
    waiting = [("", digest)]
    while waiting:
        prefix, one = waiting.pop()
        for entry in store.entries(parse_digest(one)):
            if entry.kind == "tree":
                waiting.append((f"{prefix}{entry.name}/", entry.digest))
            else:
                yield f"{prefix}{entry.name}", entry.digest


class _Subtraction:
    """One call of `without`."""

    def __init__(self, store: Store, known: Mapping[str, str], dropped: set[str]) -> None:
        self._store = store
        self._known = known
        self._dropped = dropped

    def folder(self, digest: str, prefix: str) -> tuple[str, list[Entry]]:
        kept: list[Entry] = []
        for entry in self._store.entries(parse_digest(digest)):
            path = f"{prefix}{entry.name}"
            if entry.name == LEFT_BY_PYTHON or path in self._dropped:
                continue
            if entry.kind != "tree":
                if self._known.get(path) != entry.digest:
                    kept.append(entry)
                continue
            below, entries = self.folder(entry.digest, f"{path}/")
            if entries or below == entry.digest:
                size = sum(one.size for one in entries)
                kept.append(msgspec.structs.replace(entry, digest=below, size=size))
        return self._store.put_tree(kept), kept
