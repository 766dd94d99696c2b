"""The tasks of a dag template and what each waits for, worked out once for all executions of the template.

It knows names and conditions, not runs. Source: Argo docs: enhanced-depends-logic.md; ancestry.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from argosy.errors import ExpressionError
from argosy.expressions import depends
from argosy.expressions.depends import Depends
from argosy.model.manifest import DAGTask, DAGTemplate
from argosy.plan.calls import PlannedCall


class TaskPlan:
    """One task. waits_for: the tasks that its condition mentions, each once."""

    __slots__ = ("call", "condition", "own_names", "waits_for")

    def __init__(self, call: PlannedCall, condition: Depends | None) -> None:
        self.call = call
        self.condition = condition
        self.waits_for = () if condition is None else tuple(dict.fromkeys(name for name, _ in condition.references))
        self.own_names: dict[str, object] = {"tasks.name": call.name}


class Graph:
    """The tasks of a dag, in the order of the manifest."""

    def __init__(self, dag: DAGTemplate) -> None:
        """Raises ExpressionError for a condition that cannot be read, a task that is not there, a circle."""
        by_name = {task.name: task for task in dag.tasks}
        self.tasks = {task.name: TaskPlan(PlannedCall(task), _condition(task, by_name)) for task in dag.tasks}
        awaited: set[str] = set()
        for name, task in self.tasks.items():
            for other in task.waits_for:
                if other not in self.tasks:
                    raise ExpressionError(f"task '{name}' depends on '{other}', which is not a task of this dag")
            awaited.update(task.waits_for)
        self._leaves = sorted(name for name in self.tasks if name not in awaited)
        self._refuse_circles()

    def _refuse_circles(self) -> None:
        missing = {name: len(task.waits_for) for name, task in self.tasks.items()}
        dependants: dict[str, list[str]] = {name: [] for name in self.tasks}
        for name, task in self.tasks.items():
            for other in task.waits_for:
                dependants[other].append(name)
        free = [name for name, count in missing.items() if count == 0]
        while free:
            for name in dependants[free.pop()]:
                missing[name] -= 1
                if missing[name] == 0:
                    free.append(name)
        stuck = sorted(name for name, count in missing.items() if count)
        if stuck:
            raise ExpressionError(f"the tasks {', '.join(stuck[:5])} wait for one another in a circle")

    def reaching(self, targets: Sequence[str]) -> tuple[list[str], list[str]]:
        """The tasks that the targets need, themselves included, and the targets: those given, or all that none awaits.

        Raises ExpressionError for a target that is not there.
        """
        for target in targets:
            if target not in self.tasks:
                raise ExpressionError(f"target '{target}' is not a task of this dag")
        chosen = list(targets) or self._leaves
        wanted: set[str] = set()
        waiting = list(chosen)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(self.tasks[name].waits_for)
        return [name for name in self.tasks if name in wanted], chosen


def _condition(task: DAGTask, tasks: dict[str, DAGTask]) -> Depends | None:
    """What a task waits for. Raises ExpressionError."""
    if not task.depends and not task.dependencies:
        return None
    mentioned = task.dependencies
    if task.depends:
        mentioned = tuple(name for name, _ in depends.parse(task.depends).references)
    continue_on = {
        name: (given.error, given.failed)
        for name in mentioned
        if name in tasks and (given := tasks[name].continue_on) is not None
    }
    if task.depends:
        return depends.parse(task.depends, continue_on)
    return depends.from_dependencies(task.dependencies, continue_on)
