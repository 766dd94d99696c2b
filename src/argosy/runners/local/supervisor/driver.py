"""The supervisor's end of its driver: the one that is connected, what it asks for, and what it is told.

It knows sockets and frames (see `supervisor.py`), not what the commands mean.
"""

from __future__ import annotations

import marshal
import os
import select
from _socket import AF_UNIX, SOCK_STREAM, socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Command = tuple[Any, ...]

# Larger ones are mapped into memory and out again by every call.
RECEIVED_BYTES = 1 << 15


class Driver:
    """Whoever is connected; a later one takes the place of the one before.

    commands: what has been asked for and not been taken from here. gone: is called when there is nobody any more.
    """

    def __init__(self, folder: str, driver: socket, poll: select.poll, gone: Callable[[], None]) -> None:
        self._socket: socket | None = driver
        self._poll = poll
        self._gone = gone
        self._received = b""
        self._outgoing = b""
        self.commands: list[Command] = []
        self._listener = listening(folder)
        driver.setblocking(False)
        for fd in (self._listener.fileno(), driver.fileno()):
            poll.register(fd, select.POLLIN)

    @property
    def is_there(self) -> bool:
        return self._socket is not None

    def hear(self, fd: int) -> bool:
        """Take in what there is at a descriptor that has news; False if it is none of these."""
        if self._socket is not None and fd == self._socket.fileno():
            self._receive()
        elif fd == self._listener.fileno():
            self._accept()
        else:
            return False
        return True

    def _accept(self) -> None:
        try:
            accept: Callable[[], tuple[int, object]] = getattr(self._listener, "_accept")  # noqa: B009 - what socket uses
            fd, _ = accept()
        except OSError:
            return
        os.set_inheritable(fd, False)
        self._receive(to_the_end=True)  # what the last driver asked for before it died comes first
        self._drop()
        self._socket = socket(AF_UNIX, SOCK_STREAM, 0, fd)
        self._socket.setblocking(False)
        self._poll.register(fd, select.POLLIN)

    def _drop(self) -> None:
        if self._socket is not None:
            self._poll.unregister(self._socket.fileno())
            self._socket.close()
        self._socket = None
        self._received = self._outgoing = b""
        self._gone()

    def _receive(self, *, to_the_end: bool = False) -> None:
        """Take in what the driver asks for; what is left in the socket is news again, but to the end of a driver."""
        while self._socket is not None:
            try:
                part = self._socket.recv(RECEIVED_BYTES)
            except BlockingIOError:
                return
            except OSError:
                part = b""
            if not part:
                self._drop()
                return
            self._received += part
            self._take_frames()
            if len(part) < RECEIVED_BYTES and not to_the_end:
                return

    def _take_frames(self) -> None:
        data, at = self._received, 0
        while len(data) - at >= 4:
            end = at + 4 + int.from_bytes(data[at : at + 4], "little")
            if len(data) < end:
                break
            self.commands.extend(marshal.loads(data[at + 4 : end]))
            at = end
        self._received = data[at:]

    def tell(self, line: str) -> None:
        """Send a line with the next `flush`, if anybody is there."""
        if self._socket is not None:
            self._outgoing += line.encode()

    def flush(self) -> None:
        """Send what was told, as far as there is room; the rest when there is."""
        if self._socket is None or not self._outgoing:
            return
        try:
            self._outgoing = self._outgoing[self._socket.send(self._outgoing) :]
        except BlockingIOError:
            pass
        except OSError:
            self._receive(to_the_end=True)  # it is gone; what it had asked for still counts
            return
        self._poll.modify(self._socket.fileno(), select.POLLIN | select.POLLOUT if self._outgoing else select.POLLIN)


def listening(folder: str) -> socket:
    """A listening socket in the folder, through /proc: a socket's path may have 107 bytes only."""
    listener = socket(AF_UNIX, SOCK_STREAM)
    umask = os.umask(0o077)
    path = f"{folder}/socket"
    if os.path.lexists(path):
        os.unlink(path)
    if len(os.fsencode(path)) > 100:
        directory = os.open(folder, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{directory}/socket")
        os.close(directory)
    else:
        listener.bind(path)
    os.umask(umask)
    listener.listen(8)
    listener.setblocking(False)
    return listener
