"""A leaf: a template that something outside the planner runs, as one attempt, under one node.

It knows when it may start and how its end is judged, not what runs it. Source: Argo docs: fields.md (Template),
walk-through/daemon-containers.md; executeContainer, createWorkflowPod.
"""

from __future__ import annotations

import msgspec

from argosy.errors import ExpressionError
from argosy.model.events import AttemptExited, AttemptReady
from argosy.model.manifest import Template
from argosy.model.status import NodeFlag, NodeType, Phase
from argosy.plan.actions import Kill, Start
from argosy.plan.execution import Execution, Owner
from argosy.plan.names import pod_name
from argosy.plan.run import Timer
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute

DEADLINE = "Step exceeded its deadline"
ACTIVE_DEADLINE = "Pod was active on the node longer than the specified deadline"


class Leaf:
    """One attempt at a template that runs outside the planner."""

    __slots__ = ("_kill_reason", "_timers", "execution", "node", "owner", "run", "scope", "start_action")

    def __init__(self, execution: Execution, name: str, scope: Scope, owner: Owner) -> None:
        self.execution = execution
        self.run = execution.run
        self.owner = owner
        self.node = owner.make_node(execution.resolved.node_type, Phase.PENDING)
        near = {"pod.name": pod_name(self.run.identity.name, name, execution.resolved.template.name)}
        self.scope = scope.under(near)
        self.start_action: Start | None = None
        self._kill_reason = ""
        self._timers: list[Timer] = []

    def start(self) -> None:
        """Ask for the leaf to be run, as soon as the workflow's parallelism lets it."""
        run = self.run
        carried = run.carried.get(self.node.name)
        if carried is not None:
            self.node.started_at = carried.started_at
            self.node.finished_at = carried.finished_at
            self.node.outputs = carried.outputs
            self._end(Phase(carried.phase), carried.message)
            return
        if self._refused():
            return
        try:
            self.start_action = self._wanted()
        except ExpressionError as problem:
            self._end(Phase.ERROR, problem.message)
            return
        run.leaves[self.node.id] = self
        self._make_container_nodes(self.start_action.template)
        limit = run.workflow.spec.parallelism
        if run.suspended or (limit is not None and run.active_leaves >= limit):
            run.queued_leaves.append(self)
        else:
            self._go()

    def _refused(self) -> bool:
        """True when nothing may start any more; the leaf then has ended."""
        run = self.run
        if run.shutdown and not (self.execution.exit_handler and run.shutdown == "Stop"):
            self._end(Phase.FAILED, f"workflow shutdown with strategy: {run.shutdown}")
            return True
        if self.execution.deadline and run.now >= self.execution.deadline:
            self._end(Phase.FAILED, DEADLINE)
            return True
        return False

    def _wanted(self) -> Start:
        """What the driver shall run. Raises ExpressionError."""
        execution = self.execution
        template = self._filled()
        if execution.deadline:
            self._timers.append(self.run.at(execution.deadline, lambda: self.kill(DEADLINE)))
        return Start(
            node=self.node.id,
            name=self.node.name,
            pod_name=str(self.scope["pod.name"]),
            template=template,
            capture_result=execution.asked.wants_result,
            deadline=execution.deadline,
        )

    def _filled(self) -> Template:
        resolved, execution = self.execution.resolved, self.execution
        template = resolved.template
        if resolved.tagged:
            template = substitute(template, self.scope, text=resolved.text)
        if execution.inputs.parameters or execution.inputs.artifacts:
            template = msgspec.structs.replace(template, inputs=execution.inputs)
        return template

    def _make_container_nodes(self, template: Template) -> None:
        if template.container_set is None:
            return
        for container in template.container_set.containers:
            node = self.run.new_node(
                f"{self.node.name}.{container.name}",
                container.name,
                NodeType.CONTAINER,
                Phase.PENDING,
                boundary_id=self.node.id,
                flag=NodeFlag(),
            )
            node.template_name = self.node.template_name
            node.template_scope = self.node.template_scope
        for container in template.container_set.containers:
            child = self.run.id_of(f"{self.node.name}.{container.name}")
            parents = container.dependencies
            for parent in (f"{self.node.name}.{one}" for one in parents):
                self.run.link(self.run.nodes[self.run.id_of(parent)], child)
            if not parents:
                self.run.link(self.node, child)

    def _go(self) -> None:
        self.run.active_leaves += 1
        if self.start_action is not None:
            self.run.decide(self.start_action)

    def dequeued(self) -> None:
        """There is room for it now."""
        if self.node.phase is Phase.PENDING:
            self._go()

    # -- what the driver tells

    def started(self) -> None:
        """The attempt has begun."""
        run, node = self.run, self.node
        run.withdraw(Start, node.id)
        node.phase, node.started_at, node.host_node_name = Phase.RUNNING, run.now, run.identity.host
        try:
            limit = self.execution.active_deadline_seconds()
        except ExpressionError as problem:
            self.kill(problem.message)
            return
        if limit:
            self._timers.append(run.at(run.now + limit, lambda: self.kill(ACTIVE_DEADLINE)))

    def ready(self, event: AttemptReady) -> None:
        """The daemon answers: those who wait for it go on."""
        if self.node.phase is not Phase.RUNNING or self.node.daemoned:
            return
        self.node.daemoned = True
        self.node.pod_ip = event.ip
        self.owner.ended(self.node)

    def exited(self, event: AttemptExited) -> None:
        """The attempt has ended."""
        node = self.node
        if node.id not in self.run.leaves:
            return
        phase, message = Phase(event.phase), event.message
        if self._kill_reason:
            phase, message = Phase.FAILED, self._kill_reason
        node.outputs = event.outputs
        for one in event.containers:
            container = self.run.nodes[self.run.id_of(f"{node.name}.{one.name}")]
            container.phase, container.message = Phase(one.phase), one.message
            container.started_at, container.finished_at = node.started_at, self.run.now
            container.outputs = one.outputs
        self._end(phase, message)

    # -- the end

    def kill(self, reason: str) -> None:
        """End it early; a leaf that has not begun is over at once."""
        node = self.node
        if self._kill_reason or node.phase.fulfilled:
            return
        if node.phase is Phase.PENDING:
            queued = (Start, node.id) not in self.run.actions
            self.run.withdraw(Start, node.id)
            if queued:
                self.run.active_leaves += 1
            self._end(Phase.FAILED, reason)
            return
        self._kill_reason = reason
        self.run.decide(Kill(node=node.id, reason=reason))

    def dismiss(self) -> None:
        """End a daemon whose users are done: that is its success."""
        node = self.node
        if node.phase.fulfilled:
            return
        self.run.decide(Kill(node=node.id, reason="its users are done"))
        node.daemoned = False
        self._end(Phase.SUCCEEDED, "")

    def _end(self, phase: Phase, message: str) -> None:
        run, node = self.run, self.node
        for timer in self._timers:
            timer.cancel()
        node.phase, node.message = phase, message
        node.daemoned = False
        node.finished_at = node.finished_at or run.now
        if run.leaves.pop(node.id, None) is not None:
            run.active_leaves -= 1
            run.later(run.release_leaves)
        self.owner.ended(node)
