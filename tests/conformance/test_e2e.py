"""Argo's own end-to-end cases reach the phases that Argo expects, on the sandbox and in containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import argo_e2e
import pytest
import runtimes_here

CASES = [case for case in argo_e2e.cases() if argo_e2e.OTHERWISE.get(case["file"], ("",))[0] != "outside"]


@pytest.fixture(scope="module")
def troubles() -> dict[str, str]:
    return {name: runtimes_here.trouble(name) for name in argo_e2e.EVERYWHERE}


@pytest.mark.parametrize("runtime", argo_e2e.EVERYWHERE)
@pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])
def test_case(case: dict[str, Any], runtime: str, tmp_path: Path, troubles: dict[str, str]) -> None:
    if troubles[runtime]:
        pytest.skip(troubles[runtime])
    otherwise = argo_e2e.OTHERWISE.get(case["file"])
    code, status, errors = argo_e2e.run(case, tmp_path, runtime)
    if otherwise is None or runtime not in otherwise.runtimes:
        assert argo_e2e.differences(case, status, errors) == []
        assert code == (0 if status["phase"] == "Succeeded" else 1)
    elif otherwise.outcome == "refused":
        assert (code, status) == (3, {}), errors
    else:
        assert status["phase"] == otherwise.outcome, errors


def test_the_exceptions_are_cases() -> None:
    files = {case["file"] for case in argo_e2e.cases()}
    assert set(argo_e2e.OTHERWISE) <= files
    assert files >= argo_e2e.LOOSE
