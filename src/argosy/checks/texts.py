"""Every string of a piece of a manifest, with its path.

It knows how values are laid out, not what the strings mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from inspect import get_annotations
from typing import Any, cast, get_args

import msgspec

from argosy.checks.finding import Path
from argosy.model.manifest import Part


@cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Each field of a struct as (attribute, key in the manifest)."""
    return tuple(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


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
            # What is pushed last is looked at first.
            for attribute, key in _holding(type(item)):
                if below := getattr(item, attribute):
                    stack.append(((*where, key), below))
        elif isinstance(item, tuple):
            items = cast("tuple[object, ...]", item)
            stack += [((*where, index), items[index]) for index in range(len(items) - 1, -1, -1)]
        elif isinstance(item, dict):
            pairs = cast("dict[Any, object]", item).items()
            stack += [((*where, str(key)), below) for key, below in reversed(pairs)]


@cache
def _holding(kind: type[Part]) -> tuple[tuple[str, str], ...]:
    """The fields of a struct that may hold structs, the last one first."""
    annotations: dict[str, object] = {}
    for each in reversed(kind.__mro__):
        annotations |= get_annotations(each)
    return tuple((attribute, key) for attribute, key in reversed(fields_of(kind)) if _may_hold(annotations[attribute]))


def _may_hold(annotation: object) -> bool:
    """Whether values of this type may hold structs. What is opaque holds plain values."""
    if isinstance(annotation, type) and not get_args(annotation):
        return issubclass(annotation, Part)
    # In quotes stands a struct that the module defines only later.
    return isinstance(annotation, str) or any(_may_hold(one) for one in get_args(annotation))
