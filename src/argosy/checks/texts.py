"""Every string of a piece of a manifest, with its path.

It knows how values are laid out, not what the strings mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def texts(
    value: object, path: Path = (), leave_out: frozenset[str] = frozenset(), mark: str = ""
) -> Iterator[tuple[Path, str]]:
    """Each non-empty string within `value`, in no promised order.

    leave_out: keys of the outermost value that are not entered. mark: what the strings contain.
    """
    if isinstance(value, str):
        if value and mark in value:
            yield path, value
        return
    stack: list[tuple[Path, object]] = [(path, value)]
    while stack:
        where, item = stack.pop()
        for key, below in _within(item):
            if not below or (item is value and key in leave_out):
                continue
            if not isinstance(below, str):
                stack.append(((*where, key), below))
            elif mark in below:
                yield (*where, key), below


def _within(item: object) -> Iterable[tuple[str | int, object]]:
    """What is directly within a value, each with its key."""
    if isinstance(item, msgspec.Struct):
        return zip(item.__struct_encode_fields__, msgspec.structs.astuple(item), strict=True)
    if isinstance(item, dict):
        return [(str(key), below) for key, below in cast("dict[Any, object]", item).items()]
    return enumerate(cast("list[object]", item)) if isinstance(item, list | tuple) else ()


def marked_texts(value: object, path: Path = (), leave_out: frozenset[str] = frozenset()) -> list[tuple[Path, str]]:
    """The strings within `value` that contain `{{`."""
    return list(texts(value, path, leave_out, "{{"))


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
