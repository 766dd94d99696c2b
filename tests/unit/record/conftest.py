"""A record in a temporary folder, with a clock that tests set and owners that tests declare dead."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from record_samples import World

from argosy.record.journal import Journal
from argosy.record.queries import Queries


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "argosy.db"


@pytest.fixture
def journal(path: Path, world: World) -> Iterator[Journal]:
    opened = Journal.open(path, now=world.now, alive=world.alive)
    yield opened
    opened.close()


@pytest.fixture
def queries(journal: Journal, world: World) -> Queries:
    return Queries(journal.database, now=world.now, alive=world.alive)
