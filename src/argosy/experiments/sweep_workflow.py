"""A sweep as an Argo workflow: a loop over a resource template that creates a Workflow for each trial.

It knows manifests and the tags in them; which values are tried is decided elsewhere (docs/decisions/sweeps.md).
"""

from __future__ import annotations

import json
import re
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
_PLACE = re.compile(r'"@@([^@"]+)@@"')


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
    document: dict[str, Any] = msgspec.to_builtins(child)
    metadata: dict[str, Any] = document["metadata"]
    for field in ("name", "uid", "creationTimestamp", "resourceVersion"):
        metadata.pop(field, None)
    labels: dict[str, str] = metadata.pop("labels", {})
    own_labels = {**labels, SWEEP: "@@sweep@@", TRIAL: "@@number@@"}
    document["metadata"] = {"name": "@@name@@", "labels": own_labels, **metadata}
    spec = document["spec"]
    own = spec.setdefault("arguments", {})
    parameters: list[dict[str, Any]] = own.get("parameters") or []
    kept = [one for one in parameters if one["name"] not in names]
    own["parameters"] = kept + [_swept(name, parameters) for name in names]
    whole = {"apiVersion": API_VERSION, "kind": "Workflow", "metadata": document["metadata"], "spec": spec}
    text = json.dumps(whole, indent=2, ensure_ascii=False)
    tags: dict[str, str] = {
        "name": f'"{{{{workflow.name}}}}-{{{{inputs.parameters.{number}}}}}"',
        "sweep": '"{{workflow.name}}"',
        "number": f'"{{{{inputs.parameters.{number}}}}}"',
    } | {f"value {name}": f"{{{{=toJson(inputs.parameters['{name}'])}}}}" for name in names}
    return _PLACE.sub(lambda found: tags.get(found[1], found[0]), text.replace("{{", "{\\u007b"))


def _swept(name: str, parameters: Sequence[dict[str, Any]]) -> dict[str, Any]:
    own = next((one for one in parameters if one["name"] == name), {"name": name})
    return {**{key: one for key, one in own.items() if key != "valueFrom"}, "value": f"@@value {name}@@"}
