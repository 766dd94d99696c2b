"""Which workflows a Python program defines, told as JSON: `python -m argosy.dsl.finding --to FD FILE.py [NAME]`.

It runs in a process of its own, with the project's interpreter: the program is loaded as a module, and what it prints
goes to stderr. It knows which objects are workflows, not what runs them. The answer, on the file descriptor FD:

    {"workflows": [{"name", "kind": "argosy" | "hera", "manifest", "origins": [[path, file, line], ...],
                    "inputs": as model.inputs.Signature, {} for none}, ...],
     "paths": [folders that modules were found by], "files": [files of its modules], "notes": [text, ...]}

or {"error": {"kind", "message", "hint", "frames": [[file, line, first column, last column, function], ...]}}.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from argosy.dsl import hera_objects
from argosy.dsl.failing import as_failure, is_a_persons
from argosy.dsl.loading import load
from argosy.dsl.program_lines import ProgramLines

INTERRUPTED = 130
Found = dict[str, Any]


class NotThere(Exception):
    """The program has no workflow of the name that was asked for. known: the names that there are."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known


def find(file: Path, name: str = "") -> Found:
    """The workflows of a program, or the one that a name means: a variable, a workflow's name, or a function's.

    Whatever the program raises is raised. Raises NotThere.
    """
    before, modules = list(sys.path), set(sys.modules)
    with hera_objects.kept_from_clusters() as made:
        module = load(file)
        objects = _global_workflows(vars(module))
        # One that is named is the only one that has to be right.
        objects = [one for one in objects if one[0] == name] or objects
        found = _described(objects, made.all(), file)
        if hera_objects.is_imported() and not _runs(found) and _is_guarded(file):
            # What the program does when it is started may make them: nothing of it reaches a cluster.
            own = _global_workflows(_run_as_main(file))
            objects += [one for one in own if one[0] not in dict(objects)]
            found = _described(objects, made.all() or ([] if len(own) > len(found) else made.written), file)
        chosen = _meant(found, name)
        if name and not chosen:
            chosen = _described(_returned(module, name), [], file)
    if name and not chosen:
        raise NotThere(name, [one["name"] for one in found])
    paths = [path for path in sys.path if path and path not in before]
    files = [getattr(one, "__file__", None) for key, one in list(sys.modules.items()) if key not in modules]
    return {
        "workflows": [_shown(one) for one in chosen],
        "paths": paths,
        "files": [one for one in files if isinstance(one, str) and is_a_persons(one, file)],
        "notes": made.notes,
    }


def _global_workflows(names: Mapping[str, object]) -> list[tuple[str, object]]:
    """The workflows among the names of a module in order of definition, those that others use as their last."""
    found: list[tuple[str, object]] = []
    for name, value in names.items():
        if not name.startswith("__") and is_workflow(value) and not any(value is known for _, known in found):
            found.append((name, value))
    return found


def is_workflow(value: object) -> bool:
    """Whether an object is a workflow, of ours or of Hera's."""
    return not isinstance(value, type) and (_has(value, "__argosy_manifest__") or hera_objects.is_workflow(value))


def _has(value: object, name: str) -> bool:
    """Whether an object has an attribute. Not by asking it: some objects say yes to every name."""
    own: object = getattr(value, "__dict__", None)
    return hasattr(type(value), name) or (isinstance(own, dict) and name in own)


def _described(
    objects: Iterable[tuple[str, object]], made: Iterable[tuple[object | None, Found]], file: Path
) -> list[Found]:
    """The workflows as they are told; what was created is as it was then. used: that another one uses it."""
    created = list(made)
    lines = ProgramLines(file)
    used = [one for _, value in objects for one in _used_by(value)]
    found: list[Found] = []
    for name, value in objects:
        manifests = [manifest for one, manifest in created if one is value]
        for manifest in manifests or [None]:
            one = _one(name, value, lines, manifest)
            found.append({**one, "used": any(value is other for other in used)})
    for value, manifest in created:
        if not any(value is known for _, known in objects):
            found.append({**_hera("", manifest, lines), "used": False})
    return found


def _used_by(value: object) -> Iterable[object]:
    if hera_objects.is_workflow(value):
        return hera_objects.uses_of(value)
    return cast("Iterable[object]", _told(value, "__argosy_uses__", ()))


def _one(name: str, value: object, lines: ProgramLines, manifest: Found | None) -> Found:
    if hera_objects.is_workflow(value):
        return _hera(name, manifest or hera_objects.manifest_of(value), lines)
    made = cast("Found", _told(value, "__argosy_manifest__", {}))
    given = cast("Iterable[tuple[Iterable[str | int], str, int]]", _told(value, "__argosy_origins__", ()))
    return {
        "name": name,
        "kind": "argosy",
        "manifest": made,
        "origins": [[list(path), where, line] for path, where, line in given] or lines.of(name, made),
        "inputs": _told(value, "__argosy_inputs__", {}),
    }


def _told(value: object, name: str, nothing: object) -> object:
    """What an object says of itself, as an attribute or a method."""
    told = getattr(value, name) if _has(value, name) else nothing
    return cast("Callable[[], object]", told)() if callable(told) else told


def _hera(name: str, manifest: Found, lines: ProgramLines) -> Found:
    return {
        "name": name or hera_objects.name_of(manifest),
        "kind": "hera",
        "manifest": manifest,
        "origins": lines.of(name, manifest),
        "inputs": {},
    }


def _meant(found: list[Found], name: str) -> list[Found]:
    """The workflows that a name means; without one, all that no other uses."""
    if not name:
        return [one for one in found if not one["used"]]
    by_variable = [one for one in found if one["name"] == name]
    return by_variable or [one for one in found if hera_objects.name_of(one["manifest"]) == name.rstrip("-")]


def _runs(found: list[Found]) -> bool:
    """Whether there is more than templates."""
    return any(not str(one["manifest"].get("kind", "")).endswith("Template") for one in found)


def _shown(one: Found) -> Found:
    return {key: value for key, value in one.items() if key != "used"}


def _is_guarded(file: Path) -> bool:
    """Whether the program does more when it is started than when it is imported."""
    text = file.read_text(encoding="utf-8", errors="replace")
    return "__name__" in text and "__main__" in text


def _run_as_main(file: Path) -> Mapping[str, object]:
    """Starts the program, and gives the names that it has at its end."""
    try:
        return runpy.run_path(str(file), run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
        return {}


def _returned(module: ModuleType, name: str) -> list[tuple[str, object]]:
    """What the function of that name returns when it is called without arguments, if it is workflows."""
    function = getattr(module, name, None)
    if not callable(function) or isinstance(function, type):
        return []
    result = cast("Callable[[], object]", function)()
    several = list(cast("Iterable[object]", result)) if isinstance(result, (list, tuple)) else [result]
    return [(name, one) for one in several if is_workflow(one)]


def main(words: list[str]) -> int:
    """Tells what is asked for, or what went wrong; the exit code is 0 for both."""
    _, to, file, *names = words
    path = Path(file).resolve()
    # What the program sees is what it would see when started by itself.
    sys.argv = [file]
    try:
        answer = find(path, names[0] if names else "")
    except KeyboardInterrupt:
        return INTERRUPTED
    except NotThere as error:
        answer = {"error": {"kind": "NotThere", "message": error.name, "known": error.known, "hint": "", "frames": []}}
    except BaseException as error:
        answer = {"error": as_failure(error, path)}
    with os.fdopen(int(to), "w", encoding="utf-8") as told:
        for piece in _pieces(answer):
            told.write(piece)
    sys.stdout.flush()
    # Threads of the program, and what it does at its end, are nobody's concern here.
    os._exit(0)


def _pieces(answer: Found) -> Iterator[str]:
    try:
        yield json.dumps(answer)
    except (TypeError, ValueError) as error:
        message = f"a manifest of this program is no JSON: {error}"
        yield json.dumps({"error": {"kind": "TypeError", "message": message, "hint": "", "frames": []}})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
