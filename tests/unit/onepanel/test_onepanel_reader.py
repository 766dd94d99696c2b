"""Onepanel's files: bare, wrapped, with placeholders; what is refused, and where."""

from __future__ import annotations

import json
import textwrap

import pytest

from argosy.dialects.detect import told
from argosy.dialects.onepanel.injection import INPUTS
from argosy.dialects.onepanel.names import name_of_file, prefix_of, uid_of
from argosy.dialects.onepanel.placeholders import VALUES
from argosy.dialects.onepanel.reader import ENTRYPOINT_NO_DAG, ON_EXIT_NO_DAG, load
from argosy.model.manifest import CronWorkflow, Workflow
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse

BARE = """\
# The template to use as entrypoint
entrypoint: main
templates:
- name: main
  dag: {tasks: [{name: a, template: say}]}
- name: say
  container: {image: alpine, command: [echo]}
"""
WRAPPED = """\
metadata:
  name: "MaskRCNN Training"
  kind: Workflow
  version: 20210118175809
  action: update
  # where it comes from
  source: "https://localhost/a"
  deprecated: true
  labels:
    "used-by": "cvat"
    framework: tensorflow
spec:
  entrypoint: main
  arguments:
    parameters:
    - {name: sys-node-pool, type: select.nodepool, value: "{{.DefaultNodePoolOption}}"}
    - {name: data, value: x}
  templates:
  - name: main
    dag: {tasks: [{name: a, template: say}]}
  - name: say
    inputs:
      artifacts:
      - name: data
        path: /mnt/data
        {{.ArtifactRepositoryType}}:
          key: '{{workflow.parameters.data}}'
    container: {image: alpine, command: [echo]}
"""
WORKSPACE = """\
containers:
- {name: jupyterlab, image: onepanel/jupyterlab}
ports:
- {name: jupyterlab, port: 80}
routes: []
"""
CRON = """\
schedule: '0 4 * * *'
timezone: Etc/UTC
suspend: false
concurrencyPolicy: Allow
startingDeadlineSeconds: 60
successfulJobsHistoryLimit: 1
failedJobsHistoryLimit: 1
workflowSpec:
  entrypoint: main
  templates:
  - name: main
    dag: {tasks: [{name: a, template: say}]}
  - name: say
    container: {image: alpine, command: [echo]}
"""


def workflow(text: str, file: str = "a.yaml") -> Workflow:
    (document,) = load(text, file).checked().documents
    assert isinstance(document.value, Workflow)
    return document.value


def place(text: str) -> tuple[str, str, int, int]:
    (found,) = load(text, "a.yaml").diagnostics
    assert found.span is not None
    return found.rule, found.message, found.span.line, found.span.column


@pytest.mark.parametrize(
    "text",
    [
        BARE,
        WRAPPED,
        WORKSPACE,
        CRON,
        BARE.replace("# The", "# apiVersion: no\n# The"),
        "templates: []\nentrypoint: a\n",
        BARE.replace("entrypoint", "entripoint"),
        BARE.replace("\ntemplates", "\ntemplate"),
        "containers:\n- {name: a, image: b}\n",
        "schedul: '* * * * *'\nworkflowSpec: {}\n",
    ],
)
def test_told(text: str) -> None:
    assert told(text) == "onepanel"


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nentrypoint: a\ntemplates: []\n",
        "kind: Workflow\nmetadata:\n  version: a\nspec: {}\n",
        "metadata:\n  generateName: a-\nspec:\n  entrypoint: a\n  templates: []\n",
        "metadata:\n  name: a\nspec:\n  version: 1\n",
    ],
)
def test_told_apart_from_argo(text: str) -> None:
    assert told(text) == "argo"


def test_telling_takes_no_time_with_a_long_comment() -> None:
    assert told("metadata:\n" + "  # x\n" * 20000 + "spec: {}\n") == "argo"


def test_bare() -> None:
    found = workflow(BARE, "mnist/diamond.yaml")
    assert (found.kind, found.metadata.name, found.metadata.generate_name) == ("Workflow", "", "diamond-")
    assert [one.name for one in found.spec.templates] == ["main", "say"]


def test_wrapped() -> None:
    found = workflow(WRAPPED)
    assert found.metadata.generate_name == "maskrcnn-training-"
    more = found.spec.workflow_metadata
    assert more is not None
    assert more.labels == {"tags.onepanel.io/used-by": "cvat", "tags.onepanel.io/framework": "tensorflow"}


def test_placeholders() -> None:
    found = workflow(WRAPPED)
    assert found.spec.arguments is not None
    assert found.spec.arguments.parameters[0].value == "default"
    inputs = found.spec.templates[1].inputs
    assert inputs is not None
    assert inputs.artifacts[0].s3 == {"key": "{{workflow.parameters.data}}"}


@pytest.mark.parametrize("name", VALUES)
def test_placeholders_keep_places(name: str) -> None:
    text = BARE.replace("container:", f"# {{{{.{name}}}}}\n  workingDr: {{{{.{name}}}}}\n  container:")
    rule, message, line, column = place(text)
    assert (rule, message, line, column) == ("field-unknown", "a template has no field `workingDr`", 8, 3)


def test_an_unknown_placeholder() -> None:
    text = WRAPPED.replace("{{.DefaultNodePoolOption}}", "{{.DefaultNodePoolOptin}}")
    loaded = load(text, "a.yaml")
    (found,) = loaded.diagnostics
    assert found.span is not None
    assert (found.rule, found.span.line) == ("onepanel-placeholder", 16)
    assert found.hint == "did you mean `{{.DefaultNodePoolOption}}`?"


@pytest.mark.parametrize("line", ["{{.Artifact}}:", "'{{ .Artifact }}':"])
def test_an_unknown_placeholder_as_a_key(line: str) -> None:
    loaded = load(WRAPPED.replace("{{.ArtifactRepositoryType}}:", line), "a.yaml")
    found = [one for one in loaded.diagnostics if one.rule == "onepanel-placeholder"]
    assert [one.span.line for one in found if one.span is not None] == [26]


def test_templates_of_programs_are_left_alone() -> None:
    text = BARE.replace("[echo]", "[docker, inspect, -f, '{{.Name}}', 'up: {{.State.Running}} {{.Name}}']")
    container = workflow(text).spec.templates[1].container
    assert container is not None
    assert container.command[-1] == "up: {{.State.Running}} {{.Name}}"


def test_error_entrypoint() -> None:
    assert place(BARE.replace("entrypoint: main", "entrypoint: say")) == ("onepanel-dag", ENTRYPOINT_NO_DAG, 2, 13)
    assert ENTRYPOINT_NO_DAG == '"entrypoint" template should be a DAG'


def test_error_on_exit() -> None:
    assert place("onExit: say\n" + BARE) == ("onepanel-dag", ON_EXIT_NO_DAG, 1, 9)
    assert ON_EXIT_NO_DAG == '"onExit" template should be a DAG'
    assert load("onExit: main\n" + BARE, "a.yaml").diagnostics == ()


def test_error_steps_as_entrypoint() -> None:
    text = BARE.replace("dag: {tasks: [{name: a, template: say}]}", "steps: [[{name: a, template: say}]]")
    assert place(text)[:2] == ("onepanel-dag", ENTRYPOINT_NO_DAG)


def test_error_name() -> None:
    name = "A name with more than thirty letters"
    rule, message, line, column = place(WRAPPED.replace("MaskRCNN Training", name))
    assert (rule, message) == ("onepanel-name", "Template name must be 30 characters or less")
    assert (line, column) == (2, 9)


@pytest.mark.parametrize(
    "text",
    [WORKSPACE, "metadata: {name: a, kind: Workspace, version: 1}\nspec:\n" + " " + WORKSPACE.replace("\n", "\n ")],
)
def test_error_workspace(text: str) -> None:
    (found,) = load(text, "a.yaml").diagnostics
    assert (found.rule, found.message) == ("onepanel-workspace", "a workspace template is not run here")
    assert "DAG" in found.hint


def test_error_several_documents() -> None:
    assert place(BARE + "---\n" + BARE)[:2] == ("onepanel-documents", "a file holds one workflow template")


@pytest.mark.parametrize(
    ("text", "rule"),
    [("", "file-empty"), ("- a\n", "kind-missing"), ("entrypoint: [\n", "yaml"), (b"\xff\xfe", "file-encoding")],
)
def test_no_templates(text: str | bytes, rule: str) -> None:
    loaded = load(text, "a.yaml")
    assert not loaded.ok
    assert loaded.diagnostics[0].rule.startswith(rule)


def test_a_misspelt_field() -> None:
    rule, message, line, column = place(BARE.replace("entrypoint", "entripoint"))
    assert (rule, message, line, column) == ("field-unknown", "a workflow template has no field `entripoint`", 2, 1)


def test_cron() -> None:
    (document,) = load(CRON, "nightly run.yaml").checked().documents
    assert isinstance(document.value, CronWorkflow)
    assert (document.value.metadata.name, document.value.spec.schedules) == ("nightly-run", ("0 4 * * *",))
    assert document.value.spec.workflow_spec.entrypoint == "main"


def test_json() -> None:
    spec = plain(parse(BARE, "a.yaml").documents[0])
    text = json.dumps({"metadata": {"name": "a b", "action": "create"}, "spec": spec})
    assert told(text) == "onepanel"
    assert workflow(text).spec == workflow(BARE).spec
    bare = json.dumps(spec)
    assert told(bare) == told(json.dumps(spec, indent=2)) == "onepanel"
    assert workflow(bare) == workflow(BARE)
    assert told('{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"entrypoint": "a"}}') == "argo"
    assert told('{"entrypoint": "main", "templates": [') == ""


def test_what_is_copied_out_of_a_page_with_its_indentation() -> None:
    text = "\n# a page\n" + textwrap.indent(BARE, "    ")
    assert told(text) == "onepanel"
    assert workflow(text).spec == workflow(BARE).spec


def test_cron_as_the_server_writes_it() -> None:
    parameters = "  arguments: {parameters: [{displayname: Epochs, hint: '', name: epochs, options: [], value: '1'}]}\n"
    loaded = load(CRON.replace("workflowSpec:\n", "workflowSpec:\n" + parameters), "a.yaml")
    (document,) = loaded.checked().documents
    assert isinstance(document.value, CronWorkflow)
    assert '"display_name":"Epochs"' in document.value.metadata.annotations[INPUTS]
    assert [one.rule for one in loaded.diagnostics] == ["field-older"]


def test_cron_asks_for_all_fields() -> None:
    loaded = load(CRON.replace("timezone: Etc/UTC\n", ""), "a.yaml")
    assert loaded.ok
    assert "timezone" in loaded.diagnostics[-1].message


def test_a_kind_that_there_is_not() -> None:
    rule, message, line, column = place(WRAPPED.replace("kind: Workflow", "kind: Workflw"))
    assert (rule, line, column) == ("onepanel-kind", 3, 9)
    assert message == "Onepanel has no templates of kind `Workflw`"


@pytest.mark.parametrize(
    ("name", "uid"),
    [("MaskRCNN Training", "maskrcnn-training"), ("a_b  c", "a-b-c"), ("A-1", "a-1"), ("x!", "x-")],
)
def test_uid(name: str, uid: str) -> None:
    assert uid_of(name) == uid


def test_names() -> None:
    assert prefix_of("My Pool!") == "my-pool-"
    assert prefix_of("a" * 40) == "a" * 30 + "-"
    assert prefix_of("-") == ""
    assert name_of_file("workflows/mnist/template.yaml") == "mnist"
    assert name_of_file("workflows/mnist/template.v9.yaml") == "mnist"
    assert name_of_file("template.yaml") == "template"
    assert name_of_file("mnist.yaml") == "mnist"
    assert name_of_file("-") == ""
