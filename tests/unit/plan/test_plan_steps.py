"""Steps: groups one after the other, calls side by side, loops, conditions, results."""

import pytest
from simulator import ERROR, FAILED, OK, Outcome, exits, gave, main, said, simulate, tree

TWO_GROUPS = """
entrypoint: main
templates:
- name: main
  steps:
  - - {name: a, template: leaf, withItems: [1, 2]}
  - - {name: b, template: inner}
- name: inner
  dag:
    tasks:
    - {name: first, template: leaf}
    - {name: second, template: leaf, dependencies: [first]}
- name: leaf
  retryStrategy: {limit: 2}
  container: {image: none}
"""


def test_the_tree_of_nodes() -> None:
    found = simulate(TWO_GROUPS, {"second": [FAILED, OK]})
    assert found.phase == "Succeeded"
    assert found.tree() == tree(
        """
        /: Steps Succeeded > [0]
        [0]: StepGroup Succeeded > [0].a(0:1), [0].a(1:2)
        [0].a(0:1): Retry Succeeded > [0].a(0:1)(0)
        [0].a(0:1)(0): Pod Succeeded > [1]
        [0].a(1:2): Retry Succeeded > [0].a(1:2)(0)
        [0].a(1:2)(0): Pod Succeeded > [1]
        [1]: StepGroup Succeeded > [1].b
        [1].b: DAG Succeeded > [1].b.first
        [1].b.first: Retry Succeeded > [1].b.first(0)
        [1].b.first(0): Pod Succeeded > [1].b.second
        [1].b.second: Retry Succeeded > [1].b.second(0), [1].b.second(1)
        [1].b.second(0): Pod Failed (main: Error (exit code 1))
        [1].b.second(1): Pod Succeeded
        """
    )


def test_a_group_waits_for_all_its_children_and_then_fails() -> None:
    text = main(
        """
        steps:
        - - {name: bad, template: leaf}
          - {name: slow, template: leaf}
        - - {name: never, template: leaf}
        """
    )
    found = simulate(text, {"bad": exits(3), "slow": Outcome(seconds=9)})
    bad = found.node("bad").id
    assert found.phase == "Failed"
    assert found.message == f"child '{bad}' failed"
    assert found.tree() == tree(
        f"""
        /: Steps Failed (child '{bad}' failed) > [0]
        [0]: StepGroup Failed (child '{bad}' failed) > [0].bad, [0].slow
        [0].bad: Pod Failed (main: Error (exit code 3))
        [0].slow: Pod Succeeded
        """
    )


def test_an_error_of_a_child_is_a_failure_of_its_steps() -> None:
    found = simulate(main("steps: [[{name: a, template: leaf}]]"), {"a": ERROR})
    assert (found.node("a").phase, found.node("[0]").phase, found.phase) == ("Error", "Failed", "Failed")


@pytest.mark.parametrize(
    ("continue_on", "outcome", "phase"),
    [
        ("{failed: true}", FAILED, "Succeeded"),
        ("{failed: true}", ERROR, "Failed"),
        ("{error: true}", ERROR, "Succeeded"),
        ("{error: true}", FAILED, "Failed"),
        ("{failed: true, error: true}", ERROR, "Succeeded"),
        ("{}", FAILED, "Failed"),
    ],
)
def test_continue_on(continue_on: str, outcome: Outcome, phase: str) -> None:
    text = main(
        f"""
        steps:
        - - {{name: a, template: leaf, continueOn: {continue_on}}}
        - - {{name: b, template: take, arguments: {{parameters: [{{name: message, value: "{{{{steps.a.status}}}}"}}]}}}}
        """
    )
    found = simulate(text, {"a": outcome})
    assert found.phase == phase
    assert found.ran == (["[0].a", "[1].b"] if phase == "Succeeded" else ["[0].a"])


def test_a_result_reaches_the_next_group() -> None:
    text = main(
        """
        steps:
        - - {name: a, template: leaf}
          - {name: unused, template: leaf}
        - - name: b
            template: take
            arguments: {parameters: [{name: message, value: "{{steps.a.outputs.result}}/{{steps.a.exitCode}}"}]}
        """
    )
    found = simulate(text, {"a": said('say "hi"\n{x}')})
    assert found.args("b") == ('say "hi"\n{x}/0',)
    assert [one.capture_result for one in found.starts] == [True, False, False]


def test_a_value_that_looks_like_a_tag_is_not_replaced_again() -> None:
    text = main(
        """
        steps:
        - - {name: a, template: give}
        - - name: b
            template: take
            arguments: {parameters: [{name: message, value: "{{steps.a.outputs.parameters.message}}"}]}
        """
    )
    found = simulate(text, {"a": gave(message="{{workflow.name}}")})
    assert found.args("b") == ("{{workflow.name}}",)


CONDITION = """
steps:
- - {name: flip, template: leaf}
- - {name: heads, template: leaf, when: "{{steps.flip.outputs.result}} == heads"}
  - {name: tails, template: leaf, when: "{{steps.flip.outputs.result}} == tails"}
"""


def test_a_step_whose_condition_is_false_is_skipped() -> None:
    found = simulate(main(CONDITION), {"flip": said("tails")})
    assert found.phase == "Succeeded"
    assert found.ran == ["[0].flip", "[1].tails"]
    heads = found.node("heads")
    assert (heads.type, heads.phase, heads.message) == ("Skipped", "Skipped", "when 'tails == heads' evaluated false")


def test_a_condition_that_cannot_be_evaluated_is_an_error_of_the_group() -> None:
    text = main(
        """
        steps:
        - - {name: before, template: leaf}
          - {name: bad, template: leaf, when: "a == == b"}
          - {name: after, template: leaf}
        """
    )
    found = simulate(text)
    assert found.phase == "Failed"
    assert found.phases() == {"/": "Failed", "[0]": "Error", "[0].before": "Succeeded", "[0].bad": "Error"}


def test_a_reference_that_has_no_value_is_an_error_of_the_group() -> None:
    text = main(
        """
        steps:
        - - {name: a, template: leaf, continueOn: {failed: true}}
        - - name: b
            template: take
            arguments: {parameters: [{name: message, value: "{{steps.a.outputs.parameters.none}}"}]}
        """
    )
    found = simulate(text, {"a": FAILED})
    assert found.phase == "Failed"
    assert found.message.startswith("failed to resolve references: ")
    assert found.ran == ["[0].a"]


def test_a_missing_input_is_an_error_of_the_group() -> None:
    found = simulate(main("steps: [[{name: a, template: take}, {name: b, template: leaf}]]"))
    assert found.tree() == tree(
        """
        /: Steps Failed (step group deemed errored due to child wf[0].a error: inputs.parameters.message was not supplied) > [0]
        [0]: StepGroup Error (step group deemed errored due to child wf[0].a error: inputs.parameters.message was not supplied) > [0].a
        [0].a: Skipped Error (inputs.parameters.message was not supplied)
        """  # noqa: E501
    )


def test_a_step_without_template_fails_the_group() -> None:
    found = simulate(main("steps: [[{name: a, template: nowhere}]]"))
    assert found.phase == "Failed"
    assert "nowhere not found" in found.message


def test_an_empty_group_is_linked_to_the_next() -> None:
    text = main(
        """
        inputs: {parameters: [{name: list, value: "[]"}]}
        steps:
        - - {name: none, template: leaf, withParam: "{{inputs.parameters.list}}"}
        - - {name: b, template: leaf}
        """
    )
    found = simulate(text)
    assert found.tree() == tree(
        """
        /: Steps Succeeded > [0]
        [0]: StepGroup Succeeded > [0].none
        [0].none: Skipped Skipped (Skipped, empty params) > [1]
        [1]: StepGroup Succeeded > [1].b
        [1].b: Pod Succeeded
        """
    )


@pytest.mark.parametrize(
    ("loop", "names", "messages"),
    [
        ("withItems: [a, 2, true, 1.5]", ["0:a", "1:2", "2:true", "3:1.5"], ["a", "2", "true", "1.5"]),
        ("withSequence: {count: '3'}", ["0:0", "1:1", "2:2"], ["0", "1", "2"]),
        ("withSequence: {start: '3', end: '1', format: 'n%02d'}", ["0:n03", "1:n02", "2:n01"], ["n03", "n02", "n01"]),
        ("""withParam: '["x", {"k": 1}, [1, "2"]]'""", ["0:x", "1:k:1", "2:[1 2]"], ["x", '{"k":1}', '[1,"2"]']),
        ("withItems: []", None, ["{{item}}"]),
    ],
)
def test_loops(loop: str, names: list[str] | None, messages: list[str]) -> None:
    text = main(
        f"""
        steps:
        - - name: each
            template: take
            arguments: {{parameters: [{{name: message, value: "{{{{item}}}}"}}]}}
            {loop}
        """
    )
    found = simulate(text)
    assert [found.args(name)[0] for name in found.ran] == messages
    assert found.ran == ([f"[0].each({name})" for name in names] if names is not None else ["[0].each"])


def test_items_with_keys_and_a_condition_for_each() -> None:
    text = main(
        """
        steps:
        - - name: each
            template: take
            when: "'{{item.os}}' != 'windows'"
            arguments: {parameters: [{name: message, value: "{{item.os}}-{{item.version}}"}]}
            withItems: [{os: debian, version: 12}, {os: windows, version: 11}]
        """
    )
    found = simulate(text)
    assert found.args("each(0:os:debian,version:12)") == ("debian-12",)
    skipped = found.node("each(1:os:windows,version:11)")
    assert (skipped.phase, skipped.message) == ("Skipped", "when ''windows' != 'windows'' evaluated false")


def test_the_results_of_a_loop_come_as_a_list() -> None:
    text = main(
        """
        steps:
        - - {name: each, template: leaf, withItems: [1, 2, 3], continueOn: {failed: true}}
        - - {name: again, template: take, withParam: "{{steps.each.outputs.result}}",
             arguments: {parameters: [{name: message, value: "{{item}}"}]}}
        """
    )
    found = simulate(text, {"each(0:1)": said("7"), "each(1:2)": FAILED, "each(2:3)": said('{"a": 1}')})
    assert [found.args(name)[0] for name in found.ran[3:]] == ["7", '{"a":1}']


def test_a_list_that_cannot_be_read_is_forgiven_when_the_condition_is_false() -> None:
    for condition, phase in (("false", "Succeeded"), ("true", "Failed")):
        found = simulate(main(f"""steps: [[{{name: a, template: leaf, when: "{condition}", withParam: "no list"}}]]"""))
        assert found.phase == phase
    assert "could not be parsed as a JSON list" in found.message


def test_a_template_does_not_see_the_item_of_its_caller() -> None:
    text = """
    entrypoint: main
    templates:
    - name: main
      steps: [[{name: a, template: literal, withItems: [1]}]]
    - name: literal
      container: {image: none, args: ["{{item}}"]}
    """
    assert simulate(text).args("a(0:1)") == ("{{item}}",)


def test_no_groups_are_a_success() -> None:
    assert simulate(main("steps: []")).phase == "Succeeded"
