"""What decides the outcome of a step: which change of a template is another key, and which is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.artifacts.repositories import Repository
from argosy.artifacts.store import Store
from argosy.model.manifest import ConfigMap, Secret, Template, Workflow
from argosy.plan.actions import Start
from argosy.plan.workflow_names import RunIdentity
from argosy.runners.local.context import RunContext
from argosy.runners.local.reuse_key import Decisive, NotLookedUp, key_of, may_be_reused, parts_of

CONTAINER = {"image": "one", "command": ["sh", "-c"], "args": ["echo"]}
METADATA = {"metadata": {"name": "m"}, "kind": ""}


class Bench:
    """A step in a run, changed piece by piece."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template: dict[str, Any] = {"name": "train", "container": dict(CONTAINER)}
        self.spec: dict[str, Any] = {}
        self.run = "first"
        self.config: dict[str, str] = {"key": "value"}
        self.version = "1"
        self.marks = {"one": "sha256:1"}
        self.runtime = "podman"
        self.capture = False

    def parts(self) -> dict[str, object]:
        workflow = msgspec.convert({"metadata": {"name": self.run}, "kind": "Workflow", "spec": self.spec}, Workflow)
        config = msgspec.convert({**METADATA, "data": self.config}, ConfigMap)
        secret = msgspec.convert({**METADATA, "stringData": {"token": "canary"}}, Secret)
        context = RunContext(
            identity=RunIdentity(name=self.run, uid=f"uid of {self.run}", created_at=1.0),
            workflow=workflow,
            folder=self.folder / self.run,
            claims=self.folder / "claims",
            store=Store.open(self.folder / "store"),
            repository=Repository(root=self.folder / "repository"),
            config_map=lambda name: config if name == "config" else None,
            secret=lambda name: secret if name == "hub" else None,
        )
        decisive = Decisive(
            runtime=self.runtime,
            image_mark=lambda image: self.marks.get(image, ""),
            interpreter=lambda template: "",
            secret_version=lambda name: self.version,
        )
        start = Start(
            node=f"{self.run}-1",
            name=f"{self.run}.train",
            pod_name=f"{self.run}-train-1",
            template=msgspec.convert(self.template, Template),
            capture_result=self.capture,
        )
        return parts_of(start, context, decisive)

    def differing(self, before: dict[str, object]) -> set[str]:
        """The parts that are not what they were; the keys differ exactly when there are any."""
        after = self.parts()
        found = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        assert (key_of(before) != key_of(after)) == bool(found)
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_another_run_makes_no_difference(bench: Bench) -> None:
    before = bench.parts()
    bench.run = "second"
    assert bench.differing(before) == set()


@pytest.mark.parametrize(
    "extra",
    [
        {"name": "other"},
        {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}},
        {"timeout": "10s", "activeDeadlineSeconds": 5, "pendingTimeout": "1s"},
        {"retryStrategy": {"limit": 3}},
        {"parallelism": 1, "synchronization": {"mutexes": [{"name": "m"}]}},
        {"container": {**CONTAINER, "resources": {"limits": {"cpu": "1"}}, "imagePullPolicy": "Always"}},
        {"nodeSelector": {"disk": "ssd"}, "metrics": {"prometheus": [{"name": "n", "help": "h"}]}},
    ],
)
def test_what_does_not_decide(bench: Bench, extra: dict[str, Any]) -> None:
    before = bench.parts()
    bench.template |= extra
    assert bench.differing(before) == set()


@pytest.mark.parametrize(
    ("extra", "part"),
    [
        ({"container": {**CONTAINER, "image": "two"}}, "image"),
        ({"container": {**CONTAINER, "args": ["echo", ""]}}, "command"),
        ({"container": {**CONTAINER, "command": ["sh"], "args": ["-c", "echo"]}}, "command"),
        ({"container": {**CONTAINER, "workingDir": "/x"}}, "folder"),
        ({"container": {**CONTAINER, "securityContext": {"runAsUser": 1}}}, "settings"),
        ({"securityContext": {"runAsUser": 1}}, "settings"),
        ({"container": {**CONTAINER, "env": [{"name": "A", "value": "1"}]}}, "variable:A"),
        ({"inputs": {"parameters": [{"name": "p", "value": "1"}]}}, "parameter:p"),
        ({"outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "p"}}]}}, "outputs"),
        ({"archiveLocation": {"archiveLogs": True}}, "outputs"),
        ({"metadata": {"annotations": {"argosy.dev/code-dest": "src"}}}, "settings"),
        ({"metadata": {"annotations": {"argosy.dev/reuse-environment": "HOME"}}}, "host:HOME"),
    ],
)
def test_what_decides(bench: Bench, extra: dict[str, Any], part: str) -> None:
    before = bench.parts()
    bench.template |= extra
    assert part in bench.differing(before)


def test_what_decides_besides_the_template(bench: Bench) -> None:
    before = bench.parts()
    bench.marks["one"] = "sha256:2"
    assert bench.differing(before) == {"image"}
    bench.marks["one"], bench.runtime = "sha256:1", "process"
    assert bench.differing(before) == {"runtime"}
    bench.runtime, bench.capture = "podman", True
    assert bench.differing(before) == {"outputs"}
    bench.capture, bench.spec = False, {"archiveLogs": True}
    assert bench.differing(before) == {"outputs"}


@pytest.mark.parametrize("place", ["sidecars", "initContainers"])
def test_containers_beside_main(bench: Bench, place: str) -> None:
    bench.template[place] = [{"name": "helper", **CONTAINER, "env": [{"name": "A", "value": "1"}]}]
    before = bench.parts()
    bench.template[place][0]["args"] = ["other"]
    assert bench.differing(before) == {"command@helper"}
    bench.template[place][0]["args"] = ["echo"]
    bench.template[place][0]["env"] = [{"name": "A", "value": "2"}]
    assert bench.differing(before) == {"variable@helper:A"}


def test_artifacts_by_content(bench: Bench) -> None:
    artifact: dict[str, Any] = {"name": "a", "path": "in", "digest": "sha256:1"}
    bench.template["inputs"] = {"artifacts": [artifact]}
    before = bench.parts()
    artifact["digest"] = "sha256:2"
    assert bench.differing(before) == {"artifact:a"}
    artifact |= {"digest": "sha256:1", "mode": 0o600}
    assert bench.differing(before) == {"place:a"}
    del artifact["digest"], artifact["mode"]
    artifact |= {"raw": {"data": "x"}}
    assert bench.differing(before) == {"artifact:a"}


def test_the_environment_by_values_and_versions(bench: Bench) -> None:
    bench.template["container"] |= {
        "env": [
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "key"}}},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "config"}, "prefix": "P_"}],
    }
    before = bench.parts()
    assert "canary" not in repr(before)
    bench.config["key"] = "other"
    assert bench.differing(before) == {"variable:C", "variable:P_key"}
    bench.config["key"], bench.version = "value", "2"
    assert bench.differing(before) == {"secret:hub"}


def test_a_variable_with_the_name_of_the_pod_is_never_the_same(bench: Bench) -> None:
    field = {"fieldRef": {"fieldPath": "metadata.name"}}
    bench.template["container"]["env"] = [{"name": "POD", "valueFrom": field}]
    before = bench.parts()
    bench.run = "second"
    assert bench.differing(before) == {"variable:POD"}


def mounted(bench: Bench, source: dict[str, Any], *, read_only: bool = False) -> None:
    bench.template["volumes"] = [{"name": "v", **source}]
    mount = {"name": "v", "mountPath": "/v", "readOnly": read_only}
    bench.template["container"]["volumeMounts"] = [mount]


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ({"configMap": {"name": "config"}}, "config-map:config"),
        ({"projected": {"sources": [{"configMap": {"name": "config"}}]}}, "config-map:config"),
        ({"secret": {"secretName": "hub"}}, "secret:hub"),
        ({"projected": {"sources": [{"secret": {"name": "hub"}}]}}, "secret:hub"),
        (
            {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            "volume:v/n",
        ),
    ],
)
def test_volumes_by_content(bench: Bench, source: dict[str, Any], changed: str) -> None:
    mounted(bench, source)
    before = bench.parts()
    bench.config["key"], bench.version, bench.run = "other", "2", "second"
    assert bench.differing(before) == {changed}


def test_folders_of_this_machine_by_place_if_they_are_only_read(bench: Bench) -> None:
    mounted(bench, {"hostPath": {"path": "/data"}}, read_only=True)
    before = bench.parts()
    mounted(bench, {"hostPath": {"path": "/data2"}}, read_only=True)
    assert bench.differing(before) == {"volume:v"}
    mounted(bench, {"emptyDir": {}})
    assert bench.differing(before) == {"volume:v", "mounts"}


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"volumes": [{"name": "v", "hostPath": {"path": "/data"}}]}, "may write to the volume v"),
        ({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}, "may write to the volume v"),
        ({}, "writes to the claim v"),
        ({"inputs": {"artifacts": [{"name": "a", "path": "a", "s3": {"key": "k"}}]}}, "its input a comes from s3"),
        ({"outputs": {"artifacts": [{"name": "a", "path": "a", "s3": {"key": "k"}}]}}, "its output a goes to a place"),
        (
            {"outputs": {"artifacts": [{"name": "a", "path": "a"}]}, "archiveLocation": {"s3": {"key": "k"}}},
            "its output a goes to a place",
        ),
        ({"podSpecPatch": "{}"}, "a podSpecPatch changes it"),
        ({"container": {**CONTAINER, "envFrom": [{"configMapRef": {"name": "none"}}]}}, "no ConfigMap 'none'"),
    ],
)
def test_what_cannot_be_known(bench: Bench, extra: dict[str, Any], reason: str) -> None:
    bench.template["container"] = {**CONTAINER, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    if not extra or "volumes" in extra:
        bench.template |= extra
    else:
        bench.template |= {"container": CONTAINER} | extra
    with pytest.raises(NotLookedUp, match=reason):
        bench.parts()


@pytest.mark.parametrize(
    ("template", "may"),
    [
        ({"container": CONTAINER}, True),
        ({"script": {**CONTAINER, "source": "x"}}, True),
        ({"containerSet": {"containers": [{"name": "main", **CONTAINER}]}}, True),
        ({"data": {"source": {}, "transformation": []}}, True),
        ({"container": CONTAINER, "daemon": True}, False),
        ({"container": CONTAINER, "memoize": {"key": "k"}}, False),
        ({"http": {"url": "http://x"}}, False),
        ({"resource": {"action": "get"}}, False),
        ({"suspend": {}}, False),
        ({"steps": []}, False),
    ],
)
def test_which_kinds(template: dict[str, Any], may: bool) -> None:
    assert may_be_reused(msgspec.convert(template, Template)) is may
