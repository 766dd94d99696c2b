"""Artifacts of the default repository: files and folders below one folder of this machine.

It knows paths; a key of an artifact is a path below its root.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from argosy.artifacts.locations import Context, location_kind
from argosy.artifacts.places import new_place, remove
from argosy.artifacts.remote import key_parts
from argosy.artifacts.repositories import location_key
from argosy.artifacts.troubles import ArtifactNotFound, disk_errors
from argosy.model.manifest import ArtifactLocation


class LocalDriver:
    """Any location whose bucket is this machine: only its key counts."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def fetch(self, artifact: ArtifactLocation, target: Path, context: Context) -> None:
        """Copy what is at the key: a file or a folder. Raises ArtifactNotFound, StoreTrouble."""
        place = self._place(artifact)
        if not os.path.lexists(place):
            raise ArtifactNotFound(
                f"There is nothing at {self._key(artifact)} in the repository {self.root}.",
                hint="Check the key, and that the step that saves it ran.",
            )
        with new_place(target):
            _copy(place, target)

    def save(self, path: Path, artifact: ArtifactLocation, context: Context) -> None:
        """Copy to the key, over what is there. Raises StoreTrouble."""
        place = self._place(artifact)
        with disk_errors("write", place):
            place.parent.mkdir(parents=True, exist_ok=True)
        part = place.parent / f".{os.urandom(8).hex()}.part"
        try:
            with new_place(part):
                _copy(path, part)
            with disk_errors("write", place):
                if part.is_dir() or place.is_dir():
                    remove(place)
                os.replace(part, place)
        finally:
            remove(part)

    def list(self, artifact: ArtifactLocation, context: Context) -> list[str]:
        """The keys of all files at or below the key. Raises ArtifactNotFound, StoreTrouble."""
        place = self._place(artifact) if self._key(artifact).strip("/") else self.root
        if place.is_file():
            return ["/".join(key_parts(self._key(artifact)))]
        if not place.is_dir():
            raise ArtifactNotFound(f"There is nothing at {self._key(artifact)} in the repository {self.root}.")
        with disk_errors("list", place):
            return sorted(path.relative_to(self.root).as_posix() for path in place.rglob("*") if path.is_file())

    def delete(self, artifact: ArtifactLocation, context: Context) -> None:
        """Remove what is at the key. Raises StoreTrouble."""
        place = self._place(artifact)
        with disk_errors("delete", place):
            remove(place)

    def _key(self, artifact: ArtifactLocation) -> str:
        return location_key(artifact, location_kind(artifact) or "")

    def _place(self, artifact: ArtifactLocation) -> Path:
        return self.root.joinpath(*key_parts(self._key(artifact)))


def _copy(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copy2(path, target, follow_symlinks=False)
