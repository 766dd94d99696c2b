"""What decides the outcome of a step, in parts, and the key that stands for all of them.

It knows templates and what a step of one sees; not where outcomes are kept. A part that cannot be known by content
before the step runs means that the step is not looked up: what is not certain is run.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import msgspec

from argosy.artifacts.locations import location_kind
from argosy.artifacts.repositories import KEY_FIELD
from argosy.errors import ArgosyError
from argosy.model.host_templates import CODE_ARTIFACT, ENVIRONMENTS_VOLUME
from argosy.model.manifest import (
    Artifact,
    ArtifactFields,
    ContainerFields,
    ContainerNode,
    ScriptTemplate,
    Template,
    UserContainer,
    Volume,
    VolumeMount,
)
from argosy.plan.actions import Start
from argosy.runners.local.context import RunContext
from argosy.runners.local.environment import PodFields, config_map_data, environment_of
from argosy.runners.local.patches import is_patched

# On a template: names of variables of the host, with commas between them, whose values decide the outcome too.
REUSE_ENVIRONMENT = "argosy.dev/reuse-environment"
# Another way to make keys is another number here: what was stored before is then not found.
_FORMAT = 1
_OURS = "argosy.dev/"

Parts = dict[str, object]

_encode = msgspec.json.Encoder(order="deterministic").encode


class NotLookedUp(Exception):
    """The outcome of a step does not follow from what is known before it runs; the text says why."""


class Decisive(msgspec.Struct, frozen=True, kw_only=True):
    """What decides outcomes besides the template.

    runtime: its name. image_mark: what an image's name stands for now. interpreter: what the steps of a template find
    on this machine besides their code, "" for templates that do not run with the project's interpreter.
    secret_version: of a Secret, by its name; never anything of its values.
    """

    runtime: str
    image_mark: Callable[[str], str]
    interpreter: Callable[[Template], str]
    secret_version: Callable[[str], str]


def key_of(parts: Mapping[str, object]) -> str:
    """The key: equal for equal parts and only for those."""
    import hashlib

    return hashlib.blake2b(_encode((_FORMAT, parts)), digest_size=20).hexdigest()


def hashes_of(parts: Mapping[str, object]) -> dict[str, str]:
    """Each part hashed, so that two keys can be compared without what is in them."""
    import hashlib

    return {name: hashlib.blake2b(_encode(part), digest_size=10).hexdigest() for name, part in parts.items()}


def may_be_reused(template: Template) -> bool:
    """Whether it is of a kind whose outcomes are kept. The manifest's own memoization goes before."""
    if template.daemon or template.memoize is not None:
        return False
    return (
        template.container is not None
        or template.script is not None
        or template.container_set is not None
        or template.data is not None
    )


def parts_of(start: Start, context: RunContext, decisive: Decisive) -> Parts:
    """The parts that decide the outcome of a leaf, by their names.

    A name is a word, or "word:detail" where there may be several; of a container other than main the word ends with
    "@NAME". Raises NotLookedUp.
    """
    template = start.template
    if is_patched(template, context.workflow):
        raise NotLookedUp("a podSpecPatch changes it")
    parts: Parts = {"runtime": decisive.runtime}
    if interpreter := decisive.interpreter(template):
        parts["interpreter"] = interpreter
    _add_inputs(template, parts)
    _add_outputs(start, context, parts)
    if template.data is not None:
        _add_data(template, parts)
    else:
        try:
            _Containers(start, context, decisive, parts).add()
        except ArgosyError as problem:
            # The step itself will say so.
            raise NotLookedUp(problem.message) from None
    _add_settings(template, context, parts)
    return parts


def _add_inputs(template: Template, parts: Parts) -> None:
    inputs = template.inputs
    if inputs is None:
        return
    for parameter in inputs.parameters:
        parts[f"parameter:{parameter.name}"] = parameter.value
    for artifact in inputs.artifacts:
        name = "code" if artifact.name == CODE_ARTIFACT else f"artifact:{artifact.name}"
        parts[name] = _content(artifact, f"the content of its input {artifact.name}")
        parts[f"place:{artifact.name}"] = (artifact.path, artifact.mode, artifact.recurse_mode)


def _content(artifact: ArtifactFields, what: str) -> object:
    """What stands for the content of an artifact. Raises NotLookedUp when that is only known once it is fetched."""
    if artifact.digest:
        return (artifact.digest, artifact.sub_path)
    kind = location_kind(artifact)
    if kind is None:
        return None
    if kind == "raw":
        return ("raw", cast("Any", artifact.raw).data)
    raise NotLookedUp(f"{what} comes from {kind}, and is only known once it is fetched")


def _add_outputs(start: Start, context: RunContext, parts: Parts) -> None:
    template, outputs = start.template, start.template.outputs
    place = template.archive_location
    elsewhere = place is not None and any(getattr(place, kind) is not None for kind in KEY_FIELD)
    for artifact in outputs.artifacts if outputs is not None else ():
        if elsewhere or location_kind(artifact) is not None:
            raise NotLookedUp(f"its output {artifact.name} goes to a place outside the store, which others may change")
    archived = place.archive_logs if place is not None and place.archive_logs is not None else None
    logs = bool(context.workflow.spec.archive_logs) if archived is None else archived
    if elsewhere and logs:
        raise NotLookedUp("its log goes to a place outside the store")
    parts["outputs"] = (outputs, start.capture_result, logs)


def _add_data(template: Template, parts: Parts) -> None:
    assert template.data is not None
    source = template.data.source.artifact_paths
    if source is not None:
        if not source.digest and location_kind(source) is None:
            raise NotLookedUp("what it lists is in the artifact repository, and is only known once it is looked at")
        parts["artifact:source"] = _content(source, "what it lists")
    parts["command"] = template.data.transformation


def _add_settings(template: Template, context: RunContext, parts: Parts) -> None:
    """Annotations that this program acts on, and variables of the host that one of them names."""
    given: dict[str, str] = dict(template.annotations)
    if template.metadata is not None:
        given |= template.metadata.annotations
    ours = {name: value for name, value in given.items() if name.startswith(_OURS)} if given else {}
    for name in ours.pop(REUSE_ENVIRONMENT, "").replace(",", " ").split():
        parts[f"host:{name}"] = os.environ.get(name)
    security = template.security_context or context.workflow.spec.security_context
    if ours or security:
        parts["settings"] = (ours, security)


class _Containers:
    """The containers of one step: images, commands, environments, volumes."""

    def __init__(self, start: Start, context: RunContext, decisive: Decisive, parts: Parts) -> None:
        self._start, self._context, self._decisive, self._parts = start, context, decisive, parts
        self._fields: PodFields | None = None
        self._volumes: dict[str, Volume] | None = None

    @property
    def fields(self) -> PodFields:
        """What the step may ask about its pod."""
        if self._fields is None:
            start = self._start
            self._fields = PodFields(
                self._context, start.template, node=start.node, node_name=start.name, pod_name=start.pod_name
            )
        return self._fields

    def add(self) -> None:
        for label, container in _containers(self._start.template):
            self._add(f"@{label}" if label else "", container)
        shared = self._start.template.container_set
        if shared is not None and shared.volume_mounts:
            self._parts["mounts@all"] = shared.volume_mounts
            self._add_volumes(shared.volume_mounts)

    def _add(self, suffix: str, container: ContainerFields) -> None:
        parts = self._parts
        parts[f"image{suffix}"] = (container.image, self._decisive.image_mark(container.image))
        parts[f"command{suffix}"] = (container.command, container.args)
        if isinstance(container, ScriptTemplate):
            parts[f"script{suffix}"] = container.source
        if container.working_dir:
            parts[f"folder{suffix}"] = container.working_dir
        if container.security_context:
            parts[f"settings{suffix}"] = container.security_context
        if isinstance(container, ContainerNode) and container.dependencies:
            parts[f"needs{suffix}"] = container.dependencies
        if container.env or container.env_from:
            self._add_environment(suffix, container)
        if container.volume_mounts or isinstance(container, UserContainer):
            mirrors = isinstance(container, UserContainer) and container.mirror_volume_mounts
            parts[f"mounts{suffix}"] = (container.volume_mounts, mirrors)
            self._add_volumes(container.volume_mounts)

    def _add_environment(self, suffix: str, container: ContainerFields) -> None:
        parts, values = self._parts, environment_of(container, self._context, self.fields)
        for name, value in values.all.items():
            secret = values.secrets.get(name)
            if secret is None:
                parts[f"variable{suffix}:{name}"] = value
            else:
                parts[f"variable{suffix}:{name}"] = ("secret", secret)
                where = secret.partition("/")[0]
                parts[f"secret:{where}"] = self._decisive.secret_version(where)

    # -- volumes

    def _add_volumes(self, mounts: tuple[VolumeMount, ...]) -> None:
        from argosy.runners.local.staging import workflow_volumes

        if self._volumes is None:
            common = workflow_volumes(self._context, self._start)
            self._volumes = {one.name: one for one in (*common, *self._start.template.volumes)}
        for mount in mounts:
            if mount.name == ENVIRONMENTS_VOLUME:
                # What is kept there follows from what the step says.
                continue
            volume = self._volumes.get(mount.name)
            if volume is None:
                raise NotLookedUp(f"it writes to the claim {mount.name}, which other steps of its run may read")
            self._check_sharing(volume, mount)
            self._parts[f"volume:{volume.name}"] = volume
            self._add_sources(volume)

    def _check_sharing(self, volume: Volume, mount: VolumeMount) -> None:
        """What a step leaves in a volume that others see is no output: it has to run. Raises NotLookedUp."""
        claim = volume.persistent_volume_claim
        shared = volume.host_path is not None or claim is not None
        if shared and not mount.read_only and not (claim is not None and claim.get("readOnly")):
            raise NotLookedUp(
                f"it may write to the volume {volume.name}, which other steps may read; readOnly: true on its mount"
                " says that it does not"
            )

    def _add_sources(self, volume: Volume) -> None:
        """The content of ConfigMaps, the versions of Secrets, and fields of the pod."""
        projected = cast("Mapping[str, Any]", volume.projected or {}).get("sources") or ()
        for source in (
            {"configMap": volume.config_map, "secret": volume.secret, "downwardAPI": volume.downward_api},
            *cast("tuple[Mapping[str, Any], ...]", projected),
        ):
            if source.get("configMap") is not None:
                self._add_config_map(cast("Mapping[str, Any]", source["configMap"]))
            if source.get("secret") is not None:
                self._add_secret(cast("Mapping[str, Any]", source["secret"]))
            if source.get("downwardAPI") is not None:
                self._add_fields(volume.name, cast("Mapping[str, Any]", source["downwardAPI"]))

    def _add_config_map(self, source: Mapping[str, Any]) -> None:
        name = str(source.get("name") or "")
        data = config_map_data(self._context, name, optional=bool(source.get("optional")))
        self._parts[f"config-map:{name}"] = {key: base64.b64encode(value).decode() for key, value in data.items()}

    def _add_secret(self, source: Mapping[str, Any]) -> None:
        name = str(source.get("secretName") or source.get("name") or "")
        self._parts[f"secret:{name}"] = self._decisive.secret_version(name)

    def _add_fields(self, volume: str, source: Mapping[str, Any]) -> None:
        for item in cast("list[Mapping[str, Any]]", source.get("items") or ()):
            path = str(cast("Mapping[str, Any]", item.get("fieldRef") or {}).get("fieldPath") or "")
            self._parts[f"volume:{volume}/{item.get('path')}"] = self.fields.field(path) if path else item


def _containers(template: Template) -> Iterator[tuple[str, ContainerFields]]:
    """The containers of a template, each with its name, "" for main."""
    main = template.container or template.script
    if main is not None:
        yield "", main
    if template.container_set is not None:
        for container in template.container_set.containers:
            yield container.name, container
    for container in (*template.init_containers, *template.sidecars):
        yield container.name, container


def whole_outputs(artifacts: tuple[Artifact, ...]) -> bool:
    """Whether every artifact is in the store, so that it can be given again."""
    return all(one.digest for one in artifacts)
