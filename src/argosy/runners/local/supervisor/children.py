"""Processes as the system shows them: who is a child of whom, of which step, how alive; and signals to them.

It knows /proc and pids, not what they are for.
"""

from __future__ import annotations

import os
import time

CLOCK_BOOTTIME = 7
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def ticks_now() -> int:
    """Clock ticks since boot. With the pid of a process that has just been made, an identity; 0 where unknown."""
    try:
        return int(time.clock_gettime(CLOCK_BOOTTIME) * CLOCK_TICKS)
    except OSError:
        return 0


class Children:
    """This process's own children, by a file that is kept open: it is read at every exit."""

    def __init__(self) -> None:
        try:
            self._file = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
        except OSError:
            self._file = -1

    def pids(self) -> list[int]:
        if self._file < 0:
            return []
        part = os.pread(self._file, 4096, 0)
        return [int(pid) for pid in part.split()] if len(part) < 3500 else children_of(os.getpid())


def children_of(pid: int) -> list[int]:
    """The children of any process."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb", 0) as file:
            return [int(child) for child in file.readall().split()]
    except OSError:
        return []


def step_of(pid: int) -> str | None:
    """The step id in the process's environment; None when there is none to see."""
    try:
        with open(f"/proc/{pid}/environ", "rb", 0) as file:
            for entry in file.readall().split(b"\0"):
                if entry.startswith(b"ARGOSY_STEP="):
                    return os.fsdecode(entry[12:])
    except OSError:
        pass
    return None


def how_alive(pid: int) -> str:
    """ "alive", "dying" (no memory any more, and perhaps its pid namespace is being emptied), or "dead"."""
    try:
        with open(f"/proc/{pid}/stat", "rb", 0) as file:
            fields = file.read(4096).rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):
            return "dead"
        return "alive" if fields[20] != b"0" else "dying"
    except (OSError, IndexError):
        return "dead"


def try_kill(pid: int, number: int) -> None:
    """Signal a process; one that is gone is no trouble."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def try_killpg(pid: int, number: int) -> None:
    """Signal a group of processes; one that is gone is no trouble."""
    try:
        os.killpg(pid, number)
    except OSError:
        return


def signal_below(pid: int, number: int, shield: int) -> None:
    """Signal the descendants that are at least `shield` levels below: a sandbox's own processes are spared."""
    level = [pid]
    depth = 0
    while level:
        if depth >= shield:
            for target in level:
                try_kill(target, number)
        level = [child for parent in level for child in children_of(parent)]
        depth += 1
