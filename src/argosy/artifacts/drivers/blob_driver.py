"""What all drivers of object stores share: a key is a file, or else a folder of keys.

It knows artifacts and blobs; not how any store is reached: each driver says so with `open_blobs`.
"""

from __future__ import annotations

import abc
import contextlib
from pathlib import Path

from argosy.artifacts.credentials import Credentials
from argosy.artifacts.locations import Context
from argosy.artifacts.places import new_place
from argosy.artifacts.remote import Blobs, key_parts
from argosy.artifacts.troubles import ArtifactNotFound, TransferRefused, store_trouble
from argosy.model.manifest import ArtifactLocation


class BlobDriver(abc.ABC):
    """A driver on top of blobs."""

    @abc.abstractmethod
    def open_blobs(
        self, artifact: ArtifactLocation, credentials: Credentials, context: Context, *, to_write: bool
    ) -> tuple[Blobs, str]:
        """(the blobs that hold the artifact, its key). Raises as `locations.Driver` says."""

    def fetch(self, artifact: ArtifactLocation, target: Path, context: Context) -> None:
        """The file at the key, or else a folder of all that is below it."""
        credentials = Credentials(context)
        with credentials.guarded():
            blobs, key = self.open_blobs(artifact, credentials, context, to_write=False)
            key_parts(key)
            missing: ArtifactNotFound | None = None
            if not key.endswith("/"):
                try:
                    blobs.get_file(key, target)
                except ArtifactNotFound as error:
                    missing = error
                else:
                    return
            self._fetch_folder(blobs, key, target, context, missing)

    def _fetch_folder(
        self, blobs: Blobs, key: str, target: Path, context: Context, missing: ArtifactNotFound | None
    ) -> None:
        keys = blobs.list(key)
        if not keys:
            raise missing or ArtifactNotFound(f"There is nothing below {key}.", hint="Check the key.")
        top = "/".join(key_parts(key)) + "/"
        with new_place(target):
            for found in keys:
                context.stop_if_cancelled()
                if not found.startswith(top):
                    raise TransferRefused(f"The store lists {found!r} below {key!r}.", hint="Check the endpoint.")
                place = target.joinpath(*key_parts(found.removeprefix(top)))
                place.parent.mkdir(parents=True, exist_ok=True)
                blobs.get_file(found, place)

    def save(self, path: Path, artifact: ArtifactLocation, context: Context) -> None:
        """A file at the key; of a folder each file below the key. Links are followed, empty folders are not kept."""
        credentials = Credentials(context)
        with credentials.guarded():
            blobs, key = self.open_blobs(artifact, credentials, context, to_write=True)
            if not path.is_dir():
                blobs.put_file(path, key)
                return
            for file in self._files(path):
                context.stop_if_cancelled()
                blobs.put_file(file, f"{key.rstrip('/')}/{file.relative_to(path).as_posix()}")

    def _files(self, path: Path) -> list[Path]:
        try:
            return sorted(found for found in path.rglob("*") if found.is_file())
        except OSError as error:
            raise store_trouble("read", path, error) from error

    def list(self, artifact: ArtifactLocation, context: Context) -> list[str]:
        """The keys at or below the artifact's key."""
        credentials = Credentials(context)
        with credentials.guarded():
            blobs, key = self.open_blobs(artifact, credentials, context, to_write=False)
            keys = blobs.list(key)
            if not keys:
                if not key.strip("/"):
                    return []
                if not blobs.exists(key):
                    raise ArtifactNotFound(f"There is nothing at or below {key}.", hint="Check the key.")
                return [key]
            return keys

    def delete(self, artifact: ArtifactLocation, context: Context) -> None:
        """Remove the file at the key, and what is below it when the key ends with "/" or names a folder."""
        credentials = Credentials(context)
        with credentials.guarded():
            blobs, key = self.open_blobs(artifact, credentials, context, to_write=True)
            if not key.endswith("/"):
                blobs.delete(key)
            with contextlib.suppress(ArtifactNotFound):
                for found in blobs.list(key):
                    context.stop_if_cancelled()
                    blobs.delete(found)
