"""The benches that tests of runtimes are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime_bench import KINDS, Bench, made


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(made(request.param), tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def function_bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(made("function"), tmp_path)
    yield bench
    bench.close()
