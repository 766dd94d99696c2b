"""What differs between two runs, or between a run and the working folder: code, parameters, environment.

It knows files with digests, names with values, and texts; not runs nor how differences are shown.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Literal

import msgspec

from argosy.artifacts.store import Store
from argosy.artifacts.trees import parse_digest
from argosy.experiments.code_files import Listing, is_text
from argosy.experiments.python_environment import Environment
from argosy.experiments.snapshot import files_of, shown

Change = Literal["added", "removed", "changed"]
# Larger files are said to differ; comparing them line by line could take minutes.
LARGEST_BYTES = 4 << 20


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A file as one side has it. key: equal for equal content. read: its content."""

    key: str
    executable: bool
    size: int
    read: Callable[[], bytes]


class FileDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A file that differs. diff: unified, "" where only the mode differs or the content is not shown. note: why."""

    path: str
    change: Change
    diff: str = ""
    note: str = ""


class ValueDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A name whose value differs; before or after is None where there is none."""

    name: str
    change: Change
    before: str | None = None
    after: str | None = None


def stored_side(store: Store, digest: str) -> dict[str, Side]:
    """The files of a snapshot. Raises ArtifactNotFound, StoreTrouble."""
    found: dict[str, Side] = {}
    for path, entry in files_of(store, digest).items():
        if entry.kind == "link":
            found[path] = _link(entry.digest)
        else:
            found[path] = Side(
                key=entry.digest,
                executable=bool(entry.mode & 0o100),
                size=entry.size,
                read=lambda digest=entry.digest, size=entry.size: store.read_bytes(str(parse_digest(digest)), size),
            )
    return found


def working_side(listing: Listing) -> dict[str, Side]:
    """The files of a folder as they are now; each is hashed."""
    found: dict[str, Side] = {}
    for file in listing.files:
        place = listing.root / file.path
        if file.target:
            found[file.path] = _link(file.target)
        else:
            found[file.path] = Side(
                key=_hash(place),
                executable=file.executable,
                size=file.size,
                read=lambda place=place: place.read_bytes(),
            )
    return found


def _link(target: str) -> Side:
    return Side(key=f"-> {target}", executable=False, size=0, read=lambda: os.fsencode(f"link to {target}\n"))


def _hash(place: Path) -> str:
    with open(place, "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def code_differences(before: Mapping[str, Side], after: Mapping[str, Side]) -> list[FileDifference]:
    """The files that differ, by path. Raises what reading them raises."""
    found: list[FileDifference] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old is None or new is None or (old.key, old.executable) != (new.key, new.executable):
            found.append(_file_difference(path, old, new))
    return found


def _file_difference(path: str, old: Side | None, new: Side | None) -> FileDifference:
    change: Change = "added" if old is None else "removed" if new is None else "changed"
    name = shown(path)
    if old is not None and new is not None and old.key == new.key:
        return FileDifference(
            path=name, change=change, note=f"is {'now' if new.executable else 'no longer'} executable"
        )
    if max(one.size for one in (old, new) if one is not None) > LARGEST_BYTES:
        return FileDifference(path=name, change=change, note=f"too large to be shown: over {LARGEST_BYTES >> 20} MiB")
    contents = [one.read() if one is not None else b"" for one in (old, new)]
    if not all(is_text(one[: 1 << 13]) for one in contents):
        return FileDifference(path=name, change=change, note="binary")
    first, second = (one.decode("utf-8", "replace").splitlines(keepends=True) for one in contents)
    was, now = (f"a/{name}" if old is not None else "/dev/null", f"b/{name}" if new is not None else "/dev/null")
    made = (
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(first, second, was, now)
    )
    return FileDifference(path=name, change=change, diff="".join(made))


def value_differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[ValueDifference]:
    """The names whose values differ, by name."""
    found: list[ValueDifference] = []
    for name in sorted({*before, *after}, key=lambda name: (name.lower(), name)):
        old, new = before.get(name), after.get(name)
        if old != new:
            change: Change = "added" if old is None else "removed" if new is None else "changed"
            found.append(ValueDifference(name=name, change=change, before=old, after=new))
    return found


def values_of(environment: Environment | None) -> dict[str, str]:
    """An environment as names with values: what it ran in, and each package."""
    if environment is None:
        return {}
    found = {
        "python": f"{environment.implementation} {environment.version}",
        "interpreter": environment.interpreter,
        "host": environment.host,
        "system": environment.system,
        "cpus": str(environment.cpus),
        "driver": environment.driver,
        "cuda": environment.cuda,
        "gpus": "; ".join(environment.gpus),
    }
    packages = {f"package {name}": version for name, version in environment.packages.items()}
    return {name: value for name, value in found.items() if value} | packages
