"""Every string of a piece of a manifest, with its path.

It knows how values are laid out, not what the strings mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from argosy.checks.finding import Path
from argosy.model.manifest import Part

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
        below: list[tuple[Path, object]]
        if isinstance(item, Part):
            yield where, item
            below = [((*where, key), getattr(item, attribute)) for attribute, key in fields_of(type(item))]
        elif isinstance(item, tuple):
            below = [((*where, index), each) for index, each in enumerate(cast("tuple[object, ...]", item))]
        else:
            below = [((*where, str(key)), each) for key, each in cast("dict[str, object]", item).items()]
        stack.extend(pair for pair in reversed(below) if pair[1] and isinstance(pair[1], Part | tuple | dict))
