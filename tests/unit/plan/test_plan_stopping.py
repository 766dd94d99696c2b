"""What people ask for while a run goes on: stop, terminate, suspend, resume; and what timers do."""

from collections.abc import Callable

import pytest
from simulator import FAILED, OK, Outcome, Simulation, main, simulate

from argosy.model.events import Fact, Resumed, StopRequested, Suspended
from argosy.model.manifest import Parameter


def stop(strategy: str = "Stop") -> Callable[[float], Fact]:
    def make(moment: float) -> Fact:
        return StopRequested(at=moment, strategy=strategy)

    return make


@pytest.mark.parametrize("strategy", ["Stop", "Terminate"])
def test_nothing_new_starts_after_a_stop(strategy: str) -> None:
    text = main(
        """
        dag:
          tasks:
          - {name: a, template: leaf}
          - {name: b, template: leaf, depends: "a.Succeeded || a.Failed"}
          - {name: c, template: wait}
        """
    )
    text += "- name: wait\n  suspend: {}\n"
    found = simulate(text, {"a": Outcome(seconds=100)}, at=[(10.0, stop(strategy))])
    assert found.ran == ["a"]
    assert (found.phase, found.message) == ("Failed", f"Stopped with strategy '{strategy}'")
    assert found.phases() == {"/": "Failed", "a": "Failed", "b": "Failed", "c": "Failed"}
    assert found.node("c").message == f"Stopped with strategy '{strategy}'"
    assert [one.reason for one in found.kills] == [f"workflow shutdown with strategy: {strategy}"]


def test_terminate_also_ends_exit_handlers() -> None:
    text = main("steps: [[{name: a, template: leaf, onExit: leaf}]]")
    found = simulate(text, {"a.onExit": Outcome(seconds=100)}, at=[(10.0, stop()), (20.0, stop("Terminate"))])
    assert (found.node("a.onExit").phase, found.at(found.plan.finished_at)) == ("Failed", 20.0)


def test_leaves_that_had_to_wait_are_over_at_once() -> None:
    text = main("steps: [[{name: a, template: leaf, withSequence: {count: '5'}}]]", head="parallelism: 2")
    found = simulate(text, {"*": Outcome(seconds=100)}, at=[(10.0, stop())])
    assert len(found.ran) == 2
    assert [found.node(f"a({n}:{n})").phase for n in range(5)] == ["Failed"] * 5


def test_a_stop_before_the_driver_has_begun_a_leaf() -> None:
    found = simulate(
        main("steps: [[{name: a, template: leaf}, {name: b, template: leaf}]]"), jobs=1, at=[(0.5, stop())]
    )
    assert (found.phase, found.ran) == ("Failed", ["[0].a"])


def test_a_run_that_is_suspended_starts_nothing_until_it_is_resumed() -> None:
    text = main("steps: [[{name: a, template: leaf}], [{name: b, template: leaf}]]")
    at = [(0.5, lambda moment: Suspended(at=moment)), (60.0, lambda moment: Resumed(at=moment))]
    found = simulate(text, at=at)
    assert (found.phase, found.at(found.node("b").started_at)) == ("Succeeded", 60.0)


def test_a_workflow_may_begin_suspended() -> None:
    run = Simulation(main("steps: [[{name: a, template: leaf}]]", head="suspend: true")).run(waits=True)
    assert (run.ran, run.plan.suspended, run.phase) == ([], True, "Running")
    run.tell(Resumed(at=run.now + 1))
    run.carry_out()
    assert run.ran == ["[0].a"]


def test_stop_ends_a_suspended_run() -> None:
    found = simulate(main("steps: [[{name: a, template: leaf}]]", head="suspend: true"), at=[(5.0, stop())])
    assert (found.phase, found.ran) == ("Failed", [])


WAIT = """
entrypoint: main
templates:
- name: main
  steps:
  - - {name: ask, template: ask}
  - - name: use
      template: take
      arguments: {parameters: [{name: message, value: "{{steps.ask.outputs.parameters.answer}}"}]}
- name: ask
  inputs: {parameters: [{name: other, default: from-input}]}
  suspend: {DURATION}
  outputs:
    parameters:
    - {name: answer, valueFrom: {supplied: {}DEFAULT}}
- name: take
  inputs: {parameters: [{name: message}]}
  container: {image: none, args: ["{{inputs.parameters.message}}"]}
"""


def ask(duration: str = "", default: str = "") -> str:
    return WAIT.replace("DURATION", duration).replace("DEFAULT", default)


def test_a_person_supplies_an_answer() -> None:
    run = Simulation(ask(default=", default: none")).run(waits=True)
    node = run.node("ask")
    assert (run.plan.waiting(), node.type, node.phase) == ([node.id], "Suspend", "Running")
    run.tell(Resumed(at=run.now + 1, node=node.id, parameters=(Parameter(name="answer", value="42"),)))
    run.carry_out()
    assert run.args("use") == ("42",)


def test_an_answer_that_nobody_gave_has_its_default_or_that_of_the_input_of_its_name() -> None:
    found = simulate(ask("duration: '30'", ", default: nothing"))
    assert (found.args("use"), found.at(found.node("ask").finished_at)) == (("nothing",), 30.0)
    same = simulate(ask("duration: '30'").replace("name: other", "name: answer"))
    assert same.args("use") == ("from-input",)


def test_an_answer_without_default_that_nobody_gave_is_an_error() -> None:
    found = simulate(ask("duration: 1m"))
    assert found.phase == "Failed"
    assert found.node("ask").message == "output parameter answer was not supplied and has no default"


def test_a_person_may_fail_a_step_that_waits() -> None:
    run = Simulation(ask()).run(waits=True)
    run.tell(Resumed(at=run.now, node=run.node("ask").id, phase="Failed", message="no"))
    assert (run.phase, run.node("ask").message) == ("Failed", "no")


def test_a_duration_that_cannot_be_read() -> None:
    found = simulate(ask("duration: soon"))
    assert found.phase == "Failed"
    assert "'soon' is not a duration" in found.message


def test_the_workflows_deadline_ends_what_waits_runs_or_has_not_begun() -> None:
    text = main(
        """
        dag:
          tasks:
          - {name: a, template: leaf}
          - {name: b, template: leaf}
          - {name: w, template: wait}
          - {name: late, template: leaf, depends: a.Failed}
        """,
        head="activeDeadlineSeconds: 10\nparallelism: 1",
    )
    text += "- name: wait\n  suspend: {}\n"
    found = simulate(text, {"a": Outcome(seconds=60)})
    assert (found.phase, found.ran, found.at(found.plan.finished_at)) == ("Failed", ["a"], 10.0)
    assert {found.node(name).message for name in ("a", "b", "w", "late")} == {"Step exceeded its deadline"}


def test_a_template_may_be_active_for_so_long() -> None:
    text = main("steps: [[{name: a, template: short}, {name: b, template: short}]]")
    text += "- name: short\n  activeDeadlineSeconds: 5\n  container: {image: none}\n"
    found = simulate(text, {"*": Outcome(seconds=9)}, jobs=1)
    assert [found.at(found.node(name).finished_at) for name in "ab"] == [5.0, 10.0]
    assert found.node("a").message == "Pod was active on the node longer than the specified deadline"


def test_a_timeout_also_counts_the_time_before_the_start() -> None:
    text = main("steps: [[{name: a, template: short}, {name: b, template: short}]]")
    text += "- name: short\n  timeout: 5s\n  container: {image: none}\n"
    found = simulate(text, {"*": Outcome(seconds=9)}, jobs=1)
    assert [found.at(found.node(name).finished_at) for name in "ab"] == [5.0, 5.0]
    assert found.ran == ["[0].a"]


def test_each_attempt_has_its_own_timeout() -> None:
    text = """
    entrypoint: a
    templates:
    - {name: a, timeout: 5s, retryStrategy: {limit: 1}, container: {image: none}}
    """
    found = simulate(text, {"a": [Outcome(seconds=9), OK]})
    assert (found.phase, found.at(found.plan.finished_at)) == ("Succeeded", 6.0)


def test_a_step_may_be_pending_for_so_long() -> None:
    text = main("steps: [[{name: a, template: leaf}, {name: b, template: impatient}]]")
    text += "- name: impatient\n  pendingTimeout: 5s\n  container: {image: none}\n"
    found = simulate(text, {"a": Outcome(seconds=9)}, jobs=1)
    assert found.node("b").message == "Step was pending longer than its pendingTimeout"
    assert simulate(text, {"b": Outcome(seconds=99)}).phase == "Succeeded"


def test_a_body_gives_its_children_the_time_that_it_has() -> None:
    text = main("steps: [[{name: a, template: inner}]]")
    text += "- name: inner\n  activeDeadlineSeconds: 7\n  steps: [[{name: x, template: leaf}]]\n"
    found = simulate(text, {"x": Outcome(seconds=60)})
    assert (found.node("x").phase, found.at(found.plan.finished_at)) == ("Failed", 7.0)


def test_a_deadline_from_a_parameter() -> None:
    text = """
    entrypoint: a
    arguments: {parameters: [{name: seconds, value: "3"}]}
    templates:
    - {name: a, activeDeadlineSeconds: "{{workflow.parameters.seconds}}", container: {image: none}}
    """
    found = simulate(text, {"a": Outcome(seconds=60)})
    assert found.at(found.plan.finished_at) == 3.0
    wrong = simulate(text.replace('"3"', "soon"), {"a": Outcome(seconds=60)})
    assert (wrong.phase, wrong.message) == ("Failed", "activeDeadlineSeconds 'soon' is not a whole number")


def test_a_late_end_changes_nothing() -> None:
    found = simulate(main("steps: [[{name: a, template: leaf}]]"), {"a": FAILED})
    before = found.tree()
    for fact in found.facts[1:]:
        found.plan.apply(fact)
    assert (found.tree(), found.plan.actions(), found.plan.wake_at) == (before, [], None)
