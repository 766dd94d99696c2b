"""The containers of one attempt in their order: what to start next, what to stop, how it ended.

It knows exits and dependencies, not files and not processes. Source: Argo docs: sidecar containers, init containers,
container-set-template.md; inferFailedReason for the words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from argosy.model.events import ContainerEnd
from argosy.model.status import Phase
from argosy.runners.local.runtimes.runtime import Exit, StepSpec

# What a process that was asked to stop may end with; of a sidecar it is no failure.
STOPPED_CODES = (137, 143)
# What a container of a set ends with when one that it depends on failed (Argo's executor).
DEPENDENCY_FAILED = 64
_REASONS = ("OOMKilled", "StartError")


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One container of a pod. needs: names of those that have to succeed before it.

    retries: how often it is started again after a failure, retry_seconds: after how long each time.
    """

    name: str
    spec: StepSpec
    needs: tuple[str, ...] = ()
    retries: int = 0
    retry_seconds: float = 0.0


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What to do next. stop: ids. ended: nothing runs and nothing will."""

    start: list[StepSpec] = []
    stop: list[str] = []
    ended: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended. exit_code: of the container main; None if it has none, or it has no code of its own."""

    phase: str
    message: str = ""
    exit_code: int | None = None
    containers: tuple[ContainerEnd, ...] = ()


class Pod:
    """The containers of one attempt. One thread at a time.

    Call order: `begin` or `take_up`, once; then `exited` with each exit. Ids are `<attempt>/<container>`, with
    `~<try>` for a container that is tried again. What `exited` is told twice, or of others, changes nothing.

    grace_seconds, deadline_seconds: what a podSpecPatch asks for, or None. write_record: what is left to be written
    down of the attempt once it has been started, or None.
    """

    __slots__ = (
        "_asked_to_stop",
        "_exits",
        "_running",
        "_stopping",
        "_tries",
        "attempt",
        "deadline_seconds",
        "grace_seconds",
        "inits",
        "is_daemon",
        "is_set",
        "mains",
        "name",
        "node",
        "sidecars",
        "write_record",
    )

    def __init__(
        self,
        *,
        attempt: str,
        node: str,
        name: str,
        mains: tuple[Piece, ...],
        inits: tuple[Piece, ...] = (),
        sidecars: tuple[Piece, ...] = (),
        is_set: bool = False,
        is_daemon: bool = False,
        grace_seconds: float | None = None,
        deadline_seconds: float | None = None,
    ) -> None:
        self.attempt, self.node, self.name = attempt, node, name
        self.inits, self.mains, self.sidecars = inits, mains, sidecars
        self.is_set, self.is_daemon = is_set, is_daemon
        self.grace_seconds, self.deadline_seconds = grace_seconds, deadline_seconds
        self._running: dict[str, str] = {}
        self._exits: dict[str, Exit] = {}
        self._tries: dict[str, int] = {}
        self._asked_to_stop: set[str] = set()
        self._stopping = False
        self.write_record: Callable[[], None] | None = None

    @property
    def main(self) -> Piece:
        """The container that gives outputs: the one named main, else the last."""
        return next((piece for piece in self.mains if piece.name == "main"), self.mains[-1])

    def pieces(self) -> tuple[Piece, ...]:
        """All containers."""
        return (*self.inits, *self.sidecars, *self.mains)

    def begin(self) -> list[StepSpec]:
        """What to start first."""
        return self._turn().start

    def exited(self, exit: Exit) -> Turn:
        """A container ended."""
        return Turn() if self._take_exit(exit) is None else self._turn()

    def take_up(self, known: Mapping[str, Exit | None]) -> Turn:
        """Go on in a new driver. known: every id that ever started, with its exit, or None while it runs."""
        for piece in self.pieces():
            while (id := self._id(piece)) in known:
                self._running[id] = piece.name
                exit = known[id]
                if exit is None or self._take_exit(exit) is None or piece.name in self._exits:
                    break
        return self._turn()

    def ids(self) -> list[str]:
        """Those that may be running; main is last."""
        return list(self._running)

    def last_id(self, name: str) -> str:
        """The id of a container's last try."""
        return self._id(next(piece for piece in self.pieces() if piece.name == name))

    def stop(self) -> list[str]:
        """Start nothing any more; the ids to stop."""
        self._stopping = True
        return list(self._running)

    # -- the order of things

    def _id(self, piece: Piece) -> str:
        tried = self._tries.get(piece.name, 0)
        return f"{piece.spec.id}~{tried}" if tried else piece.spec.id

    def _take_exit(self, exit: Exit) -> Piece | None:
        """Note an exit; the container, if it is one that runs."""
        name = self._running.pop(exit.id, None)
        if name is None:
            return None
        piece = next(piece for piece in self.pieces() if piece.name == name)
        tried = self._tries.get(name, 0)
        again = exit.code != 0 and tried < piece.retries and not (exit.lost or exit.refused or self._halted(name))
        if again:
            self._tries[name] = tried + 1
        else:
            self._exits[name] = exit
        return piece

    def _halted(self, name: str) -> bool:
        return self._stopping or name in self._asked_to_stop or self._has_failed(self.mains)

    def _has_failed(self, pieces: tuple[Piece, ...]) -> bool:
        return any(self._exits[piece.name].code != 0 for piece in pieces if piece.name in self._exits)

    def _turn(self) -> Turn:
        if len(self.mains) == 1 and not self.inits and not self.sidecars and not self.mains[0].retries:
            return self._turn_of_one()
        start = [] if self._stopping else self._startable()
        for spec, name in start:
            self._running[spec.id] = name
        stop = self._superfluous()
        return Turn(start=[spec for spec, _ in start], stop=stop, ended=not self._running)

    def _turn_of_one(self) -> Turn:
        piece = self.mains[0]
        if piece.name in self._exits or (self._stopping and not self._running):
            return Turn(ended=True)
        if self._running:
            return Turn()
        self._running[piece.spec.id] = piece.name
        return Turn(start=[piece.spec])

    def _startable(self) -> list[tuple[StepSpec, str]]:
        """Init containers one after another, then sidecars, then the main ones whose needs are met."""
        for piece in self.inits:
            exit = self._exits.get(piece.name)
            if exit is None:
                return [] if self._is_running(piece) else [self._begun(piece)]
            if exit.code != 0:
                return []
        if self._has_failed(self.mains):
            return []
        waiting = [piece for piece in self.mains if piece.name not in self._exits and not self._is_running(piece)]
        ready = [piece for piece in waiting if all(self._has_succeeded(name) for name in piece.needs)]
        sidecars: list[Piece] = []
        if not self._mains_are_over():
            sidecars = [p for p in self.sidecars if p.name not in self._exits and not self._is_running(p)]
        return [self._begun(piece) for piece in (*sidecars, *ready)]

    def _is_running(self, piece: Piece) -> bool:
        return self._id(piece) in self._running

    def _has_succeeded(self, name: str) -> bool:
        exit = self._exits.get(name)
        return exit is not None and exit.code == 0

    def _begun(self, piece: Piece) -> tuple[StepSpec, str]:
        spec, id = piece.spec, self._id(piece)
        if id != spec.id:
            spec = msgspec.structs.replace(spec, id=id, continues=spec.id, delay_seconds=piece.retry_seconds)
        return spec, piece.name

    def _mains_are_over(self) -> bool:
        if all(piece.name in self._exits for piece in self.mains):
            return True
        halted = self._stopping or self._has_failed(self.mains) or self._has_failed(self.inits)
        return halted and not any(self._is_running(piece) for piece in self.mains)

    def _superfluous(self) -> list[str]:
        """Ids to stop: sidecars when main is over, and the rest of a container set when one of it failed."""
        pieces: Iterable[Piece] = ()
        if self._mains_are_over():
            pieces = self.sidecars
        elif self._has_failed(self.mains):
            pieces = self.mains
        stop = [piece for piece in pieces if self._is_running(piece) and piece.name not in self._asked_to_stop]
        self._asked_to_stop.update(piece.name for piece in stop)
        return [self._id(piece) for piece in stop]

    # -- the end

    def verdict(self) -> Verdict:
        """How it ended; to be asked once `ended` was said, or once nothing runs of a pod that was stopped."""
        phase, message = self._phase()
        exit = self._exits.get("main")
        code = None if exit is None or exit.lost or exit.refused else exit.code
        containers = tuple(self._container_end(piece) for piece in self.mains) if self.is_set else ()
        return Verdict(phase=phase, message=message, exit_code=code, containers=containers)

    def _phase(self) -> tuple[str, str]:
        """Argo's order of preference: init containers, then main ones, then sidecars."""
        for piece in (*self.inits, *self.mains, *self.sidecars):
            exit = self._exits.get(piece.name)
            if exit is None or exit.code == 0:
                continue
            if piece in self.sidecars and exit.code in STOPPED_CODES and not exit.lost:
                continue
            if exit.lost or exit.refused:
                return Phase.ERROR, f"{piece.name}: {exit.message}"
            return Phase.FAILED, f"{piece.name}: {_described(exit)}"
        if any(piece.name not in self._exits for piece in self.mains):
            return Phase.FAILED, "stopped before it began"
        if self.is_daemon:
            return Phase.FAILED, "the daemon ended by itself, and daemons run until they are not needed any more"
        return Phase.SUCCEEDED, ""

    def _container_end(self, piece: Piece) -> ContainerEnd:
        exit = self._exits.get(piece.name)
        if exit is None:
            failed = next((name for name in piece.needs if not self._has_succeeded(name)), "")
            message = f"{piece.name}: Error (exit code {DEPENDENCY_FAILED}): {failed} did not succeed, and it needs it"
            if not failed:
                message = "it was never started: another container failed"
            return ContainerEnd(name=piece.name, phase=Phase.ERROR if failed else Phase.FAILED, message=message)
        if exit.code == 0:
            return ContainerEnd(name=piece.name, phase=Phase.SUCCEEDED)
        if exit.lost or exit.refused:
            return ContainerEnd(name=piece.name, phase=Phase.ERROR, message=f"{piece.name}: {exit.message}")
        return ContainerEnd(name=piece.name, phase=Phase.FAILED, message=f"{piece.name}: {_described(exit)}")


def _described(exit: Exit) -> str:
    """A failure in Kubernetes' words: the reason, the exit code, and more if there is more."""
    reason, colon, rest = exit.message.partition(": ")
    if reason not in _REASONS:
        reason, rest = "Error", exit.message if colon or " " in exit.message else ""
    return f"{reason} (exit code {exit.code})" + (f": {rest}" if rest else "")
