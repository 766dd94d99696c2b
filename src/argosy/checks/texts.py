"""Every string of a piece of a manifest, with its path.

It knows how values are laid out, not what the strings mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from argosy.checks.finding import Path
from argosy.model.manifest import Part

_HOLDERS = (Part, tuple, dict)
_fields: dict[type, tuple[tuple[str, str], ...]] = {}


def fields_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Each field of a struct as (attribute, key in the manifest)."""
    known = _fields.get(kind)
    if known is None:
        known = tuple(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
        _fields[kind] = known
    return known


def texts(value: object, path: Path = (), leave_out: frozenset[str] = frozenset()) -> Iterator[tuple[Path, str]]:
    """Each non-empty string within `value`, in no promised order.

    leave_out: keys of the outermost value that are not entered.
    """
    stack: list[tuple[Path, object]] = []
    if leave_out and isinstance(value, msgspec.Struct):
        for attribute, key in fields_of(type(value)):
            if key not in leave_out:
                stack.append(((*path, key), getattr(value, attribute)))
    else:
        stack.append((path, value))
    while stack:
        where, item = stack.pop()
        if not item:
            continue
        if isinstance(item, str):
            yield where, item
        elif isinstance(item, msgspec.Struct):
            for attribute, key in fields_of(type(item)):
                below = getattr(item, attribute)
                if below:
                    stack.append(((*where, key), below))
        elif isinstance(item, dict):
            for key, below in cast("dict[Any, object]", item).items():
                stack.append(((*where, str(key)), below))
        elif isinstance(item, list | tuple):
            for index, below in enumerate(cast("list[object]", item)):
                stack.append(((*where, index), below))


def marked_texts(value: object, path: Path = (), leave_out: frozenset[str] = frozenset()) -> list[tuple[Path, str]]:
    """The strings within `value` that contain `{{`."""
    return [(where, text) for where, text in texts(value, path, leave_out) if "{{" in text]


def structs(value: Part, path: Path = ()) -> Iterator[tuple[Path, Part]]:
    """Each struct within `value`, itself included, in the order of the fields, with its path."""
    stack: list[tuple[Path, object]] = [(path, value)]
    while stack:
        where, item = stack.pop()
        if isinstance(item, Part):
            yield where, item
        below = [((*where, key), each) for key, each in _entered(item)]
        below.reverse()
        stack += below


def _entered(item: object) -> list[tuple[str | int, object]]:
    """What is directly within a value and may hold structs. Most fields of most structs are empty, or plain texts."""
    pairs: Iterable[tuple[str | int, object]]
    if isinstance(item, Part):
        return [
            (key, below)
            for attribute, key in fields_of(type(item))
            if (below := getattr(item, attribute)) and isinstance(below, _HOLDERS)
        ]
    if isinstance(item, tuple):
        pairs = enumerate(cast("tuple[object, ...]", item))
    else:
        pairs = ((str(key), each) for key, each in cast("dict[str, object]", item).items())
    return [(key, each) for key, each in pairs if each and isinstance(each, _HOLDERS)]
