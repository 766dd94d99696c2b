"""Which process may write a run's journal: a lease with a fencing number, in the record.

It knows owners and fences, not facts.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from argosy.errors import NotFound
from argosy.record.database import Database
from argosy.record.ownership import Liveness, Owner
from argosy.record.troubles import LeaseHeld, LeaseLost


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to write one run's journal. fence grows with every owner; a smaller one is refused.

    generation: the run's; a new one makes leases of the old one worthless.
    """

    run_id: int
    name: str
    generation: int
    fence: int
    owner: Owner
    seconds: float


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What the record says of a run's owner. owner is None when nobody took the run, or it was given back."""

    fence: int
    owner: Owner | None
    expires_at: float

    def held(self, *, now: float, alive: Liveness) -> bool:
        """Whether somebody drives the run: a process known to live, or an unknown one whose time is not over."""
        if self.owner is None:
            return False
        known = alive(self.owner)
        return now < self.expires_at if known is None else known


def holding(database: Database, run_id: int) -> Holding:
    """The lease of a run as it is now. Raises NotFound when the run is not there."""
    found = database.row(
        "SELECT fence, host, pid, boot_id, start_ticks, expires_at FROM leases WHERE run = ?", (run_id,)
    )
    if found is None:
        raise NotFound(f"Run number {run_id} is not in the record", hint="argosy list shows what is")
    fence, host, pid, boot_id, start_ticks, expires_at = found
    owner = None if host is None else Owner(host=host, pid=pid, boot_id=boot_id, start_ticks=start_ticks)
    return Holding(fence=fence, owner=owner, expires_at=expires_at)


class Leases:
    """Takes, renews, gives back and checks leases."""

    def __init__(self, database: Database, *, now: Callable[[], float], alive: Liveness) -> None:
        self._database = database
        self._now = now
        self._alive = alive

    def acquire(self, run_id: int, name: str, *, owner: Owner, seconds: float) -> Lease:
        """Take the run. Raises LeaseHeld when another drives it."""
        with self._database.write():
            fence = self.refuse_held(run_id, name, by=owner) + 1
            self._database.execute(
                "UPDATE leases SET fence = ?, host = ?, pid = ?, boot_id = ?, start_ticks = ?, expires_at = ?"
                " WHERE run = ?",
                (fence, owner.host, owner.pid, owner.boot_id, owner.start_ticks, self._now() + seconds, run_id),
            )
            [(generation,)] = self._database.rows("SELECT generation FROM runs WHERE id = ?", (run_id,))
        return Lease(run_id=run_id, name=name, generation=generation, fence=fence, owner=owner, seconds=seconds)

    def refuse_held(self, run_id: int, name: str, *, by: Owner | None = None) -> int:
        """The run's present fence, once it is sure that nobody drives it. Raises LeaseHeld."""
        found = holding(self._database, run_id)
        holder = found.owner
        # A process asking about itself lives; only the time tells whether the part that held the lease does.
        alive = self._alive if holder != by else _unknown
        if holder is not None and found.held(now=self._now(), alive=alive):
            raise LeaseHeld(
                f"Run {name} is driven by process {holder.pid} on {holder.host}",
                hint=f"follow it with argosy watch {name}, or end it with argosy stop {name}",
            )
        return found.fence

    def renew(self, lease: Lease) -> None:
        """Hold the run for another `lease.seconds`. Raises LeaseLost."""
        with self._database.write():
            self.check(lease)
            self._database.execute(
                "UPDATE leases SET expires_at = ? WHERE run = ?", (self._now() + lease.seconds, lease.run_id)
            )

    def release(self, lease: Lease) -> None:
        """Give the run back; nothing happens when it was lost already."""
        self._database.execute(
            "UPDATE leases SET host = NULL, pid = NULL, boot_id = NULL, start_ticks = NULL, expires_at = 0"
            " WHERE run = ? AND fence = ?",
            (lease.run_id, lease.fence),
        )

    def revoke(self, run_id: int, fence: int) -> None:
        """Make every lease up to `fence` worthless and the run free."""
        self._database.execute(
            "UPDATE leases SET fence = ?, host = NULL, pid = NULL, boot_id = NULL, start_ticks = NULL,"
            " expires_at = 0 WHERE run = ?",
            (fence + 1, run_id),
        )

    def check(self, lease: Lease) -> None:
        """Raises LeaseLost unless the lease is the run's present one. Call it inside the write it guards."""
        found = self._database.row("SELECT fence, host FROM leases WHERE run = ?", (lease.run_id,))
        if found is None:
            raise LeaseLost(f"Run {lease.name} was deleted while this process drove it")
        fence, host = found
        if fence != lease.fence or host is None:
            raise LeaseLost(
                f"Run {lease.name} is no longer driven by this process: another took it over",
                hint=f"follow it with argosy watch {lease.name}",
            )


def _unknown(_: Owner) -> bool | None:
    return None
