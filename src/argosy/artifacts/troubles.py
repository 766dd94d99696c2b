"""The errors of this room: what can go wrong with stored and transferred artifacts.

It knows which of them are worth another try and which are final; not who tries again.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Generator
from pathlib import Path

from argosy.errors import ArgosyError, EnvironmentTrouble, NotFound


class StoreTrouble(EnvironmentTrouble):
    """The store or the disk beneath it cannot do what was asked; names the path and a remedy."""

    id = "store"


class ArchiveRefused(ArgosyError):
    """An archive is damaged or hostile, or asks for more than the limits allow. Final."""

    id = "archive-refused"


class ArtifactNotFound(NotFound):
    """Nothing is at the location of an artifact. Final."""

    id = "artifact-not-found"


class TransferRefused(ArgosyError):
    """The other side, or the manifest, makes this transfer impossible: trying again cannot help."""

    id = "transfer-refused"


class TransferTrouble(ArgosyError):
    """A transfer failed in a way that may pass: a timeout, a reset connection, a busy server."""

    id = "transfer"


class TransferCancelled(ArgosyError):
    """The transfer was stopped because its step was. Final."""

    id = "transfer-cancelled"


class LocationUnsupported(ArgosyError):
    """An artifact names a kind of location, or a field of one, that cannot be served here. Final."""

    id = "artifact-location"


REMEDIES = {
    errno.ENOSPC: "Free space on that disk, `argosy prune`, or move the home with --home or ARGOSY_HOME.",
    errno.EDQUOT: "The disk quota is used up: free space, or move the home with --home or ARGOSY_HOME.",
    errno.EROFS: "That file system is read-only: choose another home with --home or ARGOSY_HOME.",
    errno.EACCES: "Check who owns that path and its permissions.",
    errno.EPERM: "Check who owns that path and its permissions.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n) or run fewer steps at once (--jobs).",
    errno.EIO: "The disk reports an error: check it, and keep a copy of what can still be read.",
    errno.EEXIST: "Something is there already: remove it or choose another path.",
    errno.ENOTEMPTY: "Something is there already: remove it or choose another path.",
    errno.ENAMETOOLONG: "Choose shorter names: this file system does not take longer ones.",
}


_FULL = (errno.ENOSPC, errno.EDQUOT)


def raise_if_full(problem: Exception) -> None:
    """Raise the problem as an EnvironmentTrouble that names path and remedy, if its cause is a full disk."""
    cause = problem if isinstance(problem, OSError) else problem.__cause__
    if not isinstance(cause, OSError) or cause.errno not in _FULL:
        return
    if isinstance(problem, EnvironmentTrouble):
        raise problem
    raise store_trouble("write", cause.filename or "to the disk of the home", cause) from problem


def store_trouble(doing: str, path: Path | str, error: OSError) -> StoreTrouble:
    """The error to raise when the operating system refuses something at `path`."""
    reason = error.strerror or type(error).__name__
    hint = REMEDIES.get(error.errno or 0, "Check that path and the disk beneath it.")
    return StoreTrouble(f"Cannot {doing} {path}: {reason}.", hint=hint)


@contextlib.contextmanager
def disk_errors(doing: str, path: Path | str) -> Generator[None, None, None]:
    """Turn an OSError inside the block into a StoreTrouble that names `path`."""
    try:
        yield
    except OSError as error:
        raise store_trouble(doing, path, error) from error
