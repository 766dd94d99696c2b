"""A disk that is full while the driver itself carries a leaf out: no outcome of the step, and the driver stops."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from leaf_surroundings import Surroundings

from argosy.errors import EnvironmentTrouble

TEMPLATE = {"data": {"source": {"artifactPaths": {"s3": {"key": "in"}}}, "transformation": [{"expression": "data"}]}}


def failing(number: int) -> object:
    def write(*_: object, **__: object) -> None:
        raise OSError(number, "no", "a-file")

    return write


def test_a_full_disk_is_no_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argosy.runners.local.leaves.data.run_data", failing(errno.ENOSPC))
    with pytest.raises(EnvironmentTrouble, match="a-file"):
        Surroundings(tmp_path).run(TEMPLATE)


def test_another_trouble_with_files_ends_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argosy.runners.local.leaves.data.run_data", failing(errno.EACCES))
    assert Surroundings(tmp_path).run(TEMPLATE).phase == "Error"
