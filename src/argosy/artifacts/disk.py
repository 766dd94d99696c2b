"""The few calls to the operating system on which the store's promises rest, in one place where tests make each fail.

It knows how to make bytes durable and how to share blocks; not what a blob or a tree is.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

CHUNK_BYTES = 1 << 20
# From linux/fs.h: make the file share the blocks of another file of the same file system.
FICLONE = 0x40049409
CANNOT_SHARE = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.EBADF}
# Past this many files one flush of the whole file system is cheaper than one flush for each.
FEW_FILES = 8


class Disk:
    """The real disk. Every method may raise OSError."""

    def create(self, path: Path | str, mode: int = 0o600) -> int:
        """Open a new file for writing; it must not exist."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def flush(self, descriptor: int) -> None:
        """Return when the bytes of this file would survive a power cut."""
        os.fsync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Put a complete file in its place in one step."""
        os.rename(source, target)

    def share_blocks(self, source: int, target: int) -> bool:
        """Make the empty file `target` a copy of `source` without copying; False where that cannot be."""
        try:
            fcntl.ioctl(target, FICLONE, source)
        except OSError as error:
            if error.errno in CANNOT_SHARE:
                return False
            raise
        return True

    def flush_paths(self, paths: Iterable[Path]) -> None:
        """Return when these files or folders would survive a power cut; all are of one file system."""
        paths = list(paths)
        if len(paths) > FEW_FILES and self.flush_file_system(paths[0]):
            return
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                self.flush(descriptor)
            finally:
                os.close(descriptor)

    def flush_file_system(self, path: Path) -> bool:
        """Flush the file system that holds `path`; False where the C library has no such call."""
        # Only needed once many objects are written at once.
        import ctypes

        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            return False
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if syncfs(descriptor) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(path))
        finally:
            os.close(descriptor)
        return True
