"""The errors of the record, each saying which file or run is meant and what to do.

It knows SQLite's error codes by name, not the tables.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from argosy.errors import EnvironmentTrouble


class RecordTrouble(EnvironmentTrouble):
    """The record's database cannot be opened, read or written."""

    id = "record"


class LeaseHeld(EnvironmentTrouble):
    """Another process drives the run."""

    id = "lease-held"


class LeaseLost(EnvironmentTrouble):
    """This process drove the run, but another has taken over: nothing it decides counts any more."""

    id = "lease-lost"


class DamagedRun(EnvironmentTrouble):
    """What the record holds of one run cannot be read; other runs are not touched by this."""

    id = "damaged-run"


# SQLite's primary result codes: what each means to a person, and what to do.
_REMEDIES: dict[str, tuple[str, str]] = {
    "FULL": ("the disk is full", "free some space, then run the command again: what was committed is safe"),
    "IOERR": (
        "the disk refused to read or write",
        "free some space or check the disk, then run the command again: what was committed is safe",
    ),
    "BUSY": ("another process holds it locked", "wait for the other argosy process to end, then try again"),
    "LOCKED": ("another process holds it locked", "wait for the other argosy process to end, then try again"),
    "CORRUPT": (
        "it is damaged",
        "copy the folder away, then save what can be read with: sqlite3 argosy.db .recover",
    ),
    "NOTADB": ("it is not a database", "move that file away or choose another folder with --home"),
    "READONLY": ("it may not be written", "give yourself permission to write it, or choose another folder with --home"),
    "CANTOPEN": (
        "it cannot be opened",
        "check that the folder exists and that you may read and write it, or choose another with --home",
    ),
    "PERM": ("permission was denied", "give yourself permission to write it, or choose another folder with --home"),
    "AUTH": ("permission was denied", "give yourself permission to write it, or choose another folder with --home"),
}


def trouble_of(error: sqlite3.Error, path: Path) -> RecordTrouble:
    """The error a person can act on, for SQLite's."""
    name = str(getattr(error, "sqlite_errorname", "") or "").removeprefix("SQLITE_").split("_")[0]
    what, remedy = _REMEDIES.get(name, (str(error), "run argosy doctor to check the record"))
    return RecordTrouble(f"The record {path} cannot be used: {what}", hint=remedy)
