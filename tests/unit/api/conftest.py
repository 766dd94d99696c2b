"""The program that these tests run, in a project of its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def program(tmp_path, monkeypatch):
    """The program in a project of its own, imported from there."""
    (tmp_path / "argosy.toml").touch()
    shutil.copy(HERE / "api_program.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "api_program", raising=False)
    import api_program

    yield api_program
    del sys.modules["api_program"]
