"""The flags of a Python module that only running it can tell: an interpreter is asked, up to where it parses them.

It knows argparse and click as they are inside; what comes of the answer is the front-end's matter.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from argosy.dialects.guild.program import module_file_name
from argosy.dialects.guild.surroundings import Imported

SECONDS = 60.0
_MARK = "argosy-flags:"
# Runs a module until it parses its arguments, tells what it would take, and ends the process there.
_QUESTION = r"""
import json, os, runpy, sys

file, folder, words = sys.argv[1], sys.argv[2], sys.argv[3:]
told = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

def plain(value):
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return str(value)

def tell(found):
    told.write("argosy-flags:" + json.dumps(found) + "\n")
    told.flush()
    os._exit(0)

KINDS = {int: "int", float: "float", str: "string", bool: "boolean"}

def of_argparse(parser, *_, **__):
    found = []
    for action in parser._actions:
        names = [one for one in action.option_strings if one.startswith("--")]
        kind = type(action).__name__
        if not names or kind not in ("_StoreAction", "_StoreTrueAction", "_StoreFalseAction", "BooleanOptionalAction"):
            continue
        one = {"name": names[0].lstrip("-"), "description": action.help or "", "required": bool(action.required)}
        if action.default is not None and action.default != "==SUPPRESS==":
            one["default"] = plain(action.default)
        if kind in ("_StoreTrueAction", "_StoreFalseAction"):
            one["switch"] = kind == "_StoreTrueAction"
            one["type"] = "boolean"
        else:
            one["type"] = "" if action.nargs not in (None, "?") else KINDS.get(action.type, "")
        if action.choices:
            one["choices"] = [plain(choice) for choice in action.choices]
        if action.nargs not in (None, "?", 0):
            one["split"] = True
            if isinstance(one.get("default"), list):
                one["default"] = " ".join(str(each) for each in one["default"])
        found.append(one)
    tell(found)

def of_click(command, *_, **__):
    found = []
    for option in command.params:
        names = [one for one in getattr(option, "opts", ()) if one.startswith("--")]
        if type(option).__name__ != "Option" or not names:
            continue
        one = {"name": names[0].lstrip("-"), "description": option.help or "", "required": bool(option.required)}
        default = option.default
        if isinstance(default, (str, int, float, bool, list, tuple)):
            one["default"] = plain(default)
        if option.is_flag and not option.secondary_opts:
            one["switch"] = True
            one["type"] = "boolean"
            one["default"] = bool(default) if isinstance(default, bool) else False
        else:
            kind = type(option.type).__name__
            one["type"] = {"IntParamType": "int", "IntRange": "int", "FloatParamType": "float", "FloatRange": "float",
                           "StringParamType": "string", "BoolParamType": "boolean"}.get(kind, "")
        if getattr(option.type, "choices", None):
            one["choices"] = [plain(choice) for choice in option.type.choices]
        found.append(one)
    tell(found)

import argparse
argparse.ArgumentParser.parse_known_args = of_argparse
try:
    import click
except ImportError:
    pass
else:
    base = getattr(click, "Command")
    base.main = of_click
    base.__call__ = of_click
sys.path[0:1] = [folder, os.getcwd()]
sys.argv = [file, *words]
runpy.run_path(file, run_name="__main__")
tell([])
"""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    default: Any = msgspec.UNSET
    type: str = ""
    choices: tuple[Any, ...] = ()
    description: str = ""
    required: bool = False
    switch: Any = msgspec.UNSET
    split: bool = False


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and the state of the files that it may depend on."""

    state: str
    answer: list[_Answer]


def asker(interpreter: str, folder: Path, cache: Path | None) -> Any:
    """A function that asks for the flags of a module. cache: a file to keep answers in, None for none."""

    def ask(module: str, words: Sequence[str]) -> list[Imported] | None:
        for name in module_file_name(module, [""]):
            file = folder / name
            if file.is_file():
                found = _asked(interpreter, folder, file, words, cache)
                return None if found is None else [_imported(one) for one in found]
        return None

    return ask


def _imported(one: _Answer) -> Imported:
    return Imported(**{name: getattr(one, name) for name in one.__struct_fields__})


def _asked(
    interpreter: str, folder: Path, file: Path, words: Sequence[str], cache: Path | None
) -> list[_Answer] | None:
    key = f"{interpreter} {file} {' '.join(words)}"
    state = _state(folder)
    known = _read(cache)
    if key in known and known[key].state == state:
        return known[key].answer
    answer = _run(interpreter, folder, file, words)
    if answer is not None and cache is not None and cache.parent.is_dir():
        known[key] = _Known(state=state, answer=answer)
        part = cache.with_name(f"{cache.name}.{os.getpid()}.part")
        part.write_bytes(msgspec.json.encode(known))
        part.replace(cache)
    return answer


def _state(folder: Path) -> str:
    """When and how big the project's Python files are: what the module imports of the project is among them."""
    newest, size = 0, 0
    for place, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".") and one not in ("__pycache__", "node_modules")]
        for name in names:
            if name.endswith(".py"):
                found = os.stat(os.path.join(place, name))
                newest, size = max(newest, found.st_mtime_ns), size + found.st_size + 1
    return f"{newest}-{size}"


def _read(cache: Path | None) -> dict[str, _Known]:
    if cache is None:
        return {}
    try:
        return msgspec.json.decode(cache.read_bytes(), type=dict[str, _Known])
    except (OSError, msgspec.DecodeError):
        return {}


def _run(interpreter: str, folder: Path, file: Path, words: Sequence[str]) -> list[_Answer] | None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            [interpreter, "-c", _QUESTION, str(file), str(file.parent), *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    for line in ended.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith(_MARK):
            return msgspec.json.decode(line.removeprefix(_MARK), type=list[_Answer])
    return None
