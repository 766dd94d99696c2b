"""Making one process of the system's own kind, and what to say when it cannot be made.

It knows programs, files and environments, not steps.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping, Sequence
    from typing import Any
else:
    import _signal as signal

FILE_MODE = 0o644
APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def spawn(
    program: str,
    argv: tuple[str, ...],
    environment: Mapping[str, str],
    directory: str,
    stdout: str,
    stderr: str,
    pipes: Sequence[int] = (),
) -> int:
    """Make the process, in a session of its own and with nothing to read; its pid.

    pipes: where its outputs go instead of its logs; one, if they are the same. Raises OSError, ValueError.
    """
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    if pipes:
        actions += ((os.POSIX_SPAWN_DUP2, pipes[0], 1), (os.POSIX_SPAWN_DUP2, pipes[-1], 2))
    else:
        actions.append((os.POSIX_SPAWN_OPEN, 1, stdout, APPENDING, FILE_MODE))
        if stdout == stderr:
            actions.append((os.POSIX_SPAWN_DUP2, 1, 2))
        else:
            actions.append((os.POSIX_SPAWN_OPEN, 2, stderr, APPENDING, FILE_MODE))
    os.chdir(directory)
    return os.posix_spawn(
        program,
        argv,
        environment,
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
    )


def open_logs(stdout: str, stderr: str) -> list[int]:
    """Both logs, to be appended to; one descriptor if they are the same. Raises OSError."""
    fds = [os.open(stdout, APPENDING, FILE_MODE)]
    if stderr != stdout:
        try:
            fds.append(os.open(stderr, APPENDING, FILE_MODE))
        except OSError:
            os.close(fds[0])
            raise
    return fds


def why_not_started(error: Exception, program: str, directory: str, logs: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and message of a start that failed: posix_spawn does not say which of its parts did."""
    if not os.path.isdir(directory):
        return 126, f"StartError: the working directory {directory!r} does not exist"
    for log in logs:
        try:
            os.close(os.open(log, APPENDING, FILE_MODE))
        except OSError as trouble:
            return 126, f"StartError: the log {log!r} cannot be written: {trouble.strerror}"
    if isinstance(error, FileNotFoundError):
        return 127, f"StartError: {program!r} is not found, or the interpreter that it names is not"
    if isinstance(error, OSError):
        if error.errno == 7:
            return 126, f"StartError: the arguments and environment of {program!r} are longer than the system allows"
        return 126, f"StartError: {program!r} cannot be executed: {error.strerror}"
    if "null" in str(error):
        return 126, "StartError: no argument and no variable of a process can hold a NUL character"
    return 126, f"StartError: {program!r} cannot be executed: {error}"
