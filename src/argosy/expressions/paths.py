"""Dotted names, looked up in a flat scope as if it were nested maps.

It knows names, not languages. A scope with ten thousand names is not expanded for one lookup: an exact name is one
probe, and only a name that is also the beginning of others makes it look around. A name with children is the map of
its children, and its own value is not seen (Argo: `{"a.b": 1, "a": 2}` is `{"a": {"b": 1}}`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from argosy.errors import ExpressionError
from argosy.expressions.operations import fetch

Names = Mapping[str, object]

# The last words of the names that Argo's scopes give both a value of their own and children.
_MAY_BE_BOTH = frozenset(("parameters", "artifacts", "labels", "annotations", "item", "creationTimestamp", "failures"))


class UnknownName(ExpressionError):
    """A name that the scope does not have. name: the name."""

    def __init__(self, name: str, hint: str = "") -> None:
        super().__init__(f"unknown name {name}", hint=hint)
        self.name = name


def has(names: Names, name: str) -> bool:
    """Whether the scope has the name, or names below it, or a map with it inside."""
    if name in names or any(True for _ in _below(names, name)):
        return True
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        value: object = names.get(".".join(parts[:length]))
        for part in parts[length:]:
            if not isinstance(value, Mapping) or part not in value:
                break
            value = cast("Mapping[str, object]", value)[part]
        else:
            return True
    return False


def _below(names: Names, name: str) -> Iterator[str]:
    prefix = name + "."
    return (known for known in names if known.startswith(prefix))


def expanded(names: Names, name: str = "") -> dict[str, object]:
    """The nested map of all names below `name`; of all names, for ''."""
    prefix = name + "." if name else ""
    found: dict[str, object] = {}
    for known in sorted(_below(names, name) if name else names):
        parts = known[len(prefix) :].split(".")
        inner = found
        for part in parts[:-1]:
            below = inner.get(part)
            if not isinstance(below, dict):
                below = inner[part] = dict[str, object]()
            inner = cast("dict[str, object]", below)
        if not isinstance(inner.get(parts[-1]), dict):
            inner[parts[-1]] = names[known]
    return found


def look_up(names: Names, full: str, parts: tuple[str, ...], optional: tuple[bool, ...]) -> object:
    """The value of a dotted name.

    full: the parts joined. optional: for each part, whether `?.` stands before it. Raises UnknownName when not even
    the first part is known, ExpressionError when a part in between has no value.
    """
    if full in names:
        value = names[full]
        if parts[-1] not in _MAY_BE_BOTH or isinstance(value, dict | list):
            return names[full]
        return expanded(names, full) or value
    return _look_around(names, parts, optional)


def _look_around(names: Names, parts: tuple[str, ...], optional: tuple[bool, ...]) -> object:
    for length in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:length])
        if name in names and (isinstance(names[name], dict | list) or not any(True for _ in _below(names, name))):
            return _descend(names[name], parts, optional, length)
    for length in range(len(parts), 0, -1):
        inner = expanded(names, ".".join(parts[:length]))
        if inner:
            return inner if length == len(parts) else _descend(inner, parts, optional, length)
    raise UnknownName(parts[0])


def _descend(value: object, parts: tuple[str, ...], optional: tuple[bool, ...], start: int) -> object:
    for index in range(start, len(parts)):
        if value is None and optional[index]:
            return None
        try:
            value = fetch(value, parts[index])
        except ExpressionError as problem:
            where = ".".join(parts[:index])
            raise ExpressionError(f"{problem.message} ({where})", hint=problem.hint) from None
    return value
