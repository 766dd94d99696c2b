"""What Onepanel's server puts into a workflow before it runs: variables, volumes, locations, an artifact for metrics.

It knows manifests. Which machine a step runs on, and what a node pool has, is the project's matter.
Source: onepanelio/core, pkg/workflow_execution.go.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from argosy.dialects.onepanel.server_calls import without_server
from argosy.dialects.onepanel.sidecars import with_sidecars
from argosy.model.manifest import (
    ArchiveStrategy,
    Artifact,
    ContainerFields,
    EnvFromRef,
    EnvFromSource,
    EnvVar,
    Outputs,
    Template,
    Volume,
    VolumeMount,
    WorkflowSpec,
)

# On a template or a cron workflow that is kept: what it takes, as the file said that it came of.
INPUTS = "argosy.dev/inputs"
# The ConfigMap and the Secret that hold the variables of all steps.
DEFAULT_ENVIRONMENT = "onepanel-default-env"
METRICS = "sys-metrics"
METRICS_PATHS = ("/tmp/sys-metrics.json", "/mnt/tmp/sys-metrics.json")
SHARED_MEMORY, SCRATCH = ("sys-dshm", "/dev/shm"), ("tmp", "/mnt/tmp")
OUTPUT_KEY = "artifacts/{{workflow.namespace}}/{{workflow.name}}/{{pod.name}}"
# There is no server here: programs that look for one find this machine.
VARIABLES = {
    "ONEPANEL_RESOURCE_UID": "{{workflow.name}}",
    "ONEPANEL_RESOURCE_NAMESPACE": "{{workflow.namespace}}",
    "ONEPANEL_PROVIDER": "local",
    "ONEPANEL_DOMAIN": "localhost",
    "ONEPANEL_FQDN": "localhost",
    "ONEPANEL_API_URL": "http://localhost",
}
_NO_ARCHIVE = ArchiveStrategy(none={})
# What a step leaves at the second is looked for when it is over, which a folder in memory is not there for.
_EMPTY_DIRS: tuple[dict[str, Any], ...] = ({"medium": "Memory"}, {"medium": ""})
_LOCATIONS = ("s3", "gcs", "azure", "oss", "hdfs", "http", "git", "artifactory", "plugin", "raw", "from_", "named")
C = TypeVar("C", bound=ContainerFields)


class _Named(msgspec.Struct):
    name: str = ""


class _Claim(msgspec.Struct):
    metadata: _Named


def injected(spec: WorkflowSpec) -> WorkflowSpec:
    """The spec with what every machine can have: variables, locations of artifacts, mounts of sidecars."""
    reads_metrics = f"outputs.artifacts.{METRICS}" in msgspec.json.encode(spec).decode()
    return replace(spec, templates=tuple(_injected(one, reads_metrics) for one in spec.templates))


def with_places(spec: WorkflowSpec) -> WorkflowSpec:
    """The spec with what only a step with files of its own can have: volumes in memory, and the metrics' artifact."""
    known = {one.name for one in spec.volumes} | {_claim(one) for one in spec.volume_claim_templates}
    ours = zip((SHARED_MEMORY, SCRATCH), _EMPTY_DIRS, strict=True)
    more = tuple(Volume(name=name, empty_dir=dict(kind)) for (name, _), kind in ours if name not in known)
    templates = tuple(_with_places(one) for one in spec.templates)
    return replace(spec, volumes=(*spec.volumes, *more), templates=templates)


def without_places(spec: WorkflowSpec) -> WorkflowSpec:
    """The spec without what `with_places` put in, for a machine whose steps share their folders."""
    ours = {name for name, _ in (SHARED_MEMORY, SCRATCH)}
    volumes = tuple(one for one in spec.volumes if one.name not in ours or one.empty_dir not in _EMPTY_DIRS)
    gone = {one.name for one in spec.volumes} - {one.name for one in volumes}
    metrics = f"outputs.artifacts.{METRICS}" in msgspec.json.encode(spec).decode()
    templates = tuple(_without_places(one, gone, metrics) for one in spec.templates)
    return replace(spec, volumes=volumes, templates=templates)


def _without_places(template: Template, gone: set[str], metrics: bool) -> Template:
    if template.container is not None:
        mounts = tuple(one for one in template.container.volume_mounts if one.name not in gone)
        template = replace(template, container=replace(template.container, volume_mounts=mounts))
    if template.outputs is None or metrics:
        return template
    artifacts = tuple(one for one in template.outputs.artifacts if one.name != METRICS or not one.optional)
    return replace(template, outputs=replace(template.outputs, artifacts=artifacts))


def _claim(given: Any) -> str:
    """The name of a claim template, "" where its manifest is not written as one."""
    try:
        return msgspec.convert(given, _Claim).metadata.name
    except msgspec.ValidationError:
        return ""


def _with_places(template: Template) -> Template:
    if template.container is not None:
        mounts = [*template.container.volume_mounts]
        taken = {one.mount_path.rstrip("/") for one in mounts}
        for name, path in (SHARED_MEMORY, SCRATCH):
            if path not in taken:
                mounts.append(VolumeMount(name=name, mount_path=path))
        template = replace(template, container=replace(template.container, volume_mounts=tuple(mounts)))
    return _with_metrics(template)


def _injected(template: Template, metrics: bool) -> Template:
    template = without_server(template)
    if template.container is None and template.script is None:
        return template
    if metrics:
        template = _with_metrics(template)
    if template.inputs is not None:
        artifacts = tuple(_unpacked(_stored(one)) for one in template.inputs.artifacts)
        template = replace(template, inputs=replace(template.inputs, artifacts=artifacts))
    if template.outputs is not None:
        artifacts = tuple(_unpacked(_placed(_stored(one))) for one in template.outputs.artifacts)
        template = replace(template, outputs=replace(template.outputs, artifacts=artifacts))
    if template.container is not None:
        template = replace(template, container=_with_variables(template.container))
    if template.script is not None:
        template = replace(template, script=_with_variables(template.script))
    return with_sidecars(template)


def _with_metrics(template: Template) -> Template:
    """The template with the artifact that its metrics are, unless it has one."""
    main = template.container or template.script
    outputs = template.outputs or Outputs()
    if main is None or any(one.name == METRICS for one in outputs.artifacts):
        return template
    text = msgspec.json.encode(main).decode()
    path = METRICS_PATHS[1] if METRICS_PATHS[1] in text else METRICS_PATHS[0]
    taken = {one.path for one in (template.inputs.artifacts if template.inputs is not None else ())}
    if path in taken:
        # It is handed the metrics of an earlier step there; what it leaves is the same file.
        return template
    metrics = Artifact(name=METRICS, path=path, optional=True, archive=_NO_ARCHIVE)
    return replace(template, outputs=replace(outputs, artifacts=(*outputs.artifacts, metrics)))


def _with_variables(container: C) -> C:
    given = {one.name for one in container.env}
    env = tuple(EnvVar(name=name, value=value) for name, value in VARIABLES.items() if name not in given)
    defaults = EnvFromRef(name=DEFAULT_ENVIRONMENT, optional=True)
    sources = (EnvFromSource(config_map_ref=defaults), EnvFromSource(secret_ref=defaults))
    return replace(container, env=(*env, *container.env), env_from=(*container.env_from, *sources))


def _stored(artifact: Artifact) -> Artifact:
    """An artifact of Google's store that says no more than a key: it is in the project's repository like any other."""
    if artifact.gcs is None or artifact.gcs.get("bucket"):
        return artifact
    return replace(artifact, gcs=None, s3={"key": artifact.gcs.get("key", "")})


def _unpacked(artifact: Artifact) -> Artifact:
    """The server forces this on every artifact, whatever stands there."""
    return replace(artifact, archive=_NO_ARCHIVE)


def _placed(artifact: Artifact) -> Artifact:
    """An output with the key that it has in the repository when it says none."""
    if artifact.name == METRICS or any(getattr(artifact, field) for field in _LOCATIONS):
        return artifact
    return replace(artifact, s3={"key": f"{OUTPUT_KEY}/{artifact.name}"})
