"""The code of a run that its function steps share: one copy that is not written to, and links to it from each step.

It knows templates and folders; not who calls the functions.
"""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from argosy.artifacts.places import remove
from argosy.artifacts.troubles import disk_errors
from argosy.model.host_templates import CODE_ARTIFACT, FUNCTION, annotation
from argosy.model.manifest import Template
from argosy.runners.local.context import RunContext

FOLDER = "code"
_WRITE_BITS = 0o222
# Where a step's own files are to be: folders by name, None for what is laid there.
Own = dict[str, Any]


class SharedCode:
    """The copies of one run, by digest. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def folder(self, digest: str, context: RunContext) -> str:
        """The folder with that code, made if it is not there. Raises ArgosyError."""
        with self._lock:
            if digest not in self._known:
                self._known[digest] = _made(digest, context)
            return self._known[digest]


def _made(digest: str, context: RunContext) -> str:
    name = digest.rpartition(":")[2][:16] or "none"
    target = Path(context.folder, FOLDER, name).absolute()
    if target.exists():
        return str(target)
    making = target.with_name(f".{name}.{os.getpid()}")
    with disk_errors("make", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove(making)
    if digest:
        context.store.materialize(digest, making, writable=False)
    else:
        making.mkdir()
    with disk_errors("make", target):
        for folder, _, _ in os.walk(making, topdown=False):
            os.chmod(folder, os.stat(folder).st_mode & ~_WRITE_BITS)
        os.rename(making, target)
    return str(target)


def function_of(template: Template) -> str:
    """The function that a template calls with nothing but what a shared copy of the code gives it; "" if not so."""
    target = annotation(template, FUNCTION)
    if not target or template.container is None:
        return ""
    inputs, outputs = template.inputs, template.outputs
    if any(_is_all(one.path) for one in (outputs.artifacts if outputs is not None else ())):
        return ""
    for one in inputs.artifacts if inputs is not None else ():
        # The code in a folder of its own, or all that there is laid over it.
        if _is_all(one.path) != (one.name == CODE_ARTIFACT):
            return ""
    return target


def _is_all(path: str) -> bool:
    return bool(path) and posixpath.normpath(path) == "."


def without_code(template: Template) -> tuple[Template, str]:
    """The template without the code among its inputs, and the code's digest."""
    inputs = template.inputs
    if inputs is None:
        return template, ""
    rest = tuple(one for one in inputs.artifacts if one.name != CODE_ARTIFACT)
    digest = next((one.digest for one in inputs.artifacts if one.name == CODE_ARTIFACT), "")
    return replace(template, inputs=replace(inputs, artifacts=rest)), digest


def lay(root: str, work: str, inputs: Iterable[str], outputs: Iterable[str]) -> None:
    """Put links to all that is in the code's folder into a step's, which is empty.

    inputs, outputs: where in it the step's own files will be. Folders on the way there are its own, and so is what is
    in the code at the place of an output. May be called again. Raises OSError.
    """
    own: Own = {}
    for path in (*inputs, *outputs):
        if path and not path.startswith("/"):
            _mark(own, [part for part in posixpath.normpath(path).split("/") if part != ".."])
    _lay(root, work, own, {posixpath.normpath(path) for path in outputs}, "")


def _mark(own: Own, parts: list[str]) -> None:
    for part in parts[:-1]:
        if own.get(part) is None:
            own[part] = {}
        own = own[part]
    own.setdefault(parts[-1], None)


def _lay(root: str, work: str, own: Mapping[str, Any], outputs: set[str], above: str) -> None:
    with os.scandir(root) as entries:
        for entry in entries:
            name, place = entry.name, f"{work}/{entry.name}"
            path = f"{above}{name}"
            if name in own and own[name] is not None and entry.is_dir(follow_symlinks=False):
                os.makedirs(place, exist_ok=True)
                _lay(entry.path, place, own[name], outputs, f"{path}/")
            elif path in outputs:
                _copy(entry.path, place)
            else:
                with suppress(FileExistsError):
                    os.symlink(entry.path, place)


def _copy(source: str, place: str) -> None:
    """A copy that can be written to."""
    if os.path.lexists(place):
        return
    if not os.path.isdir(source) or os.path.islink(source):
        import shutil

        shutil.copy2(source, place, follow_symlinks=False)
        if not os.path.islink(place):
            os.chmod(place, os.stat(place).st_mode | 0o200)
        return
    os.mkdir(place)
    for name in os.listdir(source):
        _copy(f"{source}/{name}", f"{place}/{name}")
