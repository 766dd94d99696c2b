"""Mutexes and semaphores across runs and processes (Argo docs: synchronization.md).

A mutex is a semaphore of limit 1; its key is whatever text the caller makes of namespace and name. It knows who
holds and who waits, not what a node is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from argosy.record.database import Database
from argosy.record.leases import holding
from argosy.record.ownership import Liveness, liveness


class Holder(msgspec.Struct, frozen=True):
    """Who holds or waits: a node of a run, "" for the run itself."""

    run_id: int
    node: str = ""


class LockHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A holder as shown to people. since: seconds since the epoch."""

    run_id: int
    run: str
    node: str
    since: float


class Granted(msgspec.Struct, frozen=True):
    """Every lock is held."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """None is held; `key` is the first that is not to be had. limit: how many may hold it at once."""

    key: str
    held_by: tuple[LockHolder, ...]
    limit: int


class _Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the queue: the same in the queue of every key, so that no two wait for each other."""

    priority: int
    created_at: float
    asked: int


class Locks:
    """Grants locks in turn: higher priority first, then the older run, then who asked first.

    Nodes of one run do not wait for each other's turn, and a run that nobody drives keeps what it holds but has
    no turn. A run that is over holds nothing.
    """

    def __init__(self, database: Database, *, now: Callable[[], float], alive: Liveness = liveness) -> None:
        self._database = database
        self._now = now
        self._alive = alive

    def acquire(
        self,
        holder: Holder,
        locks: Sequence[tuple[str, int]],
        *,
        now: float,
        priority: int = 0,
        created_at: float = 0.0,
    ) -> Granted | Waiting:
        """Take every lock (key, limit), or none and a place in the queue; ask again to learn of one's turn.

        Asking for what is held already grants it again, so asking after a crash is safe. now, created_at (of the
        run): seconds since the epoch. Raises NotFound when the run is not there.
        """
        limits: dict[str, int] = {}
        for key, limit in locks:
            limits[key] = min(limit, limits.get(key, limit))
        # Asking again while nothing has changed is the common case: it costs no commit.
        known = self._place_of(holder, limits, priority, created_at)
        if known is not None and (waiting := self._obstacle(holder, limits, known)):
            return waiting
        with self._database.write():
            turn = self._queue(holder, limits, now, priority, created_at)
            if waiting := self._obstacle(holder, limits, turn):
                return waiting
            self._database.execute(
                "UPDATE locks SET held = 1, since = ? WHERE run = ? AND node = ? AND held = 0",
                (now, holder.run_id, holder.node),
            )
        return Granted()

    def _place_of(self, holder: Holder, limits: dict[str, int], priority: int, created_at: float) -> _Turn | None:
        """The place that the holder already has in the queues of exactly these keys."""
        rows = self._database.rows(
            "SELECT key, priority, created_at, asked FROM locks WHERE run = ? AND node = ?",
            (holder.run_id, holder.node),
        )
        if {row[0] for row in rows} != limits.keys() or any(row[1:3] != (priority, created_at) for row in rows):
            return None
        return _Turn(priority=priority, created_at=created_at, asked=rows[0][3]) if rows else None

    def _queue(self, holder: Holder, limits: dict[str, int], now: float, priority: int, created_at: float) -> _Turn:
        """Stand in the queue of every key, keeping an earlier place, and of no other key."""
        holding(self._database, holder.run_id)
        earlier = self._database.row(
            "SELECT min(asked) FROM locks WHERE run = ? AND node = ?", (holder.run_id, holder.node)
        )
        asked = earlier[0] if earlier else None
        if asked is None:
            asked = self._database.rows(
                "UPDATE counters SET value = value + 1 WHERE name = 'lock_asked' RETURNING value"
            )[0][0]
        self._database.execute_many(
            "INSERT INTO locks (key, run, node, held, priority, created_at, asked, since)"
            " VALUES (?, ?, ?, 0, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET priority = excluded.priority, created_at = excluded.created_at",
            [(key, holder.run_id, holder.node, priority, created_at, asked, now) for key in limits],
        )
        self._database.execute_many(
            "DELETE FROM locks WHERE run = ? AND node = ? AND held = 0 AND key = ?",
            [(holder.run_id, holder.node, key) for key in self._keys(holder) - limits.keys()],
        )
        return _Turn(priority=priority, created_at=created_at, asked=asked)

    def _keys(self, holder: Holder) -> set[str]:
        rows = self._database.rows("SELECT key FROM locks WHERE run = ? AND node = ?", (holder.run_id, holder.node))
        return {key for (key,) in rows}

    def _obstacle(self, holder: Holder, limits: dict[str, int], turn: _Turn) -> Waiting | None:
        """The first key that is not to be had now."""
        for key, limit in limits.items():
            holders = self.holders(key)
            if any((other.run_id, other.node) == (holder.run_id, holder.node) for other in holders):
                continue
            if len(holders) + self._ahead(key, holder, turn) >= limit:
                return Waiting(key=key, held_by=tuple(holders), limit=limit)
        return None

    def _ahead(self, key: str, holder: Holder, turn: _Turn) -> int:
        """How many of other runs have their turn before this one."""
        # Two ranges of an index, so that thousands of waiting nodes of the same run cost nothing.
        rows = self._database.rows(
            " UNION ALL ".join(
                "SELECT run, count(*) FROM locks INDEXED BY locks_by_turn"
                f" WHERE key = ? AND held = 0 AND run {others} ?"
                " AND (-priority, created_at, asked) < (?, ?, ?) GROUP BY run"
                for others in ("<", ">")
            ),
            (key, holder.run_id, -turn.priority, turn.created_at, turn.asked) * 2,
        )
        return sum(count for run_id, count in rows if self._driven(run_id))

    def _driven(self, run_id: int) -> bool:
        return holding(self._database, run_id).held(now=self._now(), alive=self._alive)

    def holders(self, key: str) -> list[LockHolder]:
        """Who holds the lock, the longest first."""
        rows = self._database.rows(
            "SELECT l.run, r.name, l.node, l.since FROM locks l INDEXED BY locks_by_turn"
            " JOIN runs r ON r.id = l.run WHERE l.key = ? AND l.held = 1 AND r.finished = 0 ORDER BY l.since, l.asked",
            (key,),
        )
        return [LockHolder(run_id=run_id, run=run, node=node, since=since) for run_id, run, node, since in rows]

    def held_by(self, run_id: int) -> dict[str, list[str]]:
        """The keys that each node of the run holds: what a driver that takes over compares with its facts."""
        held: dict[str, list[str]] = {}
        for node, key in self._database.rows(
            "SELECT node, key FROM locks WHERE run = ? AND held = 1 ORDER BY node, key", (run_id,)
        ):
            held.setdefault(node, []).append(key)
        return held

    def release(self, holder: Holder) -> None:
        """Give up what the holder holds and its place in every queue; nothing happens when there is neither."""
        self._database.execute("DELETE FROM locks WHERE run = ? AND node = ?", (holder.run_id, holder.node))

    def release_run(self, run_id: int) -> None:
        """Give up what the run and its nodes hold, and their places in every queue."""
        self._database.execute("DELETE FROM locks WHERE run = ?", (run_id,))
