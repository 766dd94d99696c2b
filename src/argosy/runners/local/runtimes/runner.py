"""A runtime and a supervisor put together: the steps of one run, really running.

It knows neither what a runtime makes of a step nor how the supervisor is reached.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import ClassVar

import msgspec

from argosy.artifacts.redaction import hidden
from argosy.errors import EnvironmentTrouble
from argosy.runners.local.runtimes.runtime import Exit, Runtime, Spawn, StartFailure, StepSpec
from argosy.runners.local.supervision import LINGER_SECONDS, Supervision


class SupervisedRunner:
    """The `Runner` of real runs. Open it with `open`; see `runtime.Runner` for what each verb promises."""

    holds_back: ClassVar[bool] = True

    def __init__(self, runtime: Runtime, supervision: Supervision, run_uid: str) -> None:
        self._runtime = runtime
        self._supervision = supervision
        self._run_uid = run_uid
        self._told: set[str] = set()
        self._refused: list[Exit] = []
        self._later: dict[str, tuple[float, StepSpec]] = {}
        self._no_news = -1
        for key, environment in runtime.bases().items():
            supervision.define(key, environment)

    @classmethod
    def open(
        cls,
        runtime: Runtime,
        folder: Path,
        run_uid: str,
        *,
        linger_seconds: float = LINGER_SECONDS,
        needed_now: bool = True,
    ) -> SupervisedRunner:
        """Find the run's supervisor or start one. folder: the supervisor's own, e.g. `<run folder>/supervisor`.

        needed_now: False if perhaps nothing will run: then the first step starts it, when there never was one. Raises
        EnvironmentTrouble if that is impossible.
        """
        if needed_now or folder.exists():
            supervision = Supervision.connect_or_start(folder, run_uid, linger_seconds=linger_seconds)
        else:
            supervision = Supervision(folder.absolute(), run_uid, linger_seconds)
        return cls(runtime, supervision, run_uid)

    def adopt(self) -> dict[str, Exit | None]:
        finished = self._finish(self._supervision.wait(0))
        known = self._supervision.known() | {exit.id: exit for exit in finished}
        self._told.update(id for id, exit in known.items() if exit is not None)
        return known

    def start(self, specs: list[StepSpec], width: int = 0) -> None:
        spawns: list[Spawn] = []
        for spec in specs:
            if spec.delay_seconds:
                self._put_off(spec)
                continue
            try:
                spawns.append(_masked(self._runtime.spawn(spec, self._run_uid), spec))
            except EnvironmentTrouble as trouble:
                message = _shown(f"{trouble.message} {trouble.hint}".rstrip(), spec)
                self._refused.append(Exit(id=spec.id, code=126, at=time.time(), refused=True, message=message))
            except StartFailure as failure:
                exit = Exit(id=spec.id, code=failure.code, at=time.time(), message=_shown(failure.message, spec))
                self._refused.append(exit)
        self._supervision.spawn(spawns, width)

    def _put_off(self, spec: StepSpec) -> None:
        """Start it in a later `wait`. A driver that dies meanwhile has not started it: its successor does."""
        if spec.id not in self._supervision.known():
            now = msgspec.structs.replace(spec, delay_seconds=0.0)
            self._later[spec.id] = (time.monotonic() + spec.delay_seconds, now)

    def _start_due(self, timeout_seconds: float | None) -> float | None:
        """Start what was put off long enough; the timeout, shortened to when the next is due."""
        now = time.monotonic()
        due = [spec for at, spec in self._later.values() if at <= now]
        for spec in due:
            del self._later[spec.id]
        if due:
            self.start(due)
        left = [at - now for at, _ in self._later.values()]
        if left and (timeout_seconds is None or min(left) < timeout_seconds):
            return min(left)
        return timeout_seconds

    def wait(self, timeout_seconds: float | None = None) -> list[Exit]:
        if self._later:
            timeout_seconds = self._start_due(timeout_seconds)
        refused, self._refused = self._refused, []
        exits = self._supervision.wait(0 if refused else timeout_seconds)
        return refused + [exit for exit in self._finish(exits) if exit.id not in self._told]

    def _finish(self, exits: list[Exit]) -> list[Exit]:
        if any(exit.lost for exit in exits):
            self._runtime.clean_up(self._run_uid)
        return [self._runtime.after_exit(exit) for exit in exits]

    def stop(self, id: str, grace_seconds: float) -> None:
        if self._later.pop(id, None) is not None:
            self._refused.append(Exit(id=id, code=128 + signal.SIGTERM, signal=signal.SIGTERM, at=time.time()))
        self._supervision.kill(id, signal.SIGTERM, grace_seconds)

    def signal(self, id: str, number: int) -> None:
        self._supervision.kill(id, number)

    def address(self, id: str) -> str:
        return self._runtime.address(self._run_uid, id)

    def now(self) -> float:
        return time.time()

    def fileno(self) -> int:
        found = self._supervision.fileno()
        if found >= 0:
            return found
        # Without a supervisor there is no news, which a descriptor that is never readable says too.
        if self._no_news < 0:
            self._no_news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return self._no_news

    def close(self) -> None:
        self._supervision.close()
        if self._no_news >= 0:
            os.close(self._no_news)
            self._no_news = -1


def _masked(spawn: Spawn, spec: StepSpec) -> Spawn:
    """The process, whose outputs are kept without the secrets that the step was given."""
    if spec.hidden is None:
        return spawn
    return msgspec.structs.replace(spawn, mask=(spec.hidden.texts, spec.hidden.broken))


def _shown(message: str, spec: StepSpec) -> str:
    return message if spec.hidden is None else hidden(message, spec.hidden)
