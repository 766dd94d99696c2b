"""A dag template: tasks that begin when what they depend on has come to rest.

It knows tasks and their dependencies, not how one call runs. A task that comes to rest touches its dependants only.
Source: Argo docs: walk-through/dag.md, enhanced-depends-logic.md; dag.go.
"""

from __future__ import annotations

from argosy.errors import ExpressionError
from argosy.expressions.depends import TaskState
from argosy.model.manifest import ContinueOn
from argosy.model.status import Node, NodeType, Phase
from argosy.plan import items
from argosy.plan.called import Called
from argosy.plan.calling import FAILED_FAST, CallingBody
from argosy.plan.calls import PlannedCall, tolerates
from argosy.plan.execution import Execution, Owner
from argosy.plan.graph import TaskPlan
from argosy.plan.names import item_name
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute_text

_OMITTED = "omitted: depends condition not met"


class _Task:
    """What a dag keeps of one task while it runs."""

    __slots__ = ("branch", "dependants", "iterations", "missing", "node", "open", "outbound", "plan")

    def __init__(self, plan: TaskPlan) -> None:
        self.plan = plan
        self.missing = len(plan.waits_for)
        self.dependants: list[_Task] = []
        self.node: Node | None = None
        self.outbound: list[Node] | None = None
        # Of a loop: its iterations, in order, and how many of them still run.
        self.iterations: list[_Iteration] | None = None
        self.open = 0
        # How the branch up to here went: the task's own end, or, if it did not run, that of what it depends on.
        self.branch = Phase.SUCCEEDED

    def state(self) -> TaskState:
        """How it stands, as conditions of other tasks see it."""
        node = self.node
        assert node is not None
        phases = [one.node.phase for one in self.iterations or () if one.node is not None]
        return TaskState(
            succeeded=node.phase is Phase.SUCCEEDED,
            failed=node.phase is Phase.FAILED,
            errored=node.phase is Phase.ERROR,
            skipped=node.phase is Phase.SKIPPED,
            omitted=node.phase is Phase.OMITTED,
            daemoned=node.daemoned and node.phase is not Phase.PENDING,
            any_succeeded=Phase.SUCCEEDED in phases,
            all_failed=bool(phases) and all(phase is Phase.FAILED for phase in phases),
        )


class _TaskCall(Called):
    """The call of a task; of a loop, the loop as a whole."""

    __slots__ = ("task",)

    body: DagBody

    def __init__(self, body: DagBody, task: _Task, name: str, scope: Scope) -> None:
        super().__init__(body, task.plan.call, name, scope)
        self.task = task

    def hang(self, node: Node) -> None:
        self.body.hang(self.task, node)

    def done(self) -> None:
        self.body.task_done(self)


class _Iteration(Called):
    """One iteration of a task that loops. Hooks watch the loop as a whole, its exit handler runs for each."""

    __slots__ = ("loop",)

    body: DagBody

    def __init__(self, loop: _TaskCall, name: str, scope: Scope) -> None:
        super().__init__(loop.body, loop.planned, name, scope)
        self.loop = loop

    @property
    def has_hooks(self) -> bool:
        return False

    def hang(self, node: Node) -> None:
        if self.loop.node is not None:
            self.body.run.link(self.loop.node, node)

    def done(self) -> None:
        self.body.mark_trouble(self)
        self.body.iteration_done(self.loop)


class DagBody(CallingBody):
    """The tasks of one execution of a dag template."""

    prefix = "tasks"
    node_type = NodeType.DAG

    def __init__(self, execution: Execution, name: str, scope: Scope, owner: Owner, deadline: float) -> None:
        super().__init__(execution, name, scope, owner, deadline)
        self._tasks: dict[str, _Task] = {}
        self._targets: list[_Task] = []
        self._loops: list[Node] = []
        self._unsettled = 0

    def start(self) -> None:
        """Begin with the tasks that wait for nothing."""
        dag = self.resolved.template.dag
        try:
            graph = self.resolved.graph
            target = substitute_text(dag.target, self.scope) if dag is not None else ""
            wanted, targets = graph.reaching(target.split())
        except ExpressionError as problem:
            self.refuse(problem.message)
            return
        tasks = self._tasks = {name: _Task(graph.tasks[name]) for name in wanted}
        self._targets = [tasks[name] for name in targets]
        for task in tasks.values():
            for name in task.plan.waits_for:
                tasks[name].dependants.append(task)
        self._unsettled = len(tasks)
        if not tasks:
            self.finish(Phase.SUCCEEDED)
        for task in [one for one in tasks.values() if one.missing == 0]:
            self._begin(task)

    # -- one task

    def _begin(self, task: _Task) -> None:
        call = task.plan.call
        called = _TaskCall(self, task, f"{self.name}.{call.name}", self.scope.under(task.plan.own_names))
        try:
            if not self._holds(task.plan):
                called.rest(call.name, Phase.OMITTED, _OMITTED)
            elif call.loops:
                self._begin_loop(called)
            elif reason := call.skipped_because(called.scope):
                called.rest(call.name, Phase.SKIPPED, reason)
            else:
                called.start(call.resolved(called.scope), call.name, {})
        except ExpressionError as problem:
            called.rest(call.name, Phase.ERROR, problem.message)

    def _holds(self, plan: TaskPlan) -> bool:
        condition = plan.condition
        if condition is None:
            return True
        if condition.trivial_all:
            for name in plan.waits_for:
                node = self._tasks[name].node
                if node is None or node.phase is not Phase.SUCCEEDED:
                    break
            else:
                return True
        return condition.evaluate({name: self._tasks[name].state() for name in plan.waits_for})

    def _begin_loop(self, called: _TaskCall) -> None:
        call = called.planned
        found = call.items(called.scope)
        if not found:
            called.rest(call.name, Phase.SKIPPED, "Skipped, empty params")
            return
        group = self.run.new_node(called.name, call.name, NodeType.TASK_GROUP, Phase.RUNNING, boundary_id=self.node.id)
        group.template_name, group.template_ref = call.call.template, call.call.template_ref
        group.template_scope = self.resolved.scope.label
        called.has_node(group)
        self._loops.append(group)
        task = called.task
        task.iterations = []
        # One more is open while the loop is being filled, so that it cannot end before its last call was made.
        task.open = len(found) + 1
        for index, item in enumerate(found):
            self._iterate(called, item_name(call.name, index, item), items.layer(item))
        self.iteration_done(called)

    def _iterate(self, loop: _TaskCall, name: str, layer: dict[str, object]) -> None:
        iteration = _Iteration(loop, f"{self.name}.{name}", loop.scope.under(layer))
        assert loop.task.iterations is not None
        loop.task.iterations.append(iteration)
        try:
            if reason := loop.planned.skipped_because(iteration.scope):
                iteration.rest(name, Phase.SKIPPED, reason)
            else:
                iteration.start(loop.planned.resolved(iteration.scope), name, layer)
        except ExpressionError as problem:
            iteration.rest(name, Phase.ERROR, problem.message)

    def iteration_done(self, loop: _TaskCall) -> None:
        """An iteration has come to rest; with the last one, the loop has."""
        task, group = loop.task, loop.node
        task.open -= 1
        if task.open or group is None:
            return
        phase = Phase.SUCCEEDED
        for iteration in task.iterations or ():
            if iteration.node is not None and iteration.node.phase.unsuccessful:
                phase = iteration.node.phase
        self.run.mark(group, phase)
        loop.settled(group)

    def hang(self, task: _Task, node: Node) -> None:
        """Hang a task's node below what it depends on, or below the dag."""
        waits_for = task.plan.waits_for
        if not waits_for:
            self.run.link(self.node, node)
        for name in waits_for:
            for outbound in self._outbound(self._tasks[name]):
                self.run.link(outbound, node)

    def _outbound(self, task: _Task) -> list[Node]:
        """The nodes below which the dependants of a task at rest hang, found once."""
        if task.outbound is None:
            ids = self.run.outbound(task.node) if task.node is not None else []
            task.outbound = [self.run.nodes[id] for id in ids]
        return task.outbound

    def stop_fast(self) -> None:
        """A child has failed, and none is active any more: loops whose other iterations never began have failed."""
        for loop in self._loops:
            if not loop.phase.fulfilled:
                self.run.mark(loop, Phase.FAILED, FAILED_FAST)
        super().stop_fast()

    # -- a task at rest

    def mark_trouble(self, called: Called) -> None:
        """A call that could not be carried out is in error; its node says of which task."""
        node = called.node
        if called.trouble and node is not None:
            self.run.mark(node, Phase.ERROR, f"task '{node.name}' errored: {called.trouble}")

    def task_done(self, called: _TaskCall) -> None:
        """A task has come to rest, or its daemon is ready."""
        self.mark_trouble(called)
        task, node = called.task, called.node
        assert node is not None
        task.node = node
        if task.iterations is None:
            self.refer(self.references, called.planned, node)
        else:
            nodes = [one.node for one in task.iterations if one.node is not None]
            self.references.settle(called.planned.name, node, nodes)
        task.branch = node.phase if node.phase.completed else self._inherited(task)
        self._unsettled -= 1
        if self.over or self.failed_fast:
            return
        for dependant in task.dependants:
            dependant.missing -= 1
            if dependant.missing == 0:
                self._begin(dependant)
        if self._unsettled == 0:
            self.run.later(self._all_at_rest)

    def _inherited(self, task: _Task) -> Phase:
        """The phase of the branch before a task that did not run; a failure counts more than a success."""
        branches = (self._tasks[name].branch for name in task.plan.waits_for)
        return next((phase for phase in branches if phase.unsuccessful), Phase.SUCCEEDED)

    def _all_at_rest(self) -> None:
        nodes = [task.node for task in self._targets if task.node is not None]
        self.node.outbound_nodes = [one for node in nodes for one in self.run.outbound(node)]
        self.finish(self._phase())

    def _phase(self) -> Phase:
        if self.run.shutdown and not self.exit_handler:
            return Phase.FAILED
        dag = self.resolved.template.dag
        fail_fast = dag is None or dag.fail_fast is not False
        result = Phase.SUCCEEDED
        for task in self._targets:
            # A daemon may have ended since its dependants went on.
            branch = task.node.phase if task.node is not None and task.node.phase.completed else task.branch
            if branch.unsuccessful and not tolerates(_continue_on(task.plan.call), branch):
                result = branch
                if fail_fast:
                    break
        return result


def _continue_on(call: PlannedCall) -> ContinueOn | None:
    return call.call.continue_on
