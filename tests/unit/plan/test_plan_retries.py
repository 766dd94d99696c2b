"""Retries: when there is another attempt, how long it is waited for, what attempts see of one another."""

import pytest
from simulator import ERROR, FAILED, OK, Outcome, exits, gave, main, simulate, tree

from argosy.model.events import StopRequested


def leaf(strategy: str, more: str = "") -> str:
    return f"""
    entrypoint: a
    templates:
    - name: a
      retryStrategy: {strategy}
      {more}
      container: {{image: none, args: ["{{{{retries}}}} {{{{lastRetry.exitCode}}}} {{{{lastRetry.status}}}}"]}}
    """


def test_attempts_until_one_succeeds() -> None:
    found = simulate(leaf("{limit: 5}"), {"a": [exits(3), exits(4), OK]})
    assert found.tree() == tree(
        """
        /: Retry Succeeded > (0), (1), (2)
        (0): Pod Failed (main: Error (exit code 3))
        (1): Pod Failed (main: Error (exit code 4))
        (2): Pod Succeeded
        """
    )
    assert [found.args(name)[0] for name in ("(0)", "(1)", "(2)")] == ["0 0 ", "1 3 Failed", "2 4 Failed"]


def test_no_more_retries() -> None:
    found = simulate(leaf("{limit: 1}"), {"a": FAILED})
    assert (found.phase, found.message, found.ran) == ("Failed", "No more retries left", ["(0)", "(1)"])


@pytest.mark.parametrize(
    ("policy", "first", "attempts"),
    [
        ("", FAILED, 2),
        ("", ERROR, 1),
        ("retryPolicy: OnFailure", ERROR, 1),
        ("retryPolicy: OnError", FAILED, 1),
        ("retryPolicy: OnError", ERROR, 2),
        ("retryPolicy: Always", FAILED, 2),
        ("retryPolicy: Always", ERROR, 2),
        ("retryPolicy: OnTransientError", FAILED, 1),
        ("retryPolicy: OnTransientError", Outcome("Error", "dial tcp: i/o timeout"), 2),
        ("expression: 'true'", ERROR, 2),
        ("expression: 'true', retryPolicy: OnFailure", ERROR, 1),
    ],
)
def test_policies(policy: str, first: Outcome, attempts: int) -> None:
    found = simulate(leaf(f"{{limit: 4, {policy}}}"), {"a": [first, OK]})
    assert len(found.ran) == attempts
    assert found.phase == ("Succeeded" if attempts == 2 else first.phase)


def test_without_a_limit_there_is_no_end_until_success() -> None:
    assert len(simulate(leaf("{}"), {"a": [FAILED] * 30 + [OK]}).ran) == 31


@pytest.mark.parametrize(
    ("expression", "attempts"),
    [
        ("asInt(lastRetry.exitCode) == 2", 3),
        ("lastRetry.status == 'Error'", 1),
        ("asInt(retries) < 1", 2),
        ("lastRetry.message matches 'exit code 2'", 3),
    ],
)
def test_expressions(expression: str, attempts: int) -> None:
    found = simulate(leaf(f'{{limit: 9, expression: "{expression}"}}'), {"a": [exits(2), exits(2), exits(9), OK]})
    assert len(found.ran) == attempts
    assert found.message == "retryStrategy.expression evaluated to false"


def test_an_exit_code_that_is_not_known_is_minus_one() -> None:
    found = simulate(leaf('{limit: 9, expression: "asInt(lastRetry.exitCode) == -1"}'), {"a": [ERROR, OK]})
    assert found.phase == "Succeeded"


def test_an_expression_that_is_no_condition() -> None:
    found = simulate(leaf("{limit: 9, expression: '1 + 1'}"), {"a": FAILED})
    assert found.phase == "Error"
    assert "gives no boolean" in found.message


def test_backoff_grows_by_its_factor_up_to_its_cap() -> None:
    found = simulate(leaf("{limit: 4, backoff: {duration: '10', factor: 2, cap: 25s}}"), {"a": FAILED})
    begun = [found.at(found.node(name).started_at) for name in found.ran]
    assert begun == [0.0, 11.0, 32.0, 58.0, 84.0]


def test_what_a_waiting_node_says() -> None:
    seen: list[str] = []
    text = leaf("{limit: 1, backoff: {duration: 2m}}")

    def stop(moment: float) -> StopRequested:
        return StopRequested(at=moment, strategy="Stop")

    found = simulate(
        text,
        {"a": FAILED},
        at=[(60.0, stop)],
        before=lambda run, fact: seen.extend(node.message for node in run.plan.nodes.values()),
    )
    assert "Backoff for 2 minutes" in seen
    assert (found.phase, found.message, found.ran) == ("Failed", "Stopped with strategy 'Stop'", ["(0)"])


def test_max_duration_ends_the_attempts() -> None:
    found = simulate(leaf("{limit: 9, backoff: {duration: '10', maxDuration: 25s}}"), {"a": FAILED})
    assert (found.message, len(found.ran)) == ("Backoff would exceed max duration limit", 3)
    slow = simulate(leaf("{limit: 9, backoff: {duration: '1', maxDuration: 5s}}"), {"a": exits(1, seconds=6)})
    assert (slow.message, len(slow.ran)) == ("Max duration limit exceeded", 1)


def test_later_attempts_must_end_within_the_max_duration() -> None:
    found = simulate(
        leaf("{limit: 9, backoff: {duration: '1', maxDuration: 20s}}"), {"a": [FAILED, Outcome(seconds=99)]}
    )
    second = found.node("(1)")
    assert (second.phase, found.at(second.finished_at)) == ("Failed", 20.0)
    assert len(found.ran) == 2


def test_backoff_needs_a_duration() -> None:
    found = simulate(leaf("{limit: 2, backoff: {factor: 2}}"), {"a": FAILED})
    assert (found.phase, found.node("/").message) == ("Error", "no base duration specified for retryStrategy")


def test_without_a_limit_backoff_is_not_waited_for() -> None:
    found = simulate(leaf("{backoff: {duration: 1h}}"), {"a": [FAILED, OK]})
    assert found.at(found.plan.finished_at) == 2.0


def test_the_workflows_deadline_ends_a_wait() -> None:
    text = "entrypoint: a\nactiveDeadlineSeconds: 30" + leaf("{limit: 2, backoff: {duration: 1h}}").replace(
        "entrypoint: a", "", 1
    ).replace("\n    ", "\n")
    found = simulate(text, {"a": FAILED})
    assert (found.phase, found.message) == ("Failed", "retry exceeded workflow deadline")
    assert found.at(found.plan.finished_at) == 30.0


def test_outputs_are_those_of_the_last_attempt() -> None:
    text = main(
        """
        steps:
        - - {name: a, template: again}
        - - name: b
            template: take
            arguments:
              parameters: [{name: message, value: "{{steps.a.outputs.parameters.x}} {{steps.a.id}} {{steps.a.status}}"}]
        """
    )
    text += """
- name: again
  retryStrategy: {limit: 2}
  outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}
  container: {image: none}
"""
    found = simulate(text, {"a": [FAILED, gave(x="1")]})
    assert found.args("b") == (f"1 {found.node('[0].a(1)').id} Succeeded",)
    assert found.outputs("[0].a") == {"x": "1"}


def test_a_whole_dag_is_tried_again() -> None:
    text = main(
        """
        retryStrategy: {limit: 1}
        dag: {tasks: [{name: a, template: leaf}, {name: b, template: leaf, dependencies: [a]}]}
        """
    )
    found = simulate(text, {"b": [FAILED, OK]})
    assert found.tree() == tree(
        """
        /: Retry Succeeded > (0), (1)
        (0): DAG Failed > (0).a
        (0).a: Pod Succeeded > (0).b
        (0).b: Pod Failed (main: Error (exit code 1))
        (1): DAG Succeeded > (1).a
        (1).a: Pod Succeeded > (1).b
        (1).b: Pod Succeeded
        """
    )


def test_the_workflows_strategy_is_that_of_every_template_without_one() -> None:
    text = main(
        "steps: [[{name: a, template: leaf}, {name: b, template: own}]]",
        head="retryStrategy: {limit: 1}",
    )
    text += "- name: own\n  retryStrategy: {limit: 0}\n  container: {image: none}\n"
    found = simulate(text, {"a": [FAILED, OK], "b": [FAILED, OK, OK, OK]})
    assert found.ran == ["(0)[0].a(0)", "(0)[0].b(0)", "(0)[0].a(1)", "(1)[0].a(0)", "(1)[0].b(0)"]


def test_loops_of_retried_templates_give_their_outputs_once() -> None:
    text = main(
        """
        outputs: {parameters: [{name: all, valueFrom: {parameter: "{{steps.a.outputs.parameters.x}}"}}]}
        steps: [[{name: a, template: again, withItems: [0, 1]}]]
        """
    )
    text += """
- name: again
  retryStrategy: {limit: 2}
  outputs: {parameters: [{name: x, valueFrom: {path: /x}}]}
  container: {image: none}
"""
    found = simulate(text, {"a(0:0)": [FAILED, gave(x="1")], "a(1:1)": gave(x="2")})
    assert found.outputs("/") == {"all": '["1","2"]'}


def test_the_limit_may_come_from_a_parameter() -> None:
    text = """
    entrypoint: a
    arguments: {parameters: [{name: count, value: "2"}]}
    templates:
    - name: a
      retryStrategy: {limit: "{{workflow.parameters.count}}"}
      container: {image: none}
    """
    assert len(simulate(text, {"a": FAILED}).ran) == 3
    wrong = simulate(text.replace('"2"', '"many"'), {"a": FAILED})
    assert (wrong.phase, wrong.node("/").message) == ("Error", "retryStrategy.limit 'many' is not a whole number")
