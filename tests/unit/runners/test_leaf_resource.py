"""resource templates on objects that are kept in a dict."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from leaf_surroundings import Surroundings, parameters

from argosy.model.events import AttemptExited

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels: {a: b}
data:
  some: value
"""
GENERATED = CONFIG.replace("name: settings", "generateName: settings-")


@pytest.fixture
def here(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def act(here: Surroundings, action: str, manifest: str = "", outputs: Any = None, **more: Any) -> AttemptExited:
    resource = {"action": action, "manifest": manifest, **more.pop("resource", {})}
    return here.run({"resource": resource, **({"outputs": {"parameters": outputs}} if outputs else {})}, **more)


def read(name: str, **how: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": how}


def keep(here: Surroundings, kind: str, name: str, **fields: Any) -> dict[str, Any]:
    version = "v1" if kind in ("ConfigMap", "Secret") else "argoproj.io/v1alpha1"
    made = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}
    here.shelf.kept[kind, name] = made
    return made


def test_create_and_read(here: Surroundings) -> None:
    ended = act(here, "create", CONFIG, [read("name", jsonPath="{.metadata.name}")])
    assert (ended.phase, ended.message) == ("Succeeded", "")
    assert parameters(ended) == {"name": "settings"}
    assert here.shelf.kept["ConfigMap", "settings"]["data"] == {"some": "value"}
    assert "ConfigMap settings created" in here.log()


def test_create_refuses_what_exists(here: Surroundings) -> None:
    keep(here, "ConfigMap", "settings", data={"some": "other"})
    ended = act(here, "create", CONFIG)
    assert (ended.phase, "already exists" in ended.message) == ("Failed", True)
    assert here.shelf.kept["ConfigMap", "settings"]["data"] == {"some": "other"}


def test_generated_names_differ_by_node_and_not_by_try(here: Surroundings) -> None:
    for node in ("one", "two", "one"):
        assert act(here, "create", GENERATED, node=node).phase == "Succeeded"
    names = [name for _, name in here.shelf.kept]
    assert len(names) == 2
    assert all(name.startswith("settings-") and len(name) == 14 for name in names)


def test_an_interrupted_create_finds_its_object(here: Surroundings) -> None:
    assert act(here, "create", CONFIG).phase == "Succeeded"
    assert act(here, "create", CONFIG).phase == "Succeeded"
    assert act(here, "create", CONFIG, node="another").phase == "Failed"


def test_apply_creates_and_changes(here: Surroundings) -> None:
    assert act(here, "apply", CONFIG).phase == "Succeeded"
    assert act(here, "apply", CONFIG.replace("value", "new")).phase == "Succeeded"
    assert here.shelf.kept["ConfigMap", "settings"]["data"] == {"some": "new"}


def test_apply_of_a_run_that_is_there_leaves_it(here: Surroundings) -> None:
    kept = keep(here, "Workflow", "job", spec={"entrypoint": "a"}, status={"phase": "Running"})
    ended = act(here, "apply", json.dumps({**kept, "spec": {"entrypoint": "b"}}))
    assert ended.phase == "Succeeded"
    assert here.shelf.kept["Workflow", "job"] is kept
    assert "not taken over" in here.log()


def test_replace_needs_it_there(here: Surroundings) -> None:
    assert act(here, "replace", CONFIG).phase == "Failed"
    keep(here, "ConfigMap", "settings", data={"old": "1"})
    assert act(here, "replace", CONFIG).phase == "Succeeded"
    assert here.shelf.kept["ConfigMap", "settings"]["data"] == {"some": "value"}


def test_get_and_not_found(here: Surroundings) -> None:
    asked = [read("some", jsonPath="{.data.some}", default="none")]
    assert act(here, "get", CONFIG, asked).phase == "Failed"
    ended = act(here, "get", CONFIG, asked, resource={"flags": ["--ignore-not-found"]})
    assert parameters(ended) == {"some": "none"}
    keep(here, "ConfigMap", "settings", data={"some": "thing"})
    assert parameters(act(here, "get", CONFIG, asked)) == {"some": "thing"}
    ended = act(here, "get", "", asked, resource={"flags": ["cm/settings", "-o", "json"]})
    assert parameters(ended) == {"some": "thing"}


def test_delete_is_content_with_nothing(here: Surroundings) -> None:
    keep(here, "ConfigMap", "settings")
    assert act(here, "delete", CONFIG).phase == "Succeeded"
    assert here.shelf.kept == {}
    assert act(here, "delete", CONFIG).phase == "Succeeded"
    ended = act(here, "delete", CONFIG, resource={"successCondition": "a"})
    assert (ended.phase, "delete" in ended.message) == ("Failed", True)


def test_delete_by_labels(here: Surroundings) -> None:
    for name, labels in {"one": {"app.x/a": "1"}, "two": {"app.x/a": "2"}, "three": {}}.items():
        keep(here, "ConfigMap", name)
        here.shelf.kept["ConfigMap", name]["metadata"]["labels"] = labels
    keep(here, "Secret", "one")
    assert act(here, "delete", resource={"flags": ["configmap", "--selector", "app.x/a=1"]}).phase == "Succeeded"
    assert [name for _, name in here.shelf.kept] == ["two", "three", "one"]
    assert act(here, "delete", resource={"flags": ["cm", "-l", "app.x/a notin (1)"]}).phase == "Succeeded"
    assert [kind for kind, _ in here.shelf.kept] == ["Secret"]
    assert act(here, "delete", resource={"flags": ["cm", "--selector=app.x/a"]}).phase == "Succeeded"
    for action, flags in (("get", ["cm", "-l", "a=1"]), ("delete", ["cm/one", "-l", "a=1"]), ("delete", ["cm", "-l="])):
        assert act(here, action, resource={"flags": flags}).phase == "Failed"


def test_strategic_patch(here: Surroundings) -> None:
    keep(here, "ConfigMap", "settings", data={"some": "old", "gone": "1", "stays": "2"})
    patch = CONFIG.replace("some: value", "some: value\n  gone: null")
    assert act(here, "patch", patch).phase == "Succeeded"
    assert here.shelf.kept["ConfigMap", "settings"]["data"] == {"some": "value", "stays": "2"}


def test_custom_kinds_have_no_strategic_patch(here: Surroundings) -> None:
    keep(here, "WorkflowTemplate", "t", spec={"entrypoint": "a", "templates": []})
    patch = '{"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": {"name": "t"}'
    ended = act(here, "patch", patch + ', "spec": {"entrypoint": "b"}}')
    assert (ended.phase, "mergeStrategy: merge" in ended.message) == ("Failed", True)
    more = {"mergeStrategy": "merge"}
    assert act(here, "patch", patch + ', "spec": {"entrypoint": "b"}}', resource=more).phase == "Succeeded"
    assert here.shelf.kept["WorkflowTemplate", "t"]["spec"]["entrypoint"] == "b"


def test_json_patch_by_flags(here: Surroundings) -> None:
    keep(here, "WorkflowTemplate", "t", spec={"entrypoint": "a"})
    patch = "- op: add\n  path: /metadata/labels\n  value: {foo: bar}\n- op: test\n  path: /spec/entrypoint\n  value: a"
    flags = {"mergeStrategy": "json", "flags": ["workflowtemplate", "t"]}
    ended = act(here, "patch", patch, resource=flags)
    assert ended.phase == "Succeeded", ended.message
    assert here.shelf.kept["WorkflowTemplate", "t"]["metadata"]["labels"] == {"foo": "bar"}
    ended = act(here, "patch", patch.replace("entrypoint", "nothing"), resource=flags)
    assert (ended.phase, "operation 1" in ended.message) == ("Failed", True)


def test_a_run_cannot_be_patched(here: Surroundings) -> None:
    keep(here, "Workflow", "the-run", spec={"entrypoint": "a"})
    patch = "- {op: add, path: /metadata/labels, value: {}}"
    flags = {"mergeStrategy": "json", "flags": ["wf", "the-run"]}
    ended = act(here, "patch", patch, resource=flags)
    assert (ended.phase, "cannot be patched" in ended.message) == ("Failed", True)


def test_a_patch_cannot_rename(here: Surroundings) -> None:
    keep(here, "ConfigMap", "settings")
    patch = "- {op: replace, path: /metadata/name, value: other}"
    ended = act(here, "patch", patch, resource={"mergeStrategy": "json", "flags": ["configmap/settings"]})
    assert (ended.phase, list(here.shelf.kept)) == ("Failed", [("ConfigMap", "settings")])


def test_owner_reference(here: Surroundings) -> None:
    act(here, "create", CONFIG, resource={"setOwnerReference": True})
    owner = here.shelf.kept["ConfigMap", "settings"]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Workflow", "the-run", "uid-1")


WAITING = {"successCondition": "status.phase == Succeeded", "failureCondition": "status.phase in (Failed, Error)"}
RUN = '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "job"}}'


@pytest.mark.parametrize(("end", "phase"), [("Succeeded", "Succeeded"), ("Failed", "Failed"), ("Error", "Failed")])
def test_conditions_are_waited_for(here: Surroundings, end: str, phase: str) -> None:
    kept = keep(here, "Workflow", "job", status={"phase": "Running"})

    def later(count: int) -> None:
        if count > 4:
            kept["status"]["phase"] = end

    here.shelf.later = later
    ended = act(here, "get", RUN, [read("phase", jsonPath="{.status.phase}")], resource=WAITING)
    assert ended.phase == phase
    if phase == "Succeeded":
        assert parameters(ended) == {"phase": "Succeeded"}
    else:
        assert ended.message == "failure condition 'status.phase in (Error,Failed)' evaluated true"
    assert here.shelf.looked > 4


def test_waiting_can_be_cancelled(here: Surroundings) -> None:
    keep(here, "Workflow", "job", status={"phase": "Running"})
    ended = act(here, "get", RUN, resource=WAITING, cancelled=lambda: here.shelf.looked > 3)
    assert (ended.phase, "stopped" in ended.message) == ("Failed", True)


def test_an_object_that_goes_while_it_is_waited_for(here: Surroundings) -> None:
    keep(here, "Workflow", "job", status={"phase": "Running"})
    here.shelf.later = lambda count: here.shelf.kept.clear() if count > 3 else None
    ended = act(here, "get", RUN, resource=WAITING)
    assert (ended.phase, "was deleted" in ended.message) == ("Failed", True)


def test_a_wrong_condition_leaves_nothing_behind(here: Surroundings) -> None:
    ended = act(here, "create", CONFIG, resource={"successCondition": "status.phase ~ Succeeded"})
    assert (ended.phase, here.shelf.kept) == ("Failed", {})


def test_jq_filter(here: Surroundings) -> None:
    pytest.importorskip("jq")
    keep(here, "ConfigMap", "settings", data={"a": "1", "b": "2"})
    asked = [
        read("all", jqFilter=".data[]"),
        read("map", jqFilter=".data"),
        read("bounded", jqFilter="limit(2; repeat(1))"),
    ]
    assert parameters(act(here, "get", CONFIG, asked)) == {"all": "1\n2", "map": '{"a":"1","b":"2"}', "bounded": "1\n1"}
    for wrong in (".[", ".data.a.b"):
        ended = act(here, "get", CONFIG, [read("x", jqFilter=wrong)])
        assert (ended.phase, "jqFilter" in ended.message) == ("Failed", True)


def test_jq_that_is_not_installed(here: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "jq":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    keep(here, "ConfigMap", "settings")
    ended = act(here, "get", CONFIG, [read("x", jqFilter=".")])
    assert (ended.phase, "argosy[jq]" in ended.message) == ("Failed", True)


def test_manifest_from_an_artifact(here: Surroundings) -> None:
    digest = here.store.put_bytes(CONFIG.encode())
    inputs = {"artifacts": [{"name": "manifest", "path": "/m.yaml", "digest": digest}]}
    resource = {"action": "create", "manifestFrom": {"artifact": {"name": "manifest"}}}
    assert here.run({"resource": resource, "inputs": inputs}).phase == "Succeeded"
    assert ("ConfigMap", "settings") in here.shelf.kept


def test_manifest_from_the_repository(here: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "repository" / "m.yaml").write_text(CONFIG)
    inputs = {"artifacts": [{"name": "manifest", "path": "/m.yaml", "s3": {"key": "m.yaml"}}]}
    resource = {"action": "create", "manifestFrom": {"artifact": {"name": "manifest"}}}
    ended = here.run({"resource": resource, "inputs": inputs})
    assert ended.phase == "Succeeded", ended.message


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}", "needs a cluster"),
        ("kind: ConfigMap\nmetadata: {}", "metadata.name"),
        ("metadata: {name: a}", "no kind"),
        ("- a", "no object"),
        ("a: [", "cannot be read"),
        (CONFIG + "---" + CONFIG, "2 objects"),
        ("", "no manifest"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: 7", "manifest"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: 7", "metadata.name"),
    ],
)
def test_manifests_that_are_refused(here: Surroundings, manifest: str, told: str) -> None:
    ended = act(here, "create", manifest)
    assert (ended.phase, here.shelf.kept) == ("Failed", {})
    assert told in ended.message


@pytest.mark.parametrize(
    ("flag", "told"),
    [("--dry-run=server", "--dry-run"), ("--server-side", "--server-side"), ("--namespace=other", "other")],
)
def test_flags_that_are_refused(here: Surroundings, flag: str, told: str) -> None:
    ended = act(here, "create", CONFIG, resource={"flags": [flag]})
    assert (ended.phase, told in ended.message, here.shelf.kept) == ("Failed", True, {})


def test_unknown_action(here: Surroundings) -> None:
    ended = act(here, "annotate", CONFIG)
    assert (ended.phase, "annotate" in ended.message) == ("Failed", True)


def test_a_mistake_of_ours_ends_the_leaf_only(here: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here.shelf, "kept", None)
    ended = act(here, "create", CONFIG)
    assert (ended.phase, "TypeError" in ended.message or "AttributeError" in ended.message) == ("Error", True)


def test_a_full_disk_is_an_error(here: Surroundings) -> None:
    (here.root / "run").write_text("a file where the folder should be")
    ended = act(here, "create", CONFIG)
    assert (ended.phase, "cannot write" in ended.message) == ("Error", True)
