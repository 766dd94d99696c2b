"""Daemons and container sets: leaves that are more than one end."""

import pytest
from simulator import FAILED, Outcome, exits, main, simulate, tree

from argosy.model.events import ContainerEnd, StopRequested

DAEMON = "- name: daemon\n  daemon: true\n  MORE\n  container: {image: none}\n"


def daemon(more: str = "") -> str:
    return DAEMON.replace("MORE", more)


def test_a_daemon_runs_until_its_body_ends_and_then_succeeds() -> None:
    text = main(
        """
        steps:
        - - {name: d, template: daemon}
        - - {name: a, template: take, arguments: {parameters: [{name: message, value: "{{steps.d.ip}}"}]}}
        """
    )
    found = simulate(text + daemon(), {"d": Outcome(ready=5.0)})
    assert found.args("a") == ("127.0.0.1",)
    assert found.at(found.node("a").started_at) == 5.0
    assert (found.phase, found.node("d").phase, found.node("d").daemoned) == ("Succeeded", "Succeeded", False)
    assert [one.reason for one in found.kills + found.plan.actions()] != []  # type: ignore[attr-defined]


def test_a_daemon_ends_with_the_body_that_it_is_in() -> None:
    text = main("steps: [[{name: i, template: inner}], [{name: z, template: leaf}]]") + daemon()
    text += (
        "- name: inner\n  dag: {tasks: [{name: d, template: daemon}, {name: a, template: leaf, dependencies: [d]}]}\n"
    )
    found = simulate(text)
    assert found.at(found.node("d").finished_at) == 2.0
    assert found.phase == "Succeeded"


def test_a_daemon_that_fails_before_it_is_ready() -> None:
    text = main("steps: [[{name: d, template: daemon}], [{name: a, template: leaf}]]") + daemon()
    found = simulate(text, {"d": Outcome("Failed", seconds=1, ready=5)})
    assert (found.phase, found.ran) == ("Failed", ["[0].d"])


def test_a_daemon_is_tried_again_while_others_go_on() -> None:
    text = main("dag: {tasks: [{name: d, template: daemon}, {name: a, template: leaf, dependencies: [d]}]}")
    script = {"d(0)": Outcome("Failed", "gone", seconds=10), "a": Outcome(seconds=30)}
    found = simulate(text + daemon("retryStrategy: {limit: 2}"), script)
    assert (found.phase, found.ran) == ("Succeeded", ["d(0)", "a", "d(1)"])
    assert found.phases() == {
        "/": "Succeeded",
        "d": "Succeeded",
        "d(0)": "Failed",
        "a": "Succeeded",
        "d(1)": "Succeeded",
    }


def test_a_daemon_that_dies_as_a_target_fails_its_dag() -> None:
    text = main("dag: {tasks: [{name: d, template: daemon}, {name: a, template: leaf}]}") + daemon()
    found = simulate(text, {"d": Outcome("Failed", "gone", seconds=10), "a": Outcome(seconds=30)})
    assert (found.phase, found.node("d").phase) == ("Failed", "Failed")


def test_tasks_may_depend_on_a_daemon() -> None:
    for depends in ("d", "d.Daemoned"):
        text = main(f"dag: {{tasks: [{{name: d, template: daemon}}, {{name: a, template: leaf, depends: {depends}}}]}}")
        assert simulate(text + daemon()).ran == ["d", "a"]


SET = """
entrypoint: set
templates:
- name: set
  containerSet:
    containers:
    - {name: a, image: none}
    - {name: b, image: none, dependencies: [a]}
    - {name: c, image: none, dependencies: [a]}
    - {name: d, image: none, dependencies: [b, c]}
"""


def ended(**phases: str) -> tuple[ContainerEnd, ...]:
    return tuple(ContainerEnd(name=name, phase=phase) for name, phase in phases.items())


@pytest.mark.parametrize(("phase", "d"), [("Succeeded", "Succeeded"), ("Failed", "Failed")])
def test_the_containers_of_a_set_have_nodes(phase: str, d: str) -> None:
    found = simulate(SET, {"set": Outcome(phase, containers=ended(a="Succeeded", b="Succeeded", c="Succeeded", d=d))})
    assert found.tree() == tree(
        f"""
        /: Pod {phase} > a
        a: Container Succeeded > b, c
        b: Container Succeeded > d
        c: Container Succeeded > d
        d: Container {d}
        """
    )


def test_what_follows_a_set_hangs_below_its_last_containers() -> None:
    text = main("steps: [[{name: s, template: set}], [{name: z, template: leaf}]]") + SET.split("templates:\n")[1]
    found = simulate(text)
    assert list(found.node("[0].s.d").children) == [found.node("[1]").id]


def test_containers_of_a_set_that_was_killed_end_with_it() -> None:
    found = simulate(
        SET.replace("containerSet", "activeDeadlineSeconds: 3\n  containerSet"), {"set": Outcome(seconds=60)}
    )
    assert set(found.phases().values()) == {"Failed"}


def test_a_set_that_is_tried_again_has_nodes_for_each_attempt() -> None:
    found = simulate(
        SET.replace("containerSet", "retryStrategy: {limit: 1}\n  containerSet"), {"set": [FAILED, exits(2)]}
    )
    assert [name for name in found.phases() if name.endswith(".d")] == ["(0).d", "(1).d"]


def test_progress_counts_leaves_that_succeeded() -> None:
    text = main("steps: [[{name: a, template: leaf}, {name: b, template: leaf}], [{name: c, template: leaf}]]")
    assert simulate(text).plan.progress == "3/3"
    assert simulate(text, {"a": FAILED}).plan.progress == "1/2"
    assert simulate(SET).plan.progress == "5/5"


@pytest.mark.parametrize("strategy", ["Stop", "Terminate"])
def test_a_ready_daemon_outlives_a_stop_until_those_that_it_serves_have_ended(strategy: str) -> None:
    # Argo: TestStopBehaviorWithDaemon.
    def stop(moment: float) -> StopRequested:
        return StopRequested(at=moment, strategy=strategy)

    text = main("steps: [[{name: d, template: daemon}], [{name: a, template: leaf}]]") + daemon()
    found = simulate(text, {"d": Outcome(ready=1.0), "a": Outcome(seconds=100)}, at=[(10.0, stop)])
    assert found.phase == "Failed"
    assert (found.node("d").phase, found.node("a").phase) == ("Succeeded", "Failed")


def test_a_daemon_that_is_not_ready_fails_with_a_stop() -> None:
    def stop(moment: float) -> StopRequested:
        return StopRequested(at=moment, strategy="Stop")

    text = main("steps: [[{name: d, template: daemon}], [{name: a, template: leaf}]]") + daemon()
    found = simulate(text, {"d": Outcome(ready=50.0)}, at=[(10.0, stop)])
    assert (found.phase, found.node("d").phase) == ("Failed", "Failed")
