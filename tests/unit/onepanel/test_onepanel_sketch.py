"""Sketches of workspaces' workflows: what the server puts in is put in, what is clear is mended, all of it is told."""

from __future__ import annotations

import pytest

from argosy.dialects.onepanel.reader import load
from argosy.dialects.onepanel.sketch import SIZE, SUPPLIED
from argosy.model.inputs import Input
from argosy.model.manifest import Workflow

SKETCH = """\
arguments:
  parameters:
  - {name: name, value: base, required: true}
  - {name: <volumeClaimTemplate.metadata.name>-volume-size, value: 5, type: input.number}
entrypoint: main
templates:
- name: main
  dag:
    tasks:
    - {name: set, template: set}
    - name: pvc
      template: pvc
      arguments:
      parameters:
      - {name: claim, value: '{{item}}'}
      withItems: [data, db]
      when: "{{workflow.parameters.action}} == delete"
- name: set
  resource:
    action: "{{workflow.parameters.action}}"
    manifest: |
      kind: StatefulSet
      metadata: {name: <<workflow.parameters.name>>}
      spec:
        template: {spec: {nodeSelector: {<<beta.kubernetes.io/instance-type>>: a}}}
        volumeClaimTemplates:
        - metadata: {name: data}
          spec: {resources: {requests: {storage: "{{workflow.parameters.data-volume-sizee}}Mi"}}}
        - metadata: {name: db}
- name: pvc
  inputs: {parameters: [{name: claim}]}
  resource:
    action: delete
    manifest: "kind: PersistentVolumeClaim\\nmetadata: {name: '{{inputs.parameters.claim}}'}"
"""


def read(text: str) -> tuple[Workflow, dict[str, Input]]:
    (document,) = load(text, "a.yaml").checked().documents
    assert isinstance(document.value, Workflow)
    assert document.signature is not None
    return document.value, {one.name: one for one in document.signature.inputs}


def told(text: str) -> list[tuple[str, int, str]]:
    found = [one for one in load(text, "a.yaml").diagnostics if one.rule == "onepanel-sketch"]
    return [(one.severity, one.span.line if one.span else 0, one.message) for one in found]


def manifest(workflow: Workflow, name: str) -> str:
    (resource,) = (one.resource for one in workflow.spec.templates if one.name == name)
    assert resource is not None
    return resource.manifest


def test_a_parameter_named_after_claims_is_one_for_each() -> None:
    _, inputs = read(SKETCH)
    assert list(inputs) == ["name", "data-volume-size", "db-volume-size", "action"]
    assert (inputs["db-volume-size"].default, inputs["db-volume-size"].type) == ("5", "number")


def test_marks_in_manifests_become_references_and_words() -> None:
    workflow, _ = read(SKETCH)
    text = manifest(workflow, "set")
    assert "{name: {{workflow.parameters.name}}}" in text
    assert "{beta.kubernetes.io/instance-type: a}" in text


def test_parameters_beside_the_arguments_are_read_as_in_them() -> None:
    workflow, _ = read(SKETCH)
    dag = workflow.spec.templates[0].dag
    assert dag is not None
    arguments = dag.tasks[1].arguments
    assert arguments is not None
    assert [(one.name, one.value) for one in arguments.parameters] == [("claim", "{{item}}")]


def test_all_of_it_is_told_where_it_stands() -> None:
    assert told(SKETCH) == [
        ("warning", 4, "<volumeClaimTemplate.metadata.name>-volume-size stands for data-volume-size, db-volume-size"),
        ("warning", 4, "this is a sketch of what Onepanel's server makes of a workspace: its part is put in here"),
        (
            "warning",
            14,
            "`parameters` of the task pvc stands beside its `arguments`: it is read as if it stood in them",
        ),
        ("note", 17, "the parameter action is the server's: it is create"),
        ("warning", 21, "there is no parameter data-volume-sizee: it is read as data-volume-size"),
    ]


@pytest.mark.parametrize(
    ("name", "value"), [*SUPPLIED.items(), ("sys-logs-volume-size", SIZE), ("logs-volume-size", SIZE)]
)
def test_what_the_server_supplies(name: str, value: str) -> None:
    text = SKETCH.replace("workflow.parameters.action", f"workflow.parameters.{name}")
    _, inputs = read(text)
    assert (inputs[name].default, inputs[name].visibility) == (value, "hidden")


def test_what_nobody_supplies_is_to_be_given() -> None:
    _, inputs = read(SKETCH.replace("{name: db}", "{name: db, labels: {a: '{{workflow.parameters.flavour}}'}}"))
    assert (inputs["flavour"].default, inputs["flavour"].required) == (None, True)


def test_a_sketch_without_arguments_gets_them() -> None:
    text = "entrypoint: main\ntemplates:\n- {name: main, dag: {tasks: [{name: a, template: b}]}}\n" + (
        "- {name: b, resource: {action: get, manifest: 'metadata: {name: <<workflow.parameters.sys-uid>>}'}}\n"
    )
    workflow, inputs = read(text)
    assert inputs["sys-uid"].default == "uid"
    assert workflow.spec.arguments is not None
    assert [one.name for one in workflow.spec.arguments.parameters] == ["sys-uid"]


def test_a_mark_that_nobody_knows_stays_and_is_wrong() -> None:
    loaded = load(SKETCH.replace("<volumeClaimTemplate.metadata.name>", "<planet>"), "a.yaml")
    (document,) = loaded.documents
    assert document.signature is not None
    assert "<planet>-volume-size" in [one.name for one in document.signature.inputs]


def test_nothing_is_supplied_or_mended_where_there_are_no_marks() -> None:
    text = SKETCH.replace("<volumeClaimTemplate.metadata.name>", "data").replace("<<", "").replace(">>", "")
    loaded = load(text, "a.yaml")
    assert told(text) == []
    assert [one.rule for one in loaded.diagnostics if one.severity == "error"] == ["field-unknown"]


@pytest.mark.parametrize(
    "text",
    [
        "entrypoint: a\ntemplates: <<workflow.parameters.a>>\n",
        "entrypoint: a\narguments: {parameters: [{name: <a>}, b, 1]}\ntemplates: [a, {name: a, dag: [b]}]\n",
        "entrypoint: a\narguments: [a]\ntemplates: [{resource: {manifest: '<<a>>: {{workflow.parameters.b}}'}}]\n",
        "entrypoint: a\ntemplates: [{resource: {action: get, manifest: '<<a>>: [{{workflow.parameters.b}}'}}]\n",
    ],
)
def test_a_sketch_of_any_shape_is_told_of_not_broken_on(text: str) -> None:
    load(text, "a.yaml")
