"""Where on the host a file is that a step names by a path of its own.

It knows how each runtime lays a step's folder out: work/ and tmp/, root/ for what is wanted from elsewhere.
"""

from __future__ import annotations

import os.path
import posixpath
from collections.abc import Iterable

from argosy.runners.local.runtimes.runtime import Mount, StepSpec

ENGINES = ("podman", "docker")
# It starts plain processes too, and forks of them.
FUNCTION_RUNTIME = "function"
# Those whose steps see the machine as it is.
PLAIN = ("process", FUNCTION_RUNTIME)
ROOT = "root"
# What a step of a container engine names without a slash in front: below the image's own working folder.
RELATIVE = "relative"


def is_within(path: str, folder: str) -> bool:
    """Whether an absolute, normal path is that folder or below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def mount_at(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """The innermost mount that an absolute path is in, or is."""
    found = [mount for mount in mounts if is_within(path, posixpath.normpath(mount.target))]
    return max(found, key=lambda mount: len(posixpath.normpath(mount.target)), default=None)


def absolute_in_step(spec: StepSpec, path: str, runtime: str) -> str:
    """The path as the step would write it out, normal; "" if only the image knows, or if it is in work/."""
    if not path.startswith("/"):
        if not spec.working_dir.startswith("/"):
            return ""
        path = posixpath.join(spec.working_dir, path)
    # Two leading slashes mean something else to POSIX, and nothing here.
    return posixpath.normpath("/" + path.lstrip("/"))


def host_path(spec: StepSpec, path: str, runtime: str) -> str:
    """The host's path of what a step names `path`. For containers, what is not mounted is there after `retrieve`."""
    absolute = absolute_in_step(spec, path, runtime)
    if not absolute:
        if runtime in ENGINES:
            return posixpath.normpath(f"{spec.folder}/{RELATIVE}/{spec.working_dir}/{path}")
        return posixpath.normpath(f"{spec.folder}/work/{spec.working_dir}/{path}")
    mount = mount_at(absolute, spec.mounts)
    if mount is not None:
        target = posixpath.normpath(mount.target)
        return mount.source if absolute == target else os.path.join(mount.source, posixpath.relpath(absolute, target))
    if runtime == "process" or is_within(absolute, spec.folder):
        return absolute
    if is_within(absolute, "/tmp"):
        return f"{spec.folder}{absolute}"
    return f"{spec.folder}/{ROOT}{absolute}"


def needs_retrieval(spec: StepSpec, path: str, runtime: str) -> bool:
    """Whether a path is in neither a mount, nor work/, nor /tmp."""
    place = host_path(spec, path, runtime)
    return is_within(place, f"{spec.folder}/{ROOT}") or is_within(place, f"{spec.folder}/{RELATIVE}")
