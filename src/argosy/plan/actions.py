"""What the planner asks for: decisions for the driver to make durable and then carry out.

It knows what is wanted, not how it is done.
"""

from __future__ import annotations

import msgspec

from argosy.model.manifest import Synchronization, Template


class Action(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decision about one node."""

    node: str


class Start(Action, frozen=True, kw_only=True, gc=False):
    """Run a leaf. template: every tag resolved; artifacts: its inputs, each with where its bytes are.

    capture_result: its standard output is asked for. deadline: seconds since the epoch by which it must have
    ended, or 0.0. The planner itself asks for a Kill at that time.
    """

    name: str
    pod_name: str
    template: Template
    capture_result: bool
    deadline: float = 0.0


class Kill(Action, frozen=True, kw_only=True, gc=False):
    """End a running leaf; its AttemptExited is awaited. reason: why, for the log."""

    reason: str


class AcquireLocks(Action, frozen=True, kw_only=True, gc=False):
    """Take these locks for a node, or say who holds them. Asked again after each release.

    node: "" for the locks of the run itself, which has a node of its own name too.
    """

    synchronization: Synchronization


class ReleaseLocks(Action, frozen=True, kw_only=True, gc=False):
    """Give back what the node, or with "" the run itself, holds or waits for."""


class ReadCache(Action, frozen=True, kw_only=True, gc=False):
    """Look a key up in a memoization cache. max_age_seconds: older entries do not count; None for any age."""

    cache: str
    key: str
    max_age_seconds: float | None


class WriteCache(Action, frozen=True, kw_only=True, gc=False):
    """Keep a node's outputs in a memoization cache. The outputs are on the node."""

    cache: str
    key: str
