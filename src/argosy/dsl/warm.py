"""A warm interpreter: it has a program loaded, and forks once for each step that calls one of its functions.

Run as `python -m argosy.dsl.warm ROOT WHERE DOWN UP [MODULES]` in the folder ROOT, the code of a run. WHERE is the
program: `FILE.py` below ROOT, or a module. It knows pipes and functions; not runs, nor who asks.

On the descriptor DOWN come frames (four bytes of length, little-endian, then marshal):
    (id, target, directory, environment, stdout, stderr)    fork, and call the function there
        environment: what is added to the one that this program was started with
On UP go lines:
    ready                   the program is loaded, as far as it will be
    pid PID TICKS ID        written by the fork itself, before anything else that it does
    exit PID STATUS ID      its wait status; written before it is reaped, so that it is never lost
    refused ID              no process could be made

When DOWN ends it ends. Its forks live on: they are sessions of their own, and say themselves who they are.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import marshal
import os
import select
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from argosy.dsl import inside, preloading
from argosy.dsl.own_frames import own_part

if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # the same without enumerations, which a fork would pay for

# In the environment that this program is started with there is a variable of this name, as long as any id. What
# /proc shows as a process's environment is that memory, also after a fork: there a fork puts its own id.
ROOM = b"ARGOSY_WARM="
MARK = b"ARGOSY_STEP="
ENV_START_FIELD = 47
CLOCK_BOOTTIME = 7
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_SLAVE = 1, 32, 4096, 16384, 1 << 19
APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND
FILE_MODE = 0o644
WRITE_FAILED = 120
CANNOT_START = 126

TICKS = os.sysconf("SC_CLK_TCK")

Request = tuple[str, str, str, dict[str, str], str, str]


class Room:
    """The memory in which other processes see this one's environment."""

    def __init__(self) -> None:
        self._address = self._length = 0
        try:
            with open("/proc/self/environ", "rb") as file:
                shown = file.read()
            with open("/proc/self/stat", "rb") as file:
                start = int(file.read().rpartition(b")")[2].split()[ENV_START_FIELD])
        except (OSError, IndexError, ValueError):
            return
        os.environ.pop(os.fsdecode(ROOM[:-1]), None)
        place = shown.find(ROOM)
        end = shown.find(b"\0", place)
        if place >= 0 and start:
            self._address, self._length = start + place, end - place

    def write(self, id: str) -> None:
        """Let the environment say which step this is, as that of any other step does."""
        text = MARK + os.fsencode(id)
        if len(text) <= self._length:
            with contextlib.suppress(OSError):
                memory = os.open("/proc/self/mem", os.O_RDWR)
                os.pwrite(memory, text.ljust(self._length, b"\0"), self._address)
                os.close(memory)


class Warm:
    """The loop of a warm interpreter. Single-threaded.

    What a fork touches is copied for it, a page at a time, and these copies are most of its cost: so what can be done
    before the fork is, and what is done in it takes the shortest way.
    """

    def __init__(self, root: str, down: int, up: int, *, is_loaded: bool) -> None:
        self.root = Path(root)
        self.down, self.up = down, up
        self.received = b""
        self.is_loaded = is_loaded
        self.prepared: set[str] = set()
        self.children: dict[int, str] = {}
        self.room = Room()
        self.woken, self.wake = os.pipe()
        for fd in (self.woken, self.wake):
            os.set_blocking(fd, False)
        self.handler_before: Any = signal.signal(signal.SIGCHLD, _noticed)
        signal.set_wakeup_fd(self.wake, warn_on_full_buffer=False)

    def serve(self) -> NoReturn:
        """Fork what is asked for, and tell how it ended, until nobody asks any more."""
        poll = select.poll()
        for fd in (self.down, self.woken):
            poll.register(fd, select.POLLIN)
        self.tell("ready")
        while True:
            for fd, _ in poll.poll():
                if fd == self.woken:
                    os.read(self.woken, 4096)
                    self.reap()
                else:
                    self.take()

    def tell(self, line: str) -> None:
        try:
            os.write(self.up, f"{line}\n".encode("utf-8", "surrogateescape"))
        except OSError:
            os._exit(0)  # nobody is there any more

    def take(self) -> None:
        """Read requests, and fork for each."""
        part = os.read(self.down, 1 << 16)
        if not part:
            os._exit(0)
        self.received += part
        while len(self.received) >= 4:
            end = 4 + int.from_bytes(self.received[:4], "little")
            if len(self.received) < end:
                break
            request: Request = marshal.loads(self.received[4:end])
            self.received = self.received[end:]
            self.prepare(request[1])
            self.fork(request)

    def prepare(self, target: str) -> None:
        """Find a function once for all forks that call it; what is wrong with it is for its step to say."""
        if self.is_loaded and target not in self.prepared:
            self.prepared.add(target)
            with contextlib.suppress(Exception):
                inside.prepare(target, self.root)

    def fork(self, request: Request) -> None:
        try:
            pid = os.fork()
        except OSError:
            self.tell(f"refused {request[0]}")
            return
        if pid:
            self.children[pid] = request[0]
            return
        try:
            self.become(request)
        except BaseException:
            traceback.print_exc()
            os._exit(CANNOT_START)
        finish(_run(request[1], self.root))

    def reap(self) -> None:
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            except ChildProcessError:
                return
            if found is None:
                return
            status = found.si_status << 8 if found.si_code == os.CLD_EXITED else found.si_status
            # Until it is reaped no other process can have its number.
            with contextlib.suppress(OSError):
                os.killpg(found.si_pid, signal.SIGKILL)
            self.tell(f"exit {found.si_pid} {status} {self.children.pop(found.si_pid, '')}")
            os.waitpid(found.si_pid, 0)

    # In a fork

    def become(self, request: Request) -> None:
        """Be the process of a step: what it inherits from this one is its memory, and nothing else."""
        id, target, directory, environment, stdout, stderr = request
        os.setsid()
        # Before it is told: whoever sees that this is a step can tell which.
        self.room.write(id)
        self.tell(f"pid {os.getpid()} {_ticks()} {id}")
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self.handler_before or signal.SIG_DFL)
        for fd in (self.up, self.down, self.woken, self.wake):
            os.close(fd)
        os.chdir(directory)
        _log_to(stdout, stderr)
        for name, value in environment.items():  # `update` asks first what a mapping is, which costs much more
            os.environ[name] = value
        sys.argv = [inside.__file__, target]
        sys.path[0] = directory
        if "tempfile" in sys.modules:
            setattr(sys.modules["tempfile"], "tempdir", None)  # noqa: B010 - typed as a plain module
        reseed()


def _noticed(number: int, frame: FrameType | None) -> None:
    """A handler that only makes the signal be noticed."""


def _ticks() -> int:
    return int(time.clock_gettime(CLOCK_BOOTTIME) * TICKS)


def _log_to(stdout: str, stderr: str) -> None:
    out = os.open(stdout, APPENDING, FILE_MODE)
    err = out if stderr == stdout else os.open(stderr, APPENDING, FILE_MODE)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for fd in {out, err}:
        os.close(fd)


def reseed() -> None:
    """Random numbers of this process's own. Python's generator has seen to itself; the libraries' have not."""
    if (numpy := sys.modules.get("numpy.random")) is not None:
        numpy.seed()
    if (torch := sys.modules.get("torch.random")) is not None:
        torch.default_generator.seed()


def _run(target: str, root: Path) -> int:
    """The exit code of the step, as the interpreter itself would give it."""
    try:
        return inside.call(target, root)
    except SystemExit as left:
        if left.code is None or isinstance(left.code, int):
            return (left.code or 0) & 0xFF
        print(left.code, file=sys.stderr)
    except KeyboardInterrupt as interrupted:
        show(interrupted)
        return -signal.SIGINT
    except BaseException as error:
        show(error)
    return 1


def show(error: BaseException) -> None:
    """Print the traceback of what a step raised, from the user's own frames on."""
    error.__traceback__ = own_part(error.__traceback__)
    sys.excepthook(type(error), error, error.__traceback__)


def finish(code: int) -> NoReturn:
    """End as an interpreter does: threads, what was to be done at exit, what is still to be written."""
    try:
        if (threading := sys.modules.get("threading")) is not None:
            getattr(threading, "_shutdown", _nothing)()
        getattr(atexit, "_run_exitfuncs", _nothing)()
    except BaseException as error:
        show(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or WRITE_FAILED
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _nothing() -> None:
    """Of interpreters that lack one of their private functions."""


def protect(folder: str) -> None:
    """Let nothing below here write to a folder that all steps see. Modes do that for everybody but root."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    path = os.fsencode(folder)
    failed = (
        libc.unshare(CLONE_NEWNS)
        or libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None)
        or libc.mount(path, path, None, MS_BIND, None)
        or libc.mount(b"none", path, None, MS_BIND | MS_REMOUNT | MS_RDONLY, None)
    )
    if failed:
        print(f"root can write to the code that steps share: {os.strerror(ctypes.get_errno())}", flush=True)


def main() -> None:
    root, where, down, up = sys.argv[1:5]
    if len(sys.argv) > 5:
        preloading.load_modules(sys.argv[5].split())
        if sys.argv[5] and preloading.has_threads():
            os.execv(sys.executable, [sys.executable, "-m", "argosy.dsl.warm", *sys.argv[1:5], ""])
    else:
        protect(root)
        os.chdir(root)
        _load_ahead(root, where)
    preloading.tidy()
    sys.modules["__main__"] = inside
    warm = Warm(root, int(down), int(up), is_loaded=len(sys.argv) == 5)
    gc.collect()
    gc.freeze()
    warm.serve()


def _load_ahead(root: str, where: str) -> None:
    """Load the program; or, where that would not be the same, begin anew with its libraries only."""
    if reason := preloading.load_program(where, Path(root)):
        print(f"each step loads {where} by itself: {reason}", flush=True)
        modules = preloading.libraries(Path(root))
        os.execv(sys.executable, [sys.executable, "-m", "argosy.dsl.warm", *sys.argv[1:5], " ".join(modules)])


if __name__ == "__main__":
    # Not as __main__, which in the forks is the module that other runtimes start.
    from argosy.dsl import warm

    warm.main()
