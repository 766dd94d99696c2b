"""The facts that a run is made of: what came from outside the planner, in order.

Everything else about a run follows from its manifest and these. `at` is seconds since the epoch, by the
driver's clock. It knows nothing of storage; `encode` and `decode` give the bytes.
"""

from __future__ import annotations

from functools import cache

import msgspec

from argosy.model.manifest import Outputs, Parameter


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event"):
    """A fact. at: when, in seconds since the epoch."""

    at: float


class RunStarted(Event, frozen=True, kw_only=True, tag=True):
    """The run began. Written once, before anything else."""


class AttemptStarted(Event, frozen=True, kw_only=True, tag=True):
    """The decision to start a leaf node, durable before its process exists."""

    node: str


class AttemptReady(Event, frozen=True, kw_only=True, tag=True):
    """A daemon answers its readiness probe, or has none and runs."""

    node: str
    ip: str = ""


class ContainerEnd(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one container of a container set ended."""

    name: str
    phase: str
    message: str = ""
    outputs: Outputs | None = None


class AttemptExited(Event, frozen=True, kw_only=True, tag=True):
    """A leaf node ended. phase is Succeeded, Failed or Error. containers: those of a container set."""

    node: str
    phase: str
    message: str = ""
    outputs: Outputs | None = None
    containers: tuple[ContainerEnd, ...] = ()


class LocksGranted(Event, frozen=True, kw_only=True, tag=True):
    """A node holds every lock it asked for."""

    node: str


class LocksRefused(Event, frozen=True, kw_only=True, tag=True):
    """A node waits: another holds the lock. Or, with an error, it can never have it."""

    node: str
    waiting_for: str = ""
    error: str = ""


class CacheRead(Event, frozen=True, kw_only=True, tag=True):
    """What the memoization cache said for a node; or, for a leaf about to start, whether an outcome is used again.

    Of a leaf: key: of all that decides its outcome, "" if it is not looked up, for the `reason`. run, origin: the run
    and the node that the outcome is of. containers: those of a container set.
    """

    node: str
    hit: bool
    outputs: Outputs | None = None
    error: str = ""
    key: str = ""
    reason: str = ""
    run: str = ""
    origin: str = ""
    containers: tuple[ContainerEnd, ...] = ()


class Resumed(Event, frozen=True, kw_only=True, tag=True):
    """A person resumed a suspended node, or with no node the run. parameters: supplied outputs."""

    node: str = ""
    phase: str = "Succeeded"
    message: str = ""
    parameters: tuple[Parameter, ...] = ()


class Suspended(Event, frozen=True, kw_only=True, tag=True):
    """A person asked that nothing new be started."""


class StopRequested(Event, frozen=True, kw_only=True, tag=True):
    """A person asked for an end. strategy: Stop (exit handlers run) or Terminate (they do not)."""

    strategy: str
    message: str = ""


class TimePassed(Event, frozen=True, kw_only=True, tag=True):
    """A moment that some timer waited for has come."""


Fact = (
    RunStarted
    | AttemptStarted
    | AttemptReady
    | AttemptExited
    | LocksGranted
    | LocksRefused
    | CacheRead
    | Resumed
    | Suspended
    | StopRequested
    | TimePassed
)

_encoder = msgspec.json.Encoder()


@cache
def _decoder() -> msgspec.json.Decoder[Fact]:
    return msgspec.json.Decoder(Fact)


def encode(fact: Fact) -> bytes:
    """The fact as one line of JSON."""
    return _encoder.encode(fact)


def decode(data: bytes) -> Fact:
    """The fact that `encode` wrote. Raises msgspec.DecodeError on anything else."""
    return _decoder().decode(data)
