"""kill -9 of drivers and of warm interpreters of runs whose steps are functions: each step runs once, or says why not.

ARGOSY_KILLS says how often (20 unless told); ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import driven

KILLS = int(os.environ.get("ARGOSY_KILLS", "20"))
SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))

PROGRAM = """
import os, time
def note(text):
    with open("NOTES", "a") as notes:
        notes.write(f"{text} {os.environ['ARGO_NODE_ID']}\\n")

def works():
    note("begin")
    time.sleep(0.01)
    note("end")
"""
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: works-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: a, template: works, withSequence: {count: "20"}}
    - - {name: b, template: works, withSequence: {count: "20"}}
  - name: works
    metadata: {annotations: {argosy.dev/host: "true", argosy.dev/function: "program.py:works"}}
    container: {command: [python, -m, argosy.dsl.inside, "program.py:works"]}
"""


class Functions(driven.Folder):
    """A project with a program; each run notes in a file of its own."""

    def start_run(self, name: str):
        self.write(PROGRAM, "program.py")
        self.write(WORKFLOW)
        return self.run(name, runtime="function")

    def noted(self) -> list[str]:
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return lines


def warm_interpreters(home: Path) -> Iterator[int]:
    """Those of runs of this home: children of a supervisor, where what they have forked are children of theirs."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                str(home).encode() in (path / "cmdline").read_bytes()
                and b"ARGOSY_WARM= " in (path / "environ").read_bytes()
            ):
                parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
                if b"supervisor.py" in Path(f"/proc/{parent}/cmdline").read_bytes():
                    yield int(path.name)


def test_killed_drivers_and_interpreters(tmp_path: Path) -> None:
    print(f"ARGOSY_SEED={SEED}")
    chance = random.Random(SEED)
    folder = Functions(tmp_path)
    began = time.monotonic()
    driven.ended(folder.start_run("whole"))
    whole = time.monotonic() - began
    assert folder.status("whole")["phase"] == "Succeeded"
    assert len(set(folder.noted())) == 80
    landed = number = 0
    while landed < KILLS:
        number += 1
        name = f"killed-{number}"
        killer = threading.Timer(chance.uniform(0, whole), _kill_interpreters, [folder.home])
        killer.start()
        process = folder.start_run(name)
        time.sleep(chance.uniform(0, whole))
        if process.poll() is None:
            process.kill()
            landed += 1
            whole *= 1.03
        else:
            whole *= 0.95
        process.communicate()
        killer.join()
        code, _, errors = folder.call("resume", name)
        if code == 4:  # killed before the run was recorded
            code, _, errors = driven.ended(folder.start_run(name))
        assert folder.status(name)["phase"] == "Succeeded", errors
        lines = folder.noted()
        assert len(lines) == len(set(lines)) == 80, f"{name}: a step ran twice or not at all"


def _kill_interpreters(home: Path) -> None:
    for pid in warm_interpreters(home):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
