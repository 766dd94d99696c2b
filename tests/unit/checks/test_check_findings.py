"""Lint's findings: the place of each in the manifest's own words, a likely word, one pass for everything."""

import msgspec
import pytest
import yaml

from argosy.checks.catalog import BEFORE_RUN, DocumentCatalog, Options
from argosy.checks.check import check
from argosy.checks.rules import RULES
from argosy.model import manifest

NOTHING = DocumentCatalog()


def workflow(text: str) -> manifest.Workflow:
    """A Workflow with this spec."""
    data = {"kind": "Workflow", "metadata": {"name": "w"}, "spec": yaml.safe_load(text)}
    return msgspec.convert(data, manifest.Workflow, strict=False)


def found(text: str, rule: str, options: Options | None = None):
    """The findings of one rule."""
    findings = check(workflow(text), NOTHING, options=options or Options())
    return [finding for finding in findings if finding.rule == rule]


def test_a_sound_workflow_has_no_findings():
    assert check(workflow("{entrypoint: a, templates: [{name: a, container: {image: x}}]}"), NOTHING) == ()


def test_every_mistake_is_found_in_one_pass_at_its_place():
    findings = check(
        workflow(
            """
entrypoint: mian
templates:
- name: main
  dag:
    tasks:
    - {name: A, template: tarin}
    - {name: B, template: train, dependencies: [AA]}
- name: train
  inputs: {parameters: [{name: rate}]}
  container: {image: x, args: ["{{inputs.parameters.rat}}"]}
"""
        ),
        NOTHING,
    )
    assert {(finding.rule, finding.path) for finding in findings} == {
        ("template-undefined", ("spec", "entrypoint")),
        ("template-undefined", ("spec", "templates", 0, "dag", "tasks", 0, "template")),
        ("dependency-undefined", ("spec", "templates", 0, "dag", "tasks", 1, "dependencies", 0)),
        ("argument-not-supplied", ("spec", "templates", 0, "dag", "tasks", 1)),
        ("unresolved-reference", ("spec", "templates", 1, "container", "args", 0)),
    }
    hints = {finding.path[-1]: finding.hint for finding in findings}
    assert hints["entrypoint"] == "did you mean 'main'?"
    assert hints["template"] == "did you mean 'train'?"


def test_an_unknown_document_is_a_warning_in_lint_and_an_error_before_a_run():
    text = "{entrypoint: a, templates: [{name: a, steps: [[{name: s, templateRef: {name: w, template: t}}]]}]}"
    assert [f.severity for f in found(text, "reference-unknown")] == ["warning"]
    assert [f.severity for f in found(text, "reference-unknown", BEFORE_RUN)] == ["error"]


def test_an_error_in_another_document_is_reported_where_it_is_called():
    template = msgspec.convert(
        {
            "kind": "WorkflowTemplate",
            "metadata": {"name": "lib"},
            "spec": {"templates": [{"name": "t", "container": {"image": "x", "args": ["{{inputs.parameters.no}}"]}}]},
        },
        manifest.WorkflowTemplate,
    )
    text = "{entrypoint: a, templates: [{name: a, steps: [[{name: s, templateRef: {name: lib, template: t}}]]}]}"
    (finding,) = check(workflow(text), DocumentCatalog([template]))
    assert finding.path == ("spec", "templates", 0, "steps", 0, 0)
    assert "templates.t" in finding.message
    assert "failed to resolve {{inputs.parameters.no}}" in finding.message


@pytest.mark.parametrize(
    ("container", "places"),
    [
        ("script: {image: x, source: 'echo {{inputs.parameters.p}}'}", [("script", "source")]),
        (
            "container: {image: x, command: [sh, -c], args: ['echo {{inputs.parameters.p}}']}",
            [("container", "args", 0)],
        ),
        ("container: {image: x, command: [bash, -euc, 'echo {{inputs.parameters.p}}']}", [("container", "command", 2)]),
        ("container: {image: x, command: [echo, '{{inputs.parameters.p}}']}", []),
        ("container: {image: x, command: [sh, -c, 'echo $1', x, '{{inputs.parameters.p}}']}", []),
    ],
)
def test_a_parameter_in_program_text_is_warned_of(container, places):
    text = f"""
entrypoint: a
templates:
- name: a
  inputs: {{parameters: [{{name: p, value: v}}]}}
  {container}
"""
    findings = found(text, "parameter-in-script")
    assert [finding.path[3:] for finding in findings] == places
    assert all(finding.severity == "warning" and "env" in finding.hint for finding in findings)


def test_the_lines_by_which_hera_reads_a_parameter_are_nobodys():
    read = "try: p = json.loads(r'''{{inputs.parameters.p}}''')\n      except: p = r'''{{inputs.parameters.p}}'''"
    text = """
entrypoint: a
templates:
- name: a
  inputs: {parameters: [{name: p, value: v}]}
  script:
    image: x
    command: [python]
    source: |
      import json
      %s
      print(%s)
"""
    assert found(text % (read, "p"), "parameter-in-script") == []
    assert len(found(text % (read, "'{{inputs.parameters.p}}'"), "parameter-in-script")) == 1


def test_a_reference_to_a_step_of_the_same_group_is_warned_of():
    text = """
entrypoint: a
templates:
- name: a
  steps:
  - - {name: one, template: b}
    - {name: two, template: b, when: "{{steps.one.outputs.result}} == x"}
- name: b
  container: {image: x}
"""
    assert [f.path[-1] for f in found(text, "unordered-reference")] == ["when"]


def test_rules_have_ids_of_their_own():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(rule.meaning and rule.bad and rule.fix for rule in RULES)


def test_a_deep_chain_and_a_wide_fan_of_ten_thousand_tasks_need_no_recursion():
    leaf = {
        "name": "leaf",
        "inputs": {"parameters": [{"name": "x", "default": "1"}]},
        "outputs": {"parameters": [{"name": "y", "valueFrom": {"path": "/y"}}]},
        "container": {"image": "x"},
    }
    chain = [{"name": "t0", "template": "leaf"}]
    for i in range(1, 10_000):
        value = f"{{{{tasks.t{i // 2}.outputs.parameters.y}}}}"
        arguments = {"parameters": [{"name": "x", "value": value}]}
        chain.append({"name": f"t{i}", "template": "leaf", "dependencies": [f"t{i - 1}"], "arguments": arguments})
    data = {
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": chain}}, leaf]},
    }
    assert check(msgspec.convert(data, manifest.Workflow), NOTHING) == ()
