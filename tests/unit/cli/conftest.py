"""The command line called in this process, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_samples import DIAMOND, GATED, HELLO, Answer, Argosy

from argosy.cli.console import Console
from argosy.cli.main import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with no home around it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARGOSY_HOME", raising=False)
    (tmp_path / "argosy.toml").write_text('[run]\nruntime = "process"\n')
    return tmp_path


@pytest.fixture
def argosy(folder: Path, capfd: pytest.CaptureFixture[str]) -> Argosy:
    """Call argosy with these arguments."""

    def call(*arguments: str) -> Answer:
        Console.of_process.cache_clear()
        code = run(list(arguments))
        out, err = capfd.readouterr()
        Console.of_process.cache_clear()
        return Answer(code, out, err)

    return call


@pytest.fixture
def hello(folder: Path) -> str:
    (folder / "hello.yaml").write_text(HELLO)
    return "hello.yaml"


@pytest.fixture
def diamond(folder: Path) -> str:
    (folder / "diamond.yaml").write_text(DIAMOND)
    return "diamond.yaml"


@pytest.fixture
def gated(folder: Path) -> str:
    (folder / "gated.yaml").write_text(GATED)
    return "gated.yaml"
