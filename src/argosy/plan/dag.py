"""A dag template: tasks that begin when what they depend on has come to rest.

It knows tasks and their dependencies, not how one call runs. A task that comes to rest touches its dependants only.
Source: Argo docs: walk-through/dag.md, enhanced-depends-logic.md; dag.go.
"""

from __future__ import annotations

from argosy.errors import ExpressionError
from argosy.expressions import depends
from argosy.expressions.condition import evaluate_when
from argosy.expressions.depends import Depends, TaskState
from argosy.model.manifest import CallFields, DAGTask, Template
from argosy.model.status import Node, NodeType, Phase
from argosy.plan import items
from argosy.plan.calling import CalledOnce, CallingBody
from argosy.plan.calls import PlannedCall, tolerates
from argosy.plan.execution import Execution, Owner
from argosy.plan.names import item_name
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute_text

_OMITTED = "omitted: depends condition not met"


class _Task:
    """What a dag keeps of one task while it runs."""

    __slots__ = ("branch", "called", "condition", "dependants", "iterations", "missing", "node", "open", "planned")

    def __init__(self, planned: PlannedCall, condition: Depends | None) -> None:
        self.planned = planned
        self.condition = condition
        self.missing = 0
        self.dependants: list[_Task] = []
        self.node: Node | None = None
        self.called: CalledOnce | None = None
        # Of a loop: its iterations' nodes, in order, and how many of them still run.
        self.iterations: list[Node] | None = None
        self.open = 0
        # How the branch up to here went: the task's own end, or, if it did not run, that of what it depends on.
        self.branch = Phase.SUCCEEDED


class DagBody(CallingBody):
    """The tasks of one execution of a dag template."""

    prefix = "tasks"
    node_type = NodeType.DAG

    def __init__(self, execution: Execution, name: str, scope: Scope, owner: Owner) -> None:
        super().__init__(execution, name, scope, owner)
        self._tasks: dict[str, _Task] = {}
        self._targets: list[str] = []
        self._unsettled = 0

    def start(self) -> None:
        """Begin with the tasks that wait for nothing."""
        try:
            self._targets = self._find_targets()
            self._make_tasks()
        except ExpressionError as problem:
            self.finish(Phase.ERROR, problem.message)
            return
        self._unsettled = len(self._tasks)
        if not self._tasks:
            self.finish(Phase.SUCCEEDED)
        for task in [one for one in self._tasks.values() if one.missing == 0]:
            self._begin(task)

    # -- the graph

    def _condition(self, name: str) -> Depends | None:
        """What a task waits for; worked out once for a template. Raises ExpressionError."""
        known = self.resolved.depends
        if name not in known:
            task = self.resolved.tasks[name].call
            assert isinstance(task, DAGTask)
            continue_on = {
                one: (given.error, given.failed)
                for one in _mentioned(task)
                if one in self.resolved.tasks and (given := self.resolved.tasks[one].call.continue_on) is not None
            }
            if task.depends:
                known[name] = depends.parse(task.depends, continue_on)
            else:
                known[name] = depends.from_dependencies(task.dependencies, continue_on) if task.dependencies else None
        return known[name]

    def _waits_for(self, name: str) -> list[str]:
        condition = self._condition(name)
        if condition is None:
            return []
        found = list(dict.fromkeys(task for task, _ in condition.references))
        for one in found:
            if one not in self.resolved.tasks:
                raise ExpressionError(f"task '{name}' depends on '{one}', which is not a task of this dag")
        return found

    def _find_targets(self) -> list[str]:
        dag = self.resolved.template.dag
        assert dag is not None
        if dag.target:
            targets = substitute_text(dag.target, self.scope).split()
            for target in targets:
                if target not in self.resolved.tasks:
                    raise ExpressionError(f"target '{target}' is not a task of this dag")
            return targets
        awaited = {one for name in self.resolved.tasks for one in self._waits_for(name)}
        return sorted(name for name in self.resolved.tasks if name not in awaited)

    def _make_tasks(self) -> None:
        """The targets and all that they depend on, in the order of the manifest."""
        wanted: set[str] = set()
        waiting = list(self._targets)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(self._waits_for(name))
        for name, planned in self.resolved.tasks.items():
            if name in wanted:
                self._tasks[name] = _Task(planned, self._condition(name))
        for name, task in self._tasks.items():
            for one in self._waits_for(name):
                self._tasks[one].dependants.append(task)
                task.missing += 1

    # -- one task

    def _begin(self, task: _Task) -> None:
        planned = task.planned
        try:
            if task.condition is not None and not self._holds(task.condition):
                self._rest(task, Phase.OMITTED, _OMITTED)
                return
            if planned.loops:
                self._begin_loop(task)
                return
            scope = self.scope.under({"tasks.name": planned.name})
            ready = self._ready(planned, scope)
        except ExpressionError as problem:
            self._rest(task, Phase.ERROR, problem.message)
            return
        if isinstance(ready, str):
            self._rest(task, Phase.SKIPPED, ready)
            return
        name = f"{self.name}.{planned.name}"
        self._link(task, self.run.id_of(name))
        task.called = CalledOnce(self, planned, name, scope, lambda called: self._done(task, called))
        task.called.start(ready, planned.name, {})

    def _holds(self, condition: Depends) -> bool:
        if condition.trivial_all and all(
            (node := self._tasks[one].node) is not None and node.phase is Phase.SUCCEEDED
            for one, _ in condition.references
        ):
            return True
        return condition.evaluate({one: self._state(self._tasks[one]) for one, _ in condition.references})

    def _state(self, task: _Task) -> TaskState:
        node = task.node
        assert node is not None
        phases = [one.phase for one in task.iterations or ()]
        return TaskState(
            succeeded=node.phase is Phase.SUCCEEDED,
            failed=node.phase is Phase.FAILED,
            errored=node.phase is Phase.ERROR,
            skipped=node.phase is Phase.SKIPPED,
            omitted=node.phase is Phase.OMITTED,
            daemoned=node.daemoned and node.phase is not Phase.PENDING,
            any_succeeded=any(phase is Phase.SUCCEEDED for phase in phases),
            all_failed=bool(phases) and all(phase is Phase.FAILED for phase in phases),
        )

    def _ready(self, planned: PlannedCall, scope: Scope) -> CallFields | str:
        """The call with its tags replaced, or why it is skipped. Raises ExpressionError."""
        if planned.call.when:
            condition = planned.condition(scope)
            if not evaluate_when(condition):
                return f"when '{condition}' evaluated false"
        return planned.resolved(scope)

    def _begin_loop(self, task: _Task) -> None:
        planned = task.planned
        try:
            found = items.of(planned.looping(self.scope)) or ()
        except ExpressionError:
            if not self._false_without_items(planned):
                raise
            found = ()
        if not found:
            self._rest(task, Phase.SKIPPED, "Skipped, empty params")
            return
        name = f"{self.name}.{planned.name}"
        group = self.run.new_node(name, planned.name, NodeType.TASK_GROUP, Phase.RUNNING, boundary_id=self.node.id)
        group.template_name, group.template_ref = planned.call.template, planned.call.template_ref
        group.template_scope = self.resolved.scope.label
        task.node, task.iterations, task.open = group, [], len(found) + 1
        self._link(task, group.id)
        for index, item in enumerate(found):
            self._iterate(task, group, item_name(planned.name, index, item), items.layer(item))
        self._closed_iteration(task)

    def _false_without_items(self, planned: PlannedCall) -> bool:
        """True when a task's condition is false whatever its items are."""
        try:
            return bool(planned.call.when) and not evaluate_when(planned.condition(self.scope))
        except ExpressionError:
            return False

    def _iterate(self, task: _Task, group: Node, name: str, layer: dict[str, object]) -> None:
        scope = self.scope.under(layer, {"tasks.name": task.planned.name})
        node_name = f"{self.name}.{name}"
        self.run.link(group, self.run.id_of(node_name))
        called = CalledOnce(self, task.planned, node_name, scope, lambda _: self._closed_iteration(task))
        try:
            ready = self._ready(task.planned, scope)
        except ExpressionError as problem:
            node = self.rest(node_name, name, Phase.ERROR, problem.message, NodeType.SKIPPED, task.planned.call)
            self.run.later(lambda: called.rested(node))
            return
        if isinstance(ready, str):
            node = self.rest(node_name, name, Phase.SKIPPED, ready, NodeType.SKIPPED, task.planned.call)
            self.run.later(lambda: called.rested(node))
            return
        called.start(ready, name, layer)

    def _closed_iteration(self, task: _Task) -> None:
        task.open -= 1
        if task.open:
            return
        group = task.node
        assert group is not None
        task.iterations = [self.run.nodes[one] for one in group.children]
        group.phase = Phase.SUCCEEDED
        for node in task.iterations:
            if node.phase.unsuccessful:
                group.phase = node.phase
        group.finished_at = self.run.now
        task.called = CalledOnce(self, task.planned, group.name, self.scope, lambda called: self._done(task, called))
        task.called.group_settled(group)

    def _link(self, task: _Task, child: str) -> None:
        """Hang a task's node below what it depends on, or below the dag."""
        if task.condition is None:
            self.run.link(self.node, child)
            return
        for name, _ in task.condition.references:
            before = self._tasks[name].node
            if before is not None:
                for outbound in self.run.outbound(before):
                    self.run.link(self.run.nodes[outbound], child)

    # -- a task at rest

    def _rest(self, task: _Task, phase: Phase, message: str) -> None:
        planned = task.planned
        name = f"{self.name}.{planned.name}"
        node = self.rest(name, planned.name, phase, message, NodeType.SKIPPED, planned.call)
        self._link(task, node.id)
        task.node = node
        self.run.later(lambda: self._at_rest(task))

    def _done(self, task: _Task, called: CalledOnce) -> None:
        task.node = called.node
        task.called = None
        self._at_rest(task)

    def _at_rest(self, task: _Task) -> None:
        node = task.node
        assert node is not None
        self.references.settle(task.planned.name, node, task.iterations, self._declared(task.planned, node))
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
        if task.condition is None:
            return Phase.SUCCEEDED
        branches = [self._tasks[name].branch for name, _ in task.condition.references]
        return next((phase for phase in branches if phase.unsuccessful), Phase.SUCCEEDED)

    def _declared(self, planned: PlannedCall, node: Node) -> Template | None:
        """The template of a task that did not run: its outputs have defaults, or are absent."""
        if node.phase not in (Phase.SKIPPED, Phase.OMITTED):
            return None
        try:
            return self.run.templates.resolve(planned.call, self.resolved.scope).template
        except ExpressionError:
            return None

    def _all_at_rest(self) -> None:
        targets = [self._tasks[name] for name in self._targets]
        nodes = [task.node for task in targets if task.node is not None]
        self.node.outbound_nodes = [one for node in nodes for one in self.run.outbound(node)]
        self.finish(self._phase(targets))

    def _phase(self, targets: list[_Task]) -> Phase:
        if self.run.shutdown and not self.exit_handler:
            return Phase.FAILED
        dag = self.resolved.template.dag
        fail_fast = dag is None or dag.fail_fast is not False
        result = Phase.SUCCEEDED
        for task in targets:
            if task.branch.unsuccessful and not tolerates(task.planned.call.continue_on, task.branch):
                result = task.branch
                if fail_fast:
                    break
        return result


def _mentioned(task: DAGTask) -> tuple[str, ...]:
    if not task.depends:
        return task.dependencies
    return tuple(name for name, _ in depends.parse(task.depends).references)
