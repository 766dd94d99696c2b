"""Folders of attempts that are made ahead, while the driver has nothing to do but wait.

A step that follows another waits for its folder; renaming one into place costs a quarter of making it with its log. It
knows what the folder of an attempt with one container has in it when it is new, not which attempts there are.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress

# What an attempt's folder has from the beginning: where the step runs, and its own /tmp.
PARTS = ("work", "tmp")
LOG = "main.log"
MOST = 4


class Spares:
    """A few empty folders. `make` is for the driver's thread; `take` for any."""

    def __init__(self, folder: str) -> None:
        """folder: where they are kept, on the disk of the run's attempts. Another driver's spares are never touched."""
        self._folder = f"{folder}/{os.getpid()}"
        self._ready: deque[str] = deque()
        self._made = 0

    def make(self) -> None:
        """Make one more, if there are few. A disk that is full is found by who needs a folder, not here."""
        if len(self._ready) >= MOST:
            return
        self._made += 1
        path = f"{self._folder}/{self._made}"
        with suppress(OSError):
            if self._made == 1:
                os.makedirs(self._folder, exist_ok=True)
            os.mkdir(path)
            for part in PARTS:
                os.mkdir(f"{path}/{part}")
            os.close(os.open(f"{path}/{LOG}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
            self._ready.append(path)

    def take(self, target: str) -> bool:
        """Rename one to `target`; False when there is none, or something is at the target already."""
        try:
            os.rename(self._ready.popleft(), target)
        except (IndexError, OSError):
            return False
        return True

    def remove(self) -> None:
        """Leave none behind."""
        if not self._made:
            return
        with suppress(OSError):
            while self._ready:
                _unmake(self._ready.popleft())
        try:
            os.rmdir(self._folder)
        except OSError:
            # One is half made.
            import shutil

            shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            os.rmdir(os.path.dirname(self._folder))


def _unmake(path: str) -> None:
    os.unlink(f"{path}/{LOG}")
    for part in PARTS:
        os.rmdir(f"{path}/{part}")
    os.rmdir(path)
