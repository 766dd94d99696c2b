"""What all parts of one run's plan share: its nodes, its clock, its timers, its queue of news, its decisions.

It knows no template. Everything in it follows from the facts applied so far, so a replay gives the same.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.model.manifest import Outputs, Parameter, Workflow
from argosy.model.status import Node, NodeFlag, NodeType, Phase
from argosy.plan.actions import Action
from argosy.plan.inputs import ConfigMapReader
from argosy.plan.metrics import Measured
from argosy.plan.names import node_id
from argosy.plan.templates import Templates
from argosy.plan.workflow_names import RunIdentity, WorkflowNames

if TYPE_CHECKING:
    from argosy.plan.leaf import Leaf
    from argosy.plan.locks import LockWait
    from argosy.plan.retries import Retries
    from argosy.plan.suspension import Suspension

# How deep templates may call one another, the entrypoint counted.
MAX_DEPTH = 100

# The types of the nodes that something outside the planner carries out; progress counts these.
LEAF_TYPES = frozenset({NodeType.POD, NodeType.HTTP, NodeType.PLUGIN, NodeType.CONTAINER, NodeType.SUSPEND})

Watcher = Callable[[], None]


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
        self.waiting_locks: dict[str, LockWait] = {}
        self.waiting_cache: dict[str, Callable[[bool, Outputs | None, str], None]] = {}
        self.queued_leaves: deque[Leaf] = deque()
        self.active_leaves = 0
        self.suspended = bool(workflow.spec.suspend)
        self.shutdown = ""
        self.progress_done = 0
        self.progress_total = 0
        self.reused = 0
        self._queue: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._timer_count = 0
        # Who wants to know of changes: of one node, by its id; or of any.
        self._watchers: dict[str, list[Watcher]] = {}
        self._changed: dict[str, None] = {}
        self._observers: list[Watcher] = []

    # -- decisions

    def decide(self, action: Action) -> None:
        """Ask the driver for something."""
        self.actions[(type(action), action.node)] = action

    def withdraw(self, kind: type[Action], node: str) -> None:
        """The decision is carried out, or not wanted any more."""
        self.actions.pop((kind, node), None)

    def has_room(self) -> bool:
        """True when the workflow's parallelism, and no suspension of the run, lets one more leaf start."""
        limit = self.workflow.spec.parallelism
        return not self.suspended and (limit is None or self.active_leaves < limit)

    def release_leaves(self) -> None:
        """Let leaves go that were held back."""
        while self.queued_leaves and self.has_room():
            self.queued_leaves.popleft().go()

    # -- outputs of the whole workflow

    def publish(self, outputs: Outputs | None) -> None:
        """Make outputs with a globalName known to the whole workflow; the last writer wins."""
        if outputs is None:
            return
        for parameter in outputs.parameters:
            name = parameter.global_name
            if name and parameter.value is not None:
                kept = tuple(one for one in self.outputs.parameters if one.name != name)
                published = Parameter(name=name, value=parameter.value)
                self.outputs = msgspec.structs.replace(self.outputs, parameters=(*kept, published))
                self.names.set(f"outputs.parameters.{name}", parameter.value)
        for artifact in outputs.artifacts:
            name = artifact.global_name
            if name:
                others = tuple(one for one in self.outputs.artifacts if one.name != name)
                given = msgspec.structs.replace(artifact, name=name, global_name="", path="")
                self.outputs = msgspec.structs.replace(self.outputs, artifacts=(*others, given))
                self.names.set(f"outputs.artifacts.{name}", given)

    # -- news, told one after the other instead of one within the other

    def later(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call back when what is being told now has been told."""
        self._queue.append((callback, arguments))

    def settle(self) -> None:
        """Tell all news, and the news that these make."""
        queue = self._queue
        while True:
            while queue:
                callback, arguments = queue.popleft()
                callback(*arguments)
            if self._changed:
                changed, self._changed = self._changed, {}
                for id in changed:
                    for watcher in tuple(self._watchers.get(id, ())):
                        watcher()
            for watcher in tuple(self._observers):
                watcher()
            if not queue and not self._changed:
                return

    def watch(self, node: Node | None, watcher: Watcher) -> None:
        """Call `watcher` after each change of a node's phase; without a node, after each fact."""
        if node is None:
            self._observers.append(watcher)
        else:
            self._watchers.setdefault(node.id, []).append(watcher)
            self._changed[node.id] = None

    def unwatch(self, node: Node | None, watcher: Watcher) -> None:
        if node is None:
            self._observers.remove(watcher)
            return
        watchers = self._watchers[node.id]
        watchers.remove(watcher)
        if not watchers:
            del self._watchers[node.id]

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
            id=self._new_id(name),
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
        if kind in LEAF_TYPES:
            self.progress_total += 1
        return node

    def _new_id(self, name: str) -> str:
        """The id of a new node. Two names may have the same hash; the second then is hashed with a mark behind it."""
        id = node_id(self.identity.name, name)
        while id in self.nodes:
            name += "'"
            id = node_id(self.identity.name, name)
        return id

    def mark(self, node: Node, phase: Phase, message: str = "") -> None:
        """Give a node its phase; every change of a phase goes through here."""
        if node.type in LEAF_TYPES:
            self.progress_done += (phase is Phase.SUCCEEDED) - (node.phase is Phase.SUCCEEDED)
        node.phase, node.message = phase, message
        if phase.fulfilled:
            node.finished_at = node.finished_at or self.now
        if self._watchers and node.id in self._watchers:
            self._changed[node.id] = None

    def retype(self, node: Node, kind: NodeType) -> None:
        """Give a node that has not begun its type."""
        self.progress_total += (kind in LEAF_TYPES) - (node.type in LEAF_TYPES)
        node.type = kind

    def link(self, parent: Node, child: Node) -> None:
        """Make a node the child of another, once."""
        children = parent.children
        if not children:
            # Most nodes have one child, and the collector of garbage need not look at a tuple of texts.
            parent.children = (child.id,)
        elif children[-1] != child.id:
            if isinstance(children, list):
                children.append(child.id)
            else:
                parent.children = [*children, child.id]

    def outbound(self, node: Node) -> Sequence[str]:
        """The nodes after which whatever follows `node` hangs in the graph."""
        match node.type:
            case NodeType.STEPS | NodeType.DAG:
                return node.outbound_nodes or [node.id]
            case NodeType.TASK_GROUP | NodeType.POD | NodeType.CONTAINER:
                inner = self._inner(node)
                return list(dict.fromkeys(id for child in inner for id in self.outbound(child))) or [node.id]
            case NodeType.RETRY:
                last = self.last_attempt(node)
                return self.outbound(last) if last is not None else [node.id]
            case _:
                return [node.id]

    def _inner(self, node: Node) -> list[Node]:
        """The iterations of a loop; the containers of a container set, or those after one of them."""
        if not node.children:
            return []
        if node.type is NodeType.TASK_GROUP:
            children = (self.nodes[child] for child in node.children)
            return [child for child in children if child.node_flag is None or not child.node_flag.hooked]
        # Containers are hung below a node before anything else is.
        if self.nodes[node.children[0]].type is not NodeType.CONTAINER:
            return []
        children = (self.nodes[child] for child in node.children)
        return [child for child in children if child.type is NodeType.CONTAINER]

    def last_attempt(self, node: Node) -> Node | None:
        """The latest attempt of a node that is tried again; None for any other node."""
        if node.type is NodeType.RETRY:
            for child in reversed(node.children):
                attempt = self.nodes[child]
                if attempt.node_flag is not None and attempt.node_flag.retried:
                    return attempt
        return None
