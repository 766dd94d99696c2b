"""A Pod of Kubernetes is read as the workflow of one step that does its work; what it loses by that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.dialects import argo
from argosy.model.manifest import Workflow

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: syncer, labels: {app: a}}
spec:
  nodeSelector: {disk: ssd}
  restartPolicy: Never
  priorityClassName: low
  initContainers:
  - {name: before, image: alpine, command: [echo]}
  containers:
  - {name: main, image: alpine, command: [sh, -c], args: [echo a]}
  volumes:
  - {name: data, emptyDir: {}}
"""
TWO = POD.replace("  volumes:", "  - {name: other, image: alpine, command: [echo, b]}\n  volumes:")


def workflow(text: str) -> Workflow:
    (document,) = argo.load(text, "pod.yaml").checked().documents
    assert isinstance(document.value, Workflow)
    return document.value


def found(text: str, *, strict: bool = True) -> list[tuple[str, str, int, int]]:
    loaded = argo.load(text, "pod.yaml", strict=strict)
    return [(one.rule, one.severity, one.span.line, one.span.column) for one in loaded.diagnostics if one.span]


def test_one_container_is_the_template_of_a_workflow() -> None:
    read = workflow(POD)
    (template,) = read.spec.templates
    assert (read.kind, read.metadata.name, read.metadata.generate_name) == ("Workflow", "", "syncer-")
    assert read.metadata.labels == {"app": "a"}
    assert (read.spec.entrypoint, template.name) == ("syncer", "syncer")
    assert template.container is not None
    assert template.container.command == ("sh", "-c")
    assert [one.name for one in template.init_containers] == ["before"]
    assert [one.name for one in read.spec.volumes] == ["data"]
    assert read.spec.node_selector == {"disk": "ssd"}
    assert read.spec.pod_priority_class_name == "low"
    assert found(POD) == []


def test_several_containers_are_a_set_that_is_over_when_all_are() -> None:
    (template,) = workflow(TWO).spec.templates
    assert template.container is None
    assert template.container_set is not None
    assert [one.name for one in template.container_set.containers] == ["main", "other"]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("  restartPolicy: Never\n", "", ("pod-once", "note", 10, 3)),
        ("restartPolicy: Never", "restartPolicy: Always", ("pod-once", "note", 6, 18)),
        ("restartPolicy: Never", "restartPolicy: Never\n  hostname: a", ("field-ignored", "warning", 7, 3)),
        ("nodeSelector", "nodeSelecter", ("field-unknown", "error", 5, 3)),
        ("command: [sh, -c]", "comand: [sh, -c]", ("field-unknown", "error", 11, 33)),
        ("apiVersion: v1", "apiVersion: v2", ("api-version", "error", 1, 13)),
        ("  containers:\n  - {name: main, image: alpine, command: [sh, -c], args: [echo a]}\n", "",
         ("field-missing", "error", 5, 3)),
    ],
)  # fmt: skip
def test_what_is_told(old: str, new: str, rule: tuple[str, str, int, int]) -> None:
    assert old in POD
    assert found(POD.replace(old, new)) == [rule]


def test_a_failure_is_tried_again_where_the_pod_says_so() -> None:
    (template,) = workflow(POD.replace("Never", "OnFailure")).spec.templates
    assert template.retry_strategy is not None
    assert template.retry_strategy.retry_policy == "OnFailure"
    backoff = template.retry_strategy.backoff
    assert backoff is not None
    assert (backoff.duration, backoff.factor, backoff.cap) == ("10s", 2, "5m")


@pytest.mark.parametrize("spec", ["", "spec: a\n", "spec: {}\n", "spec: {containers: []}\n", "spec: {containers: a}\n"])
def test_a_pod_without_containers_is_told_so(spec: str) -> None:
    loaded = argo.load("apiVersion: v1\nkind: Pod\n" + spec, "pod.yaml")
    assert [one.rule for one in loaded.diagnostics] == ["field-missing"]
    assert loaded.documents == ()


def test_a_misspelt_field_is_a_warning_where_that_was_asked_for() -> None:
    assert found(POD.replace("nodeSelector", "nodeSelecter"), strict=False) == [("field-unknown", "warning", 5, 3)]


def test_what_is_written_of_a_pod_is_read_again(tmp_path: Path) -> None:
    text = argo.dump(workflow(TWO))
    assert workflow(text) == workflow(TWO)
