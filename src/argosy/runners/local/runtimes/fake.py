"""The scripted runner: steps that last as long and end as the rules say, on a clock of its own, without a process.

It knows the `Runner` interface and nothing of machines; `argosy plan`, simulated runs and tests drive the loop with it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import msgspec

from argosy.runners.local.runtimes.places import host_path
from argosy.runners.local.runtimes.runtime import Exit, StepSpec

EPOCH = 1_000_000_000.0
CODE_OF_TERM = 143
CODE_OF_KILL = 137


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What a scripted step does.

    duration_seconds: on the runner's clock; None means until it is stopped. files: text by path as the step sees it
    (absolute, or relative to its working folder), written when it ends; they and stdout need the step's folder.
    tidy_seconds: how long it goes on after SIGTERM; None means that it ignores it.
    """

    duration_seconds: float | None = 1.0
    code: int = 0
    message: str = ""
    stdout: str = ""
    files: dict[str, str] = {}
    lost: bool = False
    refused: bool = False
    tidy_seconds: float | None = 0.0


Rule = Callable[[StepSpec], Behaviour | None]


class FakeRunner:
    """A `Runner` (see `runtime.Runner`) whose time passes only in `wait`, and then at once.

    rules: asked in order, the first answer counts; without one a step lasts a second and succeeds. started: every id
    that was started, in order.
    """

    name: ClassVar[str] = "fake"
    holds_back: ClassVar[bool] = False

    def __init__(self, *rules: Rule, start_at: float = EPOCH) -> None:
        self._rules = rules
        self._now = start_at
        self._running: dict[str, tuple[StepSpec, Behaviour]] = {}
        self._ends: dict[str, float] = {}
        self._queue: list[tuple[float, int, str]] = []
        self._known: dict[str, Exit | None] = {}
        self._told: set[str] = set()
        self.started: list[str] = []
        self.specs: dict[str, StepSpec] = {}
        self.signals: list[tuple[str, int]] = []

    def adopt(self) -> dict[str, Exit | None]:
        self._told.update(id for id, exit in self._known.items() if exit is not None)
        return dict(self._known)

    def start(self, specs: list[StepSpec], width: int = 0) -> None:
        for spec in specs:
            if spec.id in self._known:
                continue
            behaviour = next((found for rule in self._rules if (found := rule(spec)) is not None), Behaviour())
            self._known[spec.id] = None
            self._running[spec.id] = (spec, behaviour)
            self.started.append(spec.id)
            self.specs[spec.id] = spec
            if behaviour.duration_seconds is not None:
                self._end_at(spec.id, self._now + spec.delay_seconds + behaviour.duration_seconds)

    def _end_at(self, id: str, at: float) -> None:
        self._ends[id] = at
        heapq.heappush(self._queue, (at, len(self.started), id))

    def wait(self, timeout_seconds: float | None = None) -> list[Exit]:
        """The next exits, all those of one moment; the clock moves to it, or by the timeout if that is sooner."""
        self._drop_superseded()
        if not self._queue:
            self._now += timeout_seconds or 0.0
            return []
        moment = self._queue[0][0]
        if timeout_seconds is not None and moment > self._now + timeout_seconds:
            self._now += timeout_seconds
            return []
        self._now = max(self._now, moment)
        exits: list[Exit] = []
        while self._queue and self._queue[0][0] == moment:
            _, _, id = heapq.heappop(self._queue)
            exits.append(self._end(id))
            self._drop_superseded()
        return [exit for exit in exits if exit.id not in self._told]

    def _drop_superseded(self) -> None:
        """Pass over ends that a stop has brought forward."""
        while self._queue and self._ends.get(self._queue[0][2]) != self._queue[0][0]:
            heapq.heappop(self._queue)

    def _end(self, id: str) -> Exit:
        spec, behaviour = self._running.pop(id)
        del self._ends[id]
        if self._known[id] is None:
            _write(spec, behaviour)
            self._known[id] = Exit(
                id=id,
                code=behaviour.code,
                at=self._now,
                message=behaviour.message,
                lost=behaviour.lost,
                refused=behaviour.refused,
            )
        exit = self._known[id]
        assert exit is not None
        return exit

    def stop(self, id: str, grace_seconds: float) -> None:
        if id not in self._running:
            return
        spec, behaviour = self._running[id]
        tidy = behaviour.tidy_seconds
        killed = tidy is None or tidy > grace_seconds
        at = self._now + (grace_seconds if killed or tidy is None else tidy)
        if at >= self._ends.get(id, float("inf")):
            return
        code, number = (CODE_OF_KILL, 9) if killed else (CODE_OF_TERM, 15)
        self._running[id] = (spec, msgspec.structs.replace(behaviour, code=code, message=f"signal {number}", files={}))
        self._end_at(id, at)

    def signal(self, id: str, number: int) -> None:
        if id in self._running:
            self.signals.append((id, number))

    def address(self, id: str) -> str:
        return "127.0.0.1"

    def now(self) -> float:
        return self._now

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        """Nothing runs outside this object: it can be adopted from as long as it is kept."""


def _write(spec: StepSpec, behaviour: Behaviour) -> None:
    if behaviour.stdout:
        with open(spec.stdout, "a") as log:
            log.write(behaviour.stdout)
    for path, text in behaviour.files.items():
        place = place_of(spec, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def place_of(spec: StepSpec, path: str) -> Path:
    """Where on the host a file is that the step names `path`: as in a sandbox."""
    return Path(host_path(spec, path, "sandbox"))
