"""Hooks and exit handlers of steps, tasks and the workflow: when they run, who waits for them, whom they fail."""

import json

import pytest
from simulator import ERROR, FAILED, OK, Outcome, exits, gave, main, simulate, tree

from argosy.model.events import StopRequested

HOOKED = """
steps:
- - name: a
    template: leaf
    hooks:
      running: {template: leaf, expression: steps.a.status == "Running"}
      failed: {template: leaf, expression: steps.a.status == "Failed"}
      good: {template: leaf, expression: 'steps["a"].status == "Succeeded"'}
- - {name: b, template: leaf}
"""


def test_hooks_of_a_step_run_once_when_their_condition_holds() -> None:
    found = simulate(main(HOOKED), {"a": Outcome(seconds=5)})
    assert found.tree() == tree(
        """
        /: Steps Succeeded > [0]
        [0]: StepGroup Succeeded > [0].a
        [0].a: Pod Succeeded > [0].a.hooks.running, [0].a.hooks.good, [1]
        [0].a.hooks.running: Pod Succeeded
        [0].a.hooks.good: Pod Succeeded
        [1]: StepGroup Succeeded > [1].b
        [1].b: Pod Succeeded
        """
    )
    flag = found.node("[0].a.hooks.running").node_flag
    assert flag is not None
    assert flag.hooked
    begun = [found.at(found.node(name).started_at) for name in ("[0].a.hooks.running", "[0].a.hooks.good", "[1].b")]
    assert begun == [0.0, 5.0, 6.0]


def test_a_group_waits_for_hooks_but_their_failure_is_their_own() -> None:
    found = simulate(main(HOOKED), {"[0].a.hooks.running": exits(1, seconds=60)})
    assert found.phase == "Succeeded"
    assert found.at(found.node("[1].b").started_at) == 60.0


def test_hooks_of_a_task_and_those_who_depend_on_it() -> None:
    text = main(
        """
        dag:
          tasks:
          - name: a
            template: leaf
            hooks:
              running: {template: leaf, expression: tasks.a.status == "Running"}
              failed: {template: leaf, expression: tasks.a.status == "Failed"}
          - {name: b, template: leaf, dependencies: [a]}
        """
    )
    found = simulate(text, {"a": FAILED, "a.hooks.running": Outcome(seconds=20)})
    assert found.phase == "Failed"
    assert found.at(found.node("b").finished_at) == 20.0
    assert found.tree() == tree(
        """
        /: DAG Failed > a
        a: Pod Failed (main: Error (exit code 1)) > a.hooks.running, a.hooks.failed, b
        a.hooks.running: Pod Succeeded
        a.hooks.failed: Pod Succeeded
        b: Skipped Omitted (omitted: depends condition not met)
        """
    )


def test_a_hook_may_look_at_other_steps() -> None:
    text = main(
        """
        steps:
        - - name: a
            template: leaf
            hooks: {other: {template: leaf, expression: 'steps["b"]?.status == "Succeeded"'}}
          - {name: b, template: leaf}
        """
    )
    found = simulate(text, {"a": Outcome(seconds=50)})
    assert found.at(found.node("[0].a.hooks.other").started_at) == 1.0


def test_a_hook_without_condition_is_an_error() -> None:
    found = simulate(main("steps: [[{name: a, template: leaf, hooks: {x: {template: leaf}}}]]"))
    assert found.phase == "Failed"
    assert "Expression required for hook wf[0].a.hooks.x" in found.message
    dag = simulate(main("dag: {tasks: [{name: a, template: leaf, hooks: {x: {template: leaf}}}]}"))
    assert dag.phase == "Error"
    assert "Expression required for hook wf.a.hooks.x" in dag.node("a").message


def test_exit_handlers_of_steps_see_their_outputs() -> None:
    text = main(
        """
        steps:
        - - name: a
            template: give
            hooks:
              exit:
                template: take
                arguments:
                  parameters:
                  - {name: message, value: "{{steps.a.status}} {{steps.a.outputs.parameters.message}}"}
        - - {name: b, template: leaf}
        """
    )
    found = simulate(text, {"a": gave(message="hi")})
    assert found.args("a.onExit") == ("Succeeded hi",)
    assert found.ran == ["[0].a", "[0].a.onExit", "[1].b"]


@pytest.mark.parametrize(("outcome", "runs"), [(OK, True), (FAILED, True), (ERROR, True)])
def test_exit_handlers_run_whatever_the_end(outcome: Outcome, runs: bool) -> None:
    for text, node in (
        (main("steps: [[{name: a, template: leaf, onExit: leaf}]]"), "[0].a.onExit"),
        (main("dag: {tasks: [{name: a, template: leaf, onExit: leaf}]}"), "a.onExit"),
    ):
        found = simulate(text, {"a": outcome})
        assert (node in found.ran) is runs
        assert found.plan.phase.unsuccessful is (outcome is not OK)


def test_a_skipped_step_has_no_exit_handler() -> None:
    found = simulate(main('steps: [[{name: a, template: leaf, when: "false", onExit: leaf}]]'))
    assert (found.phase, found.ran) == ("Succeeded", [])


def test_an_exit_handler_with_a_condition() -> None:
    text = main(
        """
        steps:
        - - name: a
            template: leaf
            hooks: {exit: {template: leaf, expression: 'steps.a.status == "Failed"'}}
        """
    )
    assert simulate(text).ran == ["[0].a"]
    assert simulate(text, {"a": FAILED}).ran == ["[0].a", "[0].a.onExit"]


def test_dependants_wait_for_an_exit_handler_that_may_fail() -> None:
    text = main(
        """
        dag:
          tasks:
          - {name: a, template: leaf, onExit: leaf}
          - {name: b, template: leaf, dependencies: [a]}
        """
    )
    found = simulate(text, {"a.onExit": exits(1, seconds=30)})
    assert (found.phase, found.at(found.node("b").started_at)) == ("Succeeded", 31.0)


def test_each_iteration_of_a_loop_has_its_exit_handler_and_so_has_the_loop() -> None:
    steps = simulate(main("steps: [[{name: a, template: leaf, onExit: leaf, withItems: [0, 1]}]]"))
    assert sorted(steps.ran[2:]) == ["[0].a(0:0).onExit", "[0].a(1:1).onExit"]
    dag = simulate(main("dag: {tasks: [{name: a, template: leaf, onExit: leaf, withItems: [0, 1]}]}"))
    assert sorted(dag.ran[2:]) == ["a(0:0).onExit", "a(1:1).onExit", "a.onExit"]


def test_an_exit_handler_of_a_retried_step_runs_once_with_the_last_outputs() -> None:
    text = main(
        """
        steps:
        - - name: a
            template: again
            hooks:
              exit:
                template: take
                arguments: {parameters: [{name: message, value: "{{steps.a.outputs.parameters.x}}"}]}
        """
    )
    text += """
- name: again
  retryStrategy: {limit: 2}
  outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}
  container: {image: none}
"""
    found = simulate(text, {"a": [FAILED, gave(x="1")]})
    assert found.ran == ["[0].a(0)", "[0].a(1)", "[0].a.onExit"]
    assert found.args("a.onExit") == ("1",)


# -- of the workflow


def with_exit(text: str, hooks: str = "onExit: bye") -> str:
    bye = (
        '- name: bye\n  container: {image: none, args: ["{{workflow.status}}", "{{workflow.failures}}"]}\n'
        "- name: bad\n  steps: [[{name: x, template: leaf}]]\n"
    )
    return main(text, head=hooks) + bye


@pytest.mark.parametrize(
    ("a", "bye", "phase"),
    [
        (OK, OK, "Succeeded"),
        (FAILED, OK, "Failed"),
        (OK, FAILED, "Failed"),
        (OK, ERROR, "Error"),
        (FAILED, ERROR, "Failed"),
    ],
)
def test_the_exit_handler_of_the_workflow(a: Outcome, bye: Outcome, phase: str) -> None:
    found = simulate(with_exit("steps: [[{name: a, template: leaf}]]"), {"a": a, "bye": bye})
    assert (found.phase, found.ran) == (phase, ["[0].a", "onExit"])
    status, failures = found.args("onExit")
    assert status == str(found.node("/").phase)
    listed = json.loads(json.loads(failures))
    if a is OK:
        assert listed is None
    else:
        assert [one["displayName"] for one in listed] == ["wf", "[0]", "a"]
        assert listed[2]["podName"].startswith("wf-leaf-")
        assert listed[2]["message"] == "main: Error (exit code 1)"


def test_an_entrypoint_that_cannot_be_carried_out_has_no_exit_handler() -> None:
    found = simulate(with_exit("inputs: {parameters: [{name: x}]}\nsteps: []"))
    assert found.phase == "Error"
    assert found.message == "error in entry template execution: inputs.parameters.x was not supplied"
    assert found.ran == []


def test_an_exit_handler_that_cannot_be_carried_out() -> None:
    found = simulate(with_exit("steps: []", "onExit: nowhere"))
    assert found.phase == "Error"
    assert found.message.startswith("error in exit template execution: ")


def test_hooks_of_the_workflow() -> None:
    text = with_exit(
        "steps: [[{name: a, template: leaf}]]",
        """
        hooks:
          exit: {template: bye}
          running: {template: leaf, expression: workflow.status == "Running"}
          failed: {template: bye, expression: workflow.status == "Failed"}
        """,
    )
    found = simulate(text, {"a": exits(1, seconds=3), "hooks.running": FAILED})
    assert found.phase == "Failed"
    assert found.ran == ["[0].a", "hooks.running", "hooks.failed", "onExit"]
    assert found.args("hooks.failed")[0] == "Failed"
    assert "hooks.running" in found.tree().splitlines()[0]


def test_a_workflow_waits_for_its_hooks() -> None:
    text = with_exit("steps: []", 'hooks: {running: {template: leaf, expression: "true"}}')
    found = simulate(text, {"hooks.running": Outcome(seconds=40)})
    assert (found.phase, found.at(found.plan.finished_at)) == ("Succeeded", 40.0)


def test_a_workflow_hook_without_condition_is_an_error() -> None:
    found = simulate(with_exit("steps: [[{name: a, template: leaf}]]", "hooks: {x: {template: leaf}}"))
    assert (found.phase, found.message) == ("Error", "Expression required for hook wf.hooks.x")


def test_an_entrypoint_that_waits_is_not_running() -> None:
    text = """
    entrypoint: leaf
    hooks: {running: {template: leaf, expression: workflow.status == "Running"}}
    templates: [{name: leaf, container: {image: none}}]
    """
    found = simulate(text, jobs=1)
    assert found.ran == ["/", "hooks.running"]


def test_an_exit_handler_with_arguments_and_global_outputs() -> None:
    text = main(
        "steps: [[{name: a, template: publish}]]",
        head="""
        hooks:
          exit:
            template: take
            arguments: {parameters: [{name: message, value: "{{workflow.outputs.parameters.shared}}"}]}
        """,
    )
    text += """
- name: publish
  outputs: {parameters: [{name: x, globalName: shared, valueFrom: {path: /x}}]}
  container: {image: none}
"""
    found = simulate(text, {"a": gave(x="everywhere")})
    assert found.args("onExit") == ("everywhere",)
    assert found.outputs() == {"shared": "everywhere"}


def test_the_deadline_of_the_workflow_is_not_that_of_its_exit_handler() -> None:
    text = with_exit("steps: [[{name: a, template: leaf, onExit: leaf}]]", "onExit: bad\nactiveDeadlineSeconds: 10")
    found = simulate(text, {"a": Outcome(seconds=99), "x": Outcome(seconds=30), "a.onExit": Outcome(seconds=30)})
    assert (found.phase, found.node("a").message) == ("Failed", "Step exceeded its deadline")
    assert (found.node("a.onExit").phase, found.node("onExit[0].x").phase) == ("Succeeded", "Succeeded")


@pytest.mark.parametrize(
    ("strategy", "ran"), [("Stop", ["[0].a", "[0].a.onExit", "onExit[0].x"]), ("Terminate", ["[0].a"])]
)
def test_exit_handlers_run_after_stop_but_not_after_terminate(strategy: str, ran: list[str]) -> None:
    text = with_exit("steps: [[{name: a, template: leaf, onExit: leaf}], [{name: b, template: leaf}]]", "onExit: bad")

    def stop(moment: float) -> StopRequested:
        return StopRequested(at=moment, strategy=strategy)

    found = simulate(text, {"a": Outcome(seconds=60)}, at=[(5.0, stop)])
    assert (found.phase, found.message, found.ran) == ("Failed", f"Stopped with strategy '{strategy}'", ran)
    assert found.node("[0].a").message == f"workflow shutdown with strategy: {strategy}"


def test_hooks_look_at_a_task_that_was_skipped_but_not_at_a_step() -> None:
    hooks = 'hooks: {x: {template: leaf, expression: "true"}, exit: {template: leaf}}'
    task = simulate(main(f'dag: {{tasks: [{{name: a, template: leaf, when: "false", {hooks}}}]}}'))
    assert (task.phase, task.ran) == ("Succeeded", ["a.hooks.x"])
    step = simulate(main(f'steps: [[{{name: a, template: leaf, when: "false", {hooks}}}]]'))
    assert (step.phase, step.ran) == ("Succeeded", [])
