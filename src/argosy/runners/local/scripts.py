"""The source of a script template as a file that its interpreter is given.

It knows where Argo puts it, not what is in it.
"""

from __future__ import annotations

import os

from argosy.runners.local.runtimes.runtime import Mount

# Argo's place; other programs (and people) look for it there.
SCRIPT_PATH = "/argo/staging/script"
STAGING = "staging"


def place_script(folder: str, source: str, runtime: str, *, fresh: bool) -> tuple[str, tuple[Mount, ...]]:
    """The script's path as the step sees it, and the mount that brings it there.

    fresh: False when the step may be reading it already: then it is left alone.
    """
    path = f"{folder}/{STAGING}/script"
    if fresh:
        os.mkdir(f"{folder}/{STAGING}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            os.fchmod(descriptor, 0o755)
            data = memoryview(source.encode())
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)
    if runtime == "process":
        return path, ()
    return SCRIPT_PATH, (Mount(source=path, target=SCRIPT_PATH, read_only=True),)
