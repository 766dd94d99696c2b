"""Outputs of what never ran: the producer's default, else the consumer's, else an error; never a wait without end."""

import pytest
from simulator import Simulation, main, simulate

STORED = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: stored}
spec:
  templates:
  - name: consume
    inputs: {parameters: [{name: in, default: FALLBACK}]}
    container: {image: none, args: ["{{inputs.parameters.in}}"]}
"""


def steps(consumer: str, default: str = "") -> str:
    return f"""
entrypoint: main
templates:
- name: main
  steps:
  - - {{name: producer, template: produce, when: "false"}}
  - - {consumer}
{templates(default)}"""


def dag(consumer: str, default: str = "") -> str:
    return f"""
entrypoint: main
templates:
- name: main
  dag:
    tasks:
    - {{name: producer, template: produce, when: "false"}}
    - {consumer}
{templates(default)}"""


def templates(default: str) -> str:
    return f"""
- name: produce
  outputs: {{parameters: [{{name: msg, valueFrom: {{path: /x{default}}}}}], artifacts: [{{name: art, path: /a}}]}}
  container: {{image: none}}
- name: with-default
  inputs: {{parameters: [{{name: in, default: FALLBACK}}]}}
  container: {{image: none, args: ["{{{{inputs.parameters.in}}}}"]}}
- name: without
  inputs: {{parameters: [{{name: in}}]}}
  container: {{image: none, args: ["{{{{inputs.parameters.in}}}}"]}}
- name: optional
  inputs: {{artifacts: [{{name: in, path: /in, optional: true}}]}}
  container: {{image: none}}
- name: required
  inputs: {{artifacts: [{{name: in, path: /in}}]}}
  container: {{image: none}}
"""


def both(template: str, value: str, default: str = "", more: str = "") -> list[Simulation]:
    """The same call as a step and as a task."""
    found: list[Simulation] = []
    for kind, make in (("steps", steps), ("tasks", dag)):
        given = value.replace("REF", f"{kind}.producer.outputs.parameters.msg")
        fields = (
            f'name: consumer, template: {template}, arguments: {{parameters: [{{name: in, value: "{given}"}}]}}{more}'
        )
        fields += ", dependencies: [producer]" if kind == "tasks" else ""
        found.append(simulate(make("{" + fields + "}", default)))
    return found


@pytest.mark.parametrize(
    ("template", "value", "default", "argument"),
    [
        ("without", "{{REF}}", ", default: PRODUCED", "PRODUCED"),
        ("with-default", "{{REF}}", ", default: PRODUCED", "PRODUCED"),
        ("without", "<{{REF}}>", ", default: PRODUCED", "<PRODUCED>"),
        ("with-default", "{{REF}}", "", "FALLBACK"),
        ("with-default", "{{ REF }}", "", "FALLBACK"),
        ("without", "{{= REF ?? 'other'}}", "", "other"),
        ("without", "{{= REF ?? 'other'}}", ", default: ''", ""),
    ],
)
def test_what_a_consumer_gets(template: str, value: str, default: str, argument: str) -> None:
    for found in both(template, value, default):
        assert found.phase == "Succeeded", found.message
        assert found.args("consumer") == (argument,)


@pytest.mark.parametrize(("template", "value"), [("without", "{{REF}}"), ("with-default", "x-{{REF}}")])
def test_an_output_that_nothing_stands_in_for_is_an_error(template: str, value: str) -> None:
    as_step, as_task = both(template, value)
    assert (as_step.phase, as_task.phase) == ("Failed", "Error")
    assert as_step.ran == as_task.ran == []


def test_a_consumer_that_is_skipped_itself_needs_nothing() -> None:
    for found in both("without", "{{REF}}", more=', when: "1 == 2"'):
        assert (found.phase, found.node("consumer").phase) == ("Succeeded", "Skipped")


def test_a_template_that_is_only_known_by_its_item_has_its_default() -> None:
    call = """name: consumer, templateRef: {name: "{{item.name}}", template: "{{item.template}}"}"""
    call += ', withItems: [{name: stored, template: consume}], arguments: {parameters: [{name: in, value: "{{REF}}"}]}'
    for kind, make in (("steps", steps), ("tasks", dag)):
        fields = call.replace("REF", f"{kind}.producer.outputs.parameters.msg")
        fields += ", dependencies: [producer]" if kind == "tasks" else ""
        found = simulate(make("{" + fields + "}"), templates=STORED)
        assert found.args(found.ran[0]) == ("FALLBACK",)


@pytest.mark.parametrize(
    ("template", "phases"), [("optional", ("Succeeded", "Succeeded")), ("required", ("Failed", "Error"))]
)
def test_artifacts(template: str, phases: tuple[str, str]) -> None:
    found: list[str] = []
    for kind, make in (("steps", steps), ("tasks", dag)):
        more = ", optional: true" if template == "optional" else ""
        source = f'{{name: in, from: "{{{{{kind}.producer.outputs.artifacts.art}}}}"{more}}}'
        fields = f"name: consumer, template: {template}, arguments: {{artifacts: [{source}]}}"
        fields += ", dependencies: [producer]" if kind == "tasks" else ""
        found.append(simulate(make("{" + fields + "}")).phase)
    assert tuple(found) == phases


@pytest.mark.parametrize(
    ("producer_default", "own_default", "value"),
    [(", default: P", "", "P"), ("", ", default: O", "O"), (", default: P", ", default: O", "P"), ("", "", None)],
)
def test_outputs_of_the_whole(producer_default: str, own_default: str, value: str | None) -> None:
    for kind, make in (("steps", steps), ("tasks", dag)):
        source = f'{{parameter: "{{{{{kind}.producer.outputs.parameters.msg}}}}"{own_default}}}'
        output = f"- name: main\n  outputs: {{parameters: [{{name: out, valueFrom: {source}}}]}}"
        text = make("{name: other, template: produce}", producer_default).replace("- name: main", output, 1)
        found = simulate(text)
        if value is None:
            assert found.phase == "Error"
            assert "absent optional" in found.message
        else:
            assert (found.phase, found.outputs("/")) == ("Succeeded", {"out": value})


def test_outputs_of_the_whole_by_expression() -> None:
    output = "- name: main\n  outputs: {parameters: [{name: out, valueFrom: {expression: EXPR}}]}"
    for expression, value in (("steps.producer.outputs.parameters.msg ?? 'other'", "other"),):
        text = steps("{name: other, template: produce}").replace("- name: main", output.replace("EXPR", expression), 1)
        assert simulate(text).outputs("/") == {"out": value}


def test_exit_handlers_get_defaults_too() -> None:
    hook = """{name: work, template: produce, hooks: {exit: {template: with-default, arguments: {parameters: [
        {name: in, value: "{{steps.producer.outputs.parameters.msg}}"}]}}}}"""
    found = simulate(steps(hook))
    assert found.args("work.onExit") == ("FALLBACK",)


def test_an_omitted_task_is_like_a_skipped_one() -> None:
    text = main(
        """
        dag:
          tasks:
          - {name: a, template: leaf}
          - {name: b, template: give, depends: a.Failed}
          - name: c
            template: take
            depends: b.Omitted
            arguments: {parameters: [{name: message, value: "{{=tasks.b.outputs.parameters.message ?? 'none'}}"}]}
        """
    )
    assert simulate(text).args("c") == ("none",)
