"""Outcomes of steps kept by the key of all that decides them, so that a later run need not run them again.

It knows keys, parts of keys and bytes; not what the parts mean, nor whether the objects that an outcome names are
still whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from argosy.record.database import Database

# Keys asked for at once; the statement's text stays the same, so it is prepared once.
_AT_ONCE = 500
# Of the entries of one template so many are compared.
_COMPARED = 500
_ASKED = ", ".join("?" * _AT_ONCE)

Parts = Mapping[str, str]


class Found(msgspec.Struct, frozen=True, gc=False):
    """What is kept under a key. run: the name of the run that stored it. place: its node's name without the run's."""

    outcome: bytes
    run: str
    place: str

    @property
    def node(self) -> str:
        """The name of the node."""
        return self.run + self.place


class Asked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A key that had no outcome, with the hashes of its parts. place: the node's name without the run's."""

    key: str
    template: str
    place: str
    parts: Parts


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome of another key, to be compared with."""

    run: str
    place: str
    parts: dict[str, str]


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_parts = msgspec.json.Decoder(dict[str, str]).decode


class Reuse:
    """The outcomes of this home. One thread. Writes are durable when they return, or with the `write` around them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, keys: Sequence[str], besides: str) -> dict[str, Found]:
        """What is kept under these keys, but for what the run with the uid `besides` stored itself."""
        found: dict[str, Found] = {}
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            # Rows are asked for by as many keys as there are, or by a full statement that is prepared already.
            asked = _ASKED if len(some) == _AT_ONCE else ", ".join("?" * len(some))
            for key, outcome, run, place in self._database.rows(
                f"SELECT key, outcome, run_name, place FROM reuse WHERE key IN ({asked})"
                " AND outcome IS NOT NULL AND run <> ?",
                (*some, besides),
            ):
                found[key] = Found(outcome, run, place)
        return found

    def ask(self, asked: Iterable[Asked], run: str, run_name: str, now: float) -> None:
        """Keep the parts of keys that had no outcome, until they have one."""
        self._database.execute_many(
            "INSERT INTO reuse (key, template, place, run, run_name, parts, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO NOTHING",
            ((one.key, one.template, one.place, run, run_name, _encode(one.parts), now) for one in asked),
        )

    def store(self, outcomes: Iterable[tuple[str, str, bytes]], run: str, run_name: str, now: float) -> None:
        """Keep outcomes by key, each with its place, in place of older ones."""
        self._database.execute_many(
            "UPDATE reuse SET outcome = ?, place = ?, run = ?, run_name = ?, stored_at = ? WHERE key = ?",
            ((outcome, place, run, run_name, now, key) for key, place, outcome in outcomes),
        )

    def parts(self, key: str) -> dict[str, str] | None:
        """The hashes of a key's parts; None if it was never asked for, or pruned."""
        found = self._database.row("SELECT parts FROM reuse WHERE key = ?", (key,))
        return None if found is None else _decode_parts(found[0])

    def nearest(self, key: str, besides: str, before: float) -> Earlier | None:
        """The outcome with the most parts in common with the key: of its template, first asked for before that moment.

        besides: the uid of a run whose own outcomes do not count. One of the same place comes before others, the newest
        first.
        """
        own = self._database.row("SELECT template, place, parts FROM reuse WHERE key = ?", (key,))
        if own is None:
            return None
        template, place, parts = own[0], own[1], _decode_parts(own[2])
        for condition, values in (("AND place = ?", (place,)), ("", ())):
            rows = self._database.rows(
                f"SELECT run_name, place, parts FROM reuse WHERE template = ? {condition} AND key <> ?"
                " AND outcome IS NOT NULL AND run <> ? AND asked_at < ? ORDER BY asked_at DESC LIMIT ?",
                (template, *values, key, besides, before, _COMPARED),
            )
            earlier = [Earlier(run=run, place=where, parts=_decode_parts(kept)) for run, where, kept in rows]
            if earlier:
                return max(earlier, key=lambda one: sum(parts.get(name) == mark for name, mark in one.parts.items()))
        return None

    def prune(self) -> int:
        """Forget what runs stored that are not in the record any more; how many keys."""
        return self._database.execute("DELETE FROM reuse WHERE run NOT IN (SELECT uid FROM runs)").rowcount
