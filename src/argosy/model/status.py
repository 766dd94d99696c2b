"""What a run looks like: its phase and its nodes, as Argo's `status` shows them.

It knows shapes and words, not how a status comes to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import msgspec
from msgspec import field

from argosy.model.manifest import Inputs, Outputs, TemplateRef


class Phase(StrEnum):
    """The phases of a node; a run has all but Skipped and Omitted (Argo docs: fields.md, NodeStatus)."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    ERROR = "Error"
    OMITTED = "Omitted"

    @property
    def fulfilled(self) -> bool:
        """True when nothing more will happen to the node."""
        return self is not Phase.PENDING and self is not Phase.RUNNING

    @property
    def completed(self) -> bool:
        """True when the node ran to an end, good or bad: neither skipped nor omitted."""
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)

    @property
    def unsuccessful(self) -> bool:
        return self in (Phase.FAILED, Phase.ERROR)


# How phases are drawn, in a terminal as on a page.
SYMBOLS = {
    "Pending": "·",
    "Running": "●",
    "Succeeded": "✔",
    "Failed": "✖",
    "Error": "⚠",
    "Skipped": "○",
    "Omitted": "○",
}


class NodeType(StrEnum):
    POD = "Pod"
    CONTAINER = "Container"
    STEPS = "Steps"
    STEP_GROUP = "StepGroup"
    DAG = "DAG"
    TASK_GROUP = "TaskGroup"
    RETRY = "Retry"
    SKIPPED = "Skipped"
    SUSPEND = "Suspend"
    HTTP = "HTTP"
    PLUGIN = "Plugin"


class NodeFlag(msgspec.Struct, omit_defaults=True, gc=False):
    hooked: bool = False
    retried: bool = False


# The name of the cache, as a node's status gives it, of outcomes that are used again without memoize.
REUSE_CACHE = "argosy-reuse"


class MemoizationStatus(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """What a cache said. The last three are ours: whose outcome was used, and why none was looked for."""

    hit: bool
    key: str
    cache_name: str
    from_run: str = ""
    from_node: str = ""
    reason: str = ""


class SynchronizationStatus(msgspec.Struct, omit_defaults=True):
    waiting: str = ""


class Node(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """One node of a run. Times are seconds since the epoch, 0.0 while unset.

    It refers to nothing that could refer back to it, so the collector of garbage need not look at it: a run may have
    hundreds of thousands of nodes.
    """

    id: str
    name: str
    display_name: str
    type: NodeType
    phase: Phase
    boundary_id: str = field(default="", name="boundaryID")
    template_name: str = ""
    template_ref: TemplateRef | None = None
    template_scope: str = ""
    message: str = ""
    started_at: float = 0.0
    finished_at: float = 0.0
    inputs: Inputs | None = None
    outputs: Outputs | None = None
    children: Sequence[str] = ()
    outbound_nodes: Sequence[str] = ()
    daemoned: bool = False
    node_flag: NodeFlag | None = None
    memoization_status: MemoizationStatus | None = None
    synchronization_status: SynchronizationStatus | None = None
    host_node_name: str = ""
    pod_ip: str = field(default="", name="podIP")
    progress: str = ""
    resources_duration: dict[str, int] = {}

    @property
    def fulfilled(self) -> bool:
        """True when its dependants may go on; a daemon is, as soon as it runs."""
        return self.phase.fulfilled or (self.daemoned and self.phase is not Phase.PENDING)


def timestamp(seconds: float) -> str:
    """The RFC 3339 form, in UTC and whole seconds, of seconds since the epoch."""
    return _second(int(seconds))


# The nodes of a large run begin and end within few seconds.
@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_status(node: Node) -> dict[str, object]:
    """The node as an entry of `status.nodes`, with times written as Argo writes them."""
    shown = msgspec.to_builtins(node)
    for key in ("startedAt", "finishedAt"):
        shown[key] = timestamp(shown[key]) if shown.get(key) else None
    return shown
