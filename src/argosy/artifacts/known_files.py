"""Which big files were hashed before and have not changed since, as Git's index tells it: by what `stat` says.

It knows when that can be trusted; where it is kept between commands is the caller's matter.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import msgspec

# A file that changed this shortly before it was read may change again without its times showing it: their steps are
# some milliseconds, on some network file systems seconds.
REST_NANOSECONDS = 3_000_000_000


class Identity(msgspec.Struct, frozen=True):
    """A file as `stat` sees it. ctime cannot be set back, as mtime can; a new file in an old inode has another."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Identity:
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class KnownFiles:
    """Digests (hex) of files by identity. look: of one that was learned before. learned: what is to be kept."""

    def __init__(self, look: Callable[[Identity], str | None], now_ns: Callable[[], int] = time.time_ns) -> None:
        self._look = look
        self._now_ns = now_ns
        self.learned: dict[Identity, str] = {}

    def digest(self, identity: Identity) -> str | None:
        """What the file holds, if it is known."""
        return self.learned.get(identity) or self._look(identity)

    def is_at_rest(self, identity: Identity) -> bool:
        """Whether a change from now on would show; to be asked before the file is read."""
        now = self._now_ns()
        return all(abs(now - at) > REST_NANOSECONDS for at in (identity.mtime_ns, identity.ctime_ns))

    def learn(self, before: Identity, after: Identity, hex_digest: str) -> None:
        """Keep what a file was found to hold that was at rest before it was read, if it did not change meanwhile."""
        if before == after:
            self.learned[before] = hex_digest
