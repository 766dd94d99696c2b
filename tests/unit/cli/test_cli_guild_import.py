"""Runs of Guild taken in from its home, which is read and not changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_samples import Answer

Argosy = Callable[..., Answer]
FIRST, SECOND, OPEN, STAGED = ("a" * 31 + one for one in "1234")
SECRET = "hunter2hunter2"


def _run(home: Path, id: str, *, status: str | None = "0", operation: str = "'' train", **attributes: str) -> Path:
    folder = home / "runs" / id
    inside = folder / ".guild"
    (inside / "attrs").mkdir(parents=True)
    (inside / "opref").write_text(f"guildfile:/somewhere/guild.yml abc {operation}")
    (inside / "manifest").write_text("s train.py abc train.py\nd data.csv def file:data.csv\n")
    (inside / "output").write_text("loss: 0.5 (step 1)\nloss: 0.25 (step 2)\n")
    written = {
        "started": "1700000000000000",
        "stopped": "1700000060000000",
        "flags": "{lr: 0.1, name: x}",
        "cmd": "[python, -m, guild.op_main, train]",
        "env": f"{{PASSWORD: {SECRET}}}",
        "label": "hello",
        "marked": "true",
        "tags": "[best]",
        "comments": "[{body: 'worth a look', host: h, time: 1, user: u}]",
    } | attributes
    if status is not None:
        written["exit_status"] = status
    for name, text in written.items():
        (inside / "attrs" / name).write_text(text)
    for name in ("train.py", "data.csv", "model.txt", "deep/file.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to("/etc/hostname")
    return folder


@pytest.fixture
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("guild")
    _run(home, FIRST)
    _run(home, SECOND, status="-15", operation="model op")
    (_run(home, STAGED) / ".guild" / "STAGED").touch()
    still = _run(home, OPEN, status=None)
    (still / ".guild" / "attrs" / "stopped").unlink()
    (still / ".guild" / "LOCK").write_text("1")
    return home


def test_runs_of_guild(argosy: Argosy, folder: Path, old: Path) -> None:
    before = sorted(str(one) for one in old.rglob("*"))
    answer = argosy("import", "--guild", str(old))
    assert answer.code == 0
    assert answer.out.split() == ["train-aaaaaaaa", "model-op-aaaaaaaa"]
    assert answer.err.count("it is not over, so it is not taken") == 2
    assert sorted(str(one) for one in old.rglob("*")) == before
    assert argosy("ls", "train").out.split() == ["deep/file.txt", "model.txt"]
    assert argosy("cat", "train", "model.txt").out == "model.txt"
    assert "loss: 0.25" in argosy("logs", "train").out
    found = json.loads(argosy("get", "train", "-o", "json").out)
    assert found["status"]["phase"] == "Succeeded"
    assert {one["name"]: one["value"] for one in found["spec"]["arguments"]["parameters"]} == {"lr": "0.1", "name": "x"}
    assert json.loads(argosy("get", "model-op", "-o", "json").out)["status"]["message"] == "terminated by signal 15"
    listed = argosy("runs", "-o", "json").out
    for word in ("hello", "best", "0.25"):
        assert word in listed
    assert argosy("comment", "train").out.strip() == "worth a look"
    again = argosy("import", "--guild", str(old))
    assert (again.code, again.out) == (0, "")
    assert again.err.count("it is here already") == 2


def test_no_environment_comes_along(argosy: Argosy, folder: Path, old: Path) -> None:
    assert argosy("import", "--guild", str(old)).code == 0
    held = b"".join(one.read_bytes() for one in (folder / ".argosy").rglob("*") if one.is_file())
    assert SECRET.encode() not in held


def test_old_runs_are_taken_by_new_ones(argosy: Argosy, folder: Path, old: Path) -> None:
    assert argosy("import", "--guild", str(old)).code == 0
    (folder / "guild.yml").write_text("test: {exec: cat model.txt, requires: {operation: train}}\n")
    assert argosy("run", "test", "-q").code == 0
    assert argosy("logs", "@latest").out.strip() == "model.txt"
    assert argosy("run", "test", f"operation:train={FIRST}", "-q").code == 0


def test_what_is_no_home(argosy: Argosy, folder: Path) -> None:
    assert argosy("import").code == 2
    assert argosy("import", "--guild", "none").code == 3
    assert argosy("import", "--guild", ".").code == 4
