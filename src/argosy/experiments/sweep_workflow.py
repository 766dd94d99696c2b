"""A sweep as an Argo workflow: a loop over a resource template that creates a Workflow for each trial.

It knows manifests and the tags in them; which values are tried is decided elsewhere (docs/decisions/sweeps.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from argosy.dialects.argo_kinds import API_VERSION
from argosy.errors import UsageError
from argosy.experiments.trials import Trial
from argosy.model.manifest import (
    Arguments,
    Inputs,
    Parameter,
    ResourceTemplate,
    Template,
    Workflow,
    WorkflowSpec,
    WorkflowStep,
)
from argosy.model.sweeps import SWEEP, TRIAL, Sweep

SUCCEEDED = "status.phase == Succeeded"
FAILED = "status.phase in (Failed, Error)"
# Where a tag goes, as long as no text of the workflow is just that.
_PLACE = "@@"


def sweep_workflow(
    child: Workflow, sweep: Sweep, names: list[str], trials: Sequence[Trial], jobs: int, fail_fast: bool
) -> Workflow:
    """The workflow that makes the trials. child: of each of them, all other values put in. names: what is swept over.

    jobs: how many trials run at once. fail_fast: none is begun after one has failed. Raises UsageError for a trial
    that lacks a value.
    """
    number = "trial" if "trial" not in names else "trial-number"
    passed = [] if sweep.method == "bayesian" else names
    items = [{**trial, number: place} for place, trial in enumerate(trials, 1)]
    step = WorkflowStep(
        name="trial",
        template="trial",
        arguments=Arguments(
            parameters=tuple(Parameter(name=one, value=f"{{{{item.{one}}}}}") for one in (number, *passed))
        ),
        with_items=tuple(_whole(one, [number, *passed], child) for one in items),
    )
    leaf = Template(
        name="trial",
        inputs=Inputs(parameters=tuple(Parameter(name=one) for one in (number, *passed))),
        resource=ResourceTemplate(
            action="apply",
            manifest=_manifest(child, number, passed),
            set_owner_reference=True,
            success_condition=SUCCEEDED,
            failure_condition=FAILED,
        ),
    )
    group = Template(name="sweep", parallelism=jobs, fail_fast=fail_fast or None, steps=((step,),))
    spec = WorkflowSpec(
        entrypoint="sweep",
        arguments=_told(child, sweep),
        templates=(group, leaf),
    )
    return Workflow(api_version=API_VERSION, kind="Workflow", metadata=child.metadata, spec=spec)


def _whole(item: Mapping[str, Any], names: Sequence[str], child: Workflow) -> dict[str, Any]:
    """The item with a value for every name: a row of a file may leave some as they are."""
    given = child.spec.arguments.parameters if child.spec.arguments else ()
    base = {one.name: one.value for one in given if one.value is not None}
    found: dict[str, Any] = {}
    for name in names:
        value = item.get(name, base.get(name))
        if value is None:
            raise UsageError(f"{name} has no value in every trial", hint="fill its column")
        if isinstance(value, str) and "{{" in value:
            raise UsageError(f"{name}: {value!r} has a tag in it, which a trial's value cannot have")
        found[name] = value
    return found


def _told(child: Workflow, sweep: Sweep) -> Arguments:
    """The arguments that the sweep shows: those of all trials, and the spaces of the others."""
    given = child.spec.arguments.parameters if child.spec.arguments else ()
    fixed = [one for one in given if one.name not in sweep.spaces and one.value is not None]
    return Arguments(
        parameters=(
            *(Parameter(name=one.name, value=one.value) for one in fixed),
            *(Parameter(name=name, value=text) for name, text in sweep.spaces.items()),
        )
    )


def _manifest(child: Workflow, number: str, names: Sequence[str]) -> str:
    """The manifest of a trial, with tags where it differs from the others.

    Its own tags are for the trial: their second brace is written as JSON's escape, so that nobody replaces them here.
    """
    place = _PLACE
    while place in str(child):
        place += "@"
    document: dict[str, Any] = msgspec.to_builtins(child)
    metadata: dict[str, Any] = document["metadata"]
    for field in ("name", "uid", "creationTimestamp", "resourceVersion"):
        metadata.pop(field, None)
    labels: dict[str, str] = {**metadata.pop("labels", {}), SWEEP: f"{place}sweep", TRIAL: f"{place}number"}
    spec = document["spec"]
    own = spec.setdefault("arguments", {})
    parameters: list[dict[str, Any]] = own.get("parameters") or []
    kept = [one for one in parameters if one["name"] not in names]
    own["parameters"] = kept + [_swept(name, parameters, f"{place}value {name}") for name in names]
    whole = {
        "apiVersion": API_VERSION,
        "kind": "Workflow",
        "metadata": {"name": f"{place}name", "labels": labels, **metadata},
        "spec": spec,
    }
    text = json.dumps(whole, indent=2, ensure_ascii=False).replace("{{", "{\\u007b")
    tags = {
        "name": f'"{{{{workflow.name}}}}-{{{{inputs.parameters.{number}}}}}"',
        "sweep": '"{{workflow.name}}"',
        "number": f'"{{{{inputs.parameters.{number}}}}}"',
        **{f"value {name}": f"{{{{=toJson(inputs.parameters['{name}'])}}}}" for name in names},
    }
    for what, tag in tags.items():
        text = text.replace(f'"{place}{what}"', tag)
    return text


def _swept(name: str, parameters: Sequence[dict[str, Any]], value: str) -> dict[str, Any]:
    own = next((one for one in parameters if one["name"] == name), {"name": name})
    return {**{key: one for key, one in own.items() if key != "valueFrom"}, "value": value}
