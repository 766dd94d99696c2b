"""Memoization caches: outputs of nodes kept by cache name and key (Argo docs: memoization.md).

Argo keeps them in ConfigMaps of 1 MiB; here a cache has a table's room. It does not look into the outputs.
"""

from __future__ import annotations

import msgspec

from argosy.errors import NotFound
from argosy.record.database import Database


class CacheEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What one key of a cache holds. node: who wrote it. Times are seconds since the epoch."""

    key: str
    node: str
    outputs: bytes
    created_at: float
    last_hit_at: float


class Cache:
    """Reads and writes every cache by its name; a cache is there once something was written to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, cache: str, key: str, max_age_seconds: float | None, now: float) -> bytes | None:
        """The outputs (JSON) of the key, None when there are none or they are older than max_age_seconds.

        A max_age_seconds of None or 0 takes any age.
        """
        found = self._database.row("SELECT outputs, created_at FROM memos WHERE cache = ? AND key = ?", (cache, key))
        if found is None:
            return None
        outputs, created_at = found
        if max_age_seconds and now - created_at > max_age_seconds:
            return None
        self._database.execute("UPDATE memos SET last_hit_at = ? WHERE cache = ? AND key = ?", (now, cache, key))
        return outputs

    def write(self, cache: str, key: str, node: str, outputs: bytes, now: float) -> None:
        """Keep the outputs (JSON) under the key, in place of older ones."""
        self._database.execute(
            "INSERT OR REPLACE INTO memos (cache, key, node, outputs, created_at, last_hit_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (cache, key, node, outputs, now, now),
        )

    def caches(self) -> list[str]:
        """The names of the caches that hold anything."""
        return [name for (name,) in self._database.rows("SELECT DISTINCT cache FROM memos ORDER BY cache")]

    def entries(self, cache: str) -> list[CacheEntry]:
        """What a cache holds, by key."""
        return [
            CacheEntry(key=key, node=node, outputs=outputs, created_at=created_at, last_hit_at=last_hit_at)
            for key, node, outputs, created_at, last_hit_at in self._database.rows(
                "SELECT key, node, outputs, created_at, last_hit_at FROM memos WHERE cache = ? ORDER BY key", (cache,)
            )
        ]

    def delete(self, cache: str, key: str | None = None) -> None:
        """Empty the cache, or forget one key. Raises NotFound when there is nothing to remove."""
        removed = self._database.execute(
            "DELETE FROM memos WHERE cache = ? AND (? IS NULL OR key = ?)", (cache, key, key)
        ).rowcount
        if not removed:
            what = f"no key {key!r} in the cache {cache!r}" if key is not None else f"no cache named {cache!r}"
            raise NotFound(f"There is {what}", hint=f"caches: {', '.join(self.caches()) or 'none'}")
