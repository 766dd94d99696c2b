"""Files of the code that a step writes to become its own; the code stays as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Python cannot stop telling of files, so that this is tried in a process of its own.
PROGRAM = """
import os, sys
from pathlib import Path
from argosy.dsl.own_copies import watch

watch(".", sys.argv[1])
Path("data.txt").write_text("mine")
with open("log.txt", "a") as file:
    file.write("more")
os.close(os.open("opened.txt", os.O_RDWR))
Path("deep/er/inner.txt").write_text("mine")
Path("deep/new").mkdir()
Path("other/gone.txt").unlink()
os.rename("moved/one.txt", "moved/two.txt")
print(Path("read.txt").read_text(), Path("fresh.txt").write_text("new"))
Path(sys.argv[2]).write_text("outside")
"""


def test_what_is_written_to_is_copied_and_nothing_else(tmp_path: Path) -> None:
    root, folder = tmp_path / "code", tmp_path / "work"
    folder.mkdir()
    for name in (
        "data.txt",
        "log.txt",
        "opened.txt",
        "read.txt",
        "deep/er/inner.txt",
        "deep/rest.txt",
        "other/gone.txt",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("code")
    (root / "moved").mkdir()
    (root / "moved" / "one.txt").write_text("code")
    before = {path.relative_to(root): path.read_text() for path in root.rglob("*.txt")}
    for entry in root.iterdir():
        (folder / entry.name).symlink_to(entry)
    for path in root.rglob("*.txt"):
        path.chmod(0o444)
    outside = tmp_path / "outside.txt"
    command = [sys.executable, "-c", PROGRAM, str(root), str(outside)]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert {path.relative_to(root): path.read_text() for path in root.rglob("*.txt")} == before
    assert (folder / "data.txt").read_text() == (folder / "deep" / "er" / "inner.txt").read_text() == "mine"
    assert (folder / "log.txt").read_text() == "codemore"
    assert not (folder / "opened.txt").is_symlink()
    assert (folder / "read.txt").is_symlink()
    assert (folder / "deep" / "rest.txt").is_symlink()
    assert not (folder / "other" / "gone.txt").exists()
    assert [one.name for one in (folder / "moved").iterdir()] == ["two.txt"]
    assert outside.read_text() == "outside"
