"""Where artifacts are: the interface of every driver, and which driver serves which artifact.

It knows the kinds of location that a manifest can name (Argo docs: fields.md); not how any of them is spoken to.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import msgspec

from argosy.artifacts.limits import Limits
from argosy.artifacts.troubles import LocationUnsupported, TransferCancelled, TransferRefused
from argosy.model.manifest import ArtifactLocation, KeySelector


def _no_secret(selector: KeySelector) -> bytes:
    raise TransferRefused(
        f"The secret {selector.name!r} (key {selector.key!r}) is not known here.",
        hint="Apply it first: argosy apply -f FILE with a Secret of that name.",
    )


def _no_config(selector: KeySelector) -> str:
    raise TransferRefused(
        f"The ConfigMap {selector.name!r} (key {selector.key!r}) is not known here.",
        hint="Apply it first: argosy apply -f FILE with a ConfigMap of that name.",
    )


def _say_nothing(text: str) -> None:
    """The log of who asked for none."""


def _never() -> bool:
    return False


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver may ask of the run that it works for.

    secret: the value of a Secret's key; it raises when there is none. config: the same for ConfigMaps. log: takes a
    line for the step's log, without secrets. cancelled: asked now and then; once true the driver stops.
    timeout_seconds: the longest silence of the other side.
    """

    secret: Callable[[KeySelector], bytes] = _no_secret
    config: Callable[[KeySelector], str] = _no_config
    log: Callable[[str], None] = _say_nothing
    cancelled: Callable[[], bool] = _never
    limits: Limits = Limits()
    timeout_seconds: float = 60.0

    def stop_if_cancelled(self) -> None:
        """Raises TransferCancelled once the step is no longer wanted."""
        if self.cancelled():
            raise TransferCancelled("The transfer was stopped.")


class Driver(Protocol):
    """One kind of location. A driver keeps no state: it may be used from any thread and again after any error.

    Final: ArtifactNotFound, TransferRefused, LocationUnsupported, ArchiveRefused, TransferCancelled, StoreTrouble.
    TransferTrouble may pass: `retrying.Retrying` tries again. No error tells a secret.
    """

    def fetch(self, artifact: ArtifactLocation, target: Path, context: Context) -> None:
        """Put what is at the location at `target`, which does not exist: a file, or a folder."""
        ...

    def save(self, path: Path, artifact: ArtifactLocation, context: Context) -> None:
        """Put the file or folder `path` at the location, over what is there."""
        ...

    def list(self, artifact: ArtifactLocation, context: Context) -> list[str]:
        """The keys of all files at or below the location, sorted (data templates)."""
        ...

    def delete(self, artifact: ArtifactLocation, context: Context) -> None:
        """Remove what is at the location; nothing there is no error."""
        ...


# The driver of each kind, by module, so that what is not used is not imported.
DRIVERS: dict[str, tuple[str, str]] = {
    "raw": ("raw", "RawDriver"),
    "http": ("http", "HTTPDriver"),
    "artifactory": ("artifactory", "ArtifactoryDriver"),
    "git": ("git", "GitDriver"),
    "s3": ("s3", "S3Driver"),
    "gcs": ("clouds", "GCSDriver"),
    "azure": ("clouds", "AzureDriver"),
    "oss": ("clouds", "OSSDriver"),
    "hdfs": ("clouds", "HDFSDriver"),
}
KINDS = (*DRIVERS, "plugin")


def location_kind(artifact: ArtifactLocation) -> str | None:
    """The kind of location that an artifact names, or None. Raises LocationUnsupported when it names two."""
    named = [kind for kind in KINDS if getattr(artifact, kind) is not None]
    if len(named) > 1:
        raise LocationUnsupported(f"An artifact has two locations: {' and '.join(named)}.", hint="Leave one of them.")
    return named[0] if named else None


def driver_for(artifact: ArtifactLocation) -> Driver:
    """The driver that serves an artifact's location. Raises LocationUnsupported, by name, where there is none."""
    kind = location_kind(artifact)
    if kind is None:
        raise LocationUnsupported(
            "An artifact has no location.",
            hint="Give it one (s3, gcs, azure, oss, hdfs, http, git, artifactory, raw), or pass it with `from`.",
        )
    if kind == "plugin":
        plugin = str((artifact.plugin or {}).get("name", ""))
        raise LocationUnsupported(
            f"The artifact plugin {plugin!r} cannot be used here: plugins run in a cluster.",
            hint="Use another location: s3, gcs, azure, oss, hdfs, http, git, artifactory or raw.",
        )
    module, name = DRIVERS[kind]
    found = getattr(importlib.import_module(f"argosy.artifacts.drivers.{module}"), name)
    return cast(Driver, found())
