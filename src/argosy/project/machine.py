"""What works on this machine: everything that a run may need, tried.

It knows what to try; how each thing works is its own room's matter.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from argosy.errors import ArgosyError

if TYPE_CHECKING:
    from argosy.project.project import Project

PACKAGES = ("click", "msgspec", "PyYAML", "rich", "google-re2", "jsonpath-ng", "python-dateutil")
EXTRAS = (("obstore", "s3 artifacts", "s3"), ("jq", "jqFilter", "jq"), ("fsspec", "hdfs artifacts", "hdfs"))
LOW_DISK_BYTES = 1 << 30
GIB = 1 << 30


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried. state: trouble stops every run; a note stops nothing, or only what asks for it."""

    what: str
    state: Literal["ok", "note", "trouble"]
    text: str
    hint: str = ""


def examine(project: Project) -> list[Look]:
    """Try everything."""
    looks: list[Callable[[Project], list[Look]]] = [
        _versions,
        _record,
        _home,
        _configuration,
        _secrets,
        _runtimes,
        _resources,
        _extras,
    ]
    return [found for look in looks for found in look(project)]


def _versions(project: Project) -> list[Look]:
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return [
        Look(what="argosy", state="ok", text=f"{_version('argosy')} on Python {platform.python_version()}, {system}"),
        Look(what="packages", state="ok", text=packages),
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _record(project: Project) -> list[Look]:
    text = f"SQLite {sqlite3.sqlite_version}"
    if not project.home.record.exists():
        return [Look(what="record", state="ok", text=f"{text}; no runs yet")]
    try:
        runs = len(project.queries.runs())
        mode = project.journal.database.rows("PRAGMA journal_mode")[0][0]
    except ArgosyError as error:
        return [Look(what="record", state="trouble", text=error.message, hint=error.hint)]
    size = project.home.record.stat().st_size / GIB
    return [Look(what="record", state="ok", text=f"{text}, {runs} runs, {size:.2f} GiB, journal mode {mode}")]


def _home(project: Project) -> list[Look]:
    """The folder can be made and written, the disk has space, and locks hold between processes."""
    folder = project.home.folder
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    if not os.access(existing, os.W_OK):
        hint = "choose another one with --home or ARGOSY_HOME"
        return [Look(what="home", state="trouble", text=f"{folder} cannot be written", hint=hint)]
    free = shutil.disk_usage(existing).free
    low = free < LOW_DISK_BYTES
    hint = "argosy prune removes what is no longer wanted" if low else ""
    space = Look(what="home", state="note" if low else "ok", text=f"{folder}, {free / GIB:.1f} GiB free", hint=hint)
    return [space, _locks(existing)]


def _locks(folder: Path) -> Look:
    import fcntl
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder) as first:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with open(f"/proc/self/fd/{first.fileno()}", "rb") as second:
                try:
                    fcntl.flock(second, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return Look(what="locks", state="ok", text="file locks hold")
    except OSError as error:
        return Look(what="locks", state="note", text=f"file locks could not be tried: {error.strerror}")
    return Look(
        what="locks",
        state="trouble",
        text="this file system does not hold file locks",
        hint="choose a folder of a local disk with --home or ARGOSY_HOME",
    )


def _configuration(project: Project) -> list[Look]:
    from argosy.project.home import CONFIGURATION

    path = project.folder / CONFIGURATION
    try:
        given = project.configuration
    except ArgosyError as error:
        return [Look(what=CONFIGURATION, state="trouble", text=error.message, hint=error.hint)]
    if not path.exists():
        return [Look(what=CONFIGURATION, state="ok", text="none, and none is needed")]
    return [Look(what=CONFIGURATION, state="ok", text=f"{path}, runtime {given.runtime}, {len(given.images)} images")]


def _secrets(project: Project) -> list[Look]:
    """Where the key is, or will be, and where files with secrets lie while steps run."""
    from argosy.artifacts.places import memory_folder
    from argosy.secrets.keys import KEY_FILE, find_key, key_file, keyring_name

    memory = memory_folder()
    files = f"files of steps in {memory}" if memory else "files of steps on the disk, for there is no folder in memory"
    try:
        key = find_key()
    except ArgosyError as error:
        return [Look(what="secrets", state="note", text=error.message, hint=error.hint)]
    if key is not None:
        place = f"their key is in {key.place}"
    else:
        name = "" if os.environ.get(KEY_FILE) else keyring_name()
        place = f"their key will be in {f'the keyring {name}' if name else key_file()}"
    return [Look(what="secrets", state="ok" if memory else "note", text=f"{place}; {files}")]


def _runtimes(project: Project) -> list[Look]:
    from argosy.project.submission import runtime_options
    from argosy.runners.local.runtimes.choose import NAMES, make

    found: list[Look] = []
    works: list[str] = []
    try:
        options = runtime_options(project.configuration)
    except ArgosyError:
        options = None
    for name in NAMES[1:]:
        trouble = _trouble(name, options, make)
        if not trouble:
            works.append(name)
        found.append(Look(what=f"runtime {name}", state="note" if trouble else "ok", text=trouble or "works"))
    best = works[0] if works else "none"
    found.append(Look(what="auto", state="ok" if works else "trouble", text=f"takes {best} if it can get the images"))
    return found


def _trouble(name: str, options: object, make: Callable[..., object]) -> str:
    from argosy.runners.local.runtimes.host import is_installed

    if name in ("podman", "docker") and not is_installed(name):
        return "not installed"
    runtime: object = make(name, options)
    trouble: str = getattr(runtime, "trouble")()  # noqa: B009
    return trouble


def _resources(project: Project) -> list[Look]:
    from argosy.runners.local.resources import machine_capacity

    capacity = machine_capacity()
    gpus = ", ".join(str(index) for index in capacity.gpus) or "none"
    text = f"{capacity.cpus:g} CPUs, {capacity.memory_bytes / GIB:.1f} GiB of memory, GPUs: {gpus}"
    return [Look(what="machine", state="ok", text=text)]


def _extras(project: Project) -> list[Look]:
    from importlib.util import find_spec

    found: list[Look] = []
    for package, what, extra in EXTRAS:
        if find_spec(package) is not None:
            found.append(Look(what=what, state="ok", text=f"{package} {_version(package)}"))
        else:
            hint = f"{sys.executable} -m pip install 'argosy[{extra}]'"
            found.append(Look(what=what, state="note", text=f"{package} is not installed", hint=hint))
    git = shutil.which("git")
    found.append(Look(what="git artifacts", state="ok" if git else "note", text=git or "git is not installed"))
    return found
