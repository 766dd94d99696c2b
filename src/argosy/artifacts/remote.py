"""Blobs by key, wherever they are kept: a folder, anything fsspec speaks to, an object store.

It knows files and keys; not artifacts, archives or credentials. Keys are paths; a folder is only what keys share.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from argosy.artifacts.places import new_file
from argosy.artifacts.redaction import redact
from argosy.artifacts.troubles import ArtifactNotFound, TransferRefused, TransferTrouble, disk_errors

if TYPE_CHECKING:
    from obstore.store import ObjectStore

COPY_BYTES = 1 << 20
# What a file is called while it is being written.
PART = re.compile(r"\.[0-9a-f]{16}\.part")


class Blobs(Protocol):
    """Files by key. All methods may be called from several threads.

    ArtifactNotFound and TransferRefused are final, TransferTrouble may pass, StoreTrouble is about a local disk.
    """

    def put_file(self, path: Path, key: str) -> None:
        """Keep the file's bytes under `key`, over what is there: all of them or none."""
        ...

    def get_file(self, key: str, target: Path) -> None:
        """Write what is under `key` to the new file `target`; nothing stays there after an error."""
        ...

    def exists(self, key: str) -> bool:
        """Whether a file is under exactly `key`."""
        ...

    def list(self, prefix: str) -> list[str]:
        """The keys below the folder `prefix` (all keys for ""), sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove what is under `key`; nothing there is no error."""
        ...


class LocalBlobs:
    """Blobs in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_file(self, path: Path, key: str) -> None:
        """See `Blobs`."""
        place = self._place(key)
        part = place.parent / f".{os.urandom(8).hex()}.part"
        try:
            with disk_errors("write", place):
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, part)
                with part.open("rb") as file:
                    os.fsync(file.fileno())
                os.replace(part, place)
        finally:
            part.unlink(missing_ok=True)

    def get_file(self, key: str, target: Path) -> None:
        """See `Blobs`."""
        place = self._place(key)
        if not place.is_file():
            raise _not_found(str(place))
        with new_file(target) as file, disk_errors("read", place), place.open("rb") as source:
            shutil.copyfileobj(source, file, COPY_BYTES)

    def exists(self, key: str) -> bool:
        """See `Blobs`."""
        return self._place(key).is_file()

    def list(self, prefix: str) -> list[str]:
        """See `Blobs`."""
        top = self._place(prefix) if prefix.strip("/") else self.root
        with disk_errors("list", top):
            files = [path for path in top.rglob("*") if path.is_file() and not PART.fullmatch(path.name)]
        return sorted(path.relative_to(self.root).as_posix() for path in files)

    def delete(self, key: str) -> None:
        """See `Blobs`."""
        place = self._place(key)
        with (
            disk_errors("delete", place),
            contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError),
        ):
            place.unlink()

    def _place(self, key: str) -> Path:
        return self.root.joinpath(*key_parts(key))


class FsspecBlobs:
    """Blobs in any file system of fsspec, below `root` there."""

    def __init__(self, file_system: Any, root: str) -> None:
        self.file_system = file_system
        self.root = root.rstrip("/")

    def put_file(self, path: Path, key: str) -> None:
        """See `Blobs`."""
        with _fsspec_errors(self._place(key)):
            self.file_system.makedirs(self._place(key).rpartition("/")[0], exist_ok=True)
            self.file_system.put_file(str(path), self._place(key))

    def get_file(self, key: str, target: Path) -> None:
        """See `Blobs`."""
        if not self.exists(key):
            raise _not_found(self._place(key))
        with _fsspec_errors(self._place(key)):
            source = self.file_system.open(self._place(key), "rb")
        with new_file(target) as file, source:
            while True:
                with _fsspec_errors(self._place(key)):
                    data = source.read(COPY_BYTES)
                if not data:
                    break
                file.write(data)

    def exists(self, key: str) -> bool:
        """See `Blobs`."""
        with _fsspec_errors(self._place(key)):
            return bool(self.file_system.isfile(self._place(key)))

    def list(self, prefix: str) -> list[str]:
        """See `Blobs`."""
        top = self._place(prefix) if prefix.strip("/") else self.root
        with _fsspec_errors(top):
            if not self.file_system.isdir(top):
                return []
            found = [str(path) for path in self.file_system.find(top)]
        start = self.file_system._strip_protocol(self.root).rstrip("/") + "/"
        return sorted(path.removeprefix(start).lstrip("/") for path in found)

    def delete(self, key: str) -> None:
        """See `Blobs`."""
        with _fsspec_errors(self._place(key)), contextlib.suppress(FileNotFoundError):
            if self.file_system.isfile(self._place(key)):
                self.file_system.rm_file(self._place(key))

    def _place(self, key: str) -> str:
        return "/".join((self.root, *key_parts(key)))


class ObjectBlobs:
    """Blobs in a bucket of an object store that obstore speaks to: S3, Google Cloud Storage, Azure."""

    def __init__(
        self,
        store: ObjectStore,
        name: str,
        *,
        limit: int = 1 << 62,
        stop_if_cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.name = name
        self._limit = limit
        self._stop_if_cancelled = stop_if_cancelled

    def put_file(self, path: Path, key: str) -> None:
        """See `Blobs`."""
        import obstore

        with disk_errors("read", path):
            path.open("rb").close()
        with self._errors(key):
            obstore.put(self.store, _plain(key), path)

    def get_file(self, key: str, target: Path) -> None:
        """See `Blobs`."""
        import obstore

        with self._errors(key):
            answer = obstore.get(self.store, _plain(key))
            if answer.meta["size"] > self._limit:
                raise TransferRefused(f"{self.name}/{key} has more than the {self._limit} bytes that are allowed.")
            chunks = iter(answer.stream(min_chunk_size=COPY_BYTES))
        got = 0
        with new_file(target) as file:
            while True:
                self._stop_if_cancelled()
                with self._errors(key):
                    chunk = next(chunks, None)
                if chunk is None:
                    break
                got += file.write(chunk)
            if got != answer.meta["size"]:
                raise TransferTrouble(f"{self.name}/{key} broke off after {got} of {answer.meta['size']} bytes.")

    def exists(self, key: str) -> bool:
        """See `Blobs`."""
        import obstore

        try:
            with self._errors(key):
                obstore.head(self.store, _plain(key))
        except ArtifactNotFound:
            return False
        return True

    def list(self, prefix: str) -> list[str]:
        """See `Blobs`."""
        import obstore

        with self._errors(prefix):
            below = _plain(prefix) if prefix.strip("/") else None
            pages = obstore.list(self.store, below)  # pyright: ignore[reportUnknownMemberType]  # arrow's overloads
            return sorted(found["path"] for page in pages for found in page)

    def delete(self, key: str) -> None:
        """See `Blobs`."""
        import obstore

        with contextlib.suppress(ArtifactNotFound), self._errors(key):
            obstore.delete(self.store, _plain(key))

    @contextlib.contextmanager
    def _errors(self, key: str) -> Generator[None, None, None]:
        from obstore import exceptions

        where = f"{self.name}/{key}"
        try:
            yield
        except FileNotFoundError as error:
            raise _not_found(where, bucket="NoSuchBucket" in str(error) or "ContainerNotFound" in str(error)) from error
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise TransferRefused(f"{where} is not allowed: {_said(error)}.", hint="Check the credentials.") from error
        except (exceptions.BaseError, ValueError, OSError) as error:
            raise _object_error(where, error) from error


# Where a machine in a cloud would tell its own credentials: asked last.
METADATA_HOST = "169.254.169.254"
STATUS = re.compile(r"status code: (\d{3})")
# The codes and words of stores and networks that may pass although the status does not say so.
PASSING = re.compile(
    r"HTTP error|error decoding|RequestTimeout|SlowDown|InternalError|timed? ?out|reset", re.IGNORECASE
)


def _object_error(where: str, error: Exception) -> TransferRefused | TransferTrouble | ArtifactNotFound:
    said = _said(error)
    if METADATA_HOST in str(error):
        return TransferRefused(
            f"There are no credentials for {where}: neither the manifest nor this machine gives any.",
            hint="Name them in the manifest (accessKeySecret and the like), or set them in the environment.",
        )
    found = STATUS.search(str(error))
    status = int(found[1]) if found else None
    if status == 404:
        return _not_found(where, bucket=True)
    if status in (408, 429) or (status is not None and status >= 500):
        return TransferTrouble(f"{where}: {said}.")
    if status is None and not isinstance(error, ValueError) and PASSING.search(str(error)):
        return TransferTrouble(f"Cannot reach {where}: {said}.")
    return TransferRefused(
        f"{where}: {said}.", hint="Check the artifact's fields: endpoint, region, bucket, credentials."
    )


def _said(error: Exception) -> str:
    """The one sentence of an error of the library that is for people."""
    text = str(error).partition("\n\nDebug source")[0]
    if code := re.search(r"<Code>(\w+)</Code>(?:\s*<Message>([^<]*))?", text):
        return redact(f"{code[1]} {code[2] or ''}".strip().rstrip("."))
    return redact(text.splitlines()[0].rstrip(".: ")) if text.strip() else type(error).__name__


def key_parts(key: str) -> list[str]:
    """The components of a key. Raises TransferRefused for one that could lead elsewhere."""
    parts = [part for part in key.split("/") if part]
    if not parts or "\0" in key or any(part in (".", "..") for part in parts):
        raise TransferRefused(f"{key!r} cannot be a key.", hint="A key is a path without '.' and '..' in it.")
    return parts


def _plain(key: str) -> str:
    return "/".join(key_parts(key))


def _not_found(where: str, *, bucket: bool = False) -> ArtifactNotFound:
    if bucket:
        return ArtifactNotFound(f"The bucket of {where} does not exist.", hint="Check its name, or create it first.")
    return ArtifactNotFound(f"There is nothing at {where}.", hint="Check the key, and that the step that saves it ran.")


@contextlib.contextmanager
def _fsspec_errors(where: str) -> Generator[None, None, None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _not_found(where) from error
    except (PermissionError, IsADirectoryError, NotADirectoryError, ValueError) as error:
        raise TransferRefused(f"{where} is refused: {redact(str(error))}.") from error
    except Exception as error:
        # Any library may stand behind fsspec, each with errors of its own.
        raise TransferTrouble(f"{where}: {redact(str(error)) or type(error).__name__}.") from error
