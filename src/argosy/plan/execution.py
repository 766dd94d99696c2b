"""One execution of a template under the name of a node, from its inputs to its end.

It knows the order in which a template is prepared (inputs, deadline, parallelism, locks, memoization, retries) and
that a body then does the work; the kinds of bodies are elsewhere. Source: Argo's executeTemplate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Arguments, CallFields, Inputs, LifecycleHook, Outputs, Synchronization
from argosy.model.status import MemoizationStatus, Node, NodeFlag, NodeType, Phase, SynchronizationStatus
from argosy.plan import durations, inputs, metrics
from argosy.plan.actions import AcquireLocks, ReadCache, ReleaseLocks, WriteCache
from argosy.plan.run import MAX_DEPTH, RunState
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute, substitute_text
from argosy.plan.templates import TemplateScope

_CACHE_KEY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_DISPLAY_NAME = "workflows.argoproj.io/display-name"


class Boundary(Protocol):
    """A body that calls templates: the boundary of the nodes it makes."""

    node: Node
    scope: Scope
    deadline: float
    depth: int
    exit_handler: bool

    def admit(self, go: Callable[[], None]) -> None:
        """Call `go` when the body's parallelism lets one more child be active; never, if the body has failed fast."""

    def leave(self, node: Node) -> None:
        """A child that was admitted has come to its end."""


class Owner(Protocol):
    """Whoever started a body: the execution itself, or its retries."""

    def make_node(self, kind: NodeType, phase: Phase) -> Node:
        """The node that the body works under."""
        ...

    def ended(self, node: Node) -> None:
        """The body has come to its end, or, with a node that still runs, its daemon is ready."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks for. names: what only this call sees, such as an item of a loop."""

    name: str
    display_name: str
    holder: CallFields | LifecycleHook
    templates: TemplateScope
    arguments: Arguments | None = None
    names: Mapping[str, object] = {}
    boundary: Boundary | None = None
    flag: NodeFlag | None = None
    deadline: float = 0.0
    exit_handler: bool = False
    wants_result: bool = False
    # Who is told of the end, and again of the end of a daemon.
    on_settled: Callable[[Node], None]
    # Who is told that the node exists.
    on_node: Callable[[Node], None] | None = None


class Execution:
    """One execution of a template."""

    def __init__(self, run: RunState, asked: Asked) -> None:
        self.run = run
        self.asked = asked
        boundary = asked.boundary
        self.boundary_id = boundary.node.id if boundary is not None else ""
        self.depth = boundary.depth + 1 if boundary is not None else 0
        self.exit_handler = asked.exit_handler or (boundary is not None and boundary.exit_handler)
        self.deadline = asked.deadline or (boundary.deadline if boundary is not None else 0.0)
        self.node: Node | None = None
        self.inputs = Inputs()
        self._cache: tuple[str, str] | None = None
        self._locked = False
        self._holds_slot = False
        self._metrics_started = False

    def begin(self) -> None:
        """Prepare the template and let its body work."""
        try:
            self.resolved = self.run.templates.resolve(self.asked.holder, self.asked.templates)
            self.scope = self._own_scope()
            self._set_deadline()
        except ExpressionError as problem:
            self.fail(problem.message)
            return
        boundary = self.asked.boundary
        if self.depth > MAX_DEPTH:
            self.fail("Maximum recursion depth exceeded")
        elif boundary is None:
            self._admitted()
        else:
            boundary.admit(self._admitted_by_boundary)

    def _own_scope(self) -> Scope:
        """What the template sees. Raises ExpressionError when an input is missing."""
        template, run = self.resolved.template, self.run
        near: dict[str, object] = {"node.name": self.asked.name, **self.asked.names}
        outer = self.asked.boundary.scope.layers if self.resolved.inline and self.asked.boundary is not None else ()
        around = Scope(near, *outer, run.names)
        if template.inputs is not None or self.asked.arguments is not None:
            self.inputs = inputs.resolve(template, self.asked.arguments, around, run.read_config_map)
        return Scope(near, inputs.layer(template, self.inputs), *outer, run.names)

    def _set_deadline(self) -> None:
        template = self.resolved.template
        limits: list[float] = []
        if template.timeout:
            limits.append(durations.seconds(substitute_text(template.timeout, self.scope)))
        if template.active_deadline_seconds is not None and self.resolved.kind in ("steps", "dag", "suspend"):
            limits.append(self.active_deadline_seconds())
        ends = [self.run.now + limit for limit in limits]
        if self.deadline:
            ends.append(self.deadline)
        self.deadline = min(ends, default=0.0)

    def active_deadline_seconds(self) -> float:
        """The template's activeDeadlineSeconds, 0.0 if it has none. Raises ExpressionError."""
        value = self.resolved.template.active_deadline_seconds
        if value is None:
            return 0.0
        text = substitute_text(str(value), self.scope)
        try:
            return float(int(text))
        except ValueError:
            raise ExpressionError(f"activeDeadlineSeconds '{text}' is not a whole number") from None

    def _admitted_by_boundary(self) -> None:
        self._holds_slot = True
        self._admitted()

    def _admitted(self) -> None:
        synchronization = self.resolved.template.synchronization
        if synchronization is None:
            self._unlocked()
            return
        try:
            wanted = substitute(synchronization, self.scope)
        except ExpressionError as problem:
            self.fail(problem.message)
            return
        self._wait_for_locks(wanted)

    def _wait_for_locks(self, wanted: Synchronization) -> None:
        node = self._make_node(Phase.PENDING)
        node.message = "Waiting for locks"
        self._locked = True
        self.run.waiting_locks[node.id] = self._locks_answered
        self.run.decide(AcquireLocks(node=node.id, synchronization=wanted))

    def _locks_answered(self, waiting_for: str, error: str) -> None:
        node = self._made()
        if error:
            self.run.waiting_locks.pop(node.id, None)
            self.fail(error)
        elif waiting_for:
            node.message = f"Waiting for {waiting_for} lock"
            node.synchronization_status = SynchronizationStatus(waiting=waiting_for)
        else:
            self.run.waiting_locks.pop(node.id, None)
            node.message = ""
            node.synchronization_status = None
            self._unlocked()

    def _unlocked(self) -> None:
        memoize = self.resolved.template.memoize
        if memoize is None:
            self._retried()
            return
        try:
            memoize = substitute(memoize, self.scope)
            if not _CACHE_KEY.fullmatch(memoize.key):
                raise ExpressionError(
                    f"the memoization key '{memoize.key}' may hold only letters, digits and '-', and not begin with '-'"
                )
            age = durations.seconds(memoize.max_age) if memoize.max_age else None
        except ExpressionError as problem:
            self.fail(problem.message)
            return
        node = self._make_node(Phase.PENDING)
        cache = memoize.cache.config_map.name if memoize.cache is not None else ""
        self._cache = (cache, memoize.key)
        self.run.waiting_cache[node.id] = self._cache_answered
        self.run.decide(ReadCache(node=node.id, cache=cache, key=memoize.key, max_age_seconds=age))

    def _cache_answered(self, hit: bool, outputs: Outputs | None, error: str) -> None:
        node = self._made()
        cache, key = self._cache or ("", "")
        node.memoization_status = MemoizationStatus(hit=hit, key=key, cache_name=cache)
        if error:
            self.fail(error)
        elif hit:
            self._cache = None
            node.outputs = outputs
            self._end(node, Phase.SUCCEEDED, "")
        else:
            self._retried()

    def _retried(self) -> None:
        from argosy.plan.bodies import body_of
        from argosy.plan.retries import Retries

        strategy = self.resolved.template.retry_strategy or self.run.workflow.spec.retry_strategy
        if strategy is not None:
            Retries(self, strategy).start()
        else:
            body_of(self, self.asked.name, self.scope, self).start()

    @property
    def display_name(self) -> str:
        """What the node is called where it is shown."""
        if self.asked.boundary is None or not hasattr(self, "scope"):
            return self.asked.display_name
        given = self.resolved.template.annotations.get(_DISPLAY_NAME)
        return substitute_text(given, self.scope) if given else self.asked.display_name

    # -- the node

    def make_node(self, kind: NodeType, phase: Phase) -> Node:
        """The node of this execution, which now has its type."""
        node = self._make_node(phase)
        node.type = kind
        node.phase = phase
        return node

    def _make_node(self, phase: Phase) -> Node:
        if self.node is None:
            asked = self.asked
            resolved = getattr(self, "resolved", None)
            self.node = self.run.new_node(
                asked.name,
                self.display_name,
                resolved.node_type if resolved is not None else NodeType.POD,
                phase,
                boundary_id=self.boundary_id,
                flag=asked.flag,
            )
            self.describe(self.node)
            if asked.on_node is not None:
                asked.on_node(self.node)
        return self.node

    def describe(self, node: Node) -> None:
        """Write on a node what template it runs, and with what inputs."""
        holder = self.asked.holder
        node.template_name = holder.template
        node.template_scope = self.asked.templates.label
        if holder.template_ref is not None and holder.template_ref.name:
            node.template_ref = holder.template_ref
        if self.inputs.parameters or self.inputs.artifacts:
            node.inputs = self.inputs

    def _made(self) -> Node:
        return self._make_node(Phase.PENDING)

    # -- the end

    def ended(self, node: Node) -> None:
        """The body has come to its end; its node is this execution's node."""
        self.node = node
        self._end(node, node.phase, node.message)

    def fail(self, message: str) -> None:
        """End in error without having begun."""
        self._end(self._make_node(Phase.ERROR), Phase.ERROR, message)

    def _end(self, node: Node, phase: Phase, message: str) -> None:
        run = self.run
        node.phase, node.message = phase, message
        if phase.fulfilled:
            node.finished_at = node.finished_at or run.now
            if self._locked:
                self._locked = False
                run.withdraw(AcquireLocks, node.id)
                run.decide(ReleaseLocks(node=node.id))
            if self._cache is not None and phase is Phase.SUCCEEDED:
                run.decide(WriteCache(node=node.id, cache=self._cache[0], key=self._cache[1]))
            self._measure(node)
            self._publish(node)
        if self._holds_slot and phase.fulfilled:
            self._holds_slot = False
            boundary = self.asked.boundary
            if boundary is not None:
                run.later(lambda: boundary.leave(node))
        run.later(lambda: self.asked.on_settled(node))

    def _publish(self, node: Node) -> None:
        """Make outputs with a globalName known to the whole workflow."""
        if node.outputs is None:
            return
        for parameter in node.outputs.parameters:
            if parameter.global_name and parameter.value is not None:
                self.run.publish_parameter(parameter)
        for artifact in node.outputs.artifacts:
            if artifact.global_name:
                self.run.publish_artifact(artifact)

    def _measure(self, node: Node) -> None:
        resolved = getattr(self, "resolved", None)
        if resolved is not None and resolved.template.metrics is not None:
            self.run.measured.extend(metrics.measure(resolved.template.metrics, node, self.scope, self.run.now))
