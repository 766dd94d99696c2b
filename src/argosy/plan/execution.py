"""One execution of a template under the name of a node, from its inputs to its end.

It knows the order in which a template is prepared (parallelism, inputs, locks, memoization, retries) and that a body
then does the work; the kinds of bodies are elsewhere. Source: Argo's executeTemplate.
"""

from __future__ import annotations

import re
from typing import Protocol

from argosy.errors import ExpressionError
from argosy.model.manifest import Arguments, CallFields, Inputs, LifecycleHook, Outputs
from argosy.model.status import MemoizationStatus, Node, NodeFlag, NodeType, Phase, SynchronizationStatus
from argosy.plan import durations, inputs, metrics
from argosy.plan.actions import ReadCache, WriteCache
from argosy.plan.locks import LockWait
from argosy.plan.run import MAX_DEPTH, RunState
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute, substitute_text
from argosy.plan.templates import ResolvedTemplate, TemplateScope

DEADLINE = "Step exceeded its deadline"
TOO_DEEP = "Maximum recursion depth exceeded"

_CACHE_KEY = r"[a-zA-Z0-9][-a-zA-Z0-9]*"
_DISPLAY_NAME = "workflows.argoproj.io/display-name"
_DISPLAY_NAMES = r"[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]"
_NO_INPUTS = Inputs()
# So many templates may begin one within the other before the queue comes between: Python's stack is not without end.
_BEGIN_WITHIN = 16


class Boundary(Protocol):
    """A body that calls templates: the boundary of the nodes it makes."""

    node: Node
    scope: Scope
    deadline: float
    depth: int
    exit_handler: bool

    def admit(self, execution: Execution) -> None:
        """Let it go on when the body's parallelism has room for one more child; never, if the body has failed fast."""

    def leave(self, node: Node) -> None:
        """A child that was admitted has come to its end, or is a daemon that runs."""


class Owner(Protocol):
    """Whoever started a body: the execution itself, or its retries."""

    def make_node(self, kind: NodeType, phase: Phase) -> Node:
        """The node that the body works under."""
        ...

    def ended(self, node: Node, refusal: str = "") -> None:
        """The body has come to its end; or, with a node that still runs, its daemon is ready.

        refusal: why the planner itself could not go on, if that is the reason for the end.
        """


class Caller(Protocol):
    """Whoever asked for an execution."""

    def names(self, *, inline: bool) -> dict[str, object]:
        """What only this call's template sees; inline: because it is written in place."""
        ...

    def has_node(self, node: Node) -> None:
        """Its node exists."""

    def refused(self, node: Node, message: str) -> None:
        """The planner cannot carry it out, for a reason in the manifest or its values. `settled` follows."""

    def settled(self, node: Node) -> None:
        """It has come to its end; also called for a daemon that is ready, and then again at its end."""


class Execution:
    """One execution of a template."""

    __slots__ = (
        "_cache",
        "_display_name",
        "_holds_slot",
        "_locks",
        "_scope",
        "arguments",
        "boundary",
        "caller",
        "deadline",
        "depth",
        "exit_handler",
        "flag",
        "holder",
        "inputs",
        "name",
        "node",
        "resolved",
        "run",
        "templates",
        "wants_result",
    )

    resolved: ResolvedTemplate

    def __init__(
        self,
        run: RunState,
        caller: Caller,
        *,
        name: str,
        display_name: str,
        holder: CallFields | LifecycleHook,
        templates: TemplateScope,
        arguments: Arguments | None = None,
        boundary: Boundary | None = None,
        flag: NodeFlag | None = None,
        deadline: float = 0.0,
        exit_handler: bool = False,
        wants_result: bool = False,
    ) -> None:
        """holder: what names the template, seen from `templates`. deadline: in seconds since the epoch, or 0.0."""
        self.run = run
        self.caller = caller
        self.name = name
        self.holder = holder
        self.templates = templates
        self.arguments = arguments
        self.boundary = boundary
        self.flag = flag
        self.deadline = deadline
        self.exit_handler = exit_handler
        self.wants_result = wants_result
        self.depth = 1
        if boundary is not None:
            self.depth = boundary.depth + 1
            self.exit_handler = exit_handler or boundary.exit_handler
            # The time that a workflow may take does not count for what cleans up after it.
            self.deadline = 0.0 if exit_handler else boundary.deadline
        self.node: Node | None = None
        self.inputs = _NO_INPUTS
        self._display_name = display_name
        self._scope: Scope | None = None
        self._cache: tuple[str, str] | None = None
        self._locks: LockWait | None = None
        self._holds_slot = False

    @property
    def boundary_id(self) -> str:
        return self.boundary.node.id if self.boundary is not None else ""

    def begin(self) -> None:
        """Let the template's body work, as soon as the boundary has room for it."""
        if self.boundary is None:
            self._prepare()
        else:
            self.boundary.admit(self)

    def admitted(self) -> None:
        """The boundary has room."""
        self._holds_slot = True
        if self.depth % _BEGIN_WITHIN:
            self._prepare()
        else:
            self.run.later(self._prepare)

    # -- what comes before the body

    def _prepare(self) -> None:
        try:
            self.resolved = self.run.templates.resolve(self.holder, self.templates)
            if self.depth >= MAX_DEPTH:
                self._end(self._refused_node(), Phase.ERROR, TOO_DEEP)
                return
            if not self.resolved.kind:
                raise ExpressionError(f"template '{self.resolved.template.name}' says nothing to run")
            self._find_inputs()
            self._shown_name()
            self._set_deadline()
            self._take_locks()
        except ExpressionError as problem:
            self.refuse(problem.message)

    def _find_inputs(self) -> None:
        """Raises ExpressionError when an input is missing."""
        template = self.resolved.template
        if template.inputs is not None:
            scope = self._scope_with({})
            self.inputs = inputs.resolve(template, self.arguments, scope, self.run.read_config_map)

    def _scope_with(self, own: dict[str, object]) -> Scope:
        inline, boundary = self.resolved.inline, self.boundary
        near: dict[str, object] = {"node.name": self.name, **self.caller.names(inline=inline)}
        outer = boundary.scope.layers if inline and boundary is not None else ()
        return Scope(near, own, *outer, self.run.names)

    @property
    def scope(self) -> Scope:
        """What the template sees; made when something first asks, as most leaves have no tags."""
        if self._scope is None:
            self._scope = self._scope_with(inputs.layer(self.resolved.template, self.inputs))
        return self._scope

    def _shown_name(self) -> None:
        given = self.resolved.template.annotations.get(_DISPLAY_NAME)
        if given and self.boundary is not None:
            shown = substitute_text(given, self.scope)
            if not re.fullmatch(_DISPLAY_NAMES, shown):
                raise ExpressionError(f"the display name '{shown}' must match {_DISPLAY_NAMES}")
            self._display_name = shown

    def _set_deadline(self) -> None:
        """A template that calls others gives them the time that it has itself."""
        template = self.resolved.template
        if template.active_deadline_seconds is None or self.resolved.kind not in ("steps", "dag", "suspend"):
            return
        end = self.run.now + self.active_deadline_seconds()
        self.deadline = min(end, self.deadline) if self.deadline else end

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

    def timeout(self, written: str) -> float:
        """The seconds that a `timeout` of the template says, 0.0 if it is empty. Raises ExpressionError."""
        return durations.seconds(substitute_text(written, self.scope)) if written else 0.0

    @property
    def stopped(self) -> str:
        """The strategy by which the run is being shut down, "" if that does not concern this execution."""
        shutdown = self.run.shutdown
        return "" if shutdown == "Stop" and self.exit_handler else shutdown

    # -- locks

    def _take_locks(self) -> None:
        template = self.resolved.template
        if template.synchronization is None:
            self._look_up()
            return
        if self.stopped:
            self._end(self._make_node(Phase.PENDING), Phase.FAILED, f"Stopped with strategy '{self.stopped}'")
            return
        wanted = substitute(template.synchronization, self.scope)
        limits = [self.run.now + self.timeout(one) for one in (template.timeout, template.pending_timeout) if one]
        if self.deadline:
            limits.append(self.deadline)
        node = self._make_node(Phase.PENDING)
        node.message = "Waiting for locks"
        self._locks = LockWait(self.run, node.id, self)
        self._locks.begin(wanted, min(limits, default=0.0), DEADLINE)

    def locks_waited_for(self, name: str) -> None:
        node = self._made()
        node.message = f"Waiting for {name} lock"
        node.synchronization_status = SynchronizationStatus(waiting=name)

    def locks_granted(self) -> None:
        node = self._made()
        node.message = ""
        node.synchronization_status = None
        try:
            self._look_up()
        except ExpressionError as problem:
            self.refuse(problem.message)

    def locks_failed(self, phase: Phase, message: str) -> None:
        if phase is Phase.ERROR:
            self.refuse(message)
        else:
            self._end(self._made(), phase, message)

    # -- memoization

    def _look_up(self) -> None:
        memoize = self.resolved.template.memoize
        if memoize is None:
            self._work()
            return
        memoize = substitute(memoize, self.scope)
        if not re.fullmatch(_CACHE_KEY, memoize.key):
            raise ExpressionError(
                f"the memoization key '{memoize.key}' may hold only letters, digits and '-', and not begin with '-'"
            )
        age = durations.seconds(memoize.max_age) if memoize.max_age else None
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
            self.refuse(error)
        elif hit:
            self._cache = None
            self.run.reused += 1
            node.outputs = outputs
            self._end(node, Phase.SUCCEEDED, "")
        else:
            self._work()

    # -- the body

    def _work(self) -> None:
        from argosy.plan.bodies import body_of
        from argosy.plan.retries import Retries

        strategy = self.resolved.template.retry_strategy or self.run.workflow.spec.retry_strategy
        if strategy is not None:
            Retries(self, strategy).start()
        else:
            body_of(self, self.name, {}, self, self.deadline).start()

    # -- the node

    def make_node(self, kind: NodeType, phase: Phase) -> Node:
        """The node of this execution, which now has its type."""
        node = self.node
        if node is None:
            return self._new_node(kind, phase)
        self.run.retype(node, kind)
        self.run.mark(node, phase)
        return node

    def _new_node(self, kind: NodeType, phase: Phase) -> Node:
        self.node = node = self.run.new_node(
            self.name, self._display_name, kind, phase, boundary_id=self.boundary_id, flag=self.flag
        )
        self.describe(node)
        self.caller.has_node(node)
        return node

    def _make_node(self, phase: Phase) -> Node:
        return self.node or self._new_node(self.resolved.node_type, phase)

    def _refused_node(self) -> Node:
        return self.node or self._new_node(NodeType.SKIPPED, Phase.PENDING)

    def _made(self) -> Node:
        assert self.node is not None
        return self.node

    def describe(self, node: Node) -> None:
        """Write on a node what template it runs, and with what inputs."""
        holder = self.holder
        node.template_name = holder.template
        node.template_scope = self.templates.label
        if holder.template_ref is not None and holder.template_ref.name:
            node.template_ref = holder.template_ref
        if self.inputs.parameters or self.inputs.artifacts:
            node.inputs = self.inputs

    # -- the end

    def ended(self, node: Node, refusal: str = "") -> None:
        """The body has come to its end; its node is this execution's node."""
        self.node = node
        if refusal:
            self.caller.refused(node, refusal)
        self._end(node, node.phase, node.message)

    def refuse(self, message: str) -> None:
        """End in error, because the template cannot be carried out as it is written."""
        node = self._refused_node()
        self.run.mark(node, Phase.ERROR, message)
        self.caller.refused(node, message)
        self._end(node, node.phase, node.message)

    def _end(self, node: Node, phase: Phase, message: str) -> None:
        run = self.run
        if not node.phase.fulfilled:
            run.mark(node, phase, message)
        if phase.fulfilled:
            if self._locks is not None:
                self._locks.release()
                self._locks = None
            if self._cache is not None and phase is Phase.SUCCEEDED:
                run.decide(WriteCache(node=node.id, cache=self._cache[0], key=self._cache[1]))
            self.measure(node)
            run.publish(node.outputs)
        if self._holds_slot and self.boundary is not None:
            self._holds_slot = False
            run.later(self.boundary.leave, node)
        run.later(self.caller.settled, node)

    def measure(self, node: Node) -> None:
        """Take the metrics that the template asks for, of a node at its end."""
        resolved: ResolvedTemplate | None = getattr(self, "resolved", None)
        if resolved is not None and resolved.template.metrics is not None:
            run = self.run
            run.measured.extend(metrics.measure(resolved.template.metrics, node, self.scope, run.now))
