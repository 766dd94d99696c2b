"""Who drives a run: the identity of a process, and whether that process still lives.

It knows /proc and nothing of the tables.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

import msgspec


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A process, told apart from every other one ever.

    boot_id names the boot of the machine and the process namespace, "" where the system does not tell;
    start_ticks is when the process started, in clock ticks since boot, 0 where unknown.
    """

    host: str
    pid: int
    boot_id: str = ""
    start_ticks: int = 0


# True: it lives. False: it is surely gone. None: this machine cannot tell.
Liveness = Callable[[Owner], bool | None]


def this_process() -> Owner:
    """The owner that this process is."""
    pid = os.getpid()
    _, ticks = _state_and_start(pid) or ("", 0)
    return Owner(host=platform.node(), pid=pid, boot_id=_boot(), start_ticks=ticks)


def liveness(owner: Owner) -> bool | None:
    """Whether the process lives: known only for one of this boot of this machine, in this process namespace."""
    boot = _boot()
    if not boot or owner.boot_id != boot or owner.host != platform.node():
        return None
    found = _state_and_start(owner.pid)
    if found is None:
        return False
    state, ticks = found
    # Z and X: ended, only not yet collected by its parent.
    return state not in ("Z", "X") and ticks == owner.start_ticks


def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # A pid means something else in another container of the same machine.
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _state_and_start(pid: int) -> tuple[str, int] | None:
    """State letter and start time of a process of this machine (proc(5), fields 3 and 22)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The command's name, in brackets, may hold spaces and brackets.
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])
