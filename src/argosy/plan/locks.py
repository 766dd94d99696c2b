"""A wait for locks: of a node, or of the whole run.

It knows what is asked for and how the wait may end, not who holds what. Source: Argo docs: synchronization.md.
"""

from __future__ import annotations

from typing import Protocol

from argosy.model.manifest import Synchronization
from argosy.model.status import Phase
from argosy.plan.actions import AcquireLocks, ReleaseLocks
from argosy.plan.run import RunState, Timer


class LockUser(Protocol):
    """Who waits for locks."""

    def locks_waited_for(self, name: str) -> None:
        """Another holds the lock of that name."""

    def locks_granted(self) -> None:
        """All locks are held."""

    def locks_failed(self, phase: Phase, message: str) -> None:
        """The wait has ended without them."""


class LockWait:
    """One wait, and the holding after it."""

    __slots__ = ("_id", "_run", "_timer", "user")

    def __init__(self, run: RunState, id: str, user: LockUser) -> None:
        self._run = run
        self._id = id
        self.user = user
        self._timer: Timer | None = None

    def begin(self, wanted: Synchronization, deadline: float, too_late: str) -> None:
        """Ask for the locks. deadline: when to give up, in seconds since the epoch, or 0.0; too_late: the message."""
        run = self._run
        run.waiting_locks[self._id] = self
        run.decide(AcquireLocks(node=self._id, synchronization=wanted))
        if deadline:
            self._timer = run.at(deadline, lambda: self.fail(Phase.FAILED, too_late))

    def answered(self, waiting_for: str, error: str) -> None:
        """What the driver says: the locks are held, another has them, or they cannot be had."""
        if error:
            self.fail(Phase.ERROR, error)
        elif waiting_for:
            self.user.locks_waited_for(waiting_for)
        else:
            self._over()
            self.user.locks_granted()

    def fail(self, phase: Phase, message: str) -> None:
        """Wait no longer."""
        self._over()
        self._run.withdraw(AcquireLocks, self._id)
        self.user.locks_failed(phase, message)

    def release(self) -> None:
        """Give back what is held or waited for."""
        self._run.withdraw(AcquireLocks, self._id)
        self._run.decide(ReleaseLocks(node=self._id))

    def _over(self) -> None:
        self._run.waiting_locks.pop(self._id, None)
        if self._timer is not None:
            self._timer.cancel()
