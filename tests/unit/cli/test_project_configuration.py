"""argosy.toml: what it may say, and that what is wrong is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.errors import InvalidFile
from argosy.project.configuration import Configuration, parse_configuration, read_configuration
from argosy.project.home import find_home, project_folder

WHOLE = """\
[run]
runtime = "sandbox"
jobs = 3
gpus = "0,2"
grace = 1.5
environment = ["HF_TOKEN"]

[images."my/image:1"]
entrypoint = ["bin/python", "-u"]
path = [".venv/bin", "/opt/bin"]
working_dir = "work"
environment = { A = "1" }

[artifacts.repository.s3]
bucket = "b"
"""


def test_everything_it_may_say(tmp_path: Path) -> None:
    found = parse_configuration(WHOLE, "argosy.toml", tmp_path)
    assert (found.runtime, found.jobs, found.gpus, found.grace_seconds) == ("sandbox", 3, "0,2", 1.5)
    assert found.environment == ("HF_TOKEN",)
    image = found.images["my/image:1"]
    assert image.entrypoint == (f"{tmp_path}/bin/python", "-u")
    assert image.path == (f"{tmp_path}/.venv/bin", "/opt/bin")
    assert image.working_dir == f"{tmp_path}/work"
    assert found.repository == {"s3": {"bucket": "b"}}


def test_none_is_fine(tmp_path: Path) -> None:
    assert read_configuration(tmp_path) == Configuration()


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("[run]\njobs = 2\nruntme = 'process'\n", "3:1", "did you mean 'runtime'?"),
        ("[runn]\n", "1:2", "did you mean 'run'?"),
        ("[run]\njobs = 'two'\n", "2:1", "'jobs' is a whole number"),
        ("[run]\njobs = true\n", "2:1", "'jobs' is a whole number"),
        ("[run]\njobs = 0\n", "2:1", "'jobs' is at least 1"),
        ("[run]\nenvironment = [1]\n", "2:1", "'environment' is a list of texts"),
        ("[images.a]\nentrypoint = 'x'\n", "2:1", "'entrypoint' is a list of texts"),
        ("[images]\na = 3\n", "2:1", "an image is a table"),
        ("run = 3\n", "1:1", "'run' is a table"),
        ("[run\n", "1:5", "this is not TOML"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, text: str, place: str, said: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_configuration(text, "argosy.toml", tmp_path)
    assert caught.value.message.startswith(f"argosy.toml:{place}: ")
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_the_home_is_beside_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARGOSY_HOME", raising=False)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "argosy.toml").touch()
    assert project_folder(below) == tmp_path
    assert find_home(None, below).folder == tmp_path / ".argosy"
    assert find_home(tmp_path / "x", below).folder == tmp_path / "x"
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "y"))
    assert find_home(None, below).folder == tmp_path / "y"
    assert find_home(tmp_path / "x", below).folder == tmp_path / "x"
