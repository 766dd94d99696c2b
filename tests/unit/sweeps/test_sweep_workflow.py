"""The workflow that makes trials: an honest manifest, whose tags are told apart from those of the trials."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from argosy.checks.catalog import DocumentCatalog
from argosy.checks.check import check
from argosy.dialects.argo import dump, load
from argosy.errors import UsageError
from argosy.experiments.sweep_workflow import sweep_workflow
from argosy.experiments.trials import Trial
from argosy.model.manifest import Workflow
from argosy.model.sweeps import Sweep

TRIAL = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: fit-, labels: {team: blue}, annotations: {note: "{{workflow.name}} @@name"}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: lr, value: "0.1", enum: ["0.1", "0.2"]}, {name: say, value: '{{{x}}} "@@name@@"'}]}
  templates:
  - name: main
    container: {image: a, command: [echo, "{{workflow.parameters.lr}}", "{{=1 + 1}}", "@@name"]}
"""


def _made(trials: list[Trial], names: list[str], text: str = TRIAL, **how: Any) -> Workflow:
    child = load(text, "w").checked().documents[0].value
    assert isinstance(child, Workflow)
    sweep = Sweep(method=how.pop("method", "grid"), spaces=dict.fromkeys(names, "[...]"), trials=len(trials))
    return sweep_workflow(child, sweep, names, trials, how.pop("jobs", 1), how.pop("fail_fast", False))


def _manifest(made: Workflow) -> str:
    resource = made.spec.templates[1].resource
    assert resource is not None
    return resource.manifest


def test_it_is_a_workflow_without_faults() -> None:
    made = _made([{"lr": "0.1"}, {"lr": "0.2"}], ["lr"])
    read = load(dump(made), "made").checked().documents[0].value
    assert read == made
    assert [one for one in check(made, DocumentCatalog([])) if one.severity == "error"] == []


def test_only_its_own_tags_are_tags() -> None:
    found = re.findall(r"\{\{(.*?)\}\}", _manifest(_made([{"lr": "0.1"}], ["lr"])))
    assert sorted(set(found)) == [
        "=toJson(inputs.parameters['lr'])",
        "inputs.parameters.trial",
        "workflow.name",
    ]


def test_a_trial_is_the_workflow_with_its_values() -> None:
    text = _manifest(_made([{"lr": "0.1"}], ["lr"]))
    text = text.replace("{{=toJson(inputs.parameters['lr'])}}", '"0.1"')
    text = text.replace("{{workflow.name}}", "s").replace("{{inputs.parameters.trial}}", "1")
    trial = json.loads(text)
    assert trial["metadata"] == {
        "name": "s-1",
        "generateName": "fit-",
        "labels": {"team": "blue", "argosy.dev/sweep": "s", "argosy.dev/trial": "1"},
        "annotations": {"note": "{{workflow.name}} @@name"},
    }
    values = {one["name"]: one["value"] for one in trial["spec"]["arguments"]["parameters"]}
    assert values == {"lr": "0.1", "say": '{{{x}}} "@@name@@"'}
    command = trial["spec"]["templates"][0]["container"]["command"]
    assert command == ["echo", "{{workflow.parameters.lr}}", "{{=1 + 1}}", "@@name"]


def test_the_number_has_another_name_when_a_parameter_has_its_own() -> None:
    made = _made([{"trial": "a"}], ["trial"], TRIAL.replace("name: lr", "name: trial"))
    assert made.spec.templates[0].steps[0][0].with_items == ({"trial-number": 1, "trial": "a"},)
    assert "{{workflow.name}}-{{inputs.parameters.trial-number}}" in _manifest(made)


def test_values_that_are_asked_for_later_are_not_passed() -> None:
    made = _made([{}, {}], ["lr"], method="bayesian", jobs=3, fail_fast=True)
    assert made.spec.templates[0].steps[0][0].with_items == ({"trial": 1}, {"trial": 2})
    assert (made.spec.templates[0].parallelism, made.spec.templates[0].fail_fast) == (3, True)


def test_a_row_without_a_value_takes_the_default() -> None:
    assert _made([{"lr": "0.2"}, {}], ["lr"]).spec.templates[0].steps[0][0].with_items == (
        {"trial": 1, "lr": "0.2"},
        {"trial": 2, "lr": "0.1"},
    )
    with pytest.raises(UsageError, match="other has no value in every trial"):
        _made([{"other": "1"}, {}], ["other"])
    with pytest.raises(UsageError, match="has a tag in it"):
        _made([{"say": "1"}, {}], ["say"])
