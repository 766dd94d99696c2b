"""What a step that is a Python function runs: `python -m argosy.dsl.inside FILE.py:NAME`.

It knows the function, its arguments and where its results go, not who started it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from argosy.dsl import codec, layout
from argosy.dsl.builtin import Builtin
from argosy.dsl.loading import load_target
from argosy.dsl.own_copies import watch
from argosy.dsl.own_frames import show
from argosy.dsl.shapes import Dir, File, Json, Leaf, Many, Shape, Signature, Text, leaves, signature_of
from argosy.dsl.trouble import TraceError, WrongValue

# What a parameter may hold, in bytes: Argo keeps outputs in the workflow's status, where they are to stay small.
LARGEST = 256 << 10

# What is known of functions before they are called, by target.
_prepared: dict[str, tuple[object, Signature | None]] = {}


def call(target: str, root: Path) -> int:
    """Calls the function that a target names, found below root, and gives the exit code of the step.

    Its arguments come from the environment and the working folder, where its results go too.
    """
    found, signature = _prepared.get(target) or (load_target(target, root), None)
    folder = Path.cwd()
    if isinstance(found, Builtin):
        return found.run(folder, os.environ)
    if root.absolute() != folder:
        watch(str(folder), str(root))
    try:
        invoke(_function(found), os.environ, folder, signature)
    except (WrongValue, TraceError) as wrong:
        print(f"{target}: {wrong.message}" + (f"\n  {wrong.hint}" if wrong.hint else ""), file=sys.stderr)
        return 1
    return 0


def prepare(target: str, root: Path) -> None:
    """Finds a function and its types ahead of its calls. Raises what is wrong with it."""
    found = load_target(target, root)
    _prepared[target] = (found, None if isinstance(found, Builtin) else signature_of(_function(found)))


def _function(found: object) -> Callable[..., Any]:
    return cast("Callable[..., Any]", getattr(found, "function", found))


def invoke(
    function: Callable[..., Any], environment: Mapping[str, str], folder: Path, signature: Signature | None = None
) -> None:
    """Calls a function with a step's arguments, and leaves its results in the step's folder.

    Raises WrongValue when an argument or the result is not of the declared type, and what the function raises.
    """
    signature = signature or signature_of(function)
    result = function(**arguments(signature, environment, folder))
    leave(result, signature.result, folder, function.__qualname__)


def arguments(signature: Signature, environment: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """The arguments of a step's function, by name. Raises WrongValue."""
    found: dict[str, Any] = {}
    for name, shape in signature.parameters:
        parts: dict[str, Any] = {}
        missing: list[str] = []
        for leaf in leaves(shape, name):
            try:
                parts[leaf.name] = _part(leaf, environment, folder)
            except KeyError:
                missing.append(leaf.name)
        if missing and name in signature.defaults:
            continue
        if missing:
            raise WrongValue(f"{missing[0]} was not given", hint="the step was started without its arguments")
        try:
            found[name] = codec.whole(parts, shape, name)
        except WrongValue as wrong:
            raise WrongValue(f"{name}: {wrong.message}", hint=wrong.hint) from None
    return found


def _part(leaf: Leaf, environment: Mapping[str, str], folder: Path) -> Any:
    """The value of one leaf. Raises KeyError when it is not there."""
    shape = leaf.shape
    if isinstance(shape, File):
        place = folder / layout.taken(leaf.name)
        if place.exists():
            return Dir(place) if shape.folder else place
        if shape.optional:
            return None
        raise KeyError(leaf.name)
    text = _text(leaf, environment, folder)
    if isinstance(shape, Many):
        return elements(shape, text, folder / layout.taken(leaf.name))
    try:
        return codec.from_text(text, shape)
    except WrongValue as wrong:
        raise WrongValue(f"{leaf.name}: {wrong.message}", hint=wrong.hint) from None


def _text(leaf: Leaf, environment: Mapping[str, str], folder: Path) -> str:
    if not layout.is_filed(leaf):
        return environment[layout.variable(leaf.name)]
    try:
        # Not read_text, which would change the ends of lines.
        return (folder / layout.filed(leaf.name)).read_bytes().decode()
    except FileNotFoundError:
        raise KeyError(leaf.name) from None


def elements(shape: Many, text: str, folder: Path) -> list[Any]:
    """The elements of a list with files, from its parameter's text and its folder."""
    return _many(shape, json.loads(text), folder)


def _many(shape: Many, rows: list[Any], folder: Path) -> list[Any]:
    """The elements of a list with files: the other parts of each, and its folder."""
    made: list[Any] = []
    for index, row in enumerate(rows):
        parts: dict[str, Any] = {}
        for leaf in leaves(shape.element, ""):
            if isinstance(leaf.shape, File):
                place = folder / str(index) / leaf.name
                there = Dir(place) if leaf.shape.folder else place
                parts[leaf.name] = there if place.exists() or not leaf.shape.optional else None
            elif isinstance(leaf.shape, Many):
                parts[leaf.name] = _many(leaf.shape, row[leaf.name], folder / str(index) / leaf.name)
            else:
                parts[leaf.name] = _row_value(row[leaf.name], leaf.shape)
        made.append(codec.whole(parts, shape.element, ""))
    return made


def _row_value(data: Any, shape: Text | Json) -> Any:
    return codec.built(data, shape.type)


def leave(result: Any, shape: Shape, folder: Path, name: str) -> None:
    """Leaves a result where the template's outputs are. Raises WrongValue when it is not of the declared type."""
    out = folder / layout.FOLDER / "out"
    try:
        parts = codec.parts(result, shape, "")
        if parts:
            out.mkdir(parents=True, exist_ok=True)
        for leaf in leaves(shape, ""):
            _leave_part(parts[leaf.name], leaf.shape, out, leaf.name)
    except WrongValue as wrong:
        raise WrongValue(f"{name} returned a wrong value: {wrong.message}", hint=wrong.hint) from None


def _leave_part(value: Any, shape: Text | Json | File | Many, out: Path, name: str) -> None:
    if isinstance(shape, File):
        if value is not None or not shape.optional:
            _leave_file(value, shape, out / name)
        return
    text = (
        codec.to_json(_leave_many(value, shape, out / name)) if isinstance(shape, Many) else codec.to_text(value, shape)
    )
    data = _encoded(text, name)
    if len(data) > LARGEST:
        raise WrongValue(
            f"{name} is {len(data) >> 10} KiB, and a value that passes between steps is at most {LARGEST >> 10} KiB",
            hint="write it to a file and return its Path",
        )
    # Argo takes one newline from the end of what it reads; this one, and not one of the value's own.
    (out / f"{name}.text").write_bytes(data + b"\n" if data.endswith(b"\n") else data)


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise WrongValue(f"{name} is no Unicode text: it has half of a character in it") from None


def _leave_file(value: Any, shape: File, target: Path) -> None:
    if not isinstance(value, (Path, str)):
        raise WrongValue(f"{type(value).__name__} is returned where a Path is declared")
    source = Path(value)
    if not source.exists():
        raise WrongValue(f"there is no file {source}", hint="write it before it is returned")
    if shape.folder and not source.is_dir():
        raise WrongValue(f"{source} is no folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, copy_function=_linked)
    else:
        _linked(str(source), str(target))


def _linked(source: str, target: str) -> None:
    """A file at another place too; the same file where that is possible, since its step is over."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)


def _leave_many(values: Any, shape: Many, folder: Path) -> list[Any]:
    """Writes the files of a list's elements, and gives the other parts of each."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Any] = []
    for index, value in enumerate(values):
        parts = codec.parts(value, shape.element, "")
        row: dict[str, Any] = {}
        for leaf in leaves(shape.element, ""):
            place = folder / str(index) / leaf.name
            if isinstance(leaf.shape, File):
                if parts[leaf.name] is not None or not leaf.shape.optional:
                    _leave_file(parts[leaf.name], leaf.shape, place)
            elif isinstance(leaf.shape, Many):
                row[leaf.name] = _leave_many(parts[leaf.name], leaf.shape, place)
            else:
                row[leaf.name] = codec.plain(parts[leaf.name], leaf.shape.type)
        rows.append(row)
    return rows


if __name__ == "__main__":
    sys.excepthook = show
    sys.exit(call(sys.argv[1], Path.cwd()))
