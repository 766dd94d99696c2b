"""Which template is meant: stored ones, those written in place, defaults, and a workflow made from a stored one."""

import pytest
from simulator import Simulation, main, simulate, templates_of, workflow_of

from argosy.model.manifest import Workflow
from argosy.plan.templates import with_workflow_template

WORKFLOW = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\n"
STORED = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib}
spec:
  entrypoint: hello
  onExit: bye
  arguments:
    parameters:
    - {name: who, value: world}
    - {name: fixed, value: f, enum: [f, g]}
    - {name: from, valueFrom: {configMapKeyRef: {name: conf, key: k}}}
  templates:
  - name: hello
    inputs: {parameters: [{name: who, value: "{{workflow.parameters.who}}"}]}
    steps: [[{name: x, template: echo, arguments: {parameters: [{name: text, value: "{{inputs.parameters.who}}"}]}}]]
  - name: echo
    inputs: {parameters: [{name: text}]}
    container: {image: lib, args: ["lib {{inputs.parameters.text}}"]}
  - name: bye
    container: {image: lib}
"""


def test_a_stored_template_calls_its_own_siblings() -> None:
    text = main(
        """
        steps:
        - - {name: a, templateRef: {name: lib, template: hello}}
          - {name: b, template: echo, arguments: {parameters: [{name: text, value: mine}]}}
        """,
        head="arguments: {parameters: [{name: who, value: me}]}",
    )
    text += """
- name: echo
  inputs: {parameters: [{name: text}]}
  container: {image: own, args: ["own {{inputs.parameters.text}}"]}
"""
    found = simulate(text, templates=STORED)
    assert (found.args("[0].a[0].x"), found.args("[0].b")) == (("lib me",), ("own mine",))
    node = found.node("[0].a")
    assert node.template_ref is not None
    assert (node.template_ref.name, node.template_scope) == ("lib", "local/wf")
    assert found.node("[0].a[0].x").template_scope == "namespaced/lib"


@pytest.mark.parametrize(
    ("reference", "message"),
    [("{name: nowhere, template: x}", "'nowhere' not found"), ("{name: lib, template: x}", "lib.x not found in lib")],
)
def test_what_is_not_stored(reference: str, message: str) -> None:
    found = simulate(main(f"steps: [[{{name: a, templateRef: {reference}}}]]"), templates=STORED)
    assert found.phase == "Failed"
    assert message in found.message


def test_templates_in_place() -> None:
    text = main(
        """
        inputs: {parameters: [{name: p, value: outer}]}
        steps:
        - - {name: a, template: leaf}
        - - name: each
            withItems: [1, 2]
            inline: {container: {image: none, args: ["{{inputs.parameters.p}} {{item}} {{steps.a.status}}"]}}
        - - name: d
            inline:
              dag:
                tasks:
                - {name: x, inline: {container: {image: none, args: ["{{inputs.parameters.p}}"]}}}
        """
    )
    found = simulate(text)
    assert found.args("each(0:1)") == ("outer 1 Succeeded",)
    assert found.args("each(1:2)") == ("outer 2 Succeeded",)
    assert found.args("d.x") == ("outer",)


DEFAULTS = """
entrypoint: main
templateDefaults:
  timeout: 30s
  retryStrategy: {limit: 1}
  container: {image: default, env: [{name: A, value: "1"}, {name: B, value: "2"}], MOUNT}
  script: {image: other}
templates:
- {name: main, steps: [[{name: c, template: c}, {name: s, template: s}]], retryStrategy: {limit: 0}}
- name: c
  container: {command: [x], env: [{name: B, value: own}], volumeMounts: [{name: v, mountPath: /b}]}
- {name: s, retryStrategy: {limit: 3}, script: {image: own, source: hi}}
"""


def test_defaults_fill_in_what_a_template_leaves_open() -> None:
    workflow = workflow_of(
        DEFAULTS.replace("MOUNT", "volumeMounts: [{name: v, mountPath: /a}]").replace(
            "command: [x]", "image: '', command: [x]"
        )
    )
    found = simulate(workflow)
    container = found.start_of("c(0)").template.container
    assert container is not None
    assert (container.image, found.start_of("c(0)").template.timeout) == ("default", "30s")
    assert {one.name: one.value for one in container.env} == {"A": "1", "B": "own"}
    assert [one.mount_path for one in container.volume_mounts] == ["/b", "/a"]
    script = found.start_of("s(0)").template
    assert script.script is not None
    assert (script.script.image, script.container) == ("own", None)


# -- workflowTemplateRef


def made(own: str) -> Workflow:
    text = f"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: x, labels: {{a: own}}}}\nspec:\n{own}"
    return with_workflow_template(workflow_of(text), templates_of(STORED)["lib"])


def test_a_workflow_from_a_stored_one() -> None:
    text = """
    apiVersion: argoproj.io/v1alpha1
    kind: Workflow
    metadata: {name: x}
    spec:
      workflowTemplateRef: {name: lib}
      arguments: {parameters: [{name: who, value: you}]}
    """
    found = simulate(workflow_of(text), templates=STORED, config_maps={"conf": {"k": "v"}})
    assert (found.phase, found.args("x"), found.ran) == ("Succeeded", ("lib you",), ["[0].x", "onExit"])


def test_what_the_workflow_says_itself_comes_first() -> None:
    spec = made(
        """
  workflowTemplateRef: {name: lib}
  entrypoint: mine
  onExit: other
  parallelism: 3
  arguments:
    parameters: [{name: from, value: now}, {name: fixed, value: g}, {name: more, value: m}]
  templates: [{name: mine, container: {image: own}}]
"""
    ).spec
    assert (spec.entrypoint, spec.on_exit, spec.parallelism) == ("mine", "other", 3)
    assert {one.name for one in spec.templates} == {"hello", "echo", "bye", "mine"}
    assert spec.arguments is not None
    values = {one.name: one for one in spec.arguments.parameters}
    assert {name: one.value for name, one in values.items()} == {
        "who": "world",
        "fixed": "g",
        "from": "now",
        "more": "m",
    }
    # A value given anew replaces where the stored one came from.
    assert values["from"].value_from is None


def test_hooks_are_taken_whole_and_suspend_is_the_workflows_own() -> None:
    stored = templates_of(
        """
        apiVersion: argoproj.io/v1alpha1
        kind: WorkflowTemplate
        metadata: {name: lib}
        spec:
          entrypoint: hello
          suspend: true
          hooks:
            exit: {template: hello, arguments: {parameters: [{name: a, value: "1"}]}}
            x: {template: hello, expression: "true"}
          templates: [{name: hello, container: {image: none}}]
        """
    )["lib"]
    text = WORKFLOW + "spec: {hooks: {exit: {template: other}}}"
    spec = with_workflow_template(workflow_of(text), stored).spec
    assert spec.hooks["exit"].template == "other"
    assert spec.hooks["exit"].arguments is None
    assert spec.hooks["x"].template == "hello"
    assert spec.suspend is False


def test_artifacts_of_the_same_place_are_merged() -> None:
    stored = templates_of(
        """
        apiVersion: argoproj.io/v1alpha1
        kind: WorkflowTemplate
        metadata: {name: lib}
        spec:
          arguments:
            artifacts:
            - {name: a, s3: {bucket: b, key: old}}
            - {name: z, s3: {bucket: b, key: old}}
          templates: [{name: hello, container: {image: none}}]
        """
    )["lib"]
    text = """
    apiVersion: argoproj.io/v1alpha1
    kind: Workflow
    metadata: {name: x}
    spec: {arguments: {artifacts: [{name: a, s3: {key: new}}, {name: z, raw: {data: hi}}]}}
    """
    arguments = with_workflow_template(workflow_of(text), stored).spec.arguments
    assert arguments is not None
    found = {one.name: one for one in arguments.artifacts}
    assert found["a"].s3 == {"bucket": "b", "key": "new"}
    assert (found["z"].s3, found["z"].raw is not None) == (None, True)


def test_labels_of_the_stored_workflow_are_added() -> None:
    stored = STORED.replace(
        "  entrypoint: hello\n", "  workflowMetadata: {labels: {a: theirs, b: theirs}}\n  entrypoint: hello\n"
    )
    text = WORKFLOW.replace("}", ", labels: {a: own}}") + "spec: {entrypoint: hello}"
    found = with_workflow_template(workflow_of(text), templates_of(stored)["lib"])
    assert found.metadata.labels == {"a": "own", "b": "theirs"}


def test_a_config_map_gives_a_parameter() -> None:
    text = """
    entrypoint: main
    arguments: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: conf, key: k}}}]}
    templates:
    - name: main
      inputs:
        parameters:
        - {name: q, valueFrom: {configMapKeyRef: {name: conf, key: "{{workflow.name}}"}, default: none}}
      container: {image: none, args: ["{{workflow.parameters.p}} {{inputs.parameters.q}}"]}
    """
    assert Simulation(text, config_maps={"conf": {"k": "1", "wf": "2"}}).run().args("/") == ("1 2",)
    assert simulate(text, config_maps={"conf": {"k": "1"}}).args("/") == ("1 none",)
