"""What all parts of one run's plan share: its nodes, its clock, its timers, its queue of news, its decisions.

It knows no template. Everything in it follows from the facts applied so far, so a replay gives the same.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from argosy.model.manifest import Artifact, Outputs, Parameter, Workflow
from argosy.model.status import Node, NodeFlag, NodeType, Phase
from argosy.plan.actions import Action
from argosy.plan.inputs import ConfigMapReader
from argosy.plan.metrics import Measured
from argosy.plan.names import node_id
from argosy.plan.templates import Templates
from argosy.plan.workflow_names import RunIdentity, WorkflowNames

if TYPE_CHECKING:
    from argosy.plan.leaf import Leaf
    from argosy.plan.retries import Retries
    from argosy.plan.suspension import Suspension

MAX_DEPTH = 100


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a leaf in an earlier generation of the run, taken over instead of running it again."""

    phase: str
    message: str = ""
    outputs: Outputs | None = None
    started_at: float = 0.0
    finished_at: float = 0.0


class Timer:
    """Something to do at a moment; `cancel` makes it nothing."""

    __slots__ = ("at", "callback")

    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class RunState:
    """The shared state of a plan."""

    def __init__(
        self,
        workflow: Workflow,
        identity: RunIdentity,
        templates: Templates,
        read_config_map: ConfigMapReader,
        carried: Mapping[str, Carried],
    ) -> None:
        self.workflow = workflow
        self.identity = identity
        self.templates = templates
        self.read_config_map = read_config_map
        self.carried = carried
        self.names = WorkflowNames(workflow, identity, read_config_map)
        self.nodes: dict[str, Node] = {}
        self.now = identity.created_at
        self.phase = Phase.PENDING
        self.message = ""
        self.started_at = 0.0
        self.finished_at = 0.0
        self.outputs = Outputs()
        self.measured: list[Measured] = []
        self.actions: dict[tuple[type[Action], str], Action] = {}
        self.leaves: dict[str, Leaf] = {}
        self.suspensions: dict[str, Suspension] = {}
        self.backoffs: dict[str, Retries] = {}
        self.waiting_locks: dict[str, Callable[[str, str], None]] = {}
        self.waiting_cache: dict[str, Callable[[bool, Outputs | None, str], None]] = {}
        self.queued_leaves: deque[Leaf] = deque()
        self.active_leaves = 0
        self.suspended = bool(workflow.spec.suspend)
        self.shutdown = ""
        self._queue: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._timer_count = 0
        self.observers: list[Callable[[], None]] = []

    # -- decisions

    def decide(self, action: Action) -> None:
        """Ask the driver for something."""
        self.actions[(type(action), action.node)] = action

    def withdraw(self, kind: type[Action], node: str) -> None:
        """The decision is carried out, or not wanted any more."""
        self.actions.pop((kind, node), None)

    def release_leaves(self) -> None:
        """Let leaves go that the workflow's parallelism, or a suspension of the run, held back."""
        limit = self.workflow.spec.parallelism
        while self.queued_leaves and not self.suspended and (limit is None or self.active_leaves < limit):
            self.queued_leaves.popleft().dequeued()

    # -- outputs of the whole workflow

    def publish_parameter(self, parameter: Parameter) -> None:
        """Make an output parameter known under its globalName; the last writer wins."""
        name = parameter.global_name
        kept = tuple(one for one in self.outputs.parameters if one.name != name)
        published = Parameter(name=name, value=parameter.value)
        self.outputs = msgspec.structs.replace(self.outputs, parameters=(*kept, published))
        self.names.set(f"outputs.parameters.{name}", parameter.value)

    def publish_artifact(self, artifact: Artifact) -> None:
        """Make an output artifact known under its globalName; the last writer wins."""
        name = artifact.global_name
        kept = tuple(one for one in self.outputs.artifacts if one.name != name)
        published = msgspec.structs.replace(artifact, name=name, global_name="")
        self.outputs = msgspec.structs.replace(self.outputs, artifacts=(*kept, published))
        self.names.set(f"outputs.artifacts.{name}", published)

    # -- news, told one after the other instead of one within the other

    def later(self, callback: Callable[[], None]) -> None:
        self._queue.append(callback)

    def settle(self) -> None:
        """Tell all news, and the news that these make."""
        while True:
            while self._queue:
                self._queue.popleft()()
            for observer in tuple(self.observers):
                observer()
            if not self._queue:
                return

    # -- time

    def at(self, moment: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(moment, callback)
        self._timer_count += 1
        heapq.heappush(self._timers, (moment, self._timer_count, timer))
        return timer

    @property
    def wake_at(self) -> float | None:
        """The next moment that a timer waits for."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def advance(self, now: float) -> None:
        """Let time pass; what was due is done in order, each at its own moment."""
        while (moment := self.wake_at) is not None and moment <= now:
            timer = heapq.heappop(self._timers)[2]
            self._tick(max(self.now, moment))
            if timer.callback is not None:
                timer.callback()
            self.settle()
        self._tick(max(self.now, now))

    def _tick(self, now: float) -> None:
        self.now = now
        self.names.now = now

    # -- nodes

    def id_of(self, name: str) -> str:
        return node_id(self.identity.name, name)

    def new_node(
        self,
        name: str,
        display_name: str,
        kind: NodeType,
        phase: Phase,
        *,
        boundary_id: str = "",
        template_name: str = "",
        message: str = "",
        flag: NodeFlag | None = None,
    ) -> Node:
        """A node of the run, in its place; one that has come to rest at once is finished now."""
        node = Node(
            id=self.id_of(name),
            name=name,
            display_name=display_name,
            type=kind,
            phase=phase,
            boundary_id=boundary_id,
            template_name=template_name,
            message=message,
            started_at=self.now,
            finished_at=self.now if phase.fulfilled else 0.0,
            node_flag=flag,
        )
        self.nodes[node.id] = node
        return node

    def link(self, parent: Node, child_id: str) -> None:
        """Make a node the child of another, once."""
        if not parent.children or parent.children[-1] != child_id:
            parent.children.append(child_id)

    def outbound(self, node: Node) -> list[str]:
        """The nodes after which whatever follows `node` hangs in the graph."""
        match node.type:
            case NodeType.STEPS | NodeType.DAG:
                return node.outbound_nodes or [node.id]
            case NodeType.TASK_GROUP:
                found: list[str] = []
                for child in node.children:
                    found.extend(self.outbound(self.nodes[child]))
                return found or [node.id]
            case NodeType.RETRY:
                attempts = [one for one in node.children if _is_attempt(self.nodes[one])]
                return self.outbound(self.nodes[attempts[-1]]) if attempts else [node.id]
            case _:
                return [node.id]


def _is_attempt(node: Node) -> bool:
    return node.node_flag is not None and node.node_flag.retried
