"""The supervisor's end of warm interpreters: they fork the steps that call a function of one program.

It knows pipes and their lines (`argosy.dsl.warm` says which), not what else the supervisor runs. It is imported by the
supervisor when the first such step is started; hence it imports next to nothing.
"""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select
    from collections.abc import Mapping
    from typing import Any

    Command = tuple[Any, ...]
    Fork = tuple[str, tuple[str, ...], str, dict[str, str], str]

POLLIN, POLLOUT = 1, 4
# In the environment of a warm interpreter: room for the id of any step.
ROOM = " " * 255
MOST_INTERPRETERS = 8
MOST_DEATHS = 3


class Asked:
    """A step that was asked for and has not said yet that it is there. kill: what it is to get when it is."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.sent = False
        self.kill: tuple[int, float | None] | None = None


class Interpreter:
    """One warm interpreter. Raises OSError when it cannot be started."""

    def __init__(self, key: object, fork: Fork, environment: Mapping[str, str], log: str) -> None:
        program, argv, root, _, _ = fork
        self.key = key
        self.ready = False
        self.heard = b""
        self.outgoing = b""
        self.waiting: list[bytes] = []
        self.asked: dict[str, Asked] = {}
        down, self.down = os.pipe()
        self.up, up = os.pipe()
        for fd in (down, up):
            os.set_inheritable(fd, True)
        for fd in (self.down, self.up):
            os.set_blocking(fd, False)
        try:
            os.chdir(root)
            self.pid = os.posix_spawn(
                program,
                [*argv, str(down), str(up)],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigmask=(),
            )
        except OSError:
            self.close()
            raise
        finally:
            os.close(down)
            os.close(up)

    def close(self) -> None:
        os.close(self.down)
        os.close(self.up)

    def send(self) -> None:
        """Write what it can take now. One that is dead says so at the other pipe."""
        try:
            while self.outgoing:
                self.outgoing = self.outgoing[os.write(self.down, self.outgoing) :]
        except BlockingIOError:
            return
        except OSError:
            self.outgoing = b""

    def lines(self) -> tuple[list[str], bool]:
        """What it has said since, and whether it is over: it has died, and so has every fork that had not begun."""
        over = False
        while True:
            try:
                part = os.read(self.up, 1 << 16)
            except BlockingIOError:
                break
            except OSError:
                part = b""
            if not part:
                over = True
                break
            self.heard += part
        *lines, self.heard = self.heard.split(b"\n")
        return [os.fsdecode(line) for line in lines], over


class Forks:
    """The warm interpreters of a run, each started when a step needs it first.

    poll: what their descriptors are registered with. log: where they write what is no step's.
    """

    def __init__(self, poll: select.poll, log: str) -> None:
        self._poll = poll
        self._log = log
        self._by_key: dict[object, Interpreter] = {}
        self._by_fd: dict[int, Interpreter] = {}
        self._deaths: dict[object, int] = {}
        self.of: dict[str, Interpreter] = {}  # by the ids of the steps that were asked for

    def pids(self) -> list[int]:
        """The interpreters themselves."""
        return [one.pid for one in self._by_key.values()]

    def has(self, fd: int) -> bool:
        return fd in self._by_fd

    def take(self, id: str, fork: Fork, common: dict[str, str], overrides: Mapping[str, str], command: Command) -> bool:
        """Have a step forked; False if that is not possible: then it is to be started like any other.

        common: the environment of all steps. overrides: what the step has besides. command: what starts it otherwise.
        """
        known = fork[3]
        key = (*fork[:3], tuple(sorted(known.items())))
        interpreter = self._by_key.get(key) or self._started(key, fork, common | known)
        if interpreter is None:
            return False
        directory, stdout, stderr = command[6:9]
        own = {name: value for name, value in overrides.items() if known.get(name) != value}
        own["ARGOSY_STEP"] = id
        frame = marshal.dumps((id, fork[4], directory, own, stdout, stderr), 2)
        interpreter.asked[id] = Asked(command)
        self.of[id] = interpreter
        interpreter.waiting.append(len(frame).to_bytes(4, "little") + frame)
        self._send(interpreter)
        return True

    def _started(self, key: object, fork: Fork, environment: dict[str, str]) -> Interpreter | None:
        if len(self._by_key) >= MOST_INTERPRETERS or self._deaths.get(key, 0) >= MOST_DEATHS:
            return None
        try:
            interpreter = Interpreter(key, fork, environment | {"ARGOSY_WARM": ROOM}, self._log)
        except OSError:
            self._deaths[key] = MOST_DEATHS
            return None
        self._by_key[key] = interpreter
        self._by_fd[interpreter.up] = self._by_fd[interpreter.down] = interpreter
        self._poll.register(interpreter.up, POLLIN)
        return interpreter

    def _send(self, interpreter: Interpreter) -> None:
        """Nothing is sent before the program is loaded: until then a step can be called off."""
        if not interpreter.ready:
            return
        if interpreter.waiting:
            interpreter.outgoing += b"".join(interpreter.waiting)
            interpreter.waiting.clear()
            for asked in interpreter.asked.values():
                asked.sent = True
        was = bool(interpreter.outgoing)
        interpreter.send()
        if interpreter.outgoing:
            self._poll.register(interpreter.down, POLLOUT)
        elif was:
            self._forget(interpreter.down)

    def _forget(self, fd: int) -> None:
        try:
            self._poll.unregister(fd)
        except KeyError:
            return

    def hear(self) -> list[tuple[Any, ...]]:
        """What became of steps.

        ("pid", pid, ticks, command, kill), ("exit", pid, status), ("again", command), ("never", id, signal).
        """
        news: list[tuple[Any, ...]] = []
        for interpreter in list(self._by_key.values()):
            lines, over = interpreter.lines()
            for line in lines:
                self._understand(interpreter, line, news)
            if over:
                self._bury(interpreter, news)
            else:
                self._send(interpreter)
        return news

    def _understand(self, interpreter: Interpreter, line: str, news: list[tuple[Any, ...]]) -> None:
        word, *rest = line.split(" ", 3)
        if word == "ready":
            interpreter.ready = True
        elif word == "exit":
            if rest[2] in interpreter.asked:
                self._not_begun(interpreter, rest[2], news)
            news.append(("exit", int(rest[0]), int(rest[1])))
        elif word == "pid":
            asked = interpreter.asked.pop(rest[2])
            del self.of[rest[2]]
            news.append(("pid", int(rest[0]), rest[1], asked.command, asked.kill))
        elif word == "refused":
            self._not_begun(interpreter, line.partition(" ")[2], news)

    def _bury(self, interpreter: Interpreter, news: list[tuple[Any, ...]]) -> None:
        """It is dead. Those of its steps that run are our children now; those that had not begun begin again."""
        self._deaths[interpreter.key] = self._deaths.get(interpreter.key, 0) + (1 if interpreter.ready else MOST_DEATHS)
        del self._by_key[interpreter.key]
        for fd in (interpreter.up, interpreter.down):
            self._forget(fd)
            del self._by_fd[fd]
        interpreter.close()
        for id in list(interpreter.asked):
            self._not_begun(interpreter, id, news)

    def _not_begun(self, interpreter: Interpreter, id: str, news: list[tuple[Any, ...]]) -> None:
        """A step that never said that it is there: it begins another way, unless it was to end meanwhile."""
        del self.of[id]
        asked = interpreter.asked.pop(id)
        news.append(("again", asked.command) if asked.kill is None else ("never", id, asked.kill[0]))

    def kill(self, id: str, number: int, grace_seconds: float | None) -> bool:
        """Signal a step that is not there yet as soon as it is; True if it is called off instead, and never begins."""
        interpreter = self.of[id]
        asked = interpreter.asked[id]
        if asked.sent:
            asked.kill = (number, grace_seconds)
            return False
        place = list(interpreter.asked).index(id)
        del interpreter.asked[id], self.of[id], interpreter.waiting[place]
        return True
