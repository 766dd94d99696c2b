"""Facts in their table: written in order with a checksum, read back whole or named as damaged.

It knows rows of facts, not who may write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

import msgspec

from argosy.model.events import Fact, decode, encode
from argosy.record.database import Database
from argosy.record.troubles import DamagedRun

# Read in pieces, so that a long reading holds no old snapshot of the file open.
_PIECE = 2000


def insert(database: Database, run_id: int, generation: int, bodies: Iterable[bytes]) -> None:
    """Put encoded facts after the last one. Call it inside a write."""
    database.execute_many(
        "INSERT INTO facts (run, generation, seq, crc, body) VALUES"
        " (?1, ?2, (SELECT ifnull(max(seq), 0) + 1 FROM facts WHERE run = ?1 AND generation = ?2), ?3, ?4)",
        [(run_id, generation, crc32(body), body) for body in bodies],
    )


def encoded(facts: Iterable[Fact]) -> list[bytes]:
    return [encode(fact) for fact in facts]


def read(database: Database, run_id: int, generation: int, name: str, after: int = 0) -> Iterator[tuple[int, Fact]]:
    """The facts numbered above `after`, in order, each with its number. Raises DamagedRun at a bad or missing one."""
    while True:
        piece = database.rows(
            "SELECT seq, crc, body FROM facts WHERE run = ? AND generation = ? AND seq > ? ORDER BY seq LIMIT ?",
            (run_id, generation, after, _PIECE),
        )
        for seq, crc, body in piece:
            if seq != after + 1:
                raise damaged(name, f"fact {after + 1} is missing")
            if crc32(body) != crc:
                raise damaged(name, f"fact {seq} does not match its checksum")
            yield seq, decoded(name, f"fact {seq}", body)
            after = seq
        if len(piece) < _PIECE:
            return


def decoded(name: str, what: str, body: bytes) -> Fact:
    """The fact in the bytes. Raises DamagedRun naming the run and `what`."""
    try:
        return decode(body)
    except msgspec.MsgspecError as error:
        raise damaged(name, f"{what} cannot be read ({error})") from error


def damaged(name: str, what: str) -> DamagedRun:
    return DamagedRun(
        f"The record of run {name} is damaged: {what}",
        hint=f"other runs are not touched; start it anew with argosy resubmit {name}, or remove it with"
        f" argosy delete {name}",
    )
