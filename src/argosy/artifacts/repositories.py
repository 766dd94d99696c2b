"""Artifact repositories: what completes an artifact that names only a key (Argo docs: key-only-artifacts.md).

It knows how a repository's fields and an artifact's go together; not where the repository's definition came from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec

from argosy.artifacts.locations import Driver, driver_for, location_kind
from argosy.artifacts.retrying import Patience, RetryingDriver
from argosy.artifacts.troubles import LocationUnsupported, TransferRefused
from argosy.model.manifest import ArtifactFields, ArtifactLocation, ArtifactRepositoryRef, ConfigMap

# What names the file within each kind of location, and what names the rest: without the latter a repository is needed.
KEY_FIELD = {"s3": "key", "gcs": "key", "oss": "key", "azure": "blob", "hdfs": "path", "artifactory": "url"}
PLACE_FIELD = {"s3": "bucket", "gcs": "bucket", "oss": "bucket", "azure": "container", "hdfs": "addresses"}
# Fields of a repository that say how keys are made; no artifact has them.
REPOSITORY_ONLY = {"keyFormat", "keyPrefix", "pathFormat", "blobNameFormat", "repoURL"}
KEY_FORMATS = ("keyFormat", "pathFormat", "blobNameFormat")
DEFAULT_CONFIG_MAP = "artifact-repositories"
DEFAULT_KEY_ANNOTATION = "workflows.argoproj.io/default-artifact-repository"
# Where Argo saves what names no key, below the repository.
DEFAULT_KEY_FORMAT = "{{workflow.name}}/{{pod.name}}"


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """Where artifacts go that do not say. Without a kind: `root`, a folder of this machine, whatever kind they name.

    fields: as in a manifest (bucket, endpoint, secrets, keyFormat, ...).
    """

    root: Path
    kind: str = ""
    fields: dict[str, Any] = {}

    @property
    def key_format(self) -> str:
        """The template of keys of artifacts that name none; its tags are the caller's to fill in."""
        for name in KEY_FORMATS:
            if self.fields.get(name):
                return str(self.fields[name])
        prefix = str(self.fields.get("keyPrefix") or "").strip("/")
        return f"{prefix}/{DEFAULT_KEY_FORMAT}" if prefix else DEFAULT_KEY_FORMAT


def location_key(artifact: ArtifactLocation, kind: str) -> str:
    """The key of a location of that kind, "" without one."""
    fields = cast("dict[str, Any] | None", getattr(artifact, kind)) if kind in KEY_FIELD else None
    return str((fields or {}).get(KEY_FIELD[kind]) or "") if fields else ""


def needs_repository(artifact: ArtifactLocation) -> bool:
    """Whether a location names a key and no bucket, container or host to look it up in."""
    kind = location_kind(artifact)
    if kind not in PLACE_FIELD:
        return False
    fields = cast("dict[str, Any]", getattr(artifact, kind))
    return not fields.get(PLACE_FIELD[kind]) and bool(fields.get(KEY_FIELD[kind]))


def resolve(artifact: ArtifactFields, repository: Repository) -> ArtifactFields:
    """The artifact with a whole location: its own fields win over the repository's, its key stays.

    An artifact of the local repository stays as it is: `driver_of` knows. Raises LocationUnsupported when it names a
    key of another kind of store than the repository is.
    """
    if not needs_repository(artifact) or not repository.kind:
        return artifact
    kind = location_kind(artifact) or ""
    if kind != repository.kind:
        raise LocationUnsupported(
            f"An artifact names only a key of {kind}, and the artifact repository is {repository.kind}.",
            hint=f"Name its {PLACE_FIELD[kind]}, or use {repository.kind}.",
        )
    usual = {name: value for name, value in repository.fields.items() if name not in REPOSITORY_ONLY}
    own = {name: value for name, value in getattr(artifact, kind).items() if value not in (None, "")}
    return msgspec.structs.replace(artifact, **{kind: usual | own})


def below(artifact: ArtifactFields, sub_path: str) -> ArtifactFields:
    """The artifact at `sub_path` below another one's key. Raises LocationUnsupported where locations have no keys."""
    kind = location_kind(artifact) or ""
    if kind not in KEY_FIELD:
        raise LocationUnsupported(
            f"subPath cannot be used with a location of kind {kind or 'none'}.", hint="Leave it out."
        )
    key = f"{location_key(artifact, kind).rstrip('/')}/{sub_path.lstrip('/')}"
    return msgspec.structs.replace(artifact, **{kind: {**getattr(artifact, kind), KEY_FIELD[kind]: key}})


def with_key(artifact: ArtifactFields, repository: Repository, key: str) -> ArtifactFields:
    """An artifact without a location, at `key` of the repository: what Argo does with outputs that name none."""
    kind = repository.kind or "s3"
    usual = {name: value for name, value in repository.fields.items() if name not in REPOSITORY_ONLY}
    if kind == "artifactory":
        key = f"{str(repository.fields.get('repoURL') or '').rstrip('/')}/{key}"
    return msgspec.structs.replace(artifact, **{kind: usual | {KEY_FIELD[kind]: key}})


def driver_of(artifact: ArtifactLocation, repository: Repository, patience: Patience | None = None) -> Driver:
    """The driver, trying again what may pass, that serves a resolved artifact. Raises LocationUnsupported."""
    if not repository.kind and needs_repository(artifact):
        from argosy.artifacts.drivers.local import LocalDriver

        return LocalDriver(repository.root)
    return RetryingDriver(driver_for(artifact), patience)


def read_repository(
    maps: dict[str, ConfigMap], reference: ArtifactRepositoryRef | None, root: Path, *, text: str | None = None
) -> Repository:
    """The repository that a workflow's artifactRepositoryRef names among `maps` (ConfigMaps by name).

    Without a reference the ConfigMap `artifact-repositories`. Where that ConfigMap is not known, the local folder
    `root`; the caller says so. Raises TransferRefused when it lacks the key (Argo docs: artifact-repository-ref.md).
    """
    name = (reference.config_map if reference else "") or DEFAULT_CONFIG_MAP
    found = maps.get(name)
    if found is None:
        return Repository(root=root)
    key = (reference.key if reference else "") or found.metadata.annotations.get(DEFAULT_KEY_ANNOTATION, "")
    if not key:
        if reference is None:
            return Repository(root=root)
        raise TransferRefused(f"artifactRepositoryRef names no key of {name!r}, which has no default.", hint=_APPLY)
    if key not in found.data:
        raise TransferRefused(f"The ConfigMap {name!r} has no key {key!r} for an artifact repository.", hint=_APPLY)
    return parse_repository(found.data[key], root, where=f"{name}/{key}")


def parse_repository(text: str, root: Path, *, where: str) -> Repository:
    """A repository from its YAML. Raises TransferRefused that says `where` it stands."""
    import yaml

    try:
        given: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TransferRefused(f"The artifact repository {where} is not YAML.", hint=_APPLY) from error
    fields = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    kinds = [kind for kind in KEY_FIELD if isinstance(fields.get(kind), dict)]
    if len(kinds) != 1:
        raise TransferRefused(
            f"The artifact repository {where} has to be one of {', '.join(KEY_FIELD)}.", hint="Others run in a cluster."
        )
    return Repository(root=root, kind=kinds[0], fields=fields[kinds[0]])


_APPLY = "Apply the ConfigMap first: argosy apply -f FILE."


def repository_folder(home: Path) -> Path:
    """Where the default repository of a home keeps its files."""
    return home / "repository"
