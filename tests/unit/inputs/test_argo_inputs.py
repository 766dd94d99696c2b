"""Arguments of Argo workflows as inputs."""

from __future__ import annotations

from argosy.dialects.argo import load
from argosy.dialects.argo_inputs import signature_of
from argosy.model.inputs import Signature
from argosy.model.manifest import Workflow, WorkflowTemplate

TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: training}
spec:
  arguments:
    parameters:
    - {name: epochs, value: 3, description: how often}
    - {name: net, value: vgg, enum: [vgg, resnet]}
    - {name: token, valueFrom: {configMapKeyRef: {name: settings, key: token}}}
"""
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  workflowTemplateRef: {name: training}
  arguments:
    parameters:
    - {name: net, value: resnet}
    - {name: seed}
    - {name: notes, value: "two\\nlines"}
    artifacts:
    - {name: data, http: {url: "http://example.com/x"}}
"""


def _takes() -> Signature:
    template, workflow = load(TEMPLATE, "t").checked().documents[0].value, load(WORKFLOW, "w").checked().documents[0]
    assert isinstance(template, WorkflowTemplate)
    assert isinstance(workflow.value, Workflow)
    return signature_of(workflow.value, template.spec)


def test_all_arguments_in_their_order() -> None:
    assert [one.name for one in _takes().inputs] == ["epochs", "net", "token", "seed", "notes", "data"]


def test_what_an_argument_leaves_out_is_the_templates() -> None:
    takes = _takes()
    net = takes.find("net")
    assert net is not None
    assert net.default == "resnet"
    assert [one.value for one in net.choices] == ["vgg", "resnet"]
    assert net.path == ("spec", "arguments", "parameters", 0)
    epochs = takes.find("epochs")
    assert epochs is not None
    assert (epochs.default, epochs.hint, epochs.place) == ("3", "how often", "the WorkflowTemplate training")


def test_what_is_required_and_what_comes_from_elsewhere() -> None:
    takes = _takes()
    assert [one.name for one in takes.inputs if one.required] == ["seed"]
    token = takes.find("token")
    assert token is not None
    assert token.comes_from == "the key token of the ConfigMap settings"


def test_types() -> None:
    assert [one.type for one in _takes().inputs][-2:] == ["text", "artifact"]
