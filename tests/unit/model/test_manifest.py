"""The model has every field that Argo's own schema names; a round trip keeps a manifest as it was."""

import json
from pathlib import Path

import msgspec
import pytest

from argosy.model import manifest

SCHEMA = Path(__file__).parents[4] / "shared" / "conformance" / "argo" / "schema.json"
# Fields that Argo does not have.
OUR_OWN = {"digest", "named", "readOnly"}
PREFIX = "io.argoproj.workflow.v1alpha1."
PAIRS = {
    "Workflow": manifest.Workflow,
    "WorkflowSpec": manifest.WorkflowSpec,
    "Template": manifest.Template,
    "WorkflowStep": manifest.WorkflowStep,
    "DAGTask": manifest.DAGTask,
    "DAGTemplate": manifest.DAGTemplate,
    "Artifact": manifest.Artifact,
    "ArtifactPaths": manifest.ArtifactPaths,
    "Parameter": manifest.Parameter,
    "ValueFrom": manifest.ValueFrom,
    "ScriptTemplate": manifest.ScriptTemplate,
    "ContainerNode": manifest.ContainerNode,
    "UserContainer": manifest.UserContainer,
    "ContainerSetTemplate": manifest.ContainerSetTemplate,
    "ResourceTemplate": manifest.ResourceTemplate,
    "HTTP": manifest.HTTPTemplate,
    "RetryStrategy": manifest.RetryStrategy,
    "Backoff": manifest.Backoff,
    "Synchronization": manifest.Synchronization,
    "SemaphoreRef": manifest.SemaphoreRef,
    "Mutex": manifest.Mutex,
    "Memoize": manifest.Memoize,
    "LifecycleHook": manifest.LifecycleHook,
    "Prometheus": manifest.Prometheus,
    "CronWorkflowSpec": manifest.CronWorkflowSpec,
    "Sequence": manifest.Sequence,
    "TemplateRef": manifest.TemplateRef,
    "TTLStrategy": manifest.TTLStrategy,
    "PodGC": manifest.PodGC,
    "WorkflowMetadata": manifest.WorkflowMetadata,
    "WorkflowLevelArtifactGC": manifest.WorkflowLevelArtifactGC,
}


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, dict[str, object]]]:
    return json.loads(SCHEMA.read_text())["definitions"]


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_every_field_of_the_schema_is_in_the_model(name: str, schema: dict[str, dict[str, dict[str, object]]]) -> None:
    ours = {field.encode_name for field in msgspec.structs.fields(PAIRS[name])}
    assert set(schema[PREFIX + name]["properties"]) == ours - OUR_OWN


def test_round_trip_keeps_what_was_written() -> None:
    text = json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": "hello-"},
            "spec": {
                "entrypoint": "main",
                "templates": [
                    {
                        "name": "main",
                        "steps": [[{"name": "a", "template": "b", "withItems": []}]],
                        "outputs": {"artifacts": [{"name": "x", "from": "{{steps.a.outputs.artifacts.x}}"}]},
                    }
                ],
            },
        }
    )
    workflow = msgspec.json.decode(text, type=manifest.Workflow)
    assert json.loads(msgspec.json.encode(workflow)) == json.loads(text)
