"""What a template may refer to: all that Onepanel's documentation and its templates use, and nothing of workspaces."""

from __future__ import annotations

import pytest

from argosy.checks.catalog import Options
from argosy.dialects.onepanel.reader import load
from argosy.project.files import check_all

TEMPLATE = """\
entrypoint: main
onExit: bye
arguments:
  parameters:
  - {name: words, value: '["x", "y"]'}
  - {name: folder, value: 'a/{{workspace.namespace}}'}
templates:
- name: main
  dag:
    tasks:
    - {name: a, template: make}
    - name: b
      template: take
      dependencies: [a]
      when: "{{tasks.a.status}} == Succeeded"
      arguments:
        parameters: [{name: m, value: '{{tasks.a.outputs.parameters.p}}'}]
        artifacts: [{name: f, from: '{{tasks.a.outputs.artifacts.f}}'}]
    - {name: c, template: say, withItems: [1, {k: v}], arguments: {parameters: [{name: m, value: '{{item}}'}]}}
    - name: d
      template: say
      withParam: '{{workflow.parameters.words}}'
      arguments: {parameters: [{name: m, value: 1}]}
- name: bye
  dag:
    tasks: [{name: e, template: say, arguments: {parameters: [{name: m, value: '{{workflow.status}}'}]}}]
- name: make
  outputs:
    parameters: [{name: p, valueFrom: {path: /p}}]
    artifacts: [{name: f, path: /f, s3: {key: '{{workflow.namespace}}/{{workflow.name}}/{{pod.name}}'}}]
  container: {image: '{{workflow.parameters.folder}}', command: [echo]}
- name: take
  inputs: {parameters: [{name: m}], artifacts: [{name: f, path: /in/f}]}
  container: {image: a, command: [echo, '{{inputs.parameters.m}}']}
- name: say
  inputs: {parameters: [{name: m}]}
  container: {image: a, command: [echo, '{{inputs.parameters.m}}']}
"""


def found(text: str) -> list[tuple[str, str, int, str]]:
    (checked,) = check_all([load(text, "a.yaml")], None, Options())
    return [(one.rule, one.severity, one.span.line if one.span else 0, one.hint) for one in checked.findings]


def test_all_that_templates_refer_to_is_known() -> None:
    assert found(TEMPLATE) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("workspace.parameters.words", "did you mean {{workflow.parameters.words}}?"),
        ("workspace.parameters.storage-prefix", ""),
        ("workspace.name", "did you mean {{workflow.name}}?"),
    ],
)
def test_what_only_a_workspace_has(name: str, hint: str) -> None:
    text = TEMPLATE.replace("{{inputs.parameters.m}}", f"{{{{{name}}}}}", 1)
    assert found(text) == [("onepanel-reference", "warning", 34, hint)]


def test_what_is_misspelt_is_an_error() -> None:
    ((rule, severity, line, hint),) = found(
        TEMPLATE.replace("tasks.a.outputs.parameters.p", "tasks.a.outputs.parameters.q")
    )
    assert (rule, severity, line) == ("unresolved-reference", "error", 17)
    assert "tasks.a.outputs.parameters.p" in hint
