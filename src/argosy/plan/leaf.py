"""A leaf: a template that something outside the planner runs, as one attempt, under one node.

It knows when it may start and how its end is judged, not what runs it. Source: Argo docs: fields.md (Template),
walk-through/daemon-containers.md; executeContainer, createWorkflowPod.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from argosy.errors import ExpressionError
from argosy.model.events import AttemptExited, AttemptReady, CacheRead
from argosy.model.manifest import Template
from argosy.model.status import REUSE_CACHE, MemoizationStatus, Node, NodeType, Phase
from argosy.plan.actions import Kill, Start
from argosy.plan.execution import DEADLINE, Execution, Owner
from argosy.plan.names import pod_name
from argosy.plan.run import Timer
from argosy.plan.substitution import substitute

ACTIVE_DEADLINE = "Pod was active on the node longer than the specified deadline"
USERS_DONE = "its users are done"
PENDING_TIMEOUT = "Step was pending longer than its pendingTimeout"

# The kinds whose result is always kept: it is what they are for.
_RESULT_KINDS = ("data", "http")


_NONE: Mapping[str, Node] = {}


class _Place(Enum):
    """Where a leaf stands with the workflow's parallelism."""

    OUTSIDE = 0
    QUEUED = 1
    COUNTED = 2


class Leaf:
    """One attempt at a template that runs outside the planner."""

    __slots__ = (
        "_containers",
        "_kill_reason",
        "_place",
        "_timers",
        "deadline",
        "execution",
        "names",
        "node",
        "owner",
        "run",
        "start_action",
    )

    def __init__(
        self, execution: Execution, name: str, names: Mapping[str, object], owner: Owner, deadline: float
    ) -> None:
        self.execution = execution
        self.run = execution.run
        self.owner = owner
        self.names = names
        self.deadline = deadline
        self.node = owner.make_node(execution.resolved.node_type, Phase.PENDING)
        self.start_action: Start | None = None
        self._place = _Place.OUTSIDE
        self._kill_reason = ""
        self._timers: tuple[Timer, ...] = ()
        self._containers: Mapping[str, Node] = _NONE

    def start(self) -> None:
        """Ask for the leaf to be run, as soon as the workflow's parallelism lets it."""
        run = self.run
        if run.carried and (carried := run.carried.get(self.node.name)) is not None:
            self.node.started_at = carried.started_at
            self.node.finished_at = carried.finished_at
            self.node.outputs = carried.outputs
            self._end(Phase(carried.phase), carried.message)
            return
        if self._may_not():
            return
        try:
            self.start_action = self._wanted()
        except ExpressionError as problem:
            self._end(Phase.ERROR, problem.message, problem.message)
            return
        run.leaves[self.node.id] = self
        self._make_container_nodes(self.start_action.template)
        if run.has_room():
            self.go()
        else:
            self._place = _Place.QUEUED
            run.queued_leaves.append(self)

    def _may_not(self) -> bool:
        """True when nothing may start any more; the leaf then has ended."""
        if self.execution.stopped:
            self._end(Phase.FAILED, f"workflow shutdown with strategy: {self.execution.stopped}")
            return True
        if self.deadline and self.run.now >= self.deadline:
            self._end(Phase.FAILED, DEADLINE)
            return True
        return False

    def _wanted(self) -> Start:
        """What the driver shall run. Raises ExpressionError."""
        execution, node = self.execution, self.node
        resolved = execution.resolved
        template = resolved.template
        pod = pod_name(self.run.identity.name, node.id, template.name)
        if resolved.tagged:
            template = substitute(template, execution.scope.under({"pod.name": pod}, self.names), text=resolved.text)
        if node.inputs is not None:
            template = msgspec.structs.replace(template, inputs=execution.inputs)
        limit = execution.timeout(template.timeout)
        if limit:
            self._at(self.run.now + limit, ACTIVE_DEADLINE)
        if template.pending_timeout:
            moment = self.run.now + execution.timeout(template.pending_timeout)
            self._timers += (self.run.at(moment, self._pending_too_long),)
        if self.deadline:
            self._at(self.deadline, DEADLINE)
        return Start(
            node=node.id,
            name=node.name,
            pod_name=pod,
            template=template,
            capture_result=execution.wants_result or resolved.kind in _RESULT_KINDS,
            deadline=min((timer.at for timer in self._timers), default=0.0),
        )

    def _at(self, moment: float, reason: str) -> None:
        self._timers += (self.run.at(moment, lambda: self.kill(reason)),)

    def _pending_too_long(self) -> None:
        if self.node.phase is Phase.PENDING:
            self.kill(PENDING_TIMEOUT)

    def _make_container_nodes(self, template: Template) -> None:
        """One node for each container of a container set, below those it waits for."""
        if template.container_set is None:
            return
        containers = template.container_set.containers
        made: dict[str, Node] = {}
        for container in containers:
            node = self.run.new_node(
                f"{self.node.name}.{container.name}",
                container.name,
                NodeType.CONTAINER,
                Phase.PENDING,
                boundary_id=self.node.id,
                flag=self.node.node_flag,
            )
            node.template_name = self.node.template_name
            node.template_scope = self.node.template_scope
            made[container.name] = node
        self._containers = made
        for container in containers:
            parents = [made[one] for one in container.dependencies if one in made]
            for parent in parents or [self.node]:
                self.run.link(parent, made[container.name])

    def go(self) -> None:
        """There is room for it now."""
        if self.start_action is not None and not self.node.phase.fulfilled:
            self._place = _Place.COUNTED
            self.run.active_leaves += 1
            self.run.decide(self.start_action)

    # -- what the driver tells

    def looked_up(self, fact: CacheRead) -> None:
        """Whether an earlier outcome is used instead of an attempt."""
        run, node = self.run, self.node
        if node.phase is not Phase.PENDING:
            return
        node.memoization_status = MemoizationStatus(
            hit=fact.hit,
            key=fact.key,
            cache_name=REUSE_CACHE,
            from_run=fact.run,
            from_node=fact.origin,
            reason=fact.reason,
        )
        if fact.hit:
            run.withdraw(Start, node.id)
            run.reused += 1
            self._take_outcome(Phase.SUCCEEDED, "", fact)

    def started(self) -> None:
        """The attempt has begun."""
        run, node = self.run, self.node
        run.withdraw(Start, node.id)
        if node.phase is not Phase.PENDING:
            return
        run.mark(node, Phase.RUNNING)
        node.started_at, node.host_node_name = run.now, run.identity.host
        for container in self._containers.values():
            run.mark(container, Phase.RUNNING)
            container.started_at = run.now
        if self.execution.resolved.template.active_deadline_seconds is None:
            return
        try:
            limit = self.execution.active_deadline_seconds()
        except ExpressionError as problem:
            self.kill(problem.message)
            return
        self._at(run.now + limit, ACTIVE_DEADLINE)

    def ready(self, event: AttemptReady) -> None:
        """The daemon answers: those who wait for it go on."""
        if self.node.phase is not Phase.RUNNING or self.node.daemoned:
            return
        self.node.daemoned = True
        self.node.pod_ip = event.ip
        self._leave()
        self.owner.ended(self.node)

    def exited(self, event: AttemptExited) -> None:
        """The attempt has ended."""
        phase, message = Phase(event.phase), event.message
        if self._kill_reason:
            phase, message = Phase.FAILED, self._kill_reason
        self._take_outcome(phase, message, event)

    def _take_outcome(self, phase: Phase, message: str, event: AttemptExited | CacheRead) -> None:
        self.node.outputs = event.outputs
        for one in event.containers:
            container = self._containers.get(one.name)
            if container is not None:
                container.outputs = one.outputs
                self.run.mark(container, Phase(one.phase), one.message)
        self._end(phase, message)

    # -- the end

    def kill(self, reason: str) -> None:
        """End it early; a leaf that has not begun is over at once."""
        node = self.node
        if self._kill_reason or node.phase.fulfilled:
            return
        if node.phase is Phase.PENDING:
            self.run.withdraw(Start, node.id)
            self._end(Phase.FAILED, reason)
            return
        self._kill_reason = reason
        self.run.decide(Kill(node=node.id, reason=reason))

    def shut_down(self, reason: str) -> None:
        """End it with the whole run; a daemon that is ready ends with those that it serves, which is its success.

        Source: applyExecutionControl, which passes over nodes that are Fulfilled, and a ready daemon is.
        """
        if not (self.node.daemoned and self.node.boundary_id):
            self.kill(reason)

    def dismiss(self) -> None:
        """End a daemon whose users are done: that is its success."""
        run, node = self.run, self.node
        if node.phase is Phase.PENDING:
            run.withdraw(Start, node.id)
        else:
            run.decide(Kill(node=node.id, reason=USERS_DONE))
        self._end(Phase.SUCCEEDED, "")

    def _end(self, phase: Phase, message: str, refusal: str = "") -> None:
        run, node = self.run, self.node
        for timer in self._timers:
            timer.cancel()
        node.daemoned = False
        run.mark(node, phase, message)
        for container in self._containers.values():
            if not container.phase.fulfilled:
                run.mark(container, phase)
        run.leaves.pop(node.id, None)
        self._leave()
        self.owner.ended(node, refusal)

    def _leave(self) -> None:
        """Take no place among the active leaves any more."""
        if self._place is _Place.COUNTED:
            self.run.active_leaves -= 1
            if self.run.queued_leaves:
                self.run.later(self.run.release_leaves)
        self._place = _Place.OUTSIDE
