"""Artifacts whose content stands in the manifest (Argo docs: fields.md, RawArtifact).

It knows nothing outside the manifest.
"""

from __future__ import annotations

from pathlib import Path

from argosy.artifacts.locations import Context
from argosy.artifacts.places import new_file
from argosy.artifacts.troubles import LocationUnsupported
from argosy.model.manifest import ArtifactLocation


class RawDriver:
    """`raw: {data: ...}`: can only be fetched."""

    def fetch(self, artifact: ArtifactLocation, target: Path, context: Context) -> None:
        """Write the data to `target`. Raises StoreTrouble."""
        data = artifact.raw.data if artifact.raw else ""
        with new_file(target) as file:
            file.write(data.encode("utf-8", "surrogateescape"))

    def save(self, path: Path, artifact: ArtifactLocation, context: Context) -> None:
        """Raises LocationUnsupported."""
        raise LocationUnsupported(
            "A raw artifact cannot be an output.", hint="Give the output another location, or none."
        )

    def list(self, artifact: ArtifactLocation, context: Context) -> list[str]:
        """Raises LocationUnsupported."""
        raise LocationUnsupported(
            "A raw artifact has no files to list.", hint="List an s3, gcs, azure or oss location."
        )

    def delete(self, artifact: ArtifactLocation, context: Context) -> None:
        """Raises LocationUnsupported."""
        raise LocationUnsupported("A raw artifact cannot be deleted: it stands in the manifest.")
