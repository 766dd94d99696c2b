"""The three ways to patch an object: strategic, merge (RFC 7386) and json (RFC 6902).

It knows plain mappings and lists, nothing of kinds but which lists Kubernetes merges by a key in the local ones.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from argosy.runners.local.leaves.surroundings import LeafFailed

# Lists of ConfigMaps, Secrets and claims that a strategic patch merges instead of replacing; None: of plain values.
MERGED_LISTS: dict[str, str | None] = {"ownerReferences": "uid", "finalizers": None}
_OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")


def merged(document: object, patch: object) -> object:
    """The document after a merge patch: mappings go together, null removes, all else is replaced."""
    if not isinstance(patch, dict):
        return patch
    result: dict[str, object] = dict(cast("dict[str, object]", document)) if isinstance(document, dict) else {}
    for name, value in cast("dict[str, object]", patch).items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def strategically_merged(document: object, patch: object) -> object:
    """The document after a strategic merge patch. Raises LeafFailed for a directive that is not known here."""
    if not isinstance(patch, dict):
        return patch
    given = dict(cast("dict[str, object]", patch))
    directive = given.pop("$patch", None)
    if directive not in (None, "merge", "replace"):
        raise LeafFailed(f"a patch has $patch: {directive}, which is not known here.", hint="Use mergeStrategy: merge.")
    if directive == "replace":
        return given
    result: dict[str, object] = dict(cast("dict[str, object]", document)) if isinstance(document, dict) else {}
    for name, value in given.items():
        if name.startswith("$"):
            raise LeafFailed(f"a patch has {name}, which is not known here.", hint="Use mergeStrategy: merge.")
        if value is None:
            result.pop(name, None)
        elif isinstance(value, list) and name in MERGED_LISTS and isinstance(result.get(name), list):
            result[name] = _merged_list(cast("list[Any]", result[name]), cast("list[Any]", value), MERGED_LISTS[name])
        else:
            result[name] = strategically_merged(result.get(name), cast("object", value))
    return result


def _merged_list(old: list[Any], new: list[Any], key: str | None) -> list[Any]:
    if key is None:
        return [*old, *(one for one in new if one not in old)]
    result = list(old)
    for one in new:
        same = next((place for place, other in enumerate(result) if other.get(key) == one.get(key)), None)
        if one.get("$patch") == "delete":
            if same is not None:
                del result[same]
        elif same is None:
            result.append(one)
        else:
            result[same] = strategically_merged(result[same], one)
    return result


def json_patched(document: object, operations: object) -> object:
    """The document after a JSON patch, which is done wholly or not at all. Raises LeafFailed."""
    if not isinstance(operations, list):
        raise LeafFailed("a json patch is a list of operations.", hint="Write - {op: add, path: /..., value: ...}.")
    result = copy.deepcopy(document)
    for number, one in enumerate(cast("list[object]", operations)):
        try:
            result = _operated(result, cast("dict[str, object]", one))
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as problem:
            raise LeafFailed(f"operation {number} of the json patch: {_said(problem)}.") from problem
    return result


def _said(problem: Exception) -> str:
    if isinstance(problem, ValueError) and problem.args:
        return str(problem)
    return f"there is no {problem}" if isinstance(problem, KeyError) else "its path leads nowhere"


def _operated(document: object, one: dict[str, object]) -> object:
    operation = one["op"]
    if operation not in _OPERATIONS:
        raise ValueError(f"op is {operation!r}, not one of {', '.join(_OPERATIONS)}")
    path = _pointer(one["path"])
    match operation:
        case "add":
            return _added(document, path, one["value"])
        case "remove":
            return _removed(document, path)
        case "replace":
            _at(document, path)
            return _added(_removed(document, path), path, one["value"]) if path else one["value"]
        case "test":
            if _at(document, path) != one["value"]:
                raise ValueError(f"the test of {one['path']} does not hold")
            return document
        case _:
            source = _pointer(one["from"])
            moved = copy.deepcopy(_at(document, source))
            if operation == "move":
                if path[: len(source)] == source and path != source:
                    raise ValueError("a value cannot move into itself")
                document = _removed(document, source)
            return _added(document, path, moved)


def _pointer(text: object) -> list[str]:
    if text == "":
        return []
    if not isinstance(text, str) or not text.startswith("/"):
        raise ValueError(f"{text!r} is no path; one starts with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def _at(document: object, path: list[str]) -> object:
    value = document
    for name in path:
        value = cast("list[object]", value)[_index(name)] if isinstance(value, list) else cast("Any", value)[name]
    return value


def _added(document: object, path: list[str], value: object) -> object:
    if not path:
        return value
    parent, name = _at(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        items = cast("list[object]", parent)
        place = len(items) if name == "-" else _index(name)
        if place > len(items):
            raise IndexError(name)
        items.insert(place, value)
    else:
        cast("dict[str, object]", parent)[name] = value
    return document


def _removed(document: object, path: list[str]) -> object:
    if not path:
        return None
    parent, name = _at(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        del cast("list[object]", parent)[_index(name)]
    else:
        del cast("dict[str, object]", parent)[name]
    return document


def _index(name: str) -> int:
    if not name.isdecimal() or (name != "0" and name.startswith("0")):
        raise ValueError(f"{name!r} is no place in a list")
    return int(name)
