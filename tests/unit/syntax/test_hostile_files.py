"""A hostile file costs little and gives a clear error with its place."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile_files import BOMBS

SECONDS = 0.1
BYTES = 50 * (1 << 20)


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Any]]:
    program = Path(__file__).parent / "hostile_files.py"
    lines = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True).stdout.splitlines()
    return {entry["name"]: entry for entry in map(json.loads, lines)}


def test_the_table_is_long_enough(measured: dict[str, dict[str, Any]]) -> None:
    assert len(BOMBS) >= 40
    assert measured.keys() == BOMBS.keys()


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(name: str, measured: dict[str, dict[str, Any]]) -> None:
    entry = measured[name]
    rules = {found["rule"] for found in entry["found"]}
    assert BOMBS[name][1] in rules
    assert len(entry["found"]) == 1 or rules <= {
        "yaml-duplicate-key",
        "field-unknown",
        "kind-missing",
        "yaml-number",
        "yaml-tag",
    }
    assert all(found["span"] for found in entry["found"])
    assert all(len(found["message"]) < 200 for found in entry["found"])
    assert entry["seconds"] < SECONDS
    assert entry["bytes"] < BYTES
