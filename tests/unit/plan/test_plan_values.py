"""What templates get and give: arguments, variables, artifacts on their way, outputs for the whole workflow."""

import json

import pytest
from simulator import BEGIN, FAILED, Outcome, gave, main, said, simulate


def show(value: str, head: str = "", more: str = "") -> str:
    return f"""
entrypoint: main
{head}
templates:
- name: main
  {more}
  container: {{image: none, args: ['{value}']}}
"""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("{{workflow.name}}", "wf"),
        ("{{workflow.namespace}}", "default"),
        ("{{workflow.uid}}", "uid-1"),
        ("{{workflow.mainEntrypoint}}", "main"),
        ("{{workflow.serviceAccountName}}", "sa"),
        ("{{workflow.priority}}", "7"),
        ("{{workflow.status}}", "Running"),
        ("{{workflow.creationTimestamp}}", "1970-01-12T13:46:40Z"),
        ("{{workflow.creationTimestamp.s}}", str(int(BEGIN))),
        ("{{workflow.creationTimestamp.Y}}", "1970"),
        ("{{workflow.creationTimestamp.RFC3339}}", "1970-01-12T13:46:40Z"),
        ("{{workflow.parameters.p}}", "v"),
        ("{{workflow.parameters}}", '[{"name":"p","value":"v"}]'),
        ("{{workflow.parameters.json}}", '[{"name":"p","value":"v"}]'),
        ("{{=workflow.parameters.p + '!'}}", "v!"),
        ("{{workflow.labels.l}}", "w"),
        ("{{inputs.parameters.i}}", "v-in"),
        ("{{inputs.parameters}}", '[{"name":"i","value":"v-in"}]'),
        ("{{node.name}}", "wf"),
        ("{{pod.name}}", "wf"),
        ("{{unknown.name}}", "{{unknown.name}}"),
        ("{{workflow.duration}}", "0.000000"),
    ],
)
def test_variables(value: str, shown: str) -> None:
    head = """
arguments: {parameters: [{name: p, value: v}]}
serviceAccountName: sa
priority: 7
workflowMetadata: {labels: {l: w}}
"""
    text = show(
        value.replace("'", "''"), head, 'inputs: {parameters: [{name: i, value: "{{workflow.parameters.p}}-in"}]}'
    )
    assert simulate(text).args("/") == (shown,)


def test_names_of_nodes_within() -> None:
    text = """
    entrypoint: main
    templates:
    - name: main
      steps: [[{name: a, template: t}], [{name: d, template: dag}]]
    - name: dag
      dag: {tasks: [{name: x, template: t}]}
    - name: t
      container: {image: none, args: ["{{node.name}} {{pod.name}} {{steps.name}} {{tasks.name}}"]}
    """
    found = simulate(text)
    pod = f"wf-t-{found.node('[0].a').id.removeprefix('wf-')}"
    assert found.args("[0].a") == (f"wf[0].a {pod} a {{{{tasks.name}}}}",)
    assert found.args("x")[0].endswith("{{steps.name}} x")


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        ("", "value: g", "g"),
        ("default: d", "", "d"),
        ("default: d", "value: g", "g"),
        ("value: v", "", "v"),
        ("value: v", "value: g", "g"),
        ("default: d, value: v", "", "d"),
        ("enum: [a, b]", "value: b", "b"),
        ("value: v", "value: ''", ""),
        ("value: v", "value: 1.50", "1.5"),
        ("value: v", "value: true", "true"),
    ],
)
def test_where_an_input_comes_from(declared: str, given: str, value: str) -> None:
    arguments = f"arguments: {{parameters: [{{name: i, {given}}}]}}" if given else ""
    text = main(f"steps: [[{{name: a, template: t, {arguments}}}]]")
    text += f"- name: t\n  inputs: {{parameters: [{{name: i, {declared}}}]}}\n"
    text += "  container: {image: none, args: ['{{inputs.parameters.i}}']}\n"
    assert simulate(text).args("a") == (value,)


def test_a_value_that_is_not_allowed() -> None:
    text = main("steps: [[{name: a, template: t, arguments: {parameters: [{name: i, value: c}]}}]]")
    text += "- name: t\n  inputs: {parameters: [{name: i, enum: [a, b]}]}\n  container: {image: none}\n"
    assert "'c' is not one of a, b" in simulate(text).message


ARTIFACTS = """
entrypoint: main
arguments: {artifacts: [{name: given, raw: {data: hi}}]}
templates:
- name: main
  inputs: {artifacts: [{name: given, path: /g}]}
  outputs:
    artifacts:
    - {name: out, globalName: everywhere, from: "{{steps.make.outputs.artifacts.made}}"}
    - {name: none, optional: true, from: "{{steps.make.outputs.artifacts.nothing}}"}
  steps:
  - - {name: make, template: make}
  - - name: use
      template: use
      arguments:
        artifacts:
        - {name: first, from: "{{steps.make.outputs.artifacts.made}}", subPath: "{{steps.make.outputs.parameters.dir}}"}
        - {name: second, from: "{{inputs.artifacts.given}}"}
- name: make
  outputs:
    artifacts: [{name: made, path: /made}]
    parameters: [{name: dir, valueFrom: {path: /dir}}]
  container: {image: none, args: ["{{outputs.artifacts.made.path}} {{outputs.parameters.dir.path}}"]}
- name: use
  inputs:
    artifacts:
    - {name: first, path: /first, mode: 493}
    - {name: second, path: /second}
    - {name: third, path: /t, optional: true}
  container: {image: none, args: ["{{inputs.artifacts.first.path}}"]}
"""


def test_artifacts_on_their_way() -> None:
    found = simulate(ARTIFACTS, {"make": gave(dir="sub/dir")})
    assert found.phase == "Succeeded"
    assert (found.args("make"), found.args("use")) == (("/made /dir",), ("/first",))
    inputs = found.start_of("use").template.inputs
    assert inputs is not None
    first, second, third = inputs.artifacts
    assert (first.name, first.path, first.mode, first.digest, first.sub_path) == (
        "first",
        "/first",
        493,
        "wf[0].make/made",
        "sub/dir",
    )
    assert second.raw is not None
    assert (second.raw.data, second.path) == ("hi", "/second")
    assert (third.name, third.digest, third.optional) == ("third", "", True)
    assert list(found.artifacts("/")) == ["out"]
    assert found.artifacts()["everywhere"].digest == "wf[0].make/made"


def test_an_artifact_that_leads_nowhere() -> None:
    text = ARTIFACTS.replace(
        '{{steps.make.outputs.artifacts.made}}", subPath', '{{steps.make.outputs.artifacts.no}}", subPath'
    )
    found = simulate(text, {"make": gave(dir="d")})
    assert found.phase == "Failed"
    assert "unable to resolve artifact first" in found.message


def test_a_required_artifact_that_nobody_gave() -> None:
    text = main("steps: [[{name: a, template: t}]]")
    text += "- name: t\n  inputs: {artifacts: [{name: x, path: /x}]}\n  container: {image: none}\n"
    assert "inputs.artifacts.x was not supplied" in simulate(text).message


@pytest.mark.parametrize(("result", "chosen"), [("heads", "heads"), ("tails", "tails")])
def test_conditional_artifacts_and_parameters(result: str, chosen: str) -> None:
    text = """
    entrypoint: main
    templates:
    - name: main
      outputs:
        artifacts:
        - name: out
          fromExpression: >-
            steps.flip.outputs.result == 'heads' ? steps.heads.outputs.artifacts.a : steps.tails.outputs.artifacts.a
        parameters:
        - name: out
          valueFrom:
            expression: >-
              steps.flip.outputs.result == 'heads' ? steps.heads.outputs.parameters.p : steps.tails.outputs.parameters.p
      steps:
      - - {name: flip, template: leaf}
      - - {name: heads, template: side, when: "{{steps.flip.outputs.result}} == heads"}
        - {name: tails, template: side, when: "{{steps.flip.outputs.result}} == tails"}
    - name: leaf
      container: {image: none}
    - name: side
      outputs: {artifacts: [{name: a, path: /a}], parameters: [{name: p, valueFrom: {path: /p}}]}
      container: {image: none}
    """
    found = simulate(text, {"flip": said(result), "side": gave(p="from " + chosen)})
    assert found.outputs("/") == {"out": f"from {chosen}"}
    assert found.artifacts("/")["out"].digest == f"wf[1].{chosen}/a"


def test_the_last_writer_of_a_global_output_wins() -> None:
    text = main("steps: [[{name: a, template: publish}], [{name: b, template: publish}]]")
    found = simulate(text, {"a": gave(x="1"), "b": gave(x="2")})
    assert found.outputs() == {"shared": "2"}


def test_global_outputs_can_be_read_later() -> None:
    text = main(
        """
        dag:
          tasks:
          - {name: a, template: publish}
          - name: b
            template: take
            dependencies: [a]
            arguments: {parameters: [{name: message, value: "{{workflow.outputs.parameters.shared}}"}]}
        """
    )
    assert simulate(text, {"a": gave(x="1")}).args("b") == ("1",)


def test_an_output_that_cannot_be_found_is_an_error() -> None:
    text = main(
        """
        outputs: {parameters: [{name: x, valueFrom: {parameter: "{{steps.a.outputs.parameters.none}}"}}]}
        steps: [[{name: a, template: leaf}]]
        """
    )
    found = simulate(text)
    assert found.phase == "Error"
    assert found.message == "error in entry template execution: failed to resolve {{steps.a.outputs.parameters.none}}"


def test_references_to_loops_see_the_group() -> None:
    text = main(
        """
        steps:
        - - {name: each, template: leaf, withItems: [1, 2]}
        - - name: b
            template: take
            arguments: {parameters: [{name: message, value: "{{steps.each.id}} {{steps.each.status}}"}]}
        """
    )
    found = simulate(text)
    assert found.args("b") == (f"{found.node('[0]').id} Succeeded",)


def test_times_of_nodes() -> None:
    text = main(
        """
        steps:
        - - {name: a, template: leaf}
        - - name: b
            template: take
            arguments:
              parameters:
              - {name: message, value: "{{steps.a.startedAt}} {{steps.a.finishedAt}} {{steps.a.hostNodeName}}"}
        """
    )
    found = simulate(text, {"a": Outcome(seconds=20)})
    assert found.args("b") == ("1970-01-12T13:46:40Z 1970-01-12T13:47:00Z localhost",)


def test_values_survive_quotes_and_lines() -> None:
    nasty = 'a"b\\c\n{"x": [1]}\t✓ {{not.a.tag}}'
    text = main(
        """
        steps:
        - - {name: a, template: leaf}
        - - {name: b, template: take, arguments: {parameters: [{name: message, value: "{{steps.a.outputs.result}}"}]}}
        """
    )
    assert simulate(text, {"a": said(nasty)}).args("b") == (nasty,)


def test_a_workflow_with_a_parameter_that_has_no_value() -> None:
    from argosy.errors import ExpressionError

    with pytest.raises(ExpressionError, match="workflow parameter p has no value"):
        simulate(show("x", "arguments: {parameters: [{name: p}]}"))


METRICS = """
entrypoint: main
metrics:
  prometheus:
  - {name: whole, help: h, counter: {value: "1"}, labels: [{key: status, value: "{{workflow.status}}"}]}
templates:
- name: main
  retryStrategy: {limit: 1}
  metrics:
    prometheus:
    - {name: tries, help: h, labels: [{key: status, value: "{{status}}"}], gauge: {value: "{{duration}}"}}
    - {name: failures, help: h, when: "{{status}} == Failed", counter: {value: "1"}}
    - {name: broken, help: h, histogram: {value: "many", buckets: [1]}}
  container: {image: none}
"""


def test_metrics_of_attempts_templates_and_the_workflow() -> None:
    found = simulate(METRICS, {"main": [FAILED, Outcome(seconds=3)]})
    values = [
        (one.name, one.kind, one.value, one.labels.get("status")) for one in found.plan.measured if not one.problem
    ]
    assert values == [
        ("tries", "gauge", 1.0, "Failed"),
        ("failures", "counter", 1.0, None),
        ("tries", "gauge", 4.0, "Succeeded"),
        ("whole", "counter", 1.0, "Succeeded"),
    ]
    assert {one.name for one in found.plan.measured if one.problem} == {"broken"}


def test_failures_are_json_twice() -> None:
    text = main("steps: [[{name: a, template: leaf}]]", head="onExit: show")
    text += "- name: show\n  container: {image: none, args: ['{{workflow.failures}}']}\n"
    failures = json.loads(json.loads(simulate(text, {"a": FAILED}).args("onExit")[0]))
    assert set(failures[0]) == {"displayName", "message", "templateName", "phase", "podName", "finishedAt"}
