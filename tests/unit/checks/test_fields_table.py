"""The table of fields is whole, its pages are up to date, and what a document uses is reported from it."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from argosy.checks import fidelity, fields
from argosy.checks.texts import fields_of
from argosy.model import manifest

ROOT = Path(__file__).parents[3]
STRUCTS = [
    value
    for value in vars(manifest).values()
    if isinstance(value, type) and issubclass(value, manifest.Part) and value is not manifest.Part
]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_each_field_has_one_row_and_each_row_a_field(struct):
    assert sorted(fields.TABLE[struct]) == sorted(fields.own_keys(struct))
    for _, key in fields_of(struct):
        row = fields.row_of(struct, key)
        assert (row.status == "supported") == (row.note == "")


def test_the_table_has_no_other_structs():
    assert set(fields.TABLE) == set(STRUCTS)


def test_the_pages_are_what_the_code_says():
    command = [sys.executable, str(ROOT / "scripts" / "generate-docs"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def workflow(spec: dict) -> manifest.Workflow:
    return msgspec.convert({"kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}, manifest.Workflow)


def test_a_placing_field_is_noted_once_however_often_it_is_used():
    templates = [
        {"name": name, "nodeSelector": {"disk": "ssd"}, "container": {"image": "x"}} for name in ("a", "b", "c")
    ]
    findings = fidelity.report(workflow({"entrypoint": "a", "templates": templates, "serviceAccountName": "me"}))
    assert [(f.rule, f.severity, f.path) for f in findings] == [
        ("field-cluster-only", "note", ("spec", "serviceAccountName")),
        ("field-cluster-only", "note", ("spec", "templates", 0, "nodeSelector")),
    ]


def test_a_workflow_of_supported_fields_has_no_notes():
    steps = [[{"name": "s", "template": "a", "withItems": [1, 2], "when": "true"}]]
    templates = [{"name": "a", "container": {"image": "x", "args": ["y"]}}, {"name": "m", "steps": steps}]
    assert fidelity.report(workflow({"entrypoint": "m", "templates": templates})) == ()


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ({"plugin": {"hello": {}}}, ("plugin",)),
        ({"container": {"image": "x"}, "volumes": [{"name": "v", "csi": {"driver": "d"}}]}, ("volumes", 0, "csi")),
        (
            {"container": {"image": "x"}, "synchronization": {"semaphores": [{"database": {"key": "k"}}]}},
            ("synchronization", "semaphores", 0, "database"),
        ),
        ({"resource": {"action": "create", "manifest": "kind: Job\nname: {{x}}"}}, ("resource", "manifest")),
        ({"resource": {"action": "get", "flags": ["pod", "x"]}}, ("resource", "flags")),
    ],
)
def test_what_needs_a_cluster_is_refused_with_its_place(template, path):
    spec = {"entrypoint": "a", "templates": [{"name": "a", **template}]}
    findings = [f for f in fidelity.report(workflow(spec)) if f.severity == "error"]
    assert [f.path for f in findings] == [("spec", "templates", 0, *path)]
    assert findings[0].hint


@pytest.mark.parametrize("kind", fidelity.LOCAL_KINDS)
def test_kinds_that_exist_here_are_not_refused(kind):
    resource = {"action": "create", "manifest": f"kind: {kind}\nmetadata: {{name: '{{{{x}}}}'}}"}
    spec = {"entrypoint": "a", "templates": [{"name": "a", "resource": resource}]}
    assert fidelity.report(workflow(spec)) == ()


@pytest.mark.parametrize(
    ("resource", "rules"),
    [
        ({"action": "patch", "manifest": "kind: Workflow\nmetadata: {name: w}"}, ["workflow-patched"]),
        ({"action": "patch", "flags": ["wf/w"], "manifest": "metadata: {labels: {a: b}}"}, ["workflow-patched"]),
        ({"action": "patch", "flags": ["workflowtemplate", "w"], "manifest": "metadata: {labels: {a: b}}"}, []),
        ({"action": "patch", "manifest": "kind: WorkflowTemplate\nmetadata: {name: w}"}, []),
        ({"action": "create", "manifest": "kind: Workflow\nmetadata: {name: w}"}, []),
    ],
)
def test_a_patch_of_a_workflow_is_refused_before_the_run(resource: dict[str, object], rules: list[str]) -> None:
    spec = {"entrypoint": "a", "templates": [{"name": "a", "resource": resource}]}
    assert [one.rule for one in fidelity.report(workflow(spec)) if one.severity == "error"] == rules


def test_an_owner_reference_differs_and_is_not_dropped() -> None:
    resource = {"action": "create", "setOwnerReference": True, "manifest": "kind: ConfigMap\nmetadata: {name: c}"}
    found = fidelity.report(workflow({"entrypoint": "a", "templates": [{"name": "a", "resource": resource}]}))
    assert [(one.rule, "written to the object" in one.message) for one in found] == [("field-differs", True)]


@pytest.mark.parametrize(
    ("flags", "rules"),
    [
        (["configmap", "settings"], []),
        (["--ignore-not-found", "cm/settings"], []),
        (["{{inputs.parameters.kind}}", "settings"], []),
        (["service", "web"], ["resource-needs-cluster"]),
        (["pods/web"], ["resource-needs-cluster"]),
    ],
)
def test_a_resource_may_be_named_by_flags_alone(flags: list[str], rules: list[str]) -> None:
    spec = {"entrypoint": "a", "templates": [{"name": "a", "resource": {"action": "get", "flags": flags}}]}
    assert [one.rule for one in fidelity.report(workflow(spec)) if one.severity == "error"] == rules


@pytest.mark.parametrize(
    ("flags", "rules"),
    [(["pod", "{{pod.name}}"], ["resource-needs-cluster"]), (["configmap", "settings"], [])],
)
def test_a_patch_that_names_no_kind_is_of_the_kind_in_the_flags(flags: list[str], rules: list[str]) -> None:
    resource = {"action": "patch", "flags": flags, "manifest": "- {op: add, path: /data/a, value: b}"}
    found = fidelity.report(workflow({"entrypoint": "a", "templates": [{"name": "a", "resource": resource}]}))
    assert [one.rule for one in found if one.severity == "error"] == rules
