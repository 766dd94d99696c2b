"""The supervisor's end of zygotes: each keeps a sandbox open and makes those of steps from it (see `zygote.py`).

It is imported by the supervisor when the first sandboxed step is started; hence it imports next to nothing.
"""

from __future__ import annotations

import marshal
import os
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_SEQPACKET, SOL_SOCKET, socket, socketpair

from argosy.runners.local.supervisor.children import try_kill
from argosy.runners.local.supervisor.starting import open_logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

ZYGOTE = os.path.abspath(f"{__file__}/../zygote.py")
# One that says nothing for so long is taken for dead.
PATIENCE_SECONDS = 10.0
MOST_BYTES = 100_000
# What says how the names of files are written, which must be the same at both ends.
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
MOST_DEATHS = 3


class Zygotes:
    """The zygotes of a run, each started when a step needs it first.

    folder: the run's, in which everything is that a step may write to. held: a descriptor that is open elsewhere too as
    long as a process has been made and its program has not been started.
    """

    def __init__(self, folder: str, held: int) -> None:
        self._folder = folder
        self._held = held
        self._by_shell: dict[tuple[str, ...], tuple[int, socket]] = {}
        self._deaths: dict[tuple[str, ...], int] = {}
        self._asked: set[tuple[str, ...]] = set()

    def pids(self) -> list[int]:
        """The zygotes themselves."""
        return [pid for pid, _ in self._by_shell.values()]

    def make(
        self,
        shell: tuple[str, ...],
        argv: tuple[str, ...],
        environment: dict[str, str],
        stdout: str,
        stderr: str,
    ) -> int:
        """Have the sandbox made that a command line asks for; the id of its init, or 0 if bubblewrap must do it.

        shell: bubblewrap, and what all sandboxes have. Raises OSError for logs that cannot be written.
        """
        if shell not in self._asked:
            # Many runs have one step, which would wait for a zygote longer than it saves.
            self._asked.add(shell)
            return 0
        message = marshal.dumps((argv, environment), 2)
        if len(message) > MOST_BYTES:
            return 0
        zygote = self._by_shell.get(shell) or self._started(shell)
        if zygote is None:
            return 0
        fds = open_logs(stdout, stderr)
        try:
            may_start, starts = os.pipe()
            fds += (may_start, starts)
            rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (fds[0], fds[-3], may_start, self._held))
            zygote[1].sendmsg([message], [(SOL_SOCKET, SCM_RIGHTS, rights)])
            pid = int(zygote[1].recv(32) or b"-1")
            if pid > 0:
                os.write(starts, b".")
        except OSError:
            pid = -1
        finally:
            for fd in fds:
                os.close(fd)
        if pid < 0:
            # What it may have made has not been told to start, and ends.
            self._bury(shell)
        return max(0, pid)

    def _started(self, shell: tuple[str, ...]) -> tuple[int, socket] | None:
        if self._deaths.get(shell, 0) >= MOST_DEATHS:
            return None
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        fd = theirs.fileno()
        os.set_inheritable(fd, True)
        argv = [sys.executable, "-I", "-S", ZYGOTE, str(fd), self._folder, *shell]
        try:
            locale = {name: os.environ[name] for name in LOCALE if name in os.environ}
            pid = os.posix_spawn(sys.executable, argv, locale, setsid=True, setsigmask=())
        except OSError:
            self._deaths[shell] = MOST_DEATHS
            return None
        finally:
            theirs.close()
        ours.settimeout(PATIENCE_SECONDS)
        self._by_shell[shell] = (pid, ours)
        try:
            is_ready = ours.recv(32) == b"ready"
        except OSError:
            is_ready = False
        if not is_ready:
            self._deaths[shell] = MOST_DEATHS
            self._bury(shell)
            return None
        return self._by_shell[shell]

    def ended(self, pid: int) -> None:
        """Know that a process has ended, and is reaped; whatever it was."""
        for shell, (zygote, connection) in self._by_shell.items():
            if zygote == pid:
                self._deaths[shell] = self._deaths.get(shell, 0) + 1
                connection.close()
                del self._by_shell[shell]
                return

    def _bury(self, shell: tuple[str, ...]) -> None:
        """One that does not answer; it has not been reaped, so that its number is its own."""
        pid, _ = self._by_shell[shell]
        try_kill(pid, signal.SIGKILL)
        self.ended(pid)
