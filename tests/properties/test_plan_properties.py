"""Whatever the workflow and whatever order things happen in: a replay gives the same, limits hold, every run ends."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.model import events
from argosy.model.events import ContainerEnd, Fact
from argosy.model.manifest import Outputs, Parameter, Workflow
from argosy.model.status import NodeType, Phase
from argosy.plan.actions import AcquireLocks, Action, Kill, ReadCache, ReleaseLocks, Start, WriteCache
from argosy.plan.plan import Plan, RunIdentity

BEGIN = 1_000_000.0
LEAF_KINDS = ("container", "daemon", "suspend", "set")
CONDITIONS = ("true", "false", "1 < 2", "a == == b", "{{workflow.parameters.p}} == v")


# -- random workflows, written as they would be in a file


class Writer:
    """Templates that call only those after them, so that nothing recurs."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.count = random.randint(1, 5)
        self.templates = [self.template(number) for number in range(self.count)]

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def template(self, number: int) -> dict[str, Any]:
        random = self.random
        template: dict[str, Any] = {"name": f"t{number}"}
        last = number == self.count - 1
        kind = random.choice(LEAF_KINDS if last else ("steps", "dag", "steps", "dag", *LEAF_KINDS))
        if kind == "container":
            template["container"] = {"image": "none"}
            template["outputs"] = {"parameters": [{"name": "x", "valueFrom": {"path": "/x", "default": "d"}}]}
        elif kind == "daemon":
            template |= {"daemon": True, "container": {"image": "none"}}
        elif kind == "suspend":
            template["suspend"] = {"duration": str(random.randint(1, 20))} if self.maybe(0.7) else {}
        elif kind == "set":
            containers = [{"name": "a", "image": "none"}, {"name": "b", "image": "none", "dependencies": ["a"]}]
            template["containerSet"] = {"containers": containers}
        elif kind == "steps":
            template["steps"] = [
                [self.call(number, f"s{group}x{place}", "steps") for place in range(random.randint(1, 3))]
                for group in range(random.randint(1, 3))
            ]
        else:
            template["dag"] = {"tasks": self.tasks(number), "failFast": self.maybe(0.5)}
        self.limits(template, kind)
        return template

    def limits(self, template: dict[str, Any], kind: str) -> None:
        random = self.random
        if self.maybe(0.25):
            template["retryStrategy"] = {
                "limit": random.randint(0, 2),
                "retryPolicy": random.choice(["Always", "OnFailure"]),
            }
            if self.maybe(0.4):
                template["retryStrategy"]["backoff"] = {"duration": str(random.randint(0, 9)), "factor": 2}
        if self.maybe(0.15):
            template["synchronization"] = {"mutexes": [{"name": random.choice("mn")}]}
        if self.maybe(0.1):
            template["memoize"] = {"key": "k", "cache": {"configMap": {"name": "c"}}}
        if kind in ("steps", "dag"):
            if self.maybe(0.3):
                template["parallelism"] = random.randint(1, 2)
            template["failFast"] = self.maybe(0.1)
        elif kind != "suspend" and self.maybe(0.15):
            template[random.choice(["timeout", "pendingTimeout"])] = f"{random.randint(1, 9)}s"
        elif self.maybe(0.1):
            template["activeDeadlineSeconds"] = random.randint(1, 9)

    def call(self, number: int, name: str, prefix: str) -> dict[str, Any]:
        random = self.random
        call: dict[str, Any] = {"name": name, "template": f"t{random.randint(number + 1, self.count - 1)}"}
        if self.maybe(0.25):
            call["withItems"] = list(range(random.randint(1, 3)))
        elif self.maybe(0.1):
            call["withParam"] = random.choice(["[]", "[1, 2]", "none"])
        if self.maybe(0.2):
            call["when"] = random.choice(CONDITIONS)
        if self.maybe(0.15):
            call["continueOn"] = {"failed": self.maybe(0.5), "error": self.maybe(0.5)}
        hooks: dict[str, Any] = {}
        if self.maybe(0.15):
            hooks["exit"] = {"template": f"t{self.count - 1}"}
        if self.maybe(0.15):
            status = random.choice(["Running", "Succeeded", "Failed"])
            expression = random.choice([f'{prefix}["{name}"].status == "{status}"', "true", "nonsense +"])
            hooks["hook"] = {"template": f"t{self.count - 1}", "expression": expression}
        if hooks:
            call["hooks"] = hooks
        return call

    def tasks(self, number: int) -> list[dict[str, Any]]:
        random = self.random
        found: list[dict[str, Any]] = []
        for place in range(random.randint(1, 5)):
            task = self.call(number, f"k{place}", "tasks")
            before = [one["name"] for one in found if self.maybe(0.5)]
            if before and self.maybe(0.6):
                task["dependencies"] = before
            elif before:
                task.pop("continueOn", None)
                word = random.choice([".Succeeded", ".Failed", ".Errored", ".Skipped", ".Omitted", ""])
                task["depends"] = random.choice([" && ", " || "]).join(f"{name}{word}" for name in before)
            found.append(task)
        for task in found:
            if any("depends" in other for other in found):
                task.pop("continueOn", None)
        return found

    def workflow(self) -> Workflow:
        random = self.random
        spec: dict[str, Any] = {"entrypoint": "t0", "templates": self.templates}
        spec["arguments"] = {"parameters": [{"name": "p", "value": random.choice("vw")}]}
        if self.maybe(0.3):
            spec["parallelism"] = random.randint(1, 3)
        if self.maybe(0.2):
            spec["activeDeadlineSeconds"] = random.randint(5, 60)
        if self.maybe(0.2):
            spec["synchronization"] = {"mutexes": [{"name": "whole"}]}
        if self.maybe(0.3):
            spec["onExit"] = f"t{self.count - 1}"
        if self.maybe(0.15):
            spec["hooks"] = {"h": {"template": f"t{self.count - 1}", "expression": 'workflow.status == "Running"'}}
        if self.maybe(0.1):
            spec["retryStrategy"] = {"limit": 1}
        manifest = {"metadata": {"name": "wf"}, "kind": "Workflow", "spec": spec}
        return msgspec.convert(manifest, Workflow)


# -- a driver that does things in any order


class Driver:
    """Runs a workflow, each next thing drawn at random, and looks at what must always hold."""

    def __init__(self, workflow: Workflow, random: Random) -> None:
        self.workflow = workflow
        self.random = random
        self.plan = self.new_plan()
        self.facts: list[Fact] = []
        self.now = BEGIN
        self.waiting: dict[str, Start] = {}
        self.running: dict[str, Start] = {}
        self.ready: set[str] = set()
        self.served: set[str] = set()
        self.started: set[str] = set()
        self.asked: dict[str, AcquireLocks] = {}
        self.asks: Counter[str] = Counter()
        self.releases: Counter[str] = Counter()
        self.holders: dict[str, str] = {}
        self.stopped = ""
        self.limits = {one.name: one.parallelism for one in workflow.spec.templates}

    def new_plan(self) -> Plan:
        return Plan(self.workflow, RunIdentity(name="wf", uid="u", created_at=BEGIN))

    def tell(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.plan.apply(fact)
        self.take(self.plan.actions())
        self.look()

    def take(self, actions: list[Action]) -> None:
        for action in actions:
            node = action.node
            match action:
                case Start():
                    assert node not in self.started, "a leaf is started once"
                    handler = ".onExit" in action.name
                    assert not self.stopped or (self.stopped == "Stop" and handler), "nothing new starts after a stop"
                    self.started.add(node)
                    self.waiting[node] = action
                case Kill():
                    assert node in self.running, "only what runs is killed"
                case AcquireLocks():
                    self.asks[node] += 1
                    self.asked[node] = action
                case ReleaseLocks():
                    self.releases[node] += 1
                    self.asked.pop(node, None)
                    self.holders = {lock: holder for lock, holder in self.holders.items() if holder != node}
                case ReadCache() | WriteCache():
                    pass
                case _:
                    raise AssertionError(action)
        for node in [one for one in self.waiting if self.plan.nodes[one].phase is not Phase.PENDING]:
            del self.waiting[node]

    # -- what may happen next

    def step(self) -> bool:
        """One thing; False if there is none."""
        choices = [self.start] * bool(self.waiting) + [self.end] * bool(self.running)
        choices += [self.lock] * bool(self.asked) + [self.answer_cache] * bool(self.reads())
        if self.plan.wake_at is not None:
            choices.append(self.time)
        if self.plan.waiting() or self.plan.suspended:
            choices.append(self.resume)
        if not choices:
            return False
        if self.random.random() < 0.03:
            self.person()
        else:
            self.random.choice(choices)()
        return True

    def start(self) -> None:
        node = self.random.choice(sorted(self.waiting))
        self.running[node] = self.waiting.pop(node)
        self.tell(events.AttemptStarted(at=self.now, node=node))

    def end(self) -> None:
        node = self.random.choice(sorted(self.running))
        start = self.running[node]
        self.now += self.random.choice([0.0, 0.5, 3.0])
        if start.template.daemon and node not in self.ready and self.random.random() < 0.7:
            self.ready.add(node)
            self.tell(events.AttemptReady(at=self.now, node=node, ip="127.0.0.1"))
            return
        del self.running[node]
        phase = self.random.choice(["Succeeded", "Succeeded", "Failed", "Error"])
        outputs = Outputs(parameters=(Parameter(name="x", value="1"),), exit_code="0" if phase == "Succeeded" else "1")
        containers = (ContainerEnd(name="a", phase=phase),) if start.template.container_set is not None else ()
        self.tell(events.AttemptExited(at=self.now, node=node, phase=phase, outputs=outputs, containers=containers))

    def lock(self) -> None:
        node = self.random.choice(sorted(self.asked))
        names = [one.name for one in self.asked[node].synchronization.mutexes]
        if any(name in self.holders for name in names):
            self.tell(events.LocksRefused(at=self.now, node=node, waiting_for=names[0]))
            # Something else has to happen before it is worth asking again.
            if self.holders and not (self.running or self.waiting or self.plan.wake_at or self.plan.waiting()):
                self.person()
            return
        del self.asked[node]
        self.holders |= dict.fromkeys(names, node)
        self.tell(events.LocksGranted(at=self.now, node=node))

    def reads(self) -> list[str]:
        replay = self.replay(len(self.facts))
        return sorted(one.node for one in replay.actions() if isinstance(one, ReadCache))

    def answer_cache(self) -> None:
        node = self.random.choice(self.reads())
        hit = self.random.random() < 0.3
        outputs = Outputs(parameters=(Parameter(name="x", value="c"),)) if hit else None
        self.tell(events.CacheRead(at=self.now, node=node, hit=hit, outputs=outputs))

    def time(self) -> None:
        assert self.plan.wake_at is not None
        self.now = max(self.now, self.plan.wake_at)
        self.tell(events.TimePassed(at=self.now))

    def resume(self) -> None:
        nodes = self.plan.waiting()
        node = self.random.choice(nodes) if nodes and not self.plan.suspended else ""
        self.tell(events.Resumed(at=self.now, node=node, phase=self.random.choice(["Succeeded", "Failed"])))

    def person(self) -> None:
        choice = self.random.choice(["Stop", "Terminate", "Suspend"])
        if choice == "Suspend":
            self.tell(events.Suspended(at=self.now))
        else:
            self.stopped = "Terminate" if "Terminate" in (choice, self.stopped) else choice
            self.tell(events.StopRequested(at=self.now, strategy=choice))

    # -- what must always hold

    def replay(self, count: int) -> Plan:
        plan = self.new_plan()
        for fact in self.facts[:count]:
            plan.apply(fact)
        return plan

    def look(self) -> None:
        replay = self.replay(len(self.facts))
        assert shown(replay) == shown(self.plan), "a replay gives the same"
        if not self.plan.finished:
            pending = {one.node for one in replay.actions() if isinstance(one, Start)}
            assert pending == set(self.waiting), "a start stands until its attempt has begun"
            assert {one.node for one in replay.running()} == set(self.running) - self.dismissed()
        active = len(self.running) - len(self.ready & set(self.running)) - len(self.dismissed() - self.ready)
        limit = self.workflow.spec.parallelism
        assert limit is None or active + len(self.waiting) <= limit, "the workflow's parallelism"
        self.look_at_templates()
        for node in self.plan.nodes.values():
            assert len(set(node.children)) == len(node.children), "a child is a child once"
            assert all(child in self.plan.nodes for child in node.children), "a child is a node"

    def dismissed(self) -> set[str]:
        """Daemons that the plan has let go, and whose end has not come yet."""
        return {one for one in self.running if self.plan.nodes[one].phase.fulfilled}

    def look_at_templates(self) -> None:
        active: Counter[str] = Counter()
        for node in self.plan.nodes.values():
            inner = node.type in (NodeType.STEP_GROUP, NodeType.TASK_GROUP, NodeType.SKIPPED, NodeType.CONTAINER)
            attempt = node.node_flag is not None and node.node_flag.retried
            if node.daemoned:
                self.served.add(node.id)
            # A daemon that has to begin anew still has the place of those who use it.
            if not node.fulfilled and not inner and not attempt and node.id not in self.served:
                active[node.boundary_id] += 1
        for boundary, count in active.items():
            node = self.plan.nodes.get(boundary)
            limit = self.limits.get(node.template_name) if node is not None else None
            assert limit is None or count <= limit, "a template's parallelism"


def shown(plan: Plan) -> Any:
    """Everything of a plan that is shown."""
    return plan.phase, plan.message, plan.wake_at, plan.progress, msgspec.to_builtins(dict(plan.nodes))


@settings(max_examples=400, deadline=None)
@given(st.integers(min_value=0, max_value=2**63))
def test_any_workflow_in_any_order(seed: int) -> None:
    random = Random(seed)
    driver = Driver(Writer(random).workflow(), random)
    driver.tell(events.RunStarted(at=BEGIN))
    for number in range(2000):
        if driver.plan.finished or not driver.step():
            break
        if number == 300:
            driver.stopped = "Terminate"
            driver.tell(events.StopRequested(at=driver.now, strategy="Terminate"))
    assert driver.plan.finished, f"the run does not end: {driver.plan.phase} {driver.plan.message}"
    assert all(node.phase.fulfilled for node in driver.plan.nodes.values())
    # All who asked for locks have given them back, once.
    assert set(driver.asks) <= set(driver.releases)
    assert set(driver.releases.values()) <= {1}
