"""What planning costs: `python benchmarks/planning.py [LEAVES ...]`.

Whole runs without a process: every leaf is started, and ends at once. It prints the microseconds a step that the
planner takes (of processor time), the nodes, and the peak of memory; each case in a process of its own, so that one
does not warm the next.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable

from argosy.model.events import AttemptExited, AttemptStarted, RunStarted
from argosy.model.manifest import (
    Container,
    DAGTask,
    DAGTemplate,
    ObjectMeta,
    Outputs,
    Sequence,
    Template,
    Workflow,
    WorkflowSpec,
    WorkflowStep,
)
from argosy.plan.actions import Start
from argosy.plan.plan import Plan, RunIdentity
from argosy.runners.local.collector import collect_seldom

SIZES = (1_000, 10_000, 100_000)
WIDTH = 100
# At most so many leaves run at once, as a driver would have it.
JOBS = 6
LEAF = Template(name="leaf", container=Container(image="none", command=("true",)))


def workflow(*templates: Template) -> Workflow:
    """A workflow that begins with the first template."""
    spec = WorkflowSpec(entrypoint=templates[0].name, templates=(*templates, LEAF))
    return Workflow(metadata=ObjectMeta(name="bench"), spec=spec, kind="Workflow")


def loop(leaves: int) -> Workflow:
    """One step, many times side by side."""
    step = WorkflowStep(name="all", template="leaf", with_sequence=Sequence(count=leaves))
    return workflow(Template(name="main", steps=((step,),)))


def dag_of(tasks: list[DAGTask]) -> Workflow:
    """Tasks as one dag."""
    return workflow(Template(name="main", dag=DAGTemplate(tasks=tuple(tasks))))


def fan_out(leaves: int) -> Workflow:
    """One task, then many that depend on it, then one that depends on them all."""
    middle = [DAGTask(name=f"m{number}", template="leaf", dependencies=("first",)) for number in range(leaves - 2)]
    last = DAGTask(name="last", template="leaf", dependencies=tuple(task.name for task in middle))
    return dag_of([DAGTask(name="first", template="leaf"), *middle, last])


def chain(leaves: int) -> Workflow:
    """Each task depends on the one before it."""
    return dag_of(
        [
            DAGTask(name=f"c{number}", template="leaf", dependencies=(f"c{number - 1}",) if number else ())
            for number in range(leaves)
        ]
    )


def layers(leaves: int) -> Workflow:
    """Layers of a hundred tasks, each of which depends on three of the layer before."""
    tasks: list[DAGTask] = []
    for number in range(leaves):
        layer, place = divmod(number, WIDTH)
        before = tuple(f"t{(layer - 1) * WIDTH + (place + step) % WIDTH}" for step in range(3)) if layer else ()
        tasks.append(DAGTask(name=f"t{number}", template="leaf", dependencies=before))
    return dag_of(tasks)


def nested(leaves: int) -> Workflow:
    """A loop over a template of ten steps, one after the other."""
    inner = Template(
        name="inner", steps=tuple((WorkflowStep(name=f"s{number}", template="leaf"),) for number in range(10))
    )
    step = WorkflowStep(name="all", template="inner", with_sequence=Sequence(count=leaves // 10))
    return workflow(Template(name="main", steps=((step,),)), inner)


CASES: dict[str, Callable[[int], Workflow]] = {
    "loop": loop,
    "fan-out": fan_out,
    "chain": chain,
    "layers": layers,
    "nested": nested,
}


def run(wanted: Workflow) -> Plan:
    """The whole run, each leaf ended as soon as it began; garbage is collected as seldom as in a driver."""
    collect_seldom()
    plan = Plan(wanted, RunIdentity(name="bench", uid="uid", created_at=1.0))
    now = 1.0
    plan.apply(RunStarted(at=now))
    waiting: deque[Start] = deque()
    running: deque[str] = deque()
    outputs = Outputs(exit_code="0")
    while not plan.finished:
        waiting.extend(action for action in plan.actions() if isinstance(action, Start))
        while waiting and len(running) < JOBS:
            node = waiting.popleft().node
            plan.apply(AttemptStarted(at=now, node=node))
            running.append(node)
        now += 0.001
        plan.apply(AttemptExited(at=now, node=running.popleft(), phase="Succeeded", outputs=outputs))
    return plan


def measure(case: str, leaves: int) -> None:
    """One case, in this process."""
    # What is imported late is no cost of a step.
    run(CASES[case](10))
    wanted = CASES[case](leaves)
    begin = time.process_time()
    plan = run(wanted)
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{case:8} {leaves:7} leaves {seconds:8.3f} s {seconds / leaves * 1e6:8.1f} us a step"
        f" {len(plan.nodes):8} nodes {peak:7.0f} MiB peak",
        flush=True,
    )


def main() -> None:
    """All cases, or those of the sizes that are given."""
    if len(sys.argv) == 4 and sys.argv[1] == "--case":
        measure(sys.argv[2], int(sys.argv[3]))
        return
    for case in CASES:
        for leaves in [int(one) for one in sys.argv[1:]] or SIZES:
            subprocess.run([sys.executable, __file__, "--case", case, str(leaves)], check=True)


if __name__ == "__main__":
    main()
