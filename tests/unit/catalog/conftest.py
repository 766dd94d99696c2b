"""Names in a record of their own, and a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.artifacts.store import Store
from argosy.catalog.names import Names
from argosy.catalog.uses import Uses
from argosy.record.database import Database


class Clock:
    """Seconds since the epoch, one more with each look."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        self.at += 1
        return self.at


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "argosy.db") as opened:
        yield opened


@pytest.fixture
def names(database: Database) -> Names:
    return Names(database, now=Clock())


@pytest.fixture
def uses(database: Database) -> Uses:
    return Uses(database, now=Clock())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")
