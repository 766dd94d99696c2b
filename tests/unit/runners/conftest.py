"""Benches for whole attempts, on one runtime or on each."""

from __future__ import annotations

from pathlib import Path

import pytest
from attempt_bench import KINDS, AttemptBench


@pytest.fixture
def bench(tmp_path: Path):
    """A bench that prepares and runs no process; `any_bench` runs on each runtime."""
    bench = AttemptBench("sandbox", tmp_path)
    yield bench
    bench.close()


@pytest.fixture(params=KINDS)
def any_bench(request: pytest.FixtureRequest, tmp_path: Path):
    bench = AttemptBench(request.param, tmp_path)
    bench.start_runner()
    yield bench
    bench.close()


@pytest.fixture(params=KINDS[1:])
def isolated_bench(request: pytest.FixtureRequest, tmp_path: Path):
    """A bench on each runtime that gives a step absolute paths of its own."""
    bench = AttemptBench(request.param, tmp_path)
    bench.start_runner()
    yield bench
    bench.close()


@pytest.fixture
def process_bench(tmp_path: Path):
    bench = AttemptBench("process", tmp_path)
    bench.start_runner()
    yield bench
    bench.close()


@pytest.fixture
def podman_bench(tmp_path: Path):
    bench = AttemptBench("podman", tmp_path)
    bench.start_runner()
    yield bench
    bench.close()
