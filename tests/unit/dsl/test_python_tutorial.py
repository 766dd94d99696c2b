"""docs/python.md: every listing is taken out of the page and run, and gives what the page says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "python.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
FILES = {text.splitlines()[0].removeprefix("# "): text for kind, text in BLOCKS if kind in ("python", "yaml")}
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
GIVES = {
    name: dict(re.findall(r"(\w+)=(.*)", found[1]))
    for name, text in FILES.items()
    if (found := re.search(r"^# gives (.*)$", text, re.MULTILINE))
}


@pytest.fixture
def listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARGOSY_HOME", raising=False)
    (tmp_path / "argosy.toml").write_text("")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def outputs(text: str) -> dict[str, Any]:
    """The output parameters of a run that was printed as JSON."""
    found = json.loads(text)
    root = next(one for one in found["status"]["nodes"].values() if one["name"] == found["metadata"]["name"])
    return {one["name"]: one["value"] for one in root["outputs"]["parameters"]}


def test_the_page_has_its_listings() -> None:
    named = re.compile(r"[a-z_]+\.(py|yaml)")
    assert all(named.fullmatch(name) for name in FILES)
    assert len(GIVES) >= 10


def said(*words: str) -> str:
    """What a command says on stdout, which must succeed."""
    ended = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{' '.join(words)}: {ended.stderr}"
    return ended.stdout


ARGOSY = ("-m", "argosy.cli.main")


@pytest.mark.parametrize("name", list(GIVES))
def test_it_gives_what_the_page_says(listings: Path, name: str) -> None:
    given = outputs(said(*ARGOSY, "run", name, "-q", "-o", "json"))
    assert list(given) == list(GIVES[name])
    for key, value in GIVES[name].items():
        assert given[key].startswith(value)


def test_the_commands_of_the_page_work(listings: Path) -> None:
    whole = ""
    for command in COMMANDS:
        program, *words = shlex.split(command)
        assert program in ("python", "argosy")
        whole += said(*(() if program == "python" else ARGOSY), *words)
    assert "Succeeded registered with 0.9" in whole
    assert "kind: ConfigMap" in whole


def test_the_tests_of_the_page_pass(listings: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pipeline.py"],
        cwd=listings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
