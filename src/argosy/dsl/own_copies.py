"""Files of the code that a step writes to: it gets a copy of its own where its folder has only a link to them.

It knows links and what Python tells of files that are opened. Other programs that a step starts, and libraries that
open files by themselves, are not seen.
"""

from __future__ import annotations

import os
import shutil
import sys
from _thread import get_ident
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR
# What changes the folder that its first argument, and its second for a rename, is in.
_CHANGES = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2}


def watch(folder: str, root: str) -> None:
    """From now on, what is written to in the folder is no link to something below root. Cannot be ended."""
    folder, root = os.path.realpath(folder), os.path.realpath(root) + os.sep
    busy: set[int] = set()

    def heard(event: str, given: tuple[Any, ...]) -> None:
        if (event != "open" and event not in _CHANGES) or get_ident() in busy:
            return
        busy.add(get_ident())
        try:
            if event != "open":
                for path in given[: _CHANGES[event]]:
                    _own(path, folder, root, itself=False)
            elif isinstance(given[2], int) and given[2] & _WRITES:
                _own(given[0], folder, root, itself=True)
        except OSError:
            # It goes on, and is told by the system what it cannot do.
            pass
        finally:
            busy.discard(get_ident())

    sys.addaudithook(heard)


def _own(path: Any, folder: str, root: str, *, itself: bool) -> None:
    """Make what lies on the way to a path, and the path itself, the folder's own. Raises OSError."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    place = os.path.abspath(os.fsdecode(path))  # pyright: ignore[reportUnknownArgumentType]
    if not place.startswith(folder + os.sep):
        return
    parts = place[len(folder) + 1 :].split(os.sep)
    at = folder
    for part in parts if itself else parts[:-1]:
        at = os.path.join(at, part)
        if os.path.islink(at) and os.path.realpath(at).startswith(root):
            _copied(at)


def _copied(link: str) -> None:
    """A file instead of a link to it; a folder with links to what is in it instead of a link to a folder."""
    target, making = os.path.realpath(link), f"{link}.{os.getpid()}.own"
    if os.path.isdir(target):
        os.mkdir(making)
        for entry in os.listdir(target):
            os.symlink(os.path.join(target, entry), os.path.join(making, entry))
        os.remove(link)
    else:
        shutil.copyfile(target, making)
        os.chmod(making, os.stat(target).st_mode | 0o200)
    os.rename(making, link)
