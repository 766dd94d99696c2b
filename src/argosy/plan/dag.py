"""A dag template: tasks that begin when what they depend on has come to rest.

It knows tasks and their dependencies, not how one call runs. A task that comes to rest touches its dependants only.
Source: Argo docs: walk-through/dag.md, enhanced-depends-logic.md; dag.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from argosy.errors import ExpressionError
from argosy.expressions.depends import TaskState
from argosy.model.status import Node, NodeType, Phase
from argosy.plan.called import Called
from argosy.plan.calling import FAILED_FAST, CallingBody
from argosy.plan.calls import tolerates
from argosy.plan.execution import Execution, Owner
from argosy.plan.graph import PlannedTask
from argosy.plan.names import item_name
from argosy.plan.substitution import substitute_text

_OMITTED = "omitted: depends condition not met"


class _Task(Called):
    """One task of a dag, from waiting to rest; of a loop, the loop as a whole."""

    __slots__ = ("branch", "dependants", "iterations", "missing", "open", "outbound")

    hooks_at_rest = True

    body: DagBody
    planned: PlannedTask

    def __init__(self, body: DagBody, planned: PlannedTask) -> None:
        super().__init__(body, planned, f"{body.name}.{planned.name}")
        # How many of those that it waits for are not at rest, and who waits for it.
        self.missing = len(planned.waits_for)
        self.dependants: Sequence[_Task] = ()
        self.outbound: tuple[Node, ...] | None = None
        # Of a loop: its iterations, in order, and how many of them still run.
        self.iterations: list[_Iteration] | None = None
        self.open = 0
        # How the branch up to here went: the task's own end, or, if it did not run, that of what it depends on.
        self.branch = Phase.SUCCEEDED

    def hang(self, node: Node) -> None:
        self.body.hang(self, node)

    def done(self) -> None:
        self.body.task_done(self)

    def add_dependant(self, task: _Task) -> None:
        """Let another task wait for this one."""
        if isinstance(self.dependants, list):
            self.dependants.append(task)
        else:
            self.dependants = [*self.dependants, task] if self.dependants else (task,)

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


class _Iteration(Called):
    """One iteration of a task that loops. Hooks watch the loop as a whole, its exit handler runs for each."""

    __slots__ = ("loop",)

    body: DagBody

    def __init__(self, loop: _Task, name: str, item: object) -> None:
        super().__init__(loop.body, loop.planned, f"{loop.body.name}.{name}", item)
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

    def __init__(
        self, execution: Execution, name: str, names: Mapping[str, object], owner: Owner, deadline: float
    ) -> None:
        super().__init__(execution, name, names, owner, deadline)
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
        tasks = self._tasks = {name: _Task(self, graph.tasks[name]) for name in wanted}
        self._targets = [tasks[name] for name in targets]
        for task in tasks.values():
            for name in task.planned.waits_for:
                tasks[name].add_dependant(task)
        self._unsettled = len(tasks)
        if not tasks:
            self.finish(Phase.SUCCEEDED)
        for task in [one for one in tasks.values() if one.missing == 0]:
            self._begin(task)

    # -- one task

    def _begin(self, task: _Task) -> None:
        planned = task.planned
        try:
            if not self._holds(planned):
                task.rest(planned.name, Phase.OMITTED, _OMITTED)
            elif planned.loops:
                self._begin_loop(task)
            else:
                self._start(task, planned.name)
        except ExpressionError as problem:
            task.rest(planned.name, Phase.ERROR, problem.message)

    def _holds(self, planned: PlannedTask) -> bool:
        if planned.all_of_them:
            for name in planned.waits_for:
                node = self._tasks[name].node
                if node is None or node.phase is not Phase.SUCCEEDED:
                    break
            else:
                return True
        condition = planned.condition
        return condition is None or condition.evaluate({name: self._tasks[name].state() for name in planned.waits_for})

    def _begin_loop(self, task: _Task) -> None:
        planned = task.planned
        found = planned.items(task.scope)
        if not found:
            task.rest(planned.name, Phase.SKIPPED, "Skipped, empty params")
            return
        group = self.run.new_node(task.name, planned.name, NodeType.TASK_GROUP, Phase.RUNNING, boundary_id=self.node.id)
        group.template_name, group.template_ref = planned.call.template, planned.call.template_ref
        group.template_scope = self.resolved.scope.label
        task.has_node(group)
        self._loops.append(group)
        task.iterations = []
        # One more is open while the loop is being filled, so that it cannot end before its last call was made.
        task.open = len(found) + 1
        for index, item in enumerate(found):
            name = item_name(planned.name, index, item)
            iteration = _Iteration(task, name, item)
            task.iterations.append(iteration)
            try:
                self._start(iteration, name)
            except ExpressionError as problem:
                iteration.rest(name, Phase.ERROR, problem.message)
        self.iteration_done(task)

    def _start(self, called: Called, name: str) -> None:
        """Begin a call, unless its condition does not hold. Raises ExpressionError."""
        planned = called.planned
        if planned.call.when and (reason := planned.skipped_because(called.scope)):
            called.rest(name, Phase.SKIPPED, reason)
        else:
            called.start(planned.resolved(called.scope) if planned.tagged else planned.plain, name)

    def iteration_done(self, task: _Task) -> None:
        """An iteration has come to rest; with the last one, the loop has."""
        group = task.node
        task.open -= 1
        if task.open or group is None:
            return
        phase = Phase.SUCCEEDED
        for iteration in task.iterations or ():
            if iteration.node is not None and iteration.node.phase.unsuccessful:
                phase = iteration.node.phase
        self.run.mark(group, phase)
        task.settled(group)

    def hang(self, task: _Task, node: Node) -> None:
        """Hang a task's node below what it depends on, or below the dag."""
        waits_for = task.planned.waits_for
        if not waits_for:
            self.run.link(self.node, node)
        for name in waits_for:
            for outbound in self._outbound(self._tasks[name]):
                self.run.link(outbound, node)

    def _outbound(self, task: _Task) -> tuple[Node, ...]:
        """The nodes below which the dependants of a task at rest hang, found once."""
        if task.outbound is None:
            ids = self.run.outbound(task.node) if task.node is not None else ()
            task.outbound = tuple(self.run.nodes[id] for id in ids)
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

    def task_done(self, task: _Task) -> None:
        """A task has come to rest, or its daemon is ready."""
        self.mark_trouble(task)
        node = task.node
        assert node is not None
        if task.iterations is None:
            self.refer(self.references, task.planned, node)
        else:
            nodes = [one.node for one in task.iterations if one.node is not None]
            self.references.settle(task.planned.name, node, nodes)
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
        branches = (self._tasks[name].branch for name in task.planned.waits_for)
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
            if branch.unsuccessful and not tolerates(task.planned.call.continue_on, branch):
                result = branch
                if fail_fast:
                    break
        return result
