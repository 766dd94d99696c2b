"""Kills what a dead supervisor left running: by recorded process group, and by the run's id in the environment.

It knows /proc; where there is none it knows the recorded groups only.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable

PATIENCE_SECONDS = 5.0
# A start is written down at most this much after it was made; no pid comes round again as quickly.
TICKS_OF_A_START = 200


def kill_leftovers(run_uid: str, started: Iterable[tuple[int, int]]) -> None:
    """Kill every process of the run and return when they are dead.

    run_uid: as in ARGOSY_RUN of their environments. started: of each process that was the leader of a group, the pid
    and the ticks just after its start. A process that a signal cannot kill (it hangs in the kernel) is given up after
    PATIENCE_SECONDS.
    """
    for pid, ticks in started:
        actual = _start_ticks(pid)
        if actual is None or 0 <= ticks - actual <= TICKS_OF_A_START:
            _signal_group(pid)
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.001
    while victims := processes_of(run_uid):
        for pid in victims:
            _signal_process(pid)
        if time.monotonic() > deadline:
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def processes_of(run_uid: str) -> list[int]:
    """The processes, other than this one, whose environment names the run."""
    wanted = f"ARGOSY_RUN={run_uid}".encode()
    found: list[int] = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for name in names:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb", buffering=0) as file:
                content = file.readall()
        except OSError:
            continue  # gone, or another user's
        if wanted in content and wanted in content.split(b"\0"):
            found.append(int(name))
    return found


def _start_ticks(pid: int) -> int | None:
    """The start ticks of the process; 0 if it is gone; None where /proc cannot say."""
    if not os.path.exists("/proc/self/stat"):
        return None
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def _signal_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        return


def _signal_process(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return
