"""Values as texts and back, by their declared types: what goes into a parameter, and what a function is given.

It knows JSON and the standard library's types. Nothing is ever pickled or evaluated.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from argosy.dsl.shapes import Json, Many, Record, Shape, Text, fields_of, is_path, is_union, leaves, type_name
from argosy.dsl.trouble import WrongValue

MOMENTS = (datetime.datetime, datetime.date, datetime.time)


def to_text(value: Any, shape: Text | Json | Many) -> str:
    """The text of a parameter. Raises WrongValue."""
    if isinstance(shape, Text):
        return str(plain(value, shape.type))
    return to_json(plain(value, shape.type) if isinstance(shape, Json) else value)


def to_json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def from_text(text: str, shape: Text | Json | Many) -> Any:
    """The value that a parameter's text stands for. Raises WrongValue."""
    if isinstance(shape, Text):
        return built(text, shape.type)
    if isinstance(shape, Json) and shape.type is float and (number := _number(text)) is not None:
        return number
    try:
        data = json.loads(text)
    except ValueError:
        # `-p name=value` on a command line, for a parameter that may hold anything.
        if isinstance(shape, Json) and _takes_text(shape.type):
            return built(text, shape.type)
        wanted = type_name(shape.type) if isinstance(shape, Json) else "list"
        raise WrongValue(f"{_shown(text)} is no {wanted}", hint=f"{wanted} is written as JSON") from None
    return built(data, shape.type) if isinstance(shape, Json) else data


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _takes_text(declared: Any) -> bool:
    return declared in (Any, object, str) or (is_union(declared) and any(map(_takes_text, typing.get_args(declared))))


def plain(value: Any, declared: Any) -> Any:
    """A value as JSON has it, when it is of the declared type. Raises WrongValue."""
    if declared in (Any, object):
        return _plain_of_anything(value)
    if hasattr(value, "tolist") and not isinstance(value, (list, memoryview)):
        value = value.tolist()  # a number or array of NumPy
    return _plain_of_anything(built(_plain_of_anything(value), declared, value))


def is_a(value: Any, *kinds: type) -> bool:
    """isinstance, which leaves a type checker's mind on values of any type as it was."""
    return isinstance(value, kinds)


def _plain_of_anything(value: Any) -> Any:
    if is_a(value, enum.Enum):
        return value.value
    if value is None or is_a(value, str, int, float):
        return value
    if is_a(value, *MOMENTS):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "_asdict"):
        return {name: _plain_of_anything(one) for name, one in value._asdict().items()}
    if dataclasses.is_dataclass(value):
        return {name: _plain_of_anything(getattr(value, name)) for name, _ in fields_of(type(value))}
    if isinstance(value, Mapping):
        return {_key(name): _plain_of_anything(one) for name, one in typing.cast(Mapping[Any, Any], value).items()}
    if isinstance(value, (list, tuple)):
        return [_plain_of_anything(one) for one in typing.cast(Sequence[Any], value)]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain_of_anything(one) for one in typing.cast(set[Any], value))
    if hasattr(value, "tolist"):
        return value.tolist()
    raise WrongValue(
        f"a {type(value).__name__} cannot be passed between steps", hint="write it to a file and return its Path"
    )


def _key(name: Any) -> str:
    if not isinstance(name, (str, int)):
        raise WrongValue(f"a mapping passed between steps has texts as keys, and not a {type(name).__name__}")
    return str(name)


def built(data: Any, declared: Any, original: Any = None) -> Any:
    """The value of a declared type that JSON data stands for. Raises WrongValue. original: what to speak of."""
    if declared in (Any, object) or declared is None:
        return data
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin is typing.Annotated:
        return built(data, arguments[0], original)
    if isinstance(declared, typing.NewType):
        return built(data, declared.__supertype__, original)
    if origin is typing.Literal:
        if data in arguments:
            return data
    elif is_union(declared):
        return _one_of(data, arguments, declared)
    elif fields := fields_of(declared):
        return _record(data, declared, fields)
    elif isinstance(declared, type) or origin is not None:
        made = _of_class(data, origin or declared, arguments)
        if made is not _NOT:
            return made
    raise WrongValue(f"{_shown(data if original is None else original)} is no {type_name(declared)}")


_NOT = object()


def _of_class(data: Any, kind: Any, arguments: tuple[Any, ...]) -> Any:
    """The value of a class, or of a container of the standard library; _NOT when the data is none."""
    if kind is bool or kind is str or kind is type(None):
        return data if isinstance(data, kind) else _NOT
    if kind is int:
        whole = isinstance(data, float) and data.is_integer()
        return int(data) if whole or (isinstance(data, int) and not isinstance(data, bool)) else _NOT
    if kind is float:
        return float(data) if isinstance(data, (int, float)) and not isinstance(data, bool) else _NOT
    if not is_a(kind, type):
        return _NOT
    if issubclass(kind, enum.Enum):
        return next((one for one in kind if one.value == data), _NOT)
    if issubclass(kind, datetime.timedelta):
        return kind(seconds=data) if isinstance(data, (int, float)) else _NOT
    if issubclass(kind, MOMENTS):
        return kind.fromisoformat(data) if isinstance(data, str) else _NOT
    if hasattr(kind, "model_validate"):
        return kind.model_validate(data)  # pyright: ignore - a model of Pydantic, which need not be installed
    return _container(data, kind, arguments)


def _container(data: Any, kind: Any, arguments: tuple[Any, ...]) -> Any:
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind)
        return {name: built(one, hints.get(name, Any)) for name, one in data.items()} if is_a(data, dict) else _NOT
    if issubclass(kind, Mapping):
        inner = arguments[1] if len(arguments) == 2 else Any
        named = arguments[0] if len(arguments) == 2 else str
        if not isinstance(data, dict):
            return _NOT
        return {_key_of(name, named): built(one, inner) for name, one in typing.cast(dict[str, Any], data).items()}
    if kind in (list, tuple, set, frozenset) or issubclass(kind, Sequence):
        if not isinstance(data, list):
            return _NOT
        inner = arguments[0] if arguments else Any
        items = [built(one, inner) for one in typing.cast(list[Any], data)]
        if kind is tuple or kind is set or kind is frozenset:
            made: Any = kind
            return made(items)
        return items
    return _NOT


def _key_of(name: str, declared: Any) -> Any:
    if declared is int:
        number = _number(name)
        return int(number) if number is not None else name
    return name


def _one_of(data: Any, arguments: tuple[Any, ...], declared: Any) -> Any:
    # The exact type first: 3 given for `float | int` stays an int.
    exact = [one for one in arguments if isinstance(one, type) and type(data) is one]
    for one in (*exact, *arguments):
        try:
            return built(data, one if one is not None else type(None))
        except WrongValue:
            continue
    raise WrongValue(f"{_shown(data)} is no {type_name(declared)}")


def _record(data: Any, declared: Any, fields: tuple[tuple[str, Any], ...]) -> Any:
    if typing.get_origin(declared) is tuple:
        if not is_a(data, list, tuple) or len(data) != len(fields):
            raise WrongValue(f"{_shown(data)} is no {type_name(declared)}")
        return tuple(built(one, kind) for one, (_, kind) in zip(data, fields, strict=True))
    if is_a(data, list):  # a NamedTuple may be written as the list that it is
        data = dict(zip((name for name, _ in fields), data, strict=False))
    if not is_a(data, dict):
        raise WrongValue(f"{_shown(data)} is no {type_name(declared)}")
    given: dict[str, Any] = data
    kinds = dict(fields)
    if unknown := [name for name in given if name not in kinds]:
        raise WrongValue(f"{type_name(declared)} has no field {unknown[0]!r}", hint=f"it has {', '.join(kinds)}")
    values = {name: one if is_path(kinds[name]) else built(one, kinds[name]) for name, one in given.items()}
    try:
        return declared(**values)
    except TypeError as error:
        raise WrongValue(f"{_shown(data)} is no {type_name(declared)}: {error}") from None


def parts(value: Any, shape: Shape, name: str) -> dict[str, Any]:
    """The parts of a value by the names of its leaves. Raises WrongValue when it is no value of that shape."""
    if not isinstance(shape, Record):
        return {leaf.name: value for leaf in leaves(shape, name)}
    found: dict[str, Any] = {}
    for index, (field, inner) in enumerate(shape.fields):
        below = f"{name}-{field}" if name else field
        found |= parts(field_of(value, field, index, shape), inner, below)
    return found


def field_of(value: Any, field: str, index: int, shape: Record) -> Any:
    """A field of a record, which may be given as a tuple or a mapping too. Raises WrongValue."""
    if typing.get_origin(shape.type) is tuple or is_a(value, tuple):
        if is_a(value, tuple) and len(value) == len(shape.fields):
            return value[index]
    elif is_a(value, dict):
        if field in value:
            return value[field]
    elif hasattr(value, field):
        return getattr(value, field)
    raise WrongValue(f"{_shown(value)} is no {type_name(shape.type)}")


def whole(found: Mapping[str, Any], shape: Shape, name: str) -> Any:
    """The value that parts by the names of leaves make up; the opposite of `parts`."""
    if not isinstance(shape, Record):
        return next((found[leaf.name] for leaf in leaves(shape, name)), None)
    values = {field: whole(found, inner, f"{name}-{field}" if name else field) for field, inner in shape.fields}
    if typing.get_origin(shape.type) is tuple:
        return tuple(values.values())
    return shape.type(**values)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
