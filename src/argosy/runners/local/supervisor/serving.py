"""The steps of one run: started when they are asked for and there is room, watched, killed, and told of when they end.

It knows processes and commands (see `supervisor.py`), not what a workflow, a template or a container is.
"""

from __future__ import annotations

import ctypes
import os
import select
import time

from argosy.runners.local.awake import Awake
from argosy.runners.local.supervisor.children import (
    Children,
    how_alive,
    signal_below,
    step_of,
    ticks_now,
    try_kill,
    try_killpg,
)
from argosy.runners.local.supervisor.driver import Driver
from argosy.runners.local.supervisor.exits import Exits, quoted
from argosy.runners.local.supervisor.starting import spawn, why_not_started

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from _socket import socket
    from collections.abc import Iterable

    from argosy.runners.local.supervisor.driver import Command
    from argosy.runners.local.supervisor.forks import Forks
    from argosy.runners.local.supervisor.masking import Mask
    from argosy.runners.local.supervisor.zygotes import Zygotes

    Running = tuple[str, int, tuple[str, ...]]  # id, shield, engine_kill
else:
    import _signal as signal

PR_SET_CHILD_SUBREAPER = 36
STARTS_BETWEEN_REAPS = 8
# Where nothing runs since a step ended a moment ago, the driver is about to ask for the next one.
AWAKE_SECONDS = 0.001

# Between a sandbox's first process and the step's own there is nothing else.
SHIELD_OF_ZYGOTES = 1
ENGINE_KILL_AGAIN_SECONDS = 5.0
RECORD_SOON_SECONDS = 0.05
FULL_DISK_SECONDS = 24 * 3600.0


def do_nothing(*_: object) -> None:
    """A handler that only makes the signal be noticed."""


class Supervisor:
    """One run's processes. Single-threaded: everything happens in `serve`."""

    def __init__(self, folder: str, run_uid: str, linger_seconds: float, driver: socket, lock: int) -> None:
        self.folder = folder
        self.run_uid = run_uid
        self.linger_seconds = linger_seconds
        self.waiting: dict[str, Command] = {}  # by id, what is to run when there is room
        self.placed: set[str] = set()  # of what runs, those that had a width
        self.bases: dict[str, dict[str, str]] = {"": {}}
        self.running: dict[int, Running] = {}
        self.pids: dict[str, int] = {}
        self.killers: set[int] = set()
        self.filters: dict[int, str] = {}  # by pid, the step whose outputs it writes
        self.filter_of: dict[str, int] = {}
        self.forks: Forks | None = None
        self.zygotes: Zygotes | None = None
        self.lock = lock
        self.ended: list[tuple[str, int]] = []  # not told yet: something that they left behind is still dying
        self.deadlines: dict[str, float] = {}
        self.engine_used = False
        self.terminated = False
        self.idle_since = time.monotonic()
        self.awake = Awake()
        self.exits = Exits(folder)
        self.seen = self.exits.known
        self.woken, wake = os.pipe()
        for fd in (self.woken, wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, do_nothing)
        signal.signal(signal.SIGTERM, self.on_terminate)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.children = Children()
        self.poll = select.poll()
        self.poll.register(self.woken, select.POLLIN)
        self.driver = Driver(folder, driver, self.poll, self.driver_gone)

    def driver_gone(self) -> None:
        self.idle_since = time.monotonic()

    # The loop

    def serve(self) -> None:
        while True:
            news = self.news()
            if self.exits.has_waiting and not news:
                self.exits.write()
            for fd, _ in news:
                if fd == self.woken:
                    os.read(self.woken, 4096)
                    self.reap()
                elif not self.driver.hear(fd) and self.forks is not None and self.forks.has(fd):
                    self.reap()
            self.carry_out()
            self.enforce_deadlines()
            self.exits.write_ends()
            self.driver.flush()
            if self.is_done():
                return

    def news(self) -> list[tuple[int, int]]:
        """What there is to do, waiting for it; awake where it is about to come."""
        timeout = self.timeout_ms()
        if timeout and self.driver.is_there and not self.running:
            news = self.awake.news(self.poll, self.idle_since + AWAKE_SECONDS)
            if news:
                return news
        return self.poll.poll(timeout)

    def timeout_ms(self) -> int:
        if self.driver.commands:
            return 0
        waits = [deadline - time.monotonic() for deadline in self.deadlines.values()]
        if not self.driver.is_there and not self.running:
            waits.append(self.leaves_at() - time.monotonic())
        if self.exits.has_waiting:
            waits.append(1.0 if self.exits.is_full else RECORD_SOON_SECONDS)
        return max(0, int(min(waits) * 1000) + 1) if waits else -1

    def is_done(self) -> bool:
        if self.running or self.ended or ((self.driver.commands or self.waiting) and not self.terminated):
            return False
        if self.terminated:
            return True
        if self.forks is not None and self.forks.of:
            return False
        if self.driver.is_there:
            return False
        return time.monotonic() >= self.leaves_at()

    def leaves_at(self) -> float:
        """An exit that is not in the file would be lost with this process: it waits for room, but not for ever."""
        waits_for_room = self.exits.has_waiting and self.exits.is_full
        return self.idle_since + (FULL_DISK_SECONDS if waits_for_room else self.linger_seconds)

    def on_terminate(self, *_: object) -> None:
        """The machine goes down, or a person wants this gone: take the steps along."""
        self.terminated = True
        for pid in self.running:
            self.kill_hard(pid)
        for pid in self.forks.pids() if self.forks is not None else ():
            try_killpg(pid, signal.SIGKILL)

    # Commands

    def carry_out(self) -> None:
        """Do some of what was asked; exits are looked at in between."""
        if asked := self.driver.commands:
            commands = asked[:STARTS_BETWEEN_REAPS]
            del asked[:STARTS_BETWEEN_REAPS]
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
                    self.exits.write()
                    self.driver.tell(f'{self.exits.missing}{{"hello": {os.getpid()}}}\n')
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
        if command[13] is None or not self.start_fork(command):
            self.start(*command[1:13])

    def record_starts(self, ids: Iterable[str]) -> None:
        if lines := "".join([f'{{"started": {quoted(id)}}}\n' for id in ids]):
            self.exits.write(lines)

    def start(
        self,
        id: str,
        program: str,
        argv: tuple[str, ...],
        base: str,
        overrides: dict[str, str],
        directory: str,
        stdout: str,
        stderr: str,
        shield: int,
        engine_kill: tuple[str, ...],
        mask: Mask | None,
        shell: tuple[str, ...],
    ) -> None:
        pipes: list[int] = []
        pid = 0
        try:
            if mask is not None:
                pipes = self.start_filter(id, dict.fromkeys((stdout, stderr)), mask)
            environment = self.bases[base] | overrides
            environment["ARGOSY_RUN"] = self.run_uid
            environment["ARGOSY_STEP"] = id
            if shell and mask is None and (pid := self.zygotes_made().make(shell, argv, environment, stdout, stderr)):
                shield = SHIELD_OF_ZYGOTES
            pid = pid or spawn(program, argv, environment, directory, stdout, stderr, pipes)
        except (OSError, ValueError) as error:
            code, message = why_not_started(error, program, directory, (stdout, stderr))
            for text in mask[0] if mask is not None else ():
                message = message.replace(os.fsdecode(text), "***")
            self.report(id, code, 0, message)
        else:
            self.running[pid] = (id, shield, engine_kill)
            self.pids[id] = pid
            self.engine_used = self.engine_used or bool(engine_kill)
            self.exits.write_soon(f'{{"pid": {pid}, "of": {quoted(id)}, "ticks": {ticks_now()}}}\n')
        finally:
            for fd in pipes:
                os.close(fd)

    def zygotes_made(self) -> Zygotes:
        """Not for a step with secrets: the next sandbox begins as a copy of what a zygote has in memory."""
        if self.zygotes is None:
            from argosy.runners.local.supervisor.zygotes import Zygotes

            self.zygotes = Zygotes(os.path.dirname(self.folder), self.lock)
        return self.zygotes

    def start_fork(self, command: Command) -> bool:
        """Have a warm interpreter make the process; False if there can be none."""
        _, id, _, _, base, overrides, *_, mask, _, fork, _ = command
        if mask is not None:
            return False
        if self.forks is None:
            from argosy.runners.local.supervisor.forks import Forks

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
                    self.exits.write_soon(f'{{"pid": {pid}, "of": {quoted(id)}, "ticks": {ticks}}}\n')
                    if kill is not None:
                        self.kill(id, *kill)
                case ("exit", pid, status):
                    over = self.note_end(pid, status) or over
                case ("again", command):
                    if not self.terminated:
                        self.start(*command[1:13])
                case ("never", id, number):
                    self.report(id, 128 + number, number, "")
                case _:
                    pass
        return over

    def start_filter(self, id: str, logs: Iterable[str], mask: Mask) -> list[int]:
        """Have the logs of a step written without these texts; the ends of pipes that the step is to write to."""
        from argosy.runners.local.supervisor.masking import start

        pid, writes = start(logs, mask)
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
            if self.zygotes is not None:
                self.zygotes.ended(pid)
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
        self.exits.end(line)
        self.placed.discard(id)
        self.driver.tell(line)

    def kill_orphans(self) -> set[str]:
        """Kill what ended steps left behind, and say which of them must wait for that. Orphans are our children.

        An orphan without a step's id (it cleared its environment) is killed once nothing runs, unless it may be a
        container engine's monitor. What a killed orphan leaves behind comes here in turn.
        """
        waiting: set[str] = set()
        makers, asked = (self.forks.pids(), self.forks.of) if self.forks is not None else ([], ())
        if self.zygotes is not None:
            makers += self.zygotes.pids()
        nameless_may_go = not self.running and not self.engine_used and not asked
        for pid in self.children.pids():
            if pid in self.running or pid in self.killers or pid in self.filters or pid in makers:
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
