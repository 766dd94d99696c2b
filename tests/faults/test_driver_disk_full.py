"""A disk that fills up under a run: the run stops with one error, and goes on when there is room again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driven import Folder, ended, kill

from argosy.runners.local.supervision import LINGER_SECONDS

# What a step writes is not on the small disk, but the store that keeps it is.
GROWING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: growing-}
spec:
  entrypoint: main
  parallelism: 2
  arguments: {parameters: [{name: notes}]}
  templates:
  - name: main
    steps:
    - - name: big
        template: big
        withSequence: {count: "12"}
        arguments: {parameters: [{name: id, value: "{{item}}"}]}
  - name: big
    inputs: {parameters: [{name: id}]}
    container:
      image: alpine
      command: [sh, -c]
      args:
      - |
        n={{workflow.parameters.notes}}; echo "begin {{inputs.parameters.id}}" >> $n
        head -c 700000 /dev/urandom > $n.{{inputs.parameters.id}} && ln -s $n.{{inputs.parameters.id}} big
        echo "end {{inputs.parameters.id}}" >> $n
    outputs: {artifacts: [{name: big, path: big, archive: {none: {}}}]}
"""

GATED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: gated-}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: alpine
      command: [sh, -c, "echo begin >> NOTES; while ! test -e NOTES.go; do sleep 0.02; done; echo end >> NOTES"]
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 6 MB."""
    place = tmp_path / "home"
    place.mkdir()
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root mounts a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def grow(place: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)


def fill(place: Path, free_kilobytes: int) -> Path:
    """Take what room there is; the file that takes it."""
    ballast = place / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        left = os.statvfs(place)
        file.write(b"x" * max(0, left.f_bavail * left.f_frsize - free_kilobytes * 1024))
    return ballast


def stopped_by_full_disk(code: int, errors: str, place: Path) -> None:
    assert code == 5, errors
    told = [line for line in errors.splitlines() if line.startswith("error:")]
    assert len(told) == 1, errors
    assert str(place) in told[0]
    assert re.search("full|No space left", told[0])
    assert re.search("(?i)free .*space", errors)


def test_a_full_disk_stops_the_run_and_room_lets_it_finish(tmp_path: Path, small_disk: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(GROWING)
    run = folder.start("run", "workflow.yaml", "--name", "one", "-p", f"notes={folder.notes}", "--runtime", "process")
    code, _, errors = ended(run)
    stopped_by_full_disk(code, errors, small_disk)
    # Again while it is still full: the same answer.
    code, _, errors = folder.call("resume", "one")
    stopped_by_full_disk(code, errors, small_disk)
    grow(small_disk)
    code, _, errors = folder.call("resume", "one")
    assert code == 0, errors
    lines = folder.lines()
    assert len(lines) == len(set(lines)) == 24, "a step ran twice or not at all"
    code, _, errors = folder.call("check", "--read-data")
    assert code == 0, errors
    folder.nothing_left("one")


@pytest.mark.parametrize("free_kilobytes", [0, 40, 120, 300])
def test_a_disk_that_others_filled(tmp_path: Path, small_disk: Path, free_kilobytes: int) -> None:
    """Less and less room: every part of the engine meets the end of the disk in its turn."""
    folder = Folder(tmp_path)
    folder.write(GROWING.replace("700000", "1000"))
    arguments = ["run", "workflow.yaml", "--name", "one", "-p", f"notes={folder.notes}", "--runtime", "process"]
    driver = folder.start(*arguments)
    folder.await_lines(6)
    ballast = fill(small_disk, free_kilobytes)
    code, _, errors = ended(driver)
    if code != 0 or not free_kilobytes:
        stopped_by_full_disk(code, errors, small_disk)
    ballast.unlink()
    code, _, errors = folder.call("resume", "one")
    assert code == 0 or "is over: Succeeded" in errors, errors
    lines = folder.lines()
    assert len(lines) == len(set(lines)) == 24, "a step ran twice or not at all"
    code, _, errors = folder.call("check", "--read-data")
    assert code == 0, errors


def test_an_exit_that_finds_no_room_waits_for_it(tmp_path: Path, small_disk: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(GATED)
    driver = folder.run("one")
    folder.await_lines(1)
    kill(driver.pid)
    driver.communicate()
    ballast = fill(small_disk, 0)
    # The last page of the file of exits has room that the file system cannot refuse.
    exits = next(small_disk.glob("runs/*/supervisor/exits.jsonl"))
    with open(exits, "ab", buffering=0) as file:
        file.write(b"\n" * (4096 - exits.stat().st_size % 4096))
    (tmp_path / "notes.go").touch()
    folder.await_lines(2)
    # A supervisor that has nothing to do and nothing to write leaves after five seconds.
    time.sleep(LINGER_SECONDS + 1)
    assert folder.supervisors()
    ballast.unlink()
    code, _, errors = folder.call("resume", "one")
    assert code == 0, errors
    assert folder.lines() == ["begin", "end"]
