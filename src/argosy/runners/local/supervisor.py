"""The program that starts a run's processes, reaps them and writes each exit down, apart from the driver.

It knows processes, a socket and one file. It does not know what a workflow, a template or a container is.

Run as `python -I -S supervisor.py FOLDER RUN_UID LINGER_SECONDS SOCKET_FD LOCK_FD`: only the standard library, and
little of it, so that it is up quickly. SOCKET_FD is the starting driver's end of a socket pair; a later driver
connects to `FOLDER/socket`. LOCK_FD is an flock-ed file that is held as long as this process lives, which is how a
driver knows that it does. It is a program, not a module to import; hence the private, quick C modules below: `socket`
would cost 9 ms, `signal` 6 ms, `json` 8 ms.

In: frames (four bytes of length, little-endian, then a marshal-ed list of tuples):
    ("base", key, environment)                          a shared environment
    ("run", id, program, argv, base key, overrides, directory, stdout, stderr, shield, engine_kill, mask, fork, width)
        mask: None, or the texts that its outputs are to be written without, and those of them that line ends may break
        fork: None, or how a warm interpreter is started (program, argv, folder, overrides) and the function in it that
        is called instead of starting the program; see `forks`
        width: 0, or how many of the processes that have one may run at once; it waits until there is room, in order
    ("kill", id, signal, grace_seconds or None)         signal now, SIGKILL after the grace
    ("hello",)                                          answered when all that came earlier is done
    ("leave",)                                          exit as soon as no driver is connected and nothing runs
Out, JSON lines to `FOLDER/exits.jsonl`, and the last two to the driver:
    {"started": id}                                     before the process is made
    {"pid": 1, "of": id, "ticks": 2}                    soon after; ticks: when, in clock ticks since boot
    {"exit": id, "code": 0, "signal": 0, "at": 1.5, "message": ""}
    {"hello": pid}                                      not in the file

An exit is in the file before it is sent. The file is not synced: it survives the death of any process, and after a
power loss the attempts that ran are lost anyway. An id is started once, however often it is asked for.

The outputs of a step with a mask go through a child of their own, forked so that the texts stay in memory; the exit of
the step is told once that child has written everything down.

When a step's process ends, what is left of its group and every orphan that carries its id in the environment is
killed, as the end of a container's first process ends the container.
"""

from __future__ import annotations

import ctypes
import gc
import marshal
import os
import select
import sys
import time
from _socket import AF_UNIX, SOCK_STREAM, socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

    from argosy.runners.local.forks import Forks

    Command = tuple[Any, ...]  # of the forms listed above
    Running = tuple[str, int, tuple[str, ...]]  # id, shield, engine_kill
    Mask = tuple[tuple[bytes, ...], tuple[bytes, ...]]
else:
    import _signal as signal

PR_SET_CHILD_SUBREAPER = 36
STARTS_BETWEEN_REAPS = 8
# Larger ones are mapped into memory and out again by every call.
RECEIVED_BYTES = 1 << 15
# Where nothing runs since a step ended a moment ago, the driver is about to ask for the next one.
AWAKE_SECONDS = 0.001
# One that yields and comes back this late has neighbours, before whom those go that were asleep: then it sleeps too.
CROWDED_SECONDS = 0.0007
UNCROWDED_SECONDS = 0.25
PACKAGES = os.path.abspath(f"{__file__}/../../../..")
FILE_MODE = 0o644
APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND

ENGINE_KILL_AGAIN_SECONDS = 5.0
RECORD_SOON_SECONDS = 0.05
FULL_DISK_SECONDS = 24 * 3600.0
CLOCK_BOOTTIME = 7
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def quoted(text: str) -> str:
    """`text` as a JSON string; the slow import is paid only by ids and messages that need it."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    import json

    return json.dumps(text)


def ticks_now() -> int:
    """Clock ticks since boot. With the pid of a process that has just been made, an identity; 0 where unknown."""
    try:
        return int(time.clock_gettime(CLOCK_BOOTTIME) * CLOCK_TICKS)
    except OSError:
        return 0


def children_of(pid: int) -> list[int]:
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
    try:
        os.kill(pid, number)
    except OSError:
        return


def try_killpg(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except OSError:
        return


def try_unlink(path: str) -> None:
    try:
        os.unlink(path)
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


def why_not_started(error: Exception, program: str, directory: str, logs: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and message of a start that failed: posix_spawn does not say which of its parts did."""
    if not os.path.isdir(directory):
        return 126, f"StartError: the working directory {directory!r} does not exist"
    for log in logs:
        try:
            os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE))
        except OSError as trouble:
            return 126, f"StartError: the log {log!r} cannot be written: {trouble.strerror}"
    if isinstance(error, FileNotFoundError):
        return 127, f"StartError: {program!r} is not found, or the interpreter that it names is not"
    if isinstance(error, OSError):
        if error.errno == 7:
            return 126, f"StartError: the arguments and environment of {program!r} are longer than the system allows"
        return 126, f"StartError: {program!r} cannot be executed: {error.strerror}"
    return 126, f"StartError: {program!r} cannot be executed: {error}"


def open_files() -> list[int]:
    """The descriptors that are open; where nothing tells, all that may be."""
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return list(range(3, 4096))


def try_close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        return


def import_filter() -> None:
    """Once, before the first fork that needs it."""
    find_packages()
    __import__("argosy.runners.local.masking_filter")


def find_packages() -> None:
    """What only some steps need is imported when the first of them starts."""
    if PACKAGES not in sys.path:
        sys.path.append(PACKAGES)


def become_filter(pairs: list[tuple[int, int]], mask: Mask) -> NoReturn:
    """Be a process that writes logs, and nothing of a supervisor any more."""
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        kept = {0, 1, 2, *(fd for pair in pairs for fd in pair)}
        for fd in open_files():
            if fd not in kept:
                try_close(fd)
        from argosy.runners.local.masking_filter import write_masked

        write_masked(pairs, *mask)
    finally:
        os._exit(0)


def do_nothing(*_: object) -> None:
    """A handler that only makes the signal be noticed."""


class Supervisor:
    """One run's processes. Single-threaded: everything happens in `serve`."""

    def __init__(self, folder: str, run_uid: str, linger_seconds: float, driver: socket) -> None:
        self.folder = folder
        self.run_uid = run_uid
        self.linger_seconds = linger_seconds
        self.driver: socket | None = driver
        self.received = b""
        self.outgoing = b""
        self.unwritten = b""
        self.exits_unwritten: list[str] = []
        self.disk_is_full = False
        self.todo: list[Command] = []
        self.waiting: dict[str, Command] = {}  # by id, what is to run when there is room
        self.placed: set[str] = set()  # of what runs, those that had a width
        self.bases: dict[str, dict[str, str]] = {"": {}}
        self.running: dict[int, Running] = {}
        self.pids: dict[str, int] = {}
        self.killers: set[int] = set()
        self.filters: dict[int, str] = {}  # by pid, the step whose outputs it writes
        self.filter_of: dict[str, int] = {}
        self.forks: Forks | None = None
        self.ended: list[tuple[str, int]] = []  # not told yet: something that they left behind is still dying
        self.deadlines: dict[str, float] = {}
        self.engine_used = False
        self.terminated = False
        self.idle_since = time.monotonic()
        self.crowded_until = 0.0
        self.exits = os.open(f"{folder}/exits.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.seen = self.ids_in_file()
        self.woken, wake = os.pipe()
        for fd in (self.woken, wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, do_nothing)
        signal.signal(signal.SIGTERM, self.on_terminate)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.listener = self.listen()
        try:
            self.children_file = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
        except OSError:
            self.children_file = -1
        self.poll = select.poll()
        for fd in (self.woken, self.listener.fileno(), driver.fileno()):
            self.poll.register(fd, select.POLLIN)
        driver.setblocking(False)

    def ids_in_file(self) -> set[str]:
        """The ids that an earlier supervisor of this folder has started, or tried to."""
        content = b""
        while part := os.pread(self.exits, 1 << 20, len(content)):
            content += part
        if not content:
            return set()
        if not content.endswith(b"\n"):
            self.unwritten = b"\n"
        import json

        seen: set[str] = set()
        for line in content.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # a line that a killed supervisor did not finish
            seen.add(entry.get("started") or entry.get("exit"))
        return seen

    def listen(self) -> socket:
        """A listening socket in the folder, through /proc: a socket's path may have 107 bytes only."""
        listener = socket(AF_UNIX, SOCK_STREAM)
        umask = os.umask(0o077)
        path = f"{self.folder}/socket"
        try_unlink(path)
        if len(os.fsencode(path)) > 100:
            directory = os.open(self.folder, os.O_RDONLY)
            listener.bind(f"/proc/self/fd/{directory}/socket")
            os.close(directory)
        else:
            listener.bind(path)
        os.umask(umask)
        listener.listen(8)
        listener.setblocking(False)
        return listener

    # The loop

    def serve(self) -> None:
        while True:
            news = self.news()
            if self.unwritten and not news:
                self.record("")
            for fd, _ in news:
                if fd == self.woken:
                    os.read(self.woken, 4096)
                    self.reap()
                elif fd == self.listener.fileno():
                    self.accept()
                elif self.driver is not None and fd == self.driver.fileno():
                    self.receive()
                elif self.forks is not None and self.forks.has(fd):
                    self.reap()
            self.carry_out()
            self.enforce_deadlines()
            self.flush()
            if self.is_done():
                return

    def news(self) -> list[tuple[int, int]]:
        """What there is to do, waiting for it; awake where it is about to come."""
        timeout = self.timeout_ms()
        if timeout and self.driver is not None and not self.running:
            now = time.monotonic()
            until = self.idle_since + AWAKE_SECONDS
            while self.crowded_until < now < until:
                if news := self.poll.poll(0):
                    return news
                os.sched_yield()
                before, now = now, time.monotonic()
                if now - before > CROWDED_SECONDS:
                    self.crowded_until = now + UNCROWDED_SECONDS
        return self.poll.poll(timeout)

    def timeout_ms(self) -> int:
        if self.todo:
            return 0
        waits = [deadline - time.monotonic() for deadline in self.deadlines.values()]
        if self.driver is None and not self.running:
            waits.append(self.leaves_at() - time.monotonic())
        if self.unwritten:
            waits.append(1.0 if self.disk_is_full else RECORD_SOON_SECONDS)
        return max(0, int(min(waits) * 1000) + 1) if waits else -1

    def is_done(self) -> bool:
        if self.running or self.ended or ((self.todo or self.waiting) and not self.terminated):
            return False
        if self.terminated:
            return True
        if self.forks is not None and self.forks.of:
            return False
        if self.driver is not None:
            return False
        return time.monotonic() >= self.leaves_at()

    def leaves_at(self) -> float:
        """An exit that is not in the file would be lost with this process: it waits for room, but not for ever."""
        waits_for_room = self.unwritten and self.disk_is_full
        return self.idle_since + (FULL_DISK_SECONDS if waits_for_room else self.linger_seconds)

    def on_terminate(self, *_: object) -> None:
        """The machine goes down, or a person wants this gone: take the steps along."""
        self.terminated = True
        for pid in self.running:
            self.kill_hard(pid)
        for pid in self.forks.pids() if self.forks is not None else ():
            try_killpg(pid, signal.SIGKILL)

    # The driver's end

    def accept(self) -> None:
        try:
            accept: Callable[[], tuple[int, object]] = getattr(self.listener, "_accept")  # noqa: B009 - what socket uses
            fd, _ = accept()
        except OSError:
            return
        os.set_inheritable(fd, False)
        self.receive(to_the_end=True)  # what the last driver asked for before it died comes first
        self.drop_driver()
        self.driver = socket(AF_UNIX, SOCK_STREAM, 0, fd)
        self.driver.setblocking(False)
        self.poll.register(fd, select.POLLIN)

    def drop_driver(self) -> None:
        if self.driver is not None:
            self.poll.unregister(self.driver.fileno())
            self.driver.close()
        self.driver = None
        self.received = self.outgoing = b""
        self.idle_since = time.monotonic()

    def receive(self, *, to_the_end: bool = False) -> None:
        """Take in what the driver asks for; what is left in the socket is news again, but to the end of a driver."""
        while self.driver is not None:
            try:
                part = self.driver.recv(RECEIVED_BYTES)
            except BlockingIOError:
                return
            except OSError:
                part = b""
            if not part:
                self.drop_driver()
                return
            self.received += part
            self.take_frames()
            if len(part) < RECEIVED_BYTES and not to_the_end:
                return

    def take_frames(self) -> None:
        data, at = self.received, 0
        while len(data) - at >= 4:
            end = at + 4 + int.from_bytes(data[at : at + 4], "little")
            if len(data) < end:
                break
            self.todo.extend(marshal.loads(data[at + 4 : end]))
            at = end
        self.received = data[at:]

    def record(self, line: str) -> None:
        """Append to the file, with what was to be there soon; while the disk is full, keep it and try again."""
        self.unwritten += line.encode()
        try:
            while self.unwritten:
                self.unwritten = self.unwritten[os.write(self.exits, self.unwritten) :]
        except OSError:
            self.disk_is_full = True
        else:
            self.disk_is_full = False
            self.exits_unwritten.clear()

    def tell(self, line: str) -> None:
        if self.driver is not None:
            self.outgoing += line.encode()

    def flush(self) -> None:
        if self.exits_unwritten and not self.disk_is_full:
            self.record("")
        if self.driver is None or not self.outgoing:
            return
        try:
            self.outgoing = self.outgoing[self.driver.send(self.outgoing) :]
        except BlockingIOError:
            pass
        except OSError:
            self.receive(to_the_end=True)  # it is gone; what it had asked for still counts
            return
        self.poll.modify(self.driver.fileno(), select.POLLIN | select.POLLOUT if self.outgoing else select.POLLIN)

    # Commands

    def carry_out(self) -> None:
        """Do some of what was asked; exits are looked at in between."""
        if self.todo:
            commands, self.todo = self.todo[:STARTS_BETWEEN_REAPS], self.todo[STARTS_BETWEEN_REAPS:]
            self.obey(commands)
        if self.waiting:
            self.start_waiting()

    def obey(self, commands: list[Command]) -> None:
        startable = self.startable(commands)
        for command in commands:
            match command:
                case ("run", id, *_):
                    if id in startable:
                        self.begin(startable.pop(id))
                case ("kill", id, number, grace_seconds):
                    self.kill(id, number, grace_seconds)
                case ("base", key, environment):
                    self.bases[key] = environment
                case ("hello",):
                    # The driver reads the file next: what has found no room there it is told.
                    self.record("")
                    self.tell("".join(self.exits_unwritten))
                    self.tell(f'{{"hello": {os.getpid()}}}\n')
                case ("leave",):
                    self.linger_seconds = 0.0
                case _:
                    pass

    def startable(self, commands: Iterable[Command]) -> dict[str, Command]:
        """Those of the processes to run that may start now, written down; the others wait for room."""
        now: dict[str, Command] = {}
        for command in commands:
            if command[0] != "run" or command[1] in self.seen:
                continue
            id, width = command[1], command[-1]
            self.seen.add(id)
            if width and (self.waiting or len(self.placed) >= width):
                self.waiting[id] = command
                continue
            now[id] = command
            if width:
                self.placed.add(id)
        self.record_starts(now)
        return now

    def start_waiting(self) -> None:
        """Start what has waited longest, as long as there is room; what cannot be started makes room at once."""
        while now := self.with_room():
            self.record_starts([command[1] for command in now])
            for command in now:
                del self.waiting[command[1]]
                self.begin(command)

    def with_room(self) -> list[Command]:
        """Those that need wait no longer; each has a place."""
        now: list[Command] = []
        for id, command in self.waiting.items():
            if self.terminated or len(self.placed) >= command[-1]:
                break
            self.placed.add(id)
            now.append(command)
        return now

    def begin(self, command: Command) -> None:
        """Have the process made, one way or the other."""
        if command[12] is None or not self.start_fork(command):
            self.start(*command[1:12])

    def record_starts(self, ids: Iterable[str]) -> None:
        if lines := "".join([f'{{"started": {quoted(id)}}}\n' for id in ids]):
            self.record(lines)

    def start(
        self,
        id: str,
        program: str,
        argv: list[str],
        base: str,
        overrides: dict[str, str],
        directory: str,
        stdout: str,
        stderr: str,
        shield: int,
        engine_kill: tuple[str, ...],
        mask: Mask | None,
    ) -> None:
        pipes: list[int] = []
        try:
            if mask is not None:
                pipes = self.start_filter(id, dict.fromkeys((stdout, stderr)), mask)
            pid = self.start_step(id, program, argv, base, overrides, directory, stdout, stderr, pipes)
        except (OSError, ValueError) as error:
            code, message = why_not_started(error, program, directory, (stdout, stderr))
            for text in mask[0] if mask is not None else ():
                message = message.replace(os.fsdecode(text), "***")
            self.report(id, code, 0, message)
        else:
            self.running[pid] = (id, shield, engine_kill)
            self.pids[id] = pid
            self.engine_used = self.engine_used or bool(engine_kill)
            self.unwritten += f'{{"pid": {pid}, "of": {quoted(id)}, "ticks": {ticks_now()}}}\n'.encode()
        finally:
            for fd in pipes:
                os.close(fd)

    def start_step(
        self,
        id: str,
        program: str,
        argv: list[str],
        base: str,
        overrides: dict[str, str],
        directory: str,
        stdout: str,
        stderr: str,
        pipes: list[int],
    ) -> int:
        """Make the process; its pid. pipes: where its outputs go instead of its logs; one, if they are the same."""
        actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
        if pipes:
            actions += ((os.POSIX_SPAWN_DUP2, pipes[0], 1), (os.POSIX_SPAWN_DUP2, pipes[-1], 2))
        else:
            actions.append((os.POSIX_SPAWN_OPEN, 1, stdout, APPENDING, FILE_MODE))
            if stdout == stderr:
                actions.append((os.POSIX_SPAWN_DUP2, 1, 2))
            else:
                actions.append((os.POSIX_SPAWN_OPEN, 2, stderr, APPENDING, FILE_MODE))
        environment = self.bases[base] | overrides
        environment["ARGOSY_RUN"] = self.run_uid
        environment["ARGOSY_STEP"] = id
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

    def start_fork(self, command: Command) -> bool:
        """Have a warm interpreter make the process; False if there can be none."""
        _, id, _, _, base, overrides, *_, mask, fork, _ = command
        if mask is not None:
            return False
        if self.forks is None:
            find_packages()
            from argosy.runners.local.forks import Forks

            self.forks = Forks(self.poll, f"{self.folder}/warm.log")
        common = self.bases[base] | {"ARGOSY_RUN": self.run_uid}
        return self.forks.take(id, fork, common, overrides, command)

    def hear_forks(self) -> bool:
        """Learn from warm interpreters which steps are there, and which are over; whether any is."""
        over = False
        for news in self.forks.hear() if self.forks is not None else ():
            match news:
                case ("pid", pid, ticks, command, kill):
                    id = command[1]
                    self.running[pid] = (id, 0, ())
                    self.pids[id] = pid
                    self.unwritten += f'{{"pid": {pid}, "of": {quoted(id)}, "ticks": {ticks}}}\n'.encode()
                    if kill is not None:
                        self.kill(id, *kill)
                case ("exit", pid, status):
                    over = self.note_end(pid, status) or over
                case ("again", command):
                    if not self.terminated:
                        self.start(*command[1:12])
                case ("never", id, number):
                    self.report(id, 128 + number, number, "")
                case _:
                    pass
        return over

    def start_filter(self, id: str, logs: Iterable[str], mask: Mask) -> list[int]:
        """Fork what writes the logs of a step without these texts; the ends of pipes that the step is to write to."""
        import_filter()
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
                become_filter(pairs, mask)
        except OSError:
            for fd in writes:
                os.close(fd)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
            for fd in (fd for pair in pairs for fd in pair):
                os.close(fd)
        self.filters[pid] = id
        self.filter_of[id] = pid
        return writes

    def kill(self, id: str, number: int, grace_seconds: float | None) -> None:
        pid = self.pids.get(id)
        if pid is None:
            forks = self.forks
            never = self.waiting.pop(id, None) is not None
            if never or (forks is not None and id in forks.of and forks.kill(id, number, grace_seconds)):
                self.report(id, 128 + number, number, "")
            return
        if number == signal.SIGKILL:
            self.kill_hard(pid)
            return
        _, shield, engine_kill = self.running[pid]
        if engine_kill:
            self.ask_engine(engine_kill, number)
        elif shield:
            signal_below(pid, number, shield)
        else:
            try_killpg(pid, number)
        if grace_seconds is not None:
            deadline = time.monotonic() + grace_seconds
            self.deadlines[id] = min(deadline, self.deadlines.get(id, deadline))

    def ask_engine(self, engine_kill: tuple[str, ...], number: int) -> None:
        """Signal a container through its engine; a signal to the engine's client would end the client only."""
        null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
        argv = [word.replace("{signal}", str(int(number))) for word in engine_kill]
        try:
            pid = os.posix_spawn(argv[0], argv, self.bases["engine"], file_actions=null, setsid=True)
        except OSError:
            return
        self.killers.add(pid)

    def kill_hard(self, pid: int) -> None:
        id, _, engine_kill = self.running[pid]
        if engine_kill:
            self.ask_engine(engine_kill, signal.SIGKILL)
            # The container may not have been made yet: the client still runs then, and this comes round again.
            self.deadlines[id] = time.monotonic() + ENGINE_KILL_AGAIN_SECONDS
        else:
            try_killpg(pid, signal.SIGKILL)

    def enforce_deadlines(self) -> None:
        now = time.monotonic()
        for id in [id for id, deadline in self.deadlines.items() if deadline <= now]:
            del self.deadlines[id]
            self.kill_hard(self.pids[id])

    # Exits

    def reap(self) -> None:
        # First: of what a warm interpreter left to us when it died we must know which step it is.
        orphaned = self.hear_forks()
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid in self.running and not self.running[pid][2]:
                try_killpg(pid, signal.SIGKILL)
            if self.note_end(pid, status):
                orphaned = True
                continue
            orphaned = orphaned or pid not in self.killers
            self.killers.discard(pid)
            if pid in self.filters:
                del self.filter_of[self.filters.pop(pid)]
        if not orphaned:
            return
        waiting = self.kill_orphans()
        waiting |= self.finish_logs([id for id, _ in self.ended if id not in waiting])
        ended = [exit for exit in self.ended if exit[0] not in waiting]
        self.ended = [exit for exit in self.ended if exit[0] in waiting]
        for id, status in ended:
            code = os.waitstatus_to_exitcode(status)
            self.report(id, code if code >= 0 else 128 - code, max(0, -code), "")
        if ended:
            self.idle_since = time.monotonic()

    def note_end(self, pid: int, status: int) -> bool:
        """The first process of a step has ended; False if it is none of a step."""
        if pid not in self.running:
            return False
        id, _, _ = self.running.pop(pid)
        del self.pids[id]
        self.placed.discard(id)
        self.deadlines.pop(id, None)
        self.ended.append((id, status))
        return True

    def finish_logs(self, ids: list[str]) -> set[str]:
        """Have what these steps wrote put into their logs; those of them that must wait for that."""
        waiting = {id for id in ids if id in self.filter_of}
        for id in waiting:
            try_kill(self.filter_of[id], signal.SIGTERM)
        return waiting

    def report(self, id: str, code: int, number: int, message: str) -> None:
        line = (
            f'{{"exit": {quoted(id)}, "code": {code}, "signal": {number}, '
            f'"at": {time.time():.6f}, "message": {quoted(message)}}}\n'
        )
        self.unwritten += line.encode()
        self.exits_unwritten.append(line)
        self.placed.discard(id)
        self.tell(line)

    def children(self) -> list[int]:
        """This process's children, by a file that is kept open: it is read at every exit."""
        if self.children_file < 0:
            return []
        part = os.pread(self.children_file, 4096, 0)
        return [int(pid) for pid in part.split()] if len(part) < 3500 else children_of(os.getpid())

    def kill_orphans(self) -> set[str]:
        """Kill what ended steps left behind, and say which of them must wait for that. Orphans are our children.

        An orphan without a step's id (it cleared its environment) is killed once nothing runs, unless it may be a
        container engine's monitor. What a killed orphan leaves behind comes here in turn.
        """
        waiting: set[str] = set()
        warm, asked = (self.forks.pids(), self.forks.of) if self.forks is not None else ((), ())
        nameless_may_go = not self.running and not self.engine_used and not asked
        for pid in self.children():
            if pid in self.running or pid in self.killers or pid in self.filters or pid in warm:
                continue
            condition = how_alive(pid)
            if condition == "dead":
                continue
            step = step_of(pid) if condition == "alive" else None
            if step is not None and step not in self.pids and step not in asked:
                try_kill(pid, signal.SIGKILL)
                waiting.add(step)
            elif step is None and (condition == "dying" or nameless_may_go):
                try_kill(pid, signal.SIGKILL)
                waiting.update(id for id, _ in self.ended)
        return waiting


def main() -> None:
    folder, run_uid, linger_seconds, socket_fd, lock_fd = sys.argv[1:]
    gc.disable()
    for fd in (int(socket_fd), int(lock_fd)):
        os.set_inheritable(fd, False)
    driver = socket(AF_UNIX, SOCK_STREAM, 0, int(socket_fd))
    supervisor = Supervisor(folder, run_uid, float(linger_seconds), driver)
    supervisor.serve()
    os.unlink(f"{folder}/socket")
    os._exit(0)


main()
