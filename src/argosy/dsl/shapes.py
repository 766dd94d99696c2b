"""What a declared type means for a step: which parts of a value are files, which are text, and how each is called.

It knows types, not values: `codec` turns values into texts and back.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from argosy.dsl.trouble import TraceError

RESULT = "result"


class Dir(Path):
    """A folder that a step takes or returns; as a `Path` it is the folder's place."""

    if not hasattr(Path, "with_segments"):
        # Before Python 3.12 a Path that is subclassed has to be told which system's paths it follows.
        _flavour = type(Path())._flavour  # pyright: ignore


@dataclass(frozen=True, slots=True)
class Nothing:
    """What a step gives that returns None."""


@dataclass(frozen=True, slots=True)
class Text:
    """A value that is its own text: str, or a choice among texts."""

    type: Any


@dataclass(frozen=True, slots=True)
class Json:
    """A value that is written as JSON: numbers, booleans, lists, mappings, and records within them."""

    type: Any


@dataclass(frozen=True, slots=True)
class File:
    """A file, or a folder; optional: it may be None."""

    folder: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A NamedTuple, a dataclass or a fixed tuple: its fields, each with its own shape, are passed one by one."""

    type: Any
    fields: tuple[tuple[str, Shape], ...]

    def field(self, name: str) -> Shape | None:
        return dict(self.fields).get(name)


@dataclass(frozen=True, slots=True)
class Many:
    """A list of values with files in them: a JSON list of their other parts, and a folder with a folder for each."""

    element: Shape


Shape = Nothing | Text | Json | File | Record | Many


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part of a value that is one parameter, or one artifact. name: as the template calls it."""

    name: str
    shape: Text | Json | File | Many

    @property
    def is_parameter(self) -> bool:
        return not isinstance(self.shape, File)

    @property
    def is_artifact(self) -> bool:
        return isinstance(self.shape, (File, Many))

    @property
    def is_optional(self) -> bool:
        """Whether there may be no artifact: no file is given, or a loop over nothing left no folder."""
        return isinstance(self.shape, Many) or (isinstance(self.shape, File) and self.shape.optional)


def leaves(shape: Shape, name: str) -> Iterator[Leaf]:
    """The parameters and artifacts of a value: `name`, or for a record `name-field`; "" for what a step returns."""
    if isinstance(shape, Record):
        for field, inner in shape.fields:
            yield from leaves(inner, f"{name}-{field}" if name else field)
    elif not isinstance(shape, Nothing):
        yield Leaf(name or RESULT, shape)


def shape_of(declared: Any) -> Shape:
    """The shape of a declared type. Raises TraceError for one that cannot be passed between steps."""
    if declared is None or declared is type(None):
        return Nothing()
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin is typing.Annotated:
        return shape_of(arguments[0])
    if isinstance(declared, typing.NewType):
        return shape_of(declared.__supertype__)
    if is_path(declared):
        return File(folder=issubclass(declared, Dir))
    if is_union(declared):
        return _union(declared, arguments)
    if fields := fields_of(declared):
        return Record(declared, tuple((name, shape_of(kind)) for name, kind in fields))
    if origin in (list, tuple) and has_files(arguments[0]):
        if origin is tuple and (len(arguments) != 2 or arguments[1] is not Ellipsis):
            raise TraceError(f"{type_name(declared)} cannot be passed between steps", hint="use a NamedTuple")
        return Many(shape_of(arguments[0]))
    if has_files(declared):
        raise TraceError(
            f"{type_name(declared)} has files in it where they have no name",
            hint="use a NamedTuple or dataclass with Path fields, a list of one, or Dir for a folder of files",
        )
    return Text(declared) if is_text(declared) else Json(declared)


def _union(declared: Any, arguments: tuple[Any, ...]) -> Shape:
    others = [one for one in arguments if one is not type(None)]
    if len(others) == 1 and is_path(others[0]):
        return File(folder=issubclass(others[0], Dir), optional=True)
    if any(has_files(one) for one in others):
        raise TraceError(
            f"{type_name(declared)} may or may not have files", hint="make the fields optional: Path | None"
        )
    return Json(declared)


def is_path(declared: Any) -> bool:
    return isinstance(declared, type) and issubclass(declared, PurePath)


def is_union(declared: Any) -> bool:
    return typing.get_origin(declared) in (typing.Union, types.UnionType)


def is_text(declared: Any) -> bool:
    if isinstance(declared, type):
        if issubclass(declared, enum.Enum):
            return all(isinstance(one.value, str) for one in declared)
        return issubclass(declared, str)
    return typing.get_origin(declared) is typing.Literal and all(
        isinstance(one, str) for one in typing.get_args(declared)
    )


def choices_of(shape: Text | Json) -> tuple[str, ...]:
    """The texts of all values that a parameter may have; () for one that may have any."""
    declared = shape.type
    if isinstance(declared, type) and issubclass(declared, enum.Enum):
        values: list[Any] = [one.value for one in declared]
    elif typing.get_origin(declared) is typing.Literal:
        values = list(typing.get_args(declared))
    else:
        return ()
    return tuple(one if isinstance(shape, Text) else json.dumps(one) for one in values)


def has_files(declared: Any) -> bool:
    """Whether there is a file anywhere in a value of this type."""
    if is_path(declared):
        return True
    return any(has_files(inner) for _, inner in fields_of(declared)) or any(
        has_files(inner) for inner in typing.get_args(declared) if typing.get_origin(declared) is not typing.Literal
    )


def fields_of(declared: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a record with their types, resolved; () for what is no record."""
    if typing.get_origin(declared) is tuple:
        arguments = typing.get_args(declared)
        if not arguments or Ellipsis in arguments:
            return ()
        return tuple((str(index), kind) for index, kind in enumerate(arguments))
    names: tuple[str, ...] = ()
    if is_named_tuple(declared):
        names = declared._fields
    elif isinstance(declared, type) and dataclasses.is_dataclass(declared):
        names = tuple(one.name for one in dataclasses.fields(declared) if one.init)
    hints = _types_in(declared) if names else {}
    return tuple((name, hints.get(name, Any)) for name in names)


def _types_in(declared: Any) -> dict[str, Any]:
    return typing.get_type_hints(declared)


def is_named_tuple(declared: Any) -> bool:
    named: bool = hasattr(declared, "_fields")
    return named and isinstance(declared, type) and issubclass(declared, tuple)


class Signature(typing.NamedTuple):
    """What a function takes and gives. defaults: the values of parameters that have one."""

    parameters: tuple[tuple[str, Shape], ...]
    defaults: dict[str, Any]
    result: Shape
    types: dict[str, Any]


def signature_of(function: Callable[..., Any]) -> Signature:
    """The shapes of a function's parameters and of its result. Raises TraceError."""
    hints = _hints(function)
    found: list[tuple[str, Shape]] = []
    defaults: dict[str, Any] = {}
    for name, one in inspect.signature(function).parameters.items():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            raise TraceError(
                f"{function.__qualname__} takes *{name}: a step's inputs have names",
                hint="write them out, or use a list",
            )
        found.append((name, shape_of(hints.get(name, Any))))
        if one.default is not one.empty:
            defaults[name] = one.default
    return Signature(tuple(found), defaults, shape_of(hints.get("return")), hints)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except NameError as error:
        raise TraceError(
            f"the types of {function.__qualname__} cannot be known when it runs: {error}",
            hint="import them outside of `if TYPE_CHECKING`",
        ) from None


def type_name(declared: Any) -> str:
    return declared.__name__ if isinstance(declared, type) else str(declared).replace("typing.", "")
