"""Dags: what a task waits for, when it is omitted, how the phase of the whole comes about."""

import pytest
from simulator import ERROR, FAILED, OK, Outcome, exits, gave, main, said, simulate, tree

DIAMOND = """
dag:
  tasks:
  - {name: a, template: leaf}
  - {name: b, template: leaf, dependencies: [a]}
  - {name: c, template: leaf, dependencies: [a]}
  - {name: d, template: leaf, dependencies: [b, c]}
"""


def message(value: str) -> str:
    """The arguments of a call that passes a message."""
    return f'arguments: {{parameters: [{{name: message, value: "{value}"}}]}}'


def tasks(*lines: str) -> str:
    """A dag of these tasks."""
    return main("dag:\n  tasks:\n" + "".join(f"  - {line}\n" for line in lines))


def test_a_diamond() -> None:
    found = simulate(main(DIAMOND), {"b": Outcome(seconds=5)})
    assert found.ran == ["a", "b", "c", "d"]
    assert found.tree() == tree(
        """
        /: DAG Succeeded > a
        a: Pod Succeeded > b, c
        b: Pod Succeeded > d
        c: Pod Succeeded > d
        d: Pod Succeeded
        """
    )


def test_what_depends_on_a_failure_is_omitted_and_inherits_its_phase() -> None:
    found = simulate(main(DIAMOND), {"b": FAILED})
    assert found.tree() == tree(
        """
        /: DAG Failed > a
        a: Pod Succeeded > b, c
        b: Pod Failed (main: Error (exit code 1)) > d
        c: Pod Succeeded > d
        d: Skipped Omitted (omitted: depends condition not met)
        """
    )


def test_an_error_makes_the_dag_an_error() -> None:
    assert simulate(main(DIAMOND), {"d": ERROR}).phase == "Error"


@pytest.mark.parametrize(
    ("depends", "outcome", "runs"),
    [
        ("a", OK, True),
        ("a", FAILED, False),
        ("a", ERROR, False),
        ("a.Succeeded", OK, True),
        ("a.Failed", FAILED, True),
        ("a.Failed", ERROR, False),
        ("a.Errored", ERROR, True),
        ("a.Failed || a.Errored", ERROR, True),
        ("!a.Succeeded", FAILED, True),
        ("a.Succeeded || a.Failed", FAILED, True),
        ("a && !b.Failed", OK, True),
        ("(a.Succeeded || b.Succeeded) && !a.Failed", FAILED, False),
    ],
)
def test_depends(depends: str, outcome: Outcome, runs: bool) -> None:
    text = tasks(
        "{name: a, template: leaf}", "{name: b, template: leaf}", f'{{name: c, template: leaf, depends: "{depends}"}}'
    )
    found = simulate(text, {"a": outcome})
    assert ("c" in found.ran) is runs
    assert found.node("c").phase == ("Succeeded" if runs else "Omitted")


def test_a_failure_that_a_later_task_handles_does_not_fail_the_dag() -> None:
    text = tasks("{name: a, template: leaf}", "{name: b, template: leaf, depends: a.Failed}")
    assert simulate(text, {"a": FAILED}).phase == "Succeeded"


def test_a_skipped_task_counts_for_a_bare_name() -> None:
    text = tasks(
        '{name: a, template: leaf, when: "false"}',
        "{name: b, template: leaf, dependencies: [a]}",
        "{name: c, template: leaf, depends: a.Skipped}",
        "{name: d, template: leaf, depends: a.Succeeded}",
        "{name: e, template: leaf, depends: d.Omitted}",
    )
    found = simulate(text)
    assert (found.phase, found.ran) == ("Succeeded", ["b", "c", "e"])


def test_continue_on_lets_dependants_and_the_dag_go_on() -> None:
    text = tasks(
        "{name: a, template: leaf, continueOn: {failed: true}}",
        "{name: b, template: leaf, dependencies: [a]}",
        "{name: c, template: leaf, continueOn: {error: true}}",
    )
    found = simulate(text, {"a": FAILED, "c": ERROR})
    assert (found.phase, found.node("b").phase) == ("Succeeded", "Succeeded")


@pytest.mark.parametrize(
    ("outcomes", "any_runs", "all_runs"),
    [
        ([OK, FAILED], True, False),
        ([FAILED, FAILED], False, True),
        ([FAILED, ERROR], False, False),
        ([OK, OK], True, False),
    ],
)
def test_conditions_on_the_iterations_of_a_loop(outcomes: list[Outcome], any_runs: bool, all_runs: bool) -> None:
    text = tasks(
        "{name: a, template: leaf, withItems: [0, 1]}",
        "{name: some, template: leaf, depends: a.AnySucceeded}",
        "{name: none, template: leaf, depends: a.AllFailed}",
    )
    found = simulate(text, {"a(0:0)": outcomes[0], "a(1:1)": outcomes[1]})
    assert (found.node("some").phase == "Succeeded", found.node("none").phase == "Succeeded") == (any_runs, all_runs)


def test_the_nodes_of_a_loop() -> None:
    text = tasks(
        "{name: a, template: leaf, withItems: [0, 1]}",
        "{name: b, template: leaf, dependencies: [a]}",
        "{name: c, template: leaf, dependencies: [a], withParam: '[]'}",
    )
    found = simulate(text)
    assert found.tree() == tree(
        """
        /: DAG Succeeded > a
        a: TaskGroup Succeeded > a(0:0), a(1:1)
        a(0:0): Pod Succeeded > b, c
        a(1:1): Pod Succeeded > b, c
        b: Pod Succeeded
        c: Skipped Skipped (Skipped, empty params)
        """
    )


def test_outputs_of_tasks_and_loops() -> None:
    text = main(
        """
        outputs:
          parameters:
          - {name: all, valueFrom: {parameter: "{{tasks.each.outputs.parameters.message}}"}}
          - {name: sum, valueFrom: {expression: "asInt(tasks.one.outputs.result) + 1"}}
        dag:
          tasks:
          - {name: one, template: leaf}
          - {name: each, template: give, withItems: [0, 1]}
          - name: last
            template: take
            dependencies: [one, each]
            arguments:
              parameters: [{name: message, value: "{{tasks.one.outputs.result}} {{tasks.each.outputs.parameters}}"}]
        """
    )
    script = {"one": said("41"), "each(0:0)": gave(message="x"), "each(1:1)": gave(message="[1]")}
    found = simulate(text, script)
    assert found.args("last") == ('41 [{"message":"x"},{"message":"[1]"}]',)
    assert found.outputs("/") == {"all": '["x","[1]"]', "sum": "42"}


def test_target_runs_only_what_it_needs() -> None:
    text = main(DIAMOND.replace("dag:", "dag:\n  target: b"))
    assert simulate(text).ran == ["a", "b"]
    two = main(DIAMOND.replace("dag:", "dag:\n  target: b c"))
    assert simulate(two).ran == ["a", "b", "c"]
    wrong = simulate(main(DIAMOND.replace("dag:", "dag:\n  target: x")))
    assert wrong.phase == "Error"
    assert "'x' is not a task" in wrong.message


@pytest.mark.parametrize("fail_fast", ["true", "false"])
def test_independent_branches_go_on_after_a_failure(fail_fast: str) -> None:
    text = main(
        f"""
        dag:
          failFast: {fail_fast}
          tasks:
          - {{name: a, template: leaf}}
          - {{name: b1, template: leaf}}
          - {{name: b2, template: leaf, dependencies: [b1]}}
        """
    )
    found = simulate(text, {"a": FAILED, "b1": Outcome(seconds=5)})
    assert (found.phase, found.ran) == ("Failed", ["a", "b1", "b2"])


def test_a_task_that_cannot_be_carried_out_is_in_error() -> None:
    found = simulate(tasks("{name: a, template: take}", "{name: b, template: leaf, depends: a.Errored}"))
    node = found.node("a")
    assert (node.type, node.phase) == ("Skipped", "Error")
    assert node.message == "task 'wf.a' errored: inputs.parameters.message was not supplied"
    assert found.ran == ["b"]


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ('when: "a == == b"', "Invalid 'when' expression"),
        ('depends: "missing"', "not a task"),
        ("withParam: nolist", "could not be parsed as a JSON list"),
    ],
)
def test_fields_that_cannot_be_read(field: str, problem: str) -> None:
    found = simulate(tasks(f"{{name: a, template: leaf, {field}}}"))
    assert found.phase == "Error"
    assert problem in " ".join(node.message for node in found.plan.nodes.values())


def test_tasks_that_wait_for_one_another() -> None:
    found = simulate(
        tasks(
            "{name: a, template: leaf, dependencies: [b]}",
            "{name: b, template: leaf, dependencies: [a]}",
            "{name: c, template: leaf}",
        )
    )
    assert found.phase == "Error"
    assert "a, b wait for one another in a circle" in found.message


def test_nested_dags_are_linked_by_their_last_nodes() -> None:
    text = """
    entrypoint: main
    templates:
    - name: main
      dag:
        tasks:
        - {name: inner, template: two}
        - {name: after, template: leaf, dependencies: [inner]}
    - name: two
      dag: {tasks: [{name: x, template: leaf}, {name: z, template: leaf}]}
    - name: leaf
      container: {image: none}
    """
    found = simulate(text)
    assert found.tree() == tree(
        """
        /: DAG Succeeded > inner
        inner: DAG Succeeded > inner.x, inner.z
        inner.x: Pod Succeeded > after
        inner.z: Pod Succeeded > after
        after: Pod Succeeded
        """
    )


def test_a_chain_of_a_thousand_skipped_tasks() -> None:
    lines = ['{name: t0, template: leaf, when: "false"}']
    lines += [f'{{name: t{n}, template: leaf, when: "false", dependencies: [t{n - 1}]}}' for n in range(1, 1000)]
    found = simulate(tasks(*lines))
    assert (found.phase, len(found.plan.nodes)) == ("Succeeded", 1001)


def test_a_task_may_be_named_like_its_function() -> None:
    text = tasks(
        "{name: now, template: give}",
        "{name: b, template: take, dependencies: [now], " + message("{{=tasks.now.outputs.parameters.message}}") + "}",
    )
    assert simulate(text, {"now": gave(message="7")}).args("b") == ("7",)


def test_exit_codes_of_failed_tasks_can_be_used() -> None:
    text = tasks(
        "{name: a, template: leaf}",
        "{name: b, template: take, depends: a.Failed, " + message("{{tasks.a.exitCode}} {{tasks.a.status}}") + "}",
    )
    assert simulate(text, {"a": exits(7)}).args("b") == ("7 Failed",)
