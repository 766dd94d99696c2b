"""What the tests of the driver's crash rules share: a home, commands on it, the processes of a run, notes of steps.

It knows the command line and /proc, not the parts of the engine, but for how a process tells which run it is of.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argosy.runners.local.leftovers import processes_of

ARGOSY = [sys.executable, "-m", "argosy"]
Output = tuple[int, str, str]


class Folder:
    """A home, workflow files and notes, and `argosy` in it."""

    def __init__(self, folder: Path, *, grace_seconds: float = 1.0) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.notes = folder / "notes"
        (folder / "argosy.toml").write_text(f"[run]\ngrace = {grace_seconds}\n")

    def write(self, text: str, name: str = "workflow.yaml") -> str:
        (self.folder / name).write_text(text.replace("NOTES", str(self.notes)))
        return name

    def start(self, *arguments: str, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*ARGOSY, *arguments, "--home", str(self.home)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=before,
        )

    def run(self, name: str, file: str = "workflow.yaml", runtime: str = "process") -> subprocess.Popen[bytes]:
        return self.start("run", file, "--name", name, "--runtime", runtime)

    def call(self, *arguments: str) -> Output:
        return ended(self.start(*arguments))

    def document(self, name: str) -> dict[str, Any]:
        code, output, errors = self.call("get", name, "-o", "json")
        assert code == 0, errors
        return json.loads(output)

    def status(self, name: str) -> dict[str, Any]:
        return self.document(name)["status"]

    def node(self, name: str, display_name: str) -> dict[str, Any]:
        nodes = [one for one in self.status(name)["nodes"].values() if one["displayName"] == display_name]
        assert len(nodes) == 1, f"{display_name}: {[one['displayName'] for one in nodes]}"
        return nodes[0]

    def phases(self) -> dict[str, str]:
        code, output, errors = self.call("list", "-o", "json")
        assert code == 0, errors
        return {run["name"]: run["phase"] for run in json.loads(output)["runs"]}

    def lines(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def logs(self) -> str:
        """What all steps of all runs wrote."""
        return "".join(log.read_text() for log in (self.home / "runs").rglob("*.log"))

    def await_lines(self, count: int, seconds: float = 20.0) -> list[str]:
        await_true(lambda: len(self.lines()) >= count, seconds, lambda: f"{count} lines of {self.lines()}")
        return self.lines()

    def drivers(self) -> list[int]:
        """The processes that drive runs of this home."""
        return _processes(lambda argv: b"--drive-only" in argv and os.fsencode(self.home) in argv)

    def supervisors(self) -> list[int]:
        """The supervisors of this home's runs."""
        home = os.fsencode(self.home)
        return _processes(
            lambda argv: len(argv) > 4 and argv[3].endswith(b"supervisor.py") and argv[4].startswith(home)
        )

    def uid(self, name: str) -> str:
        return self.document(name)["metadata"]["uid"]

    def processes(self, name: str) -> list[int]:
        """The processes of the run's steps that live."""
        return [pid for pid in processes_of(self.uid(name)) if alive(pid)]

    def nothing_left(self, name: str, seconds: float = 5.0) -> None:
        uid = self.uid(name)
        await_true(lambda: not any(map(alive, processes_of(uid))), seconds, lambda: f"alive: {processes_of(uid)}")


def _processes(is_one: Callable[[list[bytes]], bool]) -> list[int]:
    """The processes whose command line is one of those that are meant."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if is_one(argv):
            found.append(int(path.parent.name))
    return found


def containers(uid: str) -> list[str]:
    """The containers of the run, in any state."""
    if not shutil.which("podman"):
        return []
    listed = subprocess.run(["podman", "ps", "-a", "--format", "json"], capture_output=True, check=True)
    return [str(one["Names"]) for one in json.loads(listed.stdout) if uid in json.dumps(one)]


def ended(process: subprocess.Popen[bytes], seconds: float = 60.0) -> Output:
    """Wait for the command; its exit code and what it said. Never a traceback."""
    output, errors = process.communicate(timeout=seconds)
    assert b"Traceback" not in errors, errors.decode()
    assert b"mistake in argosy itself" not in errors, errors.decode()
    return process.returncode, output.decode(), errors.decode()


def await_true(condition: Callable[[], bool], seconds: float, what: Callable[[], str] = lambda: "") -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what()}"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def never_two_at_once(lines: list[str]) -> None:
    """Check notes of the forms "begin STEP PID", "end STEP PID" and "TWO ..."."""
    assert not [line for line in lines if line.startswith("TWO")], lines
    pids = [line.split()[2] for line in lines if line.startswith("begin")]
    assert len(pids) == len(set(pids)), f"an attempt began twice: {lines}"
