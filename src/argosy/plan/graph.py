"""The tasks of a dag template and what each waits for, worked out once for all executions of the template.

It knows names and conditions, not runs. Source: Argo docs: enhanced-depends-logic.md; ancestry.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from argosy.errors import ExpressionError
from argosy.expressions import depends
from argosy.expressions.depends import Depends
from argosy.model.manifest import DAGTask, DAGTemplate
from argosy.plan.calls import PlannedCall


class PlannedTask(PlannedCall):
    """One task.

    waits_for: the tasks that its condition mentions, each once. all_of_them: nothing more is needed than that all of
    these did well; the condition itself is worked out only when one of them did not.
    """

    __slots__ = ("_condition", "_task", "_tasks", "all_of_them", "waits_for")

    def __init__(self, task: DAGTask, tasks: Mapping[str, DAGTask]) -> None:
        """Raises ExpressionError for a condition that cannot be read."""
        super().__init__(task)
        self._task = task
        self._tasks = tasks
        self._condition: Depends | None = None
        if task.depends:
            condition = depends.parse(task.depends)
            self.waits_for = tuple(dict.fromkeys(name for name, _ in condition.references))
            self.all_of_them = condition.trivial_all
        else:
            self.waits_for = tuple(dict.fromkeys(task.dependencies))
            self.all_of_them = True

    @property
    def condition(self) -> Depends | None:
        """What the task waits for, with what its dependencies tolerate of themselves; None if for nothing."""
        if self._condition is None and self.waits_for:
            tolerated = {
                name: (given.error, given.failed)
                for name in self.waits_for
                if name in self._tasks and (given := self._tasks[name].continue_on) is not None
            }
            if self._task.depends:
                self._condition = depends.parse(self._task.depends, tolerated)
            else:
                self._condition = depends.from_dependencies(self._task.dependencies, tolerated)
        return self._condition


class Graph:
    """The tasks of a dag, in the order of the manifest."""

    def __init__(self, dag: DAGTemplate) -> None:
        """Raises ExpressionError for a condition that cannot be read, a task that is not there, a circle."""
        by_name = {task.name: task for task in dag.tasks}
        self.tasks = {task.name: PlannedTask(task, by_name) for task in dag.tasks}
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
