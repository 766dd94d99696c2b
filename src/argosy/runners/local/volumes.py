"""The volumes of a pod as folders of this machine, and how its containers see them.

It knows the kinds of volume that can be had here (Argo docs: volumes; Kubernetes: volumes), not what a step does.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from argosy.artifacts.places import memory_folder, remove
from argosy.errors import EnvironmentTrouble, InvalidFile, NotFound
from argosy.model.manifest import ContainerFields, KeySelector, Template, Volume, VolumeMount
from argosy.runners.local.context import RunContext
from argosy.runners.local.environment import (
    PodFields,
    Values,
    config_map_data,
    expand,
    resource_field,
    secret_data,
)
from argosy.runners.local.resources import quantity
from argosy.runners.local.runtimes.places import is_within
from argosy.runners.local.runtimes.runtime import Mount

DEFAULT_MODE = 0o644
# What holds secrets is a folder of its own in memory, removed as soon as the step is over.
SECRETS = "secrets"
VOLUMES = "volumes"
# A volume in memory that several containers share has at least this much room there, unless it says how much it takes.
ROOM_BYTES = 1 << 30
# Kinds whose content comes from elsewhere: a step cannot write to them.
_READ_ONLY = ("config_map", "secret", "projected", "downward_api")
_KINDS = ("empty_dir", "persistent_volume_claim", "host_path", "ephemeral", *_READ_ONLY)
_REFUSED = {
    "csi": "mount it on this machine and use hostPath",
    "nfs": "mount it on this machine and use hostPath",
    "image": "take the files out of the image, or use it as the step's own",
}


class Volumes:
    """The volumes of one pod, made when they are first asked for.

    fresh: False when the step may be running already: then nothing is written. secrets: the names of the Secrets that
    its volumes hold so far; hidden: all values of these.
    """

    def __init__(
        self,
        context: RunContext,
        template: Template,
        folder: str,
        pod: PodFields,
        *,
        fresh: bool,
        spec: Iterable[Volume],
    ) -> None:
        self._context, self._folder, self._pod, self._fresh = context, folder, pod, fresh
        self._known = {volume.name: volume for volume in spec} | {volume.name: volume for volume in template.volumes}
        self._template = template
        self._containers: list[ContainerFields] = [c for c in (template.container, template.script) if c is not None]
        if template.container_set is not None:
            self._containers += template.container_set.containers
        self._claim_templates = _claim_templates(context)
        self._made: dict[str, tuple[str, bool]] = {}
        self.secrets: set[str] = set()
        self.hidden: list[bytes] = []

    def mount(self, mount: VolumeMount, values: Values) -> Mount:
        """How a container sees a volume. Raises NotFound, InvalidFile, EnvironmentTrouble."""
        source, read_only = self._volume(mount.name)
        below = expand(mount.sub_path_expr, values.all) or mount.sub_path
        if expand(mount.sub_path_expr, values.shown) != expand(mount.sub_path_expr, values.all):
            raise InvalidFile(
                f"The subPathExpr of volume {mount.name!r} names a variable that is a secret.",
                hint="A path is seen by everybody: use a variable that is none.",
            )
        if below:
            source = self._below(source, below, mount.name)
        target = posixpath.normpath("/" + mount.mount_path.lstrip("/"))
        if not below and not mount.read_only and self._is_alone_in_memory(mount.name, target):
            return Mount(source=source, target=target, memory_bytes=_size_limit(self._known[mount.name]))
        return Mount(source=source, target=target, read_only=read_only or mount.read_only)

    def _is_alone_in_memory(self, name: str, target: str) -> bool:
        """Whether a volume is one in memory that one container uses for itself: nothing in it is wanted elsewhere.

        One that several containers share, or that artifacts are put into or taken from, is a folder of the host.
        """
        if not _is_in_memory(self._known.get(name)):
            return False
        if self._template.container_set is not None:
            # A container of a set may be started again, and finds what it left.
            return False
        template = self._template
        beside = (*template.init_containers, *template.sidecars)
        users = [one for one in (*self._containers, *beside) if _uses(one, name)]
        mirrored = any(one.mirror_volume_mounts for one in beside)
        return len(users) == 1 and not mirrored and not any(is_within(path, target) for path in _paths(template))

    def _shared_in_memory(self, name: str, volume: Volume) -> Path | None:
        """The folder in memory of a volume that containers share there; None where it is one on the disk.

        It is removed when the step is over, as files of Secrets are. What outputs are taken from is on the disk, and so
        is a volume that memory has no room for. How large it grows is not watched.
        """
        above = memory_folder() if _is_in_memory(volume) else None
        if above is None or self._has_artifacts(name):
            return None
        path = Path(secret_folder(self._context, self._folder), name)
        if not self._fresh:
            # What was chosen when it began stays; after a start of the machine there is no step that uses it.
            return path if path.is_dir() else None
        room = shutil.disk_usage(above).free
        return path if room >= (_size_limit(volume) or ROOM_BYTES) else None

    def _has_artifacts(self, name: str) -> bool:
        """Whether artifacts or parameters are put into a volume, or taken from it, in the main containers."""
        mounts = [
            one.mount_path for container in self._containers for one in container.volume_mounts if one.name == name
        ]
        return any(is_within(path, posixpath.normpath(mount)) for path in _paths(self._template) for mount in mounts)

    def _below(self, source: str, sub_path: str, name: str) -> str:
        parts = [part for part in sub_path.split("/") if part not in ("", ".")]
        if ".." in parts or sub_path.startswith("/"):
            raise InvalidFile(
                f"The subPath {sub_path!r} of volume {name!r} leads out of it.", hint="Name what is in it."
            )
        path = os.path.join(source, *parts)
        if not is_inside(path, source):
            raise InvalidFile(
                f"The subPath {sub_path!r} of volume {name!r} is a link out of it.", hint="Remove the link."
            )
        if not os.path.lexists(path) and self._fresh:
            os.makedirs(path, exist_ok=True)
            _open_to_all(path)
        return path

    def _volume(self, name: str) -> tuple[str, bool]:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> tuple[str, bool]:
        volume = self._known.get(name)
        if volume is None:
            if name in self._claim_templates:
                return self._folder_of(self._context.folder / "claims" / name), False
            raise NotFound(
                f"There is no volume {name!r} in the template or the workflow.", hint="Add it to spec.volumes."
            )
        for kind, remedy in _REFUSED.items():
            if getattr(volume, kind) is not None:
                raise EnvironmentTrouble(f"The volume {name!r} is of kind {kind}, which needs a cluster.", hint=remedy)
        kind = next((kind for kind in _KINDS if getattr(volume, kind) is not None), "empty_dir")
        if kind in ("empty_dir", "ephemeral"):
            return self._folder_of(self._shared_in_memory(name, volume) or Path(self._folder, VOLUMES, name)), False
        source = cast("Mapping[str, Any]", getattr(volume, kind))
        if kind == "persistent_volume_claim":
            return self._claim(source), bool(source.get("readOnly"))
        if kind == "host_path":
            return _host_path(source, name), False
        return self._filled(name, kind, source), True

    def _folder_of(self, path: Path) -> str:
        if self._fresh and not path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            _open_to_all(path)
        return str(path)

    def _claim(self, source: Mapping[str, Any]) -> str:
        name = str(source.get("claimName", ""))
        if not name or "/" in name or name in (".", ".."):
            raise InvalidFile(f"{name!r} is no name of a PersistentVolumeClaim.", hint="Name one that was applied.")
        if not self._context.claim_exists(name):
            raise NotFound(
                f"There is no PersistentVolumeClaim {name!r} here.",
                hint="Apply it first: argosy apply -f FILE with it.",
            )
        return self._folder_of(self._context.claims / name)

    # -- volumes with files in them

    def _filled(self, name: str, kind: str, source: Mapping[str, Any]) -> str:
        sources = [{_WORDS[kind]: source}]
        if kind == "projected":
            sources = cast("list[dict[str, Mapping[str, Any]]]", source.get("sources") or [])
        has_secrets = any("secret" in one for one in sources)
        folder = Path(secret_folder(self._context, self._folder) if has_secrets else f"{self._folder}/{VOLUMES}", name)
        for one in sources:
            if "secret" in one:
                self._note(one["secret"])
        # What is in memory is gone when the machine was started again, and no step can be using it then.
        if not self._fresh and (not has_secrets or folder.exists()):
            return str(folder)
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove(folder)
        folder.mkdir()
        default = int(source.get("defaultMode") or DEFAULT_MODE)
        for one in sources:
            for word, content in one.items():
                for path, data, mode in self._files(name, word, content or {}):
                    _write(folder, path, data, default if mode is None else mode)
        folder.chmod(0o755)
        return str(folder)

    def _note(self, source: Mapping[str, Any]) -> None:
        """Remember what a step could say of a Secret. One that may be absent and is hides nothing."""
        name = _secret_name(source)
        values = secret_data(self._context, name, optional=bool(source.get("optional")))
        if values:
            self.secrets.add(name)
            self.hidden += values.values()

    def _files(self, name: str, word: str, source: Mapping[str, Any]) -> Iterable[tuple[str, bytes, int | None]]:
        optional = bool(source.get("optional"))
        match word:
            case "configMap":
                title = str(source.get("name", ""))
                return _picked("ConfigMap", title, config_map_data(self._context, title, optional=optional), source)
            case "secret":
                title = _secret_name(source)
                return _picked("Secret", title, secret_data(self._context, title, optional=optional), source)
            case "downwardAPI":
                items = cast("list[Mapping[str, Any]]", source.get("items") or [])
                return [(str(item.get("path", "")), self._downward(item).encode(), item.get("mode")) for item in items]
            case _:
                raise EnvironmentTrouble(
                    f"The volume {name!r} projects {word}, which needs a cluster.",
                    hint="configMap, secret and downwardAPI can be projected.",
                )

    def _downward(self, item: Mapping[str, Any]) -> str:
        if (field := item.get("fieldRef")) is not None:
            return self._pod.field(str(field.get("fieldPath", "")))
        reference = cast("Mapping[str, Any]", item.get("resourceFieldRef") or {})
        wanted = reference.get("containerName", "main")
        named = [one for one in self._containers if getattr(one, "name", "") == wanted] or self._containers
        return resource_field(reference, named[0].resources if named else None)


def _uses(container: ContainerFields, volume: str) -> bool:
    return any(one.name == volume for one in container.volume_mounts)


def _paths(template: Template) -> Iterable[str]:
    """Where the artifacts and the parameters of a step are."""
    inputs, outputs = template.inputs, template.outputs
    for given in (inputs, outputs):
        yield from (one.path for one in given.artifacts) if given is not None else ()
    for one in outputs.parameters if outputs is not None else ():
        if one.value_from is not None and one.value_from.path:
            yield one.value_from.path


def _is_in_memory(volume: Volume | None) -> bool:
    return volume is not None and (volume.empty_dir or {}).get("medium") == "Memory"


def _size_limit(volume: Volume) -> int:
    """The bytes that an emptyDir may hold, 0 where it does not say. Raises InvalidFile."""
    text = (volume.empty_dir or {}).get("sizeLimit")
    return int(quantity(text)) if text else 0


def secret_folder(context: RunContext, attempt_folder: str) -> str:
    """Where an attempt's files of Secrets are: in memory, or if there is no such place below the attempt's folder."""
    memory = memory_folder()
    if memory is None:
        return f"{attempt_folder}/{SECRETS}"
    return f"{memory}/{context.identity.uid}/{os.path.basename(attempt_folder)}"


def _secret_name(source: Mapping[str, Any]) -> str:
    return str(source.get("secretName") or source.get("name") or "")


_WORDS = {"config_map": "configMap", "secret": "secret", "downward_api": "downwardAPI", "projected": "projected"}


def _claim_templates(context: RunContext) -> set[str]:
    templates = cast("tuple[Mapping[str, Any], ...]", context.workflow.spec.volume_claim_templates)
    metadata = [cast("Mapping[str, Any]", template.get("metadata") or {}) for template in templates]
    return {str(one.get("name", "")) for one in metadata}


def _picked(
    kind: str, title: str, data: Mapping[str, bytes], source: Mapping[str, Any]
) -> list[tuple[str, bytes, int | None]]:
    """The files of a ConfigMap or Secret: all its keys, or the items that were named."""
    items = cast("list[Mapping[str, Any]] | None", source.get("items"))
    if items is None:
        return [(key, value, None) for key, value in data.items()]
    found: list[tuple[str, bytes, int | None]] = []
    for item in items:
        selector = KeySelector(name=title, key=str(item.get("key", "")))
        if selector.key in data:
            found.append((str(item.get("path") or selector.key), data[selector.key], item.get("mode")))
        elif not source.get("optional"):
            raise NotFound(f"The {kind} {title!r} has no key {selector.key!r}.", hint=f"Keys are {', '.join(data)}.")
    return found


def _write(folder: Path, path: str, data: bytes, mode: int) -> None:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise InvalidFile(f"{path!r} is no path of a file in a volume.", hint="Name a file below the volume's folder.")
    place = folder.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), mode & 0o777)


def _host_path(source: Mapping[str, Any], name: str) -> str:
    path, kind = str(source.get("path", "")), str(source.get("type") or "")
    if not path.startswith("/"):
        raise InvalidFile(f"The hostPath of volume {name!r} is {path!r}.", hint="Give an absolute path.")
    if not os.path.lexists(path):
        if kind == "FileOrCreate":
            Path(path).touch()
        elif kind in ("", "DirectoryOrCreate"):
            Path(path).mkdir(parents=True, exist_ok=True)
        else:
            raise NotFound(f"The hostPath {path} of volume {name!r} is not there.", hint="Make it, or name another.")
    return path


def _open_to_all(path: str | Path) -> None:
    """Steps may run as other users: a new volume is everybody's, as Kubernetes makes it."""
    os.chmod(path, 0o777)


def is_inside(path: str, folder: str) -> bool:
    """Whether a path, all links followed, is that folder or in it."""
    real, above = os.path.realpath(path), os.path.realpath(folder)
    return real == above or real.startswith(above.rstrip("/") + "/")
