"""kill -9 of the drivers of a sweep and of its trials at random moments: every trial is made, and none is made twice.

ARGOSY_TRIALS says how many trials there are (24 unless told; 200 is the full size), ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from driven import Folder

TRIALS = int(os.environ.get("ARGOSY_TRIALS", "24"))
SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))
ROUNDS = 400
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: trial-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: x, value: "0"}]}
  templates:
  - name: main
    container:
      image: alpine
      command: [sh, -c]
      args: ["echo {{workflow.parameters.x}} >> NOTES; echo loss: {{workflow.parameters.x}}"]
"""


@pytest.fixture
def here(tmp_path: Path) -> Folder:
    found = Folder(tmp_path)
    found.write(WORKFLOW)
    return found


def _drivers(here: Folder) -> list[int]:
    """The processes that drive runs, the sweep's and its trials'."""
    try:
        with sqlite3.connect(f"file:{here.home}/argosy.db?mode=ro", uri=True, timeout=10) as database:
            found = [pid for (pid,) in database.execute("SELECT pid FROM leases WHERE pid IS NOT NULL")]
            # A number may belong to somebody else by now.
            return [pid for pid in found if str(here.home) in _command(pid)]
    except sqlite3.OperationalError:
        return []


def _phases(here: Folder) -> dict[str, str]:
    """Every run, by name; a list on the command line has an end."""
    try:
        with sqlite3.connect(f"file:{here.home}/argosy.db?mode=ro", uri=True, timeout=10) as database:
            return dict(database.execute("SELECT name, phase FROM runs"))
    except sqlite3.OperationalError:
        return {}


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _kill_at_random_moments(here: Folder, first: subprocess.Popen[bytes], chance: random.Random) -> int:
    """Kill the driver of the sweep, and sometimes those of its trials, again and again; how often until it ended."""
    process = first
    for round in range(ROUNDS):
        try:
            _, errors = process.communicate(timeout=chance.uniform(0.3, 0.5 + TRIALS / 50))
        except subprocess.TimeoutExpired:
            others = [pid for pid in _drivers(here) if pid != process.pid]
            process.kill()
            process.communicate()
            for pid in others:
                if chance.random() < 0.5:
                    _kill(pid)
            if _phases(here).get("s") == "Succeeded":
                # It was killed when it had nothing left to do but to say so.
                return round + 1
            process = here.start("resume", "s") if "s" in _phases(here) else _begun(here)
            continue
        if process.returncode == 0:
            return round
        raise AssertionError(f"seed {SEED}: {process.returncode}: {errors.decode()}")
    raise AssertionError(f"seed {SEED}: it did not end in {ROUNDS} rounds")


def _begun(here: Folder, *words: str) -> subprocess.Popen[bytes]:
    words = words or (f"x=range[1:{TRIALS}]",)
    return here.start("run", "workflow.yaml", *words, "--name", "s", "--runtime", "process", "-j", "3", "-q")


def _check(here: Folder) -> None:
    phases = _phases(here)
    assert phases == {"s": "Succeeded"} | {f"s-{number}": "Succeeded" for number in range(1, TRIALS + 1)}


def test_a_killed_sweep_has_every_trial_once(here: Folder) -> None:
    kills = _kill_at_random_moments(here, _begun(here), random.Random(SEED))
    print(f"{TRIALS} trials, {kills} kills, seed {SEED}")
    _check(here)
    assert sorted(map(int, here.lines())) == list(range(1, TRIALS + 1)), f"seed {SEED}"


def test_a_killed_search_goes_on_with_what_it_knows(here: Folder) -> None:
    words = ("x=uniform[0.0:1]", "--minimize", "loss", "--max-trials", str(min(TRIALS, 12)), "--random-seed", "1")
    process = _begun(here, *words)
    chance = random.Random(SEED)
    deadline = time.monotonic() + 120
    while process.poll() is None or process.returncode != 0:
        assert time.monotonic() < deadline, f"seed {SEED}"
        try:
            process.communicate(timeout=chance.uniform(0.5, 3))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            if _phases(here).get("s") == "Succeeded":
                break
            process = here.start("resume", "s") if "s" in _phases(here) else _begun(here, *words)
    names = _phases(here)
    assert len(names) == min(TRIALS, 12) + 1, f"seed {SEED}"
    assert set(names.values()) == {"Succeeded"}
    assert len(here.lines()) == len(set(here.lines())) == min(TRIALS, 12), f"seed {SEED}"
