"""A run as an Argo Workflow object: what other programs read under `status`."""

import json
from typing import Any

import msgspec
from simulator import FAILED, gave, main, simulate

from argosy.plan.document import status_of, workflow_of


def read(document: dict[str, Any]) -> Any:
    """The document as a program that gets it as JSON sees it."""
    return json.loads(msgspec.json.encode(document))


def test_a_status() -> None:
    text = main("steps: [[{name: a, template: publish}, {name: b, template: leaf}]]")
    found = simulate(text, {"a": gave(x="1"), "b": FAILED})
    status = read(status_of(found.plan))
    assert status["phase"] == "Failed"
    assert status["message"] == found.message
    assert (status["startedAt"], status["finishedAt"]) == ("1970-01-12T13:46:40Z", "1970-01-12T13:46:41Z")
    assert status["progress"] == "1/2"
    assert status["conditions"] == [
        {"type": "Completed", "status": "True"},
        {"type": "PodRunning", "status": "False"},
    ]
    assert status["outputs"] == {"parameters": [{"name": "shared", "value": "1"}]}
    nodes = {node["displayName"]: node for node in status["nodes"].values()}
    assert nodes["wf"]["children"] == [nodes["[0]"]["id"]]
    assert [nodes[name].get("progress") for name in ("wf", "[0]", "a", "b")] == ["1/2", None, "1/1", "0/1"]
    assert nodes["b"]["outputs"] == {"exitCode": "1"}
    assert nodes["a"]["boundaryID"] == "wf"
    assert nodes["a"]["templateScope"] == "local/wf"


def test_the_whole_object() -> None:
    found = simulate(main("steps: [[{name: a, template: leaf}]]"))
    whole = read(workflow_of(found.workflow, status_of(found.plan)))
    assert (whole["kind"], whole["apiVersion"]) == ("Workflow", "argoproj.io/v1alpha1")
    assert whole["status"]["phase"] == "Succeeded"
    assert whole["spec"]["entrypoint"] == "main"


def test_a_run_that_has_not_begun() -> None:
    found = simulate(main("steps: []"))
    status = status_of(found.new_plan())
    assert (status["phase"], status["nodes"], status["startedAt"], status["progress"]) == ("Pending", {}, None, "0/0")
