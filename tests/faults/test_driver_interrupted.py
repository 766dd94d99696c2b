"""Ctrl-C once and twice, SIGTERM, and stop, terminate, suspend, resume and retry from another process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from driven import Folder, await_true, containers, ended

from argosy.runners.local.runtimes.choose import make

RUNTIMES = ("process", "sandbox", "podman")
WITH_HANDLER = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: handled-}
spec:
  entrypoint: main
  onExit: leave
  templates:
  - name: main
    steps:
    - - {name: long, template: long, withSequence: {count: "2"}}
    - - {name: after, template: leave}
  - name: long
    container: {image: "alpine:latest", command: [sh, -c, "echo begun; STUBBORN sleep 60 & wait; sleep 60"]}
  - name: leave
    container: {image: "alpine:latest", command: [sh, -c, "echo left"]}
"""
# What a step of its own waits for is a file beside the notes.
GATED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: gated-}
spec:
  entrypoint: main
  onExit: leave
  templates:
  - name: main
    steps:
    - - {name: first, template: gated}
    - - {name: second, template: note}
  - name: gated
    container:
      image: alpine
      command: [sh, -c, "echo first >> NOTES; while ! test -e NOTES.go; do sleep 0.02; done; test ! -e NOTES.fail"]
  - name: note
    container: {image: alpine, command: [sh, -c, "echo second >> NOTES"]}
  - name: leave
    container: {image: alpine, command: [sh, -c, "echo exit >> NOTES"]}
"""


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    if trouble := make(request.param).trouble():
        pytest.skip(trouble)
    return request.param


def begin(tmp_path: Path, runtime: str, *, stubborn: bool = False) -> tuple[Folder, subprocess.Popen[bytes]]:
    """A run whose two long steps are at work."""
    folder = Folder(tmp_path, grace_seconds=30.0 if stubborn else 1.0)
    folder.write(WITH_HANDLER.replace("STUBBORN", "trap '' TERM INT;" if stubborn else ""))
    driver = folder.run("one", runtime=runtime)

    def both_begun() -> bool:
        assert driver.poll() is None, driver.communicate()[1].decode()
        return folder.logs().count("begun") >= 2

    await_true(both_begun, 60)
    return folder, driver


def nothing_left(folder: Folder, runtime: str) -> None:
    folder.nothing_left("one")
    if runtime == "podman":
        uid = folder.uid("one")
        await_true(lambda: not containers(uid), 10, lambda: f"left: {containers(uid)}")
    await_true(lambda: not folder.supervisors(), 10, lambda: f"left: {folder.supervisors()}")


def by_name(folder: Folder) -> dict[str, str]:
    return {one["displayName"]: one["phase"] for one in folder.status("one")["nodes"].values()}


def test_ctrl_c_stops_the_run_and_its_handler_runs(tmp_path: Path, runtime: str) -> None:
    folder, driver = begin(tmp_path, runtime)
    os.kill(driver.pid, signal.SIGINT)
    code, _, errors = ended(driver)
    assert code == 130, errors
    phases = by_name(folder)
    assert folder.status("one")["phase"] == "Failed"
    assert phases["long(0:0)"] == phases["long(1:1)"] == "Failed"
    assert phases["one.onExit"] == "Succeeded"
    assert "after" not in phases
    nothing_left(folder, runtime)


def test_ctrl_c_twice_ends_the_run_at_once(tmp_path: Path, runtime: str) -> None:
    folder, driver = begin(tmp_path, runtime, stubborn=True)
    os.kill(driver.pid, signal.SIGINT)
    began = time.monotonic()
    assert driver.stderr is not None
    said = b""
    while b"once more" not in said:
        said += os.read(driver.stderr.fileno(), 4096)
    os.kill(driver.pid, signal.SIGINT)
    code, _, errors = ended(driver)
    assert code == 130, errors
    assert time.monotonic() - began < 10, "the grace is 30 seconds: the second one does not wait for it"
    assert folder.status("one")["phase"] == "Failed"
    assert "one.onExit" not in by_name(folder)
    nothing_left(folder, runtime)


def test_sigterm_stops_the_run(tmp_path: Path) -> None:
    folder, driver = begin(tmp_path, "process")
    os.kill(driver.pid, signal.SIGTERM)
    code, _, errors = ended(driver)
    assert code == 130, errors
    assert by_name(folder)["one.onExit"] == "Succeeded"
    nothing_left(folder, "process")


class Gated:
    """A driven run whose first step waits for a file."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = Folder(tmp_path)
        self.folder.write(GATED)
        self.driver = self.folder.run("one")
        self.folder.await_lines(1)

    def let_go(self, *, fail: bool = False) -> None:
        if fail:
            (self.folder.folder / "notes.fail").touch()
        (self.folder.folder / "notes.go").touch()

    def done(self, *arguments: str) -> str:
        code, output, errors = self.folder.call(*arguments)
        assert code == 0, errors
        return output + errors


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    return Gated(tmp_path)


def test_stop_from_another_process(gated: Gated) -> None:
    gated.done("stop", "one", "--wait", "-m", "enough")
    assert ended(gated.driver)[0] == 1
    assert gated.folder.lines() == ["first", "exit"]
    assert gated.folder.status("one")["phase"] == "Failed"
    assert gated.folder.call("stop", "one")[0] == 2
    gated.folder.nothing_left("one")


def test_terminate_from_another_process(gated: Gated) -> None:
    gated.done("terminate", "one", "--wait")
    assert ended(gated.driver)[0] == 1
    assert gated.folder.lines() == ["first"]
    gated.folder.nothing_left("one")


def test_suspend_and_resume_from_another_process(gated: Gated) -> None:
    gated.done("suspend", "one")
    await_true(lambda: "Suspended" in gated.done("get", "one"), 10)
    gated.let_go()
    await_true(lambda: by_name(gated.folder).get("first") == "Succeeded", 10)
    assert gated.driver.poll() is None
    assert gated.folder.lines() == ["first"]
    assert "goes on" in gated.done("resume", "one")
    assert ended(gated.driver)[0] == 0
    assert gated.folder.lines() == ["first", "second", "exit"]


def test_retry_waits_for_the_end_of_a_driven_run(gated: Gated) -> None:
    code, _, errors = gated.folder.call("retry", "one")
    assert code in (2, 5), errors
    assert "one" in errors
    gated.let_go(fail=True)
    assert ended(gated.driver)[0] == 1
    (gated.folder.folder / "notes.fail").unlink()
    gated.done("retry", "one")
    assert gated.folder.lines() == ["first", "exit", "first", "second", "exit"]


@pytest.mark.parametrize("verb", ["stop", "terminate"])
def test_a_run_whose_driver_is_dead_is_ended_by_who_asks(gated: Gated, verb: str) -> None:
    gated.driver.kill()
    gated.driver.communicate()
    gated.done(verb, "one")
    assert gated.folder.status("one")["phase"] == "Failed"
    assert gated.folder.lines() == (["first", "exit"] if verb == "stop" else ["first"])
    gated.folder.nothing_left("one")
