"""A dag of plain tasks, planned anew after each fact by a slow and obvious planner: the fast one agrees."""

from __future__ import annotations

import re
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.model import events
from argosy.model.manifest import Workflow
from argosy.plan.actions import Start
from argosy.plan.plan import Plan, RunIdentity

WORDS = ("", ".Succeeded", ".Failed", ".Errored", ".Skipped", ".Omitted")
ENDS = ("Succeeded", "Succeeded", "Failed", "Error")


class Task:
    """A task as the oracle sees it: what it waits for, as Python says it, and whether it is skipped."""

    def __init__(self, name: str, depends: str, skipped: bool) -> None:
        self.name = name
        self.depends = depends
        self.skipped = skipped
        self.waits_for = set(re.findall(r"t\d+", depends))

    def holds(self, phases: dict[str, str]) -> bool:
        def word(found: re.Match[str]) -> str:
            phase, selector = phases[found.group(1)], found.group(2)
            if selector is None:
                return str(phase in ("Succeeded", "Skipped"))
            return str(phase == {"Errored": "Error"}.get(selector, selector))

        text = re.sub(r"(t\d+)(?:\.(\w+))?", word, self.depends)
        return bool(eval(text.replace("&&", " and ").replace("||", " or ").replace("!", " not ")))


class Oracle:
    """What each task's phase is, found anew each time from how the leaves ended."""

    def __init__(self, tasks: list[Task]) -> None:
        self.tasks = tasks

    def phases(self, ends: dict[str, str]) -> dict[str, str]:
        """The phase of every task that has one, "" for one that runs."""
        found: dict[str, str] = {}
        again = True
        while again:
            again = False
            for task in self.tasks:
                if task.name in found or not all(found.get(name) for name in task.waits_for):
                    continue
                again = True
                if task.waits_for and not task.holds(found):
                    found[task.name] = "Omitted"
                elif task.skipped:
                    found[task.name] = "Skipped"
                else:
                    found[task.name] = ends.get(task.name, "")
        return found

    def result(self, phases: dict[str, str]) -> str:
        """The phase of the whole: that of the first target whose branch failed."""
        awaited = {name for task in self.tasks for name in task.waits_for}
        for task in sorted((one for one in self.tasks if one.name not in awaited), key=lambda one: one.name):
            branch = self.branch(task, phases)
            if branch != "Succeeded":
                return branch
        return "Succeeded"

    def branch(self, task: Task, phases: dict[str, str]) -> str:
        if phases[task.name] in ("Succeeded", "Failed", "Error"):
            return phases[task.name]
        order = re.findall(r"t\d+", task.depends)
        before = [self.branch(self.task(name), phases) for name in order]
        return next((phase for phase in before if phase != "Succeeded"), "Succeeded")

    def task(self, name: str) -> Task:
        return next(task for task in self.tasks if task.name == name)


def random_tasks(random: Random) -> list[Task]:
    tasks: list[Task] = []
    for number in range(random.randint(1, 9)):
        before = random.sample([task.name for task in tasks], random.randint(0, min(3, len(tasks))))
        text = ""
        for name in before:
            part = random.choice(["", "!"]) + name + random.choice(WORDS)
            text = f"({text}) {random.choice(['&&', '||'])} {part}" if text else part
        tasks.append(Task(f"t{number}", text, random.random() < 0.2))
    return tasks


def workflow_of(tasks: list[Task]) -> Workflow:
    written = [
        {"name": task.name, "template": "leaf"}
        | ({"depends": task.depends} if task.depends else {})
        | ({"when": "1 == 2"} if task.skipped else {})
        for task in tasks
    ]
    templates = [{"name": "main", "dag": {"tasks": written}}, {"name": "leaf", "container": {"image": "none"}}]
    spec = {"entrypoint": "main", "templates": templates}
    return msgspec.convert({"metadata": {"name": "wf"}, "kind": "Workflow", "spec": spec}, Workflow)


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0, max_value=2**63))
def test_the_fast_planner_agrees_with_the_obvious_one(seed: int) -> None:
    random = Random(seed)
    tasks = random_tasks(random)
    oracle = Oracle(tasks)
    plan = Plan(workflow_of(tasks), RunIdentity(name="wf", uid="u", created_at=1.0))
    plan.apply(events.RunStarted(at=1.0))
    ends: dict[str, str] = {}
    started: dict[str, Start] = {}
    while True:
        started |= {one.name.removeprefix("wf."): one for one in plan.actions() if isinstance(one, Start)}
        expected = oracle.phases(ends)
        assert set(started) == {
            name for name, phase in expected.items() if phase in ("", "Succeeded", "Failed", "Error")
        }
        found = {node.display_name: str(node.phase) for node in plan.nodes.values() if node.id != "wf"}
        assert {name: phase for name, phase in found.items() if phase != "Pending"} == {
            name: phase for name, phase in expected.items() if phase
        }
        running = [name for name in started if name not in ends]
        if not running:
            break
        name = random.choice(running)
        ends[name] = random.choice(ENDS)
        plan.apply(events.AttemptStarted(at=1.0, node=started[name].node))
        plan.apply(events.AttemptExited(at=1.0, node=started[name].node, phase=ends[name]))
    assert plan.finished
    assert str(plan.phase) == oracle.result(oracle.phases(ends))
