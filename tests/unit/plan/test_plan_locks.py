"""Mutexes and semaphores, of templates and of the workflow: who waits, what a node says, when all is released."""

from collections import Counter

import pytest
from simulator import FAILED, OK, Outcome, Simulation, exits, main, simulate

from argosy.model.events import LocksGranted, LocksRefused, StopRequested
from argosy.model.manifest import Mutex, Synchronization

LOCKED = """- name: locked
  synchronization: {mutexes: [{name: m}]}
  MORE
  container: {image: none}
"""
THREE = "steps: [[{name: a, template: locked, withSequence: {count: '3'}}]]"


def three(more: str = "") -> str:
    return main(THREE) + LOCKED.replace("MORE", more)


def test_one_after_the_other() -> None:
    seen: set[str] = set()

    def look(run: Simulation, fact: object) -> None:
        for node in run.plan.nodes.values():
            if node.synchronization_status is not None:
                seen.add(f"{node.phase} {node.message} {node.synchronization_status.waiting}")

    found = simulate(three(), before=look)
    begun = sorted(found.at(node.finished_at) for node in found.plan.nodes.values() if node.type == "Pod")
    assert (found.phase, begun) == ("Succeeded", [1.0, 2.0, 3.0])
    assert seen == {"Pending Waiting for Mutex/m lock Mutex/m"}
    assert all(node.synchronization_status is None for node in found.plan.nodes.values())
    assert Counter(found.locks.released) == Counter(start.node for start in found.starts)


def test_a_semaphore_lets_so_many_in() -> None:
    text = main("steps: [[{name: a, template: s, withSequence: {count: '4'}}]]")
    text += """
- name: s
  synchronization: {semaphores: [{configMapKeyRef: {name: conf, key: "{{workflow.name}}"}}]}
  container: {image: none}
"""
    found = simulate(text, limits={"Semaphore/conf/wf": 2})
    assert found.at(found.plan.finished_at) == 2.0


def test_a_lock_is_held_through_retries_and_released_once() -> None:
    found = simulate(three("retryStrategy: {limit: 2}"), {"locked": [FAILED, FAILED, OK]})
    assert found.phase == "Succeeded"
    order = [name.split("(")[1] for name in found.ran]
    assert order == sorted(order)
    assert len(found.locks.released) == 3


def test_a_failure_releases_the_lock() -> None:
    found = simulate(three(), {"a(0:0)": FAILED})
    assert (found.phase, len(found.ran), len(found.locks.released)) == ("Failed", 3, 3)


def test_a_locked_body_holds_its_lock_until_its_end() -> None:
    text = main("dag: {tasks: [{name: a, template: inner}, {name: b, template: inner}]}")
    text += """
- name: inner
  synchronization: {mutexes: [{name: m}]}
  steps: [[{name: x, template: leaf}], [{name: z, template: leaf}]]
"""
    found = simulate(text)
    assert (found.phase, found.ran) == ("Succeeded", ["a[0].x", "a[1].z", "b[0].x", "b[1].z"])


def test_a_lock_that_cannot_be_had_is_an_error() -> None:
    run = Simulation(three())
    run.locks.ask("another run", Synchronization(mutexes=(Mutex(name="m"),)))
    run.run(waits=True)
    for node in list(run.locks.waiting):
        run.tell(LocksRefused(at=run.now, node=node, error="there is no such ConfigMap"))
    assert (run.phase, run.node("a(0:0)").phase) == ("Failed", "Error")
    assert "there is no such ConfigMap" in run.message


@pytest.mark.parametrize("strategy", ["Stop", "Terminate"])
def test_who_waits_for_a_lock_can_be_stopped(strategy: str) -> None:
    stop = StopRequested(at=0.0, strategy=strategy)
    run = Simulation(three(), at=[(5.0, lambda moment: stop)])
    run.locks.ask("another run", Synchronization(mutexes=(Mutex(name="m"),)))
    run.run()
    assert (run.phase, run.ran, run.node("a(0:0)").message) == ("Failed", [], f"Stopped with strategy '{strategy}'")
    assert not run.locks.waiting


def test_a_wait_for_a_lock_has_an_end() -> None:
    for more, head in (("timeout: 5s", ""), ("pendingTimeout: 5s", ""), ("", "activeDeadlineSeconds: 5")):
        run = Simulation(main(THREE, head=head) + LOCKED.replace("MORE", more))
        run.locks.ask("another run", Synchronization(mutexes=(Mutex(name="m"),)))
        run.run()
        assert (run.phase, run.node("a(0:0)").message) == ("Failed", "Step exceeded its deadline")
        assert run.at(run.plan.finished_at) == 5.0


def test_waiting_for_a_lock_takes_a_place() -> None:
    text = main("parallelism: 2\n" + THREE) + LOCKED.replace("MORE", "")
    assert simulate(text).at(simulate(text).plan.finished_at) == 3.0


WHOLE = main("steps: [[{name: a, template: leaf}]]", head="synchronization: {mutexes: [{name: m}]}")


def test_a_workflow_waits_for_its_lock_before_anything() -> None:
    run = Simulation(WHOLE)
    run.locks.ask("another run", Synchronization(mutexes=(Mutex(name="m"),)))
    run.run(waits=True)
    assert (run.phase, run.message, run.plan.nodes) == ("Pending", "Waiting for Mutex/m lock", {})
    run.tell(LocksGranted(at=run.now, node=""))
    run.carry_out()
    assert (run.phase, run.message, run.ran) == ("Running", "", ["[0].a"])


@pytest.mark.parametrize(("outcome", "phase"), [(OK, "Succeeded"), (FAILED, "Failed")])
def test_a_workflow_releases_its_lock_at_its_end(outcome: Outcome, phase: str) -> None:
    found = simulate(WHOLE, {"a": outcome})
    found.carry_out()
    assert (found.phase, found.locks.released) == (phase, [""])


def test_a_workflow_that_waits_for_its_lock_can_be_ended() -> None:
    stop = StopRequested(at=0.0, strategy="Terminate")
    run = Simulation(WHOLE, at=[(5.0, lambda moment: stop)])
    run.locks.ask("another run", Synchronization(mutexes=(Mutex(name="m"),)))
    run.run()
    assert (run.phase, run.message) == ("Failed", "Stopped with strategy 'Terminate'")


def test_exit_handlers_take_locks_after_a_stop() -> None:
    text = main("steps: [[{name: a, template: leaf}]]", head="onExit: locked") + LOCKED.replace("MORE", "")
    found = simulate(
        text, {"a": exits(1, seconds=60)}, at=[(5.0, lambda moment: StopRequested(at=moment, strategy="Stop"))]
    )
    assert found.ran == ["[0].a", "onExit"]
