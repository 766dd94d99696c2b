"""One piece of a manifest laid over another: template defaults under a template, a stored workflow under one's own.

It knows fields, not what they mean. Source: Argo docs: template-defaults.md, workflow-templates.md ("Create Workflow
from WorkflowTemplate Spec"); Kubernetes' strategic merge, by which Argo merges.
"""

from __future__ import annotations

from typing import cast

import msgspec

from argosy.model.manifest import (
    Arguments,
    Artifact,
    ArtifactLocation,
    Template,
    Workflow,
    WorkflowSpec,
    WorkflowTemplate,
)

# By what the elements of these lists are told apart. Any other list is taken whole.
_KEYS = {
    "templates": "name",
    "parameters": "name",
    "artifacts": "name",
    "volumes": "name",
    "env": "name",
    "initContainers": "name",
    "sidecars": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "tolerations": "key",
}
_KINDS = ("container", "script", "resource", "data", "containerSet", "http", "plugin", "steps", "dag", "suspend")

_Mapping = dict[str, object]


def merge_defaults(template: Template, defaults: Template) -> Template:
    """The template with what it leaves open taken from the defaults; its kind stays its own."""
    own, given = _plain(template), _plain(defaults)
    for kind in _KINDS:
        if kind not in own:
            given.pop(kind, None)
    given.pop("name", None)
    return msgspec.convert(_merged(own, given), Template)


def with_workflow_template(workflow: Workflow, stored: WorkflowTemplate) -> Workflow:
    """The workflow that a `workflowTemplateRef` means: the stored spec under what the workflow itself says."""
    own, given = _plain(workflow.spec), _plain(stored.spec)
    own.pop("workflowTemplateRef", None)
    given.pop("workflowTemplateRef", None)
    # A hook is taken whole; whether a run begins suspended is for the workflow itself to say.
    hooks = {**cast("_Mapping", given.pop("hooks", {})), **cast("_Mapping", own.pop("hooks", {}))}
    given.pop("suspend", None)
    spec = msgspec.convert(_merged(own, given) | ({"hooks": hooks} if hooks else {}), WorkflowSpec)
    if spec.arguments is not None:
        arguments = _arguments(spec.arguments, workflow.spec.arguments, stored.spec.arguments)
        spec = msgspec.structs.replace(spec, arguments=arguments)
    added = stored.spec.workflow_metadata
    metadata = workflow.metadata
    if added is not None:
        metadata = msgspec.structs.replace(
            metadata,
            labels=added.labels | metadata.labels,
            annotations=added.annotations | metadata.annotations,
        )
    return msgspec.structs.replace(workflow, spec=spec, metadata=metadata)


def _arguments(merged: Arguments, own: Arguments | None, stored: Arguments | None) -> Arguments:
    """Arguments whose values come from one place each: a value given anew does not keep where the old one was from."""
    ranked = [one for one in (own, stored) if one is not None]
    parameters = tuple(
        next(
            (found for given in ranked for found in given.parameters if found.name == one.name and _valued(found)), one
        )
        for one in merged.parameters
    )
    artifacts = tuple(_artifact(one.name, ranked) or one for one in merged.artifacts)
    return Arguments(parameters=parameters, artifacts=artifacts)


def _valued(parameter: object) -> bool:
    return any(getattr(parameter, name) is not None for name in ("value", "default", "value_from"))


def _artifact(name: str, ranked: list[Arguments]) -> Artifact | None:
    """The first artifact of a name; what it leaves open of its place comes from the others, if they are of a kind."""
    found = [one for given in ranked for one in given.artifacts if one.name == name]
    if len(found) < 2 or _place(found[0]) != _place(found[1]) or _place(found[0]) == "":
        return found[0] if found else None
    place = _place(found[0])
    first, second = (_plain(one) for one in found)
    return msgspec.convert(first | {place: _over(first[place], second[place])}, Artifact)


def _place(artifact: Artifact) -> str:
    """The field that says where the artifact is."""
    fields = msgspec.structs.fields(ArtifactLocation)
    return next((one.encode_name for one in fields if getattr(artifact, one.name) not in (None, "", False)), "")


def _plain(piece: object) -> _Mapping:
    """The piece as mappings and lists, named as in a manifest."""
    return msgspec.json.decode(msgspec.json.encode(piece), type=dict[str, object])


def _merged(own: _Mapping, given: _Mapping) -> _Mapping:
    found = dict(given)
    for key, value in own.items():
        other: object = given.get(key)
        if isinstance(value, list) and isinstance(other, list) and key in _KEYS:
            found[key] = _merged_lists(cast("list[_Mapping]", value), cast("list[_Mapping]", other), _KEYS[key])
        else:
            found[key] = _over(cast("object", value), cast("object", other))
    return found


def _over(value: object, other: object) -> object:
    if isinstance(value, dict) and isinstance(other, dict):
        return _merged(cast("_Mapping", value), cast("_Mapping", other))
    return cast("object", value)


def _merged_lists(own: list[_Mapping], given: list[_Mapping], key: str) -> list[_Mapping]:
    """The elements of `own`, each over that of `given` with the same key, and then the rest of `given`."""
    rest = {one.get(key): one for one in given}
    found = [_merged(one, rest.pop(one.get(key), {})) for one in own]
    return [*found, *rest.values()]
