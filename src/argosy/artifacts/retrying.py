"""Trying again what may pass: the same interfaces around any driver or any blobs.

It knows when to wait and how long; not what is tried.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from argosy.artifacts.locations import Context, Driver
from argosy.artifacts.troubles import TransferTrouble
from argosy.model.manifest import ArtifactLocation

if TYPE_CHECKING:
    from argosy.artifacts.remote import Blobs

Result = TypeVar("Result")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long. attempts: all together. The wait doubles up to max_seconds; jitter takes off up to half.

    random: a number from 0 to 1. sleep: waits so many seconds.
    """

    attempts: int = 5
    first_seconds: float = 1.0
    max_seconds: float = 30.0
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def wait_seconds(self, failures: int) -> float:
        """How long to wait after so many failures."""
        full = min(self.max_seconds, self.first_seconds * 2 ** (failures - 1))
        return full * (1 - self.random() / 2)

    def keep_trying(self, attempt: Callable[[], Result], failed: Callable[[TransferTrouble, float], None]) -> Result:
        """What `attempt` returns in the end. `failed` is told of each failure and of the wait that follows.

        Raises what `attempt` raises, TransferTrouble only after the last try.
        """
        failures = 0
        while True:
            try:
                return attempt()
            except TransferTrouble as error:
                failures += 1
                if failures >= self.attempts:
                    tries = "try" if failures == 1 else "tries"
                    raise TransferTrouble(f"{error.message} ({failures} {tries})", hint=error.hint) from error
                seconds = self.wait_seconds(failures)
                failed(error, seconds)
                self.sleep(seconds)


class RetryingDriver:
    """A driver that tries again what its inner driver calls passing."""

    def __init__(self, inner: Driver, patience: Patience | None = None) -> None:
        self.inner = inner
        self.patience = patience or Patience()

    def fetch(self, artifact: ArtifactLocation, target: Path, context: Context) -> None:
        """As the inner driver, which leaves nothing at `target` when it fails."""
        self._try(lambda: self.inner.fetch(artifact, target, context), context)

    def save(self, path: Path, artifact: ArtifactLocation, context: Context) -> None:
        """As the inner driver."""
        self._try(lambda: self.inner.save(path, artifact, context), context)

    def list(self, artifact: ArtifactLocation, context: Context) -> list[str]:
        """As the inner driver."""
        return self._try(lambda: self.inner.list(artifact, context), context)

    def delete(self, artifact: ArtifactLocation, context: Context) -> None:
        """As the inner driver."""
        self._try(lambda: self.inner.delete(artifact, context), context)

    def _try(self, attempt: Callable[[], Result], context: Context) -> Result:
        def failed(error: TransferTrouble, seconds: float) -> None:
            context.log(f"{error.message} Trying again in {seconds:.1f} s.")
            context.stop_if_cancelled()

        return self.patience.keep_trying(attempt, failed)


class RetryingBlobs:
    """Blobs that try again what their inner blobs call passing."""

    def __init__(self, inner: Blobs, patience: Patience | None = None) -> None:
        self.inner = inner
        self.patience = patience or Patience()

    def put_file(self, path: Path, key: str) -> None:
        """As the inner blobs."""
        self._try(lambda: self.inner.put_file(path, key))

    def get_file(self, key: str, target: Path) -> None:
        """As the inner blobs, which leave nothing at `target` when they fail."""
        self._try(lambda: self.inner.get_file(key, target))

    def exists(self, key: str) -> bool:
        """As the inner blobs."""
        return self._try(lambda: self.inner.exists(key))

    def list(self, prefix: str) -> list[str]:
        """As the inner blobs."""
        return self._try(lambda: self.inner.list(prefix))

    def delete(self, key: str) -> None:
        """As the inner blobs."""
        self._try(lambda: self.inner.delete(key))

    def _try(self, attempt: Callable[[], Result]) -> Result:
        return self.patience.keep_trying(attempt, lambda error, seconds: None)
