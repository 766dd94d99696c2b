"""The places that transfers write to: nothing there before, and nothing there after an error.

It knows paths of this machine only.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from argosy.artifacts.troubles import StoreTrouble, disk_errors

MEMORY = "/dev/shm"


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it; nothing there is no error. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def discard(folder: Path) -> None:
    """Remove a folder with all in it as far as that is possible, folders that nobody may write to among it."""
    import shutil

    for above, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            if not os.access(above, os.W_OK):
                os.chmod(above, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def memory_folder() -> Path | None:
    """A folder in memory that only this user can read, for what must not be on a disk; None where there is none."""
    for above in filter(None, (MEMORY, os.environ.get("XDG_RUNTIME_DIR", ""))):
        folder = Path(above, f"argosy-{os.geteuid()}")
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            # Anybody may make folders there: one of somebody else is not taken.
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
                return folder
    return None


def forget_in_memory(name: str) -> None:
    """Remove what is in memory under a name, as of a run that is over."""
    if (memory := memory_folder()) is not None and os.path.lexists(memory / name):
        import shutil

        shutil.rmtree(memory / name, ignore_errors=True)


@contextlib.contextmanager
def new_place(target: Path) -> Generator[None, None, None]:
    """A path where nothing is and the block makes a file or folder, removed again when the block fails.

    Raises StoreTrouble when something is there.
    """
    if os.path.lexists(target):
        raise StoreTrouble(
            f"Cannot write {target}: something is there already.", hint="Give a path that does not exist."
        )
    try:
        with disk_errors("write", target):
            yield
    except BaseException:
        with contextlib.suppress(OSError):
            remove(target)
        raise


@contextlib.contextmanager
def new_file(target: Path) -> Generator[BinaryIO, None, None]:
    """A new file, removed again when the block fails. Raises StoreTrouble."""
    with new_place(target), target.open("xb") as file:
        yield file
