"""Reading along with a step that was given secrets, and writing its logs without them.

It knows pipes, files and the texts to hide. It runs in a child that the supervisor forks, so that the texts are in
memory only; hence it imports next to nothing.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable

from argosy.artifacts.masking import Masker
from argosy.runners.local.supervisor.starting import APPENDING, FILE_MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn

    Mask = tuple[tuple[bytes, ...], tuple[bytes, ...]]
else:
    import _signal as signal

PIECE_BYTES = 1 << 16
FULL_DISK_SECONDS = 1.0


def start(logs: Iterable[str], mask: Mask) -> tuple[int, list[int]]:
    """Fork what writes these logs without the texts: its pid, and the ends of pipes that the step is to write to.

    SIGTERM has it write down the rest and end. Raises OSError.
    """
    pairs: list[tuple[int, int]] = []
    writes: list[int] = []
    try:
        for log in logs:
            kept = os.open(log, APPENDING, FILE_MODE)
            read, write = os.pipe()
            pairs.append((read, kept))
            writes.append(write)
        # Told to end before it is ready, it would be killed with the log in its hands.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))
        pid = os.fork()
        if pid == 0:
            _run(pairs, mask)
    except OSError:
        for fd in writes:
            os.close(fd)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
        for fd in (fd for pair in pairs for fd in pair):
            os.close(fd)
    return pid, writes


def _run(pairs: list[tuple[int, int]], mask: Mask) -> NoReturn:
    """Be a process that writes logs, and nothing of a supervisor any more."""
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        kept = {0, 1, 2, *(fd for pair in pairs for fd in pair)}
        for fd in _open_files():
            if fd not in kept:
                _try_close(fd)
        write_masked(pairs, *mask)
    finally:
        os._exit(0)


def _open_files() -> list[int]:
    """The descriptors that are open; where nothing tells, all that may be."""
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return list(range(3, 4096))


def _try_close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        return


class Stream:
    """One of a step's outputs."""

    def __init__(self, pipe: int, log: int, masker: Masker) -> None:
        self.pipe, self.log, self.masker = pipe, log, masker
        self.is_over = False
        os.set_blocking(pipe, False)

    def copy(self) -> bool:
        """Take what the pipe holds now; False once nothing will come any more."""
        try:
            data = os.read(self.pipe, PIECE_BYTES)
        except BlockingIOError:
            return True
        self.write(self.masker.feed(data) if data else self.masker.end())
        return bool(data)

    def drain(self) -> None:
        """Take all that the pipe holds, and be done."""
        while True:
            try:
                data = os.read(self.pipe, PIECE_BYTES)
            except BlockingIOError:
                break
            if not data:
                break
            self.write(self.masker.feed(data))
        self.write(self.masker.end())

    def write(self, data: bytes) -> None:
        """A full disk holds the step up, as long as it lives."""
        while data:
            try:
                data = data[os.write(self.log, data) :]
            except OSError:
                if self.is_over:
                    return
                time.sleep(FULL_DISK_SECONDS)


def write_masked(pairs: Iterable[tuple[int, int]], texts: tuple[bytes, ...], broken: tuple[bytes, ...]) -> None:
    """Copy from pipes to logs, without the texts, until the pipes are over.

    SIGTERM, blocked until here, says that the step is over: then what the pipes hold is the rest, even if something
    that outlived the step has them open.
    """
    streams = {pipe: Stream(pipe, log, Masker(texts, broken)) for pipe, log in pairs}
    woken, wake = os.pipe()
    for fd in (woken, wake):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake)

    def on_terminate(*_: object) -> None:
        for stream in streams.values():
            stream.is_over = True

    signal.signal(signal.SIGTERM, on_terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
    poll = select.poll()
    for fd in (woken, *streams):
        poll.register(fd, select.POLLIN)
    while streams:
        news = [fd for fd, _ in poll.poll()]
        if woken in news:
            for stream in streams.values():
                stream.drain()
            return
        for fd in news:
            if not streams[fd].copy():
                poll.unregister(fd)
                del streams[fd]
