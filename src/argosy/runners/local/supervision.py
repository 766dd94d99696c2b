"""The driver's end of a supervisor: start it or find it again, ask for processes, hear how they ended.

It knows processes and their exits; not runtimes, nodes or attempts beyond their ids.
"""

from __future__ import annotations

import _socket  # `socket` makes enumerations of all that it knows, at a cost
import errno
import fcntl
import marshal
import os
import select
import sys
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from argosy.errors import EnvironmentTrouble
from argosy.runners.local.leftovers import kill_leftovers

SUPERVISOR = str(Path(__file__).with_name("supervisor") / "supervisor.py")
LINGER_SECONDS = 5.0
CONNECT_SECONDS = 10.0
DEATH_SECONDS = 5.0
# Larger ones are mapped into memory and out again by every call.
RECEIVED_BYTES = 1 << 15


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """A step that is a call of a function, made by a fork of an interpreter that has the program loaded.

    program, argv: what starts that interpreter, which is given two descriptors more; see `argosy.dsl.warm`. folder:
    where it is started. environment: as a Spawn's, to be added to the same base. target: the function. Interpreters are
    told apart by all of these but the target. Where none can be had, the Spawn's own program is started.
    """

    program: str
    argv: tuple[str, ...]
    folder: str
    environment: dict[str, str] = {}
    target: str


class Spawn(msgspec.Struct, frozen=True, kw_only=True):
    """One process to start.

    id: unique for ever within the run's folder; a second start of it does nothing. program: the executable's path,
    relative to `directory` if it has a slash only; "" means argv[0]. base: key of an environment given to
    `Supervision.define`, which `environment` adds to. stdout and stderr are appended to; they may be one file. stdin
    is empty. shield: how many levels of processes at the top are not the step's own (a sandbox's) and are spared by
    gentle signals. engine_kill: the command that signals what this process is only the
    client of, with {signal} where the number goes; all signals take that way. mask: texts that what it writes to stdout
    and stderr is kept without, and those of them that line ends may break; None to have the files written as they are.
    shell: where the program is bubblewrap: it, and the options of a sandbox that is kept open, from which this one is
    made if it can be, since that is quicker.
    fork: instead of this program, a warm interpreter's fork; None for a process of its own.
    """

    id: str
    argv: tuple[str, ...]
    directory: str
    stdout: str
    stderr: str
    program: str = ""
    base: str = ""
    environment: dict[str, str] = {}
    shield: int = 0
    engine_kill: tuple[str, ...] = ()
    mask: tuple[tuple[bytes, ...], tuple[bytes, ...]] | None = None
    shell: tuple[str, ...] = ()
    fork: Fork | None = None


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended.

    code: its exit code; 128 + signal when a signal killed it; 127 when it was not found, 126 when it could not be
    executed, both with a message that begins with StartError. at: seconds since the epoch. lost: the supervisor died
    and nobody knows the code; the process is dead. refused: it never started, for the reason in message.
    """

    id: str
    code: int
    signal: int = 0
    at: float = 0.0
    lost: bool = False
    refused: bool = False
    message: str = ""


class _Line(msgspec.Struct):
    """A line of exits.jsonl or of the socket; which of `started`, `exit`, `hello` or `of` is set says which it is."""

    started: str = ""
    exit: str = ""
    hello: int = 0
    pid: int = 0
    of: str = ""
    ticks: int = 0
    code: int = 0
    signal: int = 0
    at: float = 0.0
    lost: bool = False
    message: str = ""

    def as_exit(self) -> Exit:
        return Exit(id=self.exit, code=self.code, signal=self.signal, at=self.at, lost=self.lost, message=self.message)


_decode_line = msgspec.json.Decoder(_Line).decode
_LOST = "the supervisor died and took the exit code with it"


class Supervision:
    """A run's processes, as its driver sees them. One thread at a time; one `Supervision` of a folder at a time.

    Call `connect_or_start`, then anything in any order, then `close`. After `close`, or when the driver dies, the
    processes run on, their exits are kept, and a later `connect_or_start` finds both. When the supervisor has died,
    every process of the run is killed before its `Exit` with `lost` is handed out, and the next `spawn` starts a new
    supervisor by itself. When another driver has connected, `wait` and `spawn` raise EnvironmentTrouble.
    """

    def __init__(self, folder: Path, run_uid: str, linger_seconds: float) -> None:
        self._folder = folder
        self._run_uid = run_uid
        self._linger_seconds = linger_seconds
        self._socket: _socket.socket | None = None
        self._supervisor_pid = 0
        self._poll = select.poll()
        self._received = b""
        self._known: dict[str, Exit | None] = {}
        self._arrived: list[Exit] = []
        self._bases: dict[str, Mapping[str, str]] = {}
        self._defined: set[str] = set()

    @classmethod
    def connect_or_start(cls, folder: Path, run_uid: str, *, linger_seconds: float = LINGER_SECONDS) -> Supervision:
        """Find the living supervisor of `folder`, or kill what a dead one left behind and start another.

        folder: the supervisor's own; made if absent. run_uid: in the environment of every process as ARGOSY_RUN.
        linger_seconds: how long a supervisor waits for another driver when this one is gone and nothing runs.
        Raises EnvironmentTrouble if it cannot be started.
        """
        supervision = cls(folder.absolute(), run_uid, linger_seconds)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            supervision._connect_or_start()
        except OSError as error:
            raise EnvironmentTrouble(f"The supervisor of {folder} cannot be started: {error}") from error
        return supervision

    def define(self, key: str, environment: Mapping[str, str]) -> None:
        """Name an environment that many processes share. A key means one environment for ever."""
        self._bases[key] = environment

    def spawn(self, spawns: Iterable[Spawn], width: int = 0) -> None:
        """Start processes. Their failures to start arrive as exits. An id that was started before is ignored.

        width: how many of the processes with one may run at once; those beyond wait for an end of others, in order.
        """
        wanted = list({spawn.id: spawn for spawn in spawns if spawn.id not in self._known}.values())
        if not wanted:
            return
        if self._socket is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._connect_or_start()
        commands: list[tuple[object, ...]] = []
        for spawn in wanted:
            self._need_base(spawn.base, commands)
            if spawn.engine_kill:
                self._need_base("engine", commands)
            commands.append(
                (
                    "run",
                    spawn.id,
                    spawn.program or spawn.argv[0],
                    spawn.argv,
                    spawn.base,
                    spawn.environment,
                    spawn.directory,
                    spawn.stdout,
                    spawn.stderr,
                    spawn.shield,
                    spawn.engine_kill,
                    spawn.mask,
                    spawn.shell,
                    None if spawn.fork is None else msgspec.structs.astuple(spawn.fork),
                    width,
                )
            )
            self._known[spawn.id] = None
        self._send(commands)

    def _need_base(self, key: str, commands: list[tuple[object, ...]]) -> None:
        if key and key not in self._defined:
            commands.append(("base", key, dict(self._bases[key])))
            self._defined.add(key)

    def wait(self, timeout_seconds: float | None = None) -> list[Exit]:
        """The exits that have arrived, each once; waits for one, at most so long. Returns [] early when idle forever.

        Without a timeout and with nothing running it returns at once.
        """
        if not self._arrived and self._socket is not None:
            if timeout_seconds is None and not self.is_busy():
                return []
            self._receive(timeout_seconds)
        arrived, self._arrived = self._arrived, []
        return arrived

    def kill(self, id: str, number: int, grace_seconds: float | None = None) -> None:
        """Signal a running process's group; after the grace, SIGKILL to whatever is left. Does not wait.

        May be called again, with a shorter grace too. Nothing happens if it does not run.
        """
        if self._socket is not None and self._known.get(id, id) is None:
            self._send([("kill", id, int(number), grace_seconds)])

    def known(self) -> dict[str, Exit | None]:
        """Every id that was ever asked for in this folder, with its exit, or None while it runs."""
        return dict(self._known)

    def is_busy(self) -> bool:
        """True while something runs or an exit has not been fetched with `wait`."""
        return bool(self._arrived) or None in self._known.values()

    def fileno(self) -> int:
        """A descriptor that is readable when `wait(0)` has news; -1 while no supervisor is there."""
        return -1 if self._socket is None else self._socket.fileno()

    def close(self) -> None:
        """Leave: the supervisor ends when nothing runs any more. May be called twice."""
        if self._socket is None:
            return
        busy = None in self._known.values()
        with suppress(EnvironmentTrouble):  # another driver has it: then there is nothing to leave
            self._send([("leave",)])
        self._disconnect()
        self._reap_supervisor(block=not busy)

    # Finding and starting the supervisor

    def _connect_or_start(self) -> None:
        """Whoever holds the lock file's lock is the supervisor, from before it exists until it is dead."""
        self._defined.clear()
        self._received = b""
        deadline = time.monotonic() + CONNECT_SECONDS
        with self._lock_file() as lock:
            while not _try_lock(lock):
                if self._connect():
                    return
                if time.monotonic() > deadline:
                    raise OSError(errno.ETIMEDOUT, "a supervisor holds the lock but does not answer")
                time.sleep(0.005)
            self._start(lock)

    @contextmanager
    def _lock_file(self) -> Generator[int]:
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield lock
        finally:
            os.close(lock)

    def _start(self, lock: int) -> None:
        """Start a supervisor that inherits the lock. It can be written to before it is up."""
        self._replay()
        self._mourn()
        ours, theirs = _socket.socketpair()
        with closing(ours), closing(theirs):
            fd = theirs.fileno()
            argv = [
                sys.executable,
                "-I",
                "-S",
                SUPERVISOR,
                str(self._folder),
                self._run_uid,
                str(self._linger_seconds),
                str(fd),
                str(lock),
            ]
            log = str(self._folder / "supervisor.log")
            os.set_inheritable(fd, True)
            os.set_inheritable(lock, True)
            self._supervisor_pid = os.posix_spawn(
                sys.executable,
                argv,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigmask=(),
            )
            self._use(_socket.socket(fileno=ours.detach()))

    def _connect(self) -> bool:
        """Connect to the supervisor that holds the lock; False if it is not up yet or on its way out."""
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        directory = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            path = str(self._folder / "socket")
            connection.connect(path if len(os.fsencode(path)) <= 100 else f"/proc/self/fd/{directory}/socket")
            self._use(connection)
            self._write([("hello",)])
            told = self._await_hello()
        except OSError:
            connection.close()
            self._socket = None
            return False
        finally:
            os.close(directory)
        self._replay()
        self._take(told)
        return True

    def _use(self, connection: _socket.socket) -> None:
        self._socket = connection
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def _await_hello(self) -> bytes:
        """What the supervisor says up to its answer: exits for which the file has no room. Raises OSError."""
        assert self._socket is not None
        self._socket.settimeout(CONNECT_SECONDS)
        data = b""
        while b'{"hello"' not in data or not data.endswith(b"\n"):
            part = self._socket.recv(1 << 16)
            if not part:
                raise ConnectionResetError
            data += part
        self._socket.settimeout(None)
        return data

    def _replay(self) -> None:
        """Learn from the file what this object does not know yet; exits that are new to it arrive."""
        for line in read_lines(self._folder):
            if line.started:
                self._known.setdefault(line.started, None)
            elif line.exit and self._known.get(line.exit) is None:
                self._accept(line)

    def _accept(self, line: _Line) -> None:
        exit = line.as_exit()
        self._known[exit.id] = exit
        self._arrived.append(exit)

    # Messages

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _send(self, commands: list[tuple[object, ...]]) -> None:
        try:
            self._write(commands)
        except OSError:
            self._lose()

    def _write(self, commands: list[tuple[object, ...]]) -> None:
        assert self._socket is not None
        frame = marshal.dumps(commands, 2)
        self._socket.sendall(len(frame).to_bytes(4, "little") + frame)

    def _receive(self, timeout_seconds: float | None) -> None:
        assert self._socket is not None
        connection = self._socket
        poll = self._poll
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while not self._arrived:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not poll.poll(left):
                return
            try:
                data = connection.recv(RECEIVED_BYTES)
            except OSError:
                data = b""
            if not data:
                self._lose()
                return
            self._take(data)

    def _take(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for raw in lines:
            line = _decode_line(raw)
            if line.exit and self._known.get(line.exit) is None:
                self._accept(line)

    # The death of the supervisor

    def _lose(self) -> None:
        """The supervisor is gone: kill what it ran, and make each of those an exit that is lost.

        Under the lock: until it is free, the supervisor may live and have dropped this driver for another one, or a
        child that it was just making may not have become the step yet, by whose environment it is found.
        """
        self._disconnect()
        deadline = time.monotonic() + DEATH_SECONDS
        with self._lock_file() as lock:
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise EnvironmentTrouble(
                        f"Another driver has taken over the processes in {self._folder}.",
                        hint="argosy watch follows it.",
                    )
                time.sleep(0.002)
            self._reap_supervisor(block=True)
            self._replay()
            self._mourn()

    def _mourn(self) -> None:
        """Kill every process of the run, then hand out as lost whatever had no exit, and write that down."""
        orphans = [id for id, exit in self._known.items() if exit is None]
        groups = {line.of: (line.pid, line.ticks) for line in read_lines(self._folder) if line.pid}
        kill_leftovers(self._run_uid, [groups[id] for id in orphans if id in groups])
        at = time.time()
        lost = [_Line(exit=id, code=255, at=at, lost=True, message=_LOST) for id in orphans]
        for line in lost:
            self._accept(line)
        if lost:
            text = b"\n" + b"".join(msgspec.json.encode(line) + b"\n" for line in lost)
            with open(self._folder / "exits.jsonl", "ab", buffering=0) as file:
                file.write(text)

    def _reap_supervisor(self, *, block: bool) -> None:
        if not self._supervisor_pid:
            return
        try:
            done, _ = os.waitpid(self._supervisor_pid, 0 if block else os.WNOHANG)
        except ChildProcessError:
            done = self._supervisor_pid
        if done:
            self._supervisor_pid = 0


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True


def read_lines(folder: Path) -> list[_Line]:
    """The lines of a supervisor folder's exits.jsonl; a line that was cut short by a crash is passed over."""
    try:
        content = (folder / "exits.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    lines: list[_Line] = []
    for raw in content.split(b"\n"):
        if not raw:
            continue
        try:
            lines.append(_decode_line(raw))
        except msgspec.DecodeError:
            continue
    return lines
