"""Drivers and supervisors killed at random moments, again and again: nothing starts twice, nothing is left alive."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from argosy.runners.local.leftovers import processes_of
from argosy.runners.local.supervision import Supervision, read_lines

STEPS = 250
# A driver that starts what was never started, two at a time, and ends when everything has an exit.
DRIVER = """
import os, sys
from pathlib import Path
from argosy.runners.local.supervision import Spawn, Supervision
folder, uid, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
s = Supervision.connect_or_start(folder / "s", uid)
while True:
    known = s.known()
    busy = sum(exit is None for exit in known.values())
    new = [f"n{i}" for i in range(steps) if f"n{i}" not in known][: 2 - busy]
    if not new and not busy:
        break
    s.spawn([Spawn(id=id, argv=("/bin/sh", "-c", f"echo {id} >> ran; sleep 0.02; exit 5"), directory=str(folder),
                   stdout="/dev/null", stderr="/dev/null", environment=dict(PATH=os.environ["PATH"])) for id in new])
    s.wait(10)
s.close()
"""


def supervisors(folder: Path) -> list[int]:
    """The folder's supervisors; a child that one is just making still looks like it and is left out."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = path.read_bytes().split(b"\0")
            if len(argv) > 4 and argv[3].endswith(b"supervisor.py") and argv[4] == str(folder).encode():
                stat = path.with_name("stat").read_bytes()
                parents[int(path.parent.name)] = int(stat.rpartition(b")")[2].split()[1])
        except OSError:
            continue
    return [pid for pid, parent in parents.items() if parent not in parents]


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_random_kills(tmp_path: Path):
    dice = random.Random(20)
    uid = f"storm-{os.getpid()}"
    argv = [sys.executable, "-c", DRIVER, str(tmp_path), uid, str(STEPS)]
    for _ in range(14):
        with subprocess.Popen(argv) as driver:
            time.sleep(dice.uniform(0.05, 0.45))
            victims = dice.choice(("driver", "supervisor", "both"))
            if victims != "supervisor":
                driver.kill()
            if victims != "driver":
                for pid in supervisors(tmp_path / "s"):
                    kill(pid)
            assert len(supervisors(tmp_path / "s")) <= 1
            driver.kill()
    subprocess.run(argv, check=True, timeout=60)
    last = Supervision.connect_or_start(tmp_path / "s", uid)
    known = last.known()
    last.close()
    assert processes_of(uid) == []
    assert set(known) == {f"n{i}" for i in range(STEPS)}
    assert {(exit.code, exit.lost) for exit in known.values() if exit} <= {(5, False), (255, True)}
    ran = Counter((tmp_path / "ran").read_text().split())
    assert set(ran.values()) == {1}
    whole = {id for id, exit in known.items() if exit and not exit.lost}
    assert whole <= set(ran)
    exits = Counter(line.exit for line in read_lines(tmp_path / "s") if line.exit)
    assert set(exits.values()) == {1}
