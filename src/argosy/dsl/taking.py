# pyright: reportPrivateUsage=false
# What a stand-in holds is behind an underscore, since its other names are the user's fields.
"""Values taken apart: what stands in the arguments of a task for a value that is passed to it.

It knows shapes and stand-ins, and says where a value does not fit what is declared.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from argosy.dsl import codec
from argosy.dsl.expression import (
    Const,
    Expr,
    ListOf,
    MapOf,
    Output,
    Ref,
    Retyped,
    declared_type,
    sources,
)
from argosy.dsl.scopes import Artifact, Kept, Task
from argosy.dsl.shapes import (
    Dir,
    File,
    Json,
    Many,
    Nothing,
    Record,
    Shape,
    Text,
    fields_of,
    is_text,
    is_union,
    leaves,
    shape_of,
    type_name,
)
from argosy.dsl.trouble import TraceError, WrongValue
from argosy.dsl.values import (
    FileStandin,
    ManyStandin,
    NothingStandin,
    ParameterStandin,
    RecordStandin,
    Standin,
    called,
    expr_of,
    holds_standin,
    record_fields,
    type_of,
)


class Given(typing.NamedTuple):
    """The leaves of a value: expressions, artifacts, and how many elements a list that is written out has."""

    parameters: dict[str, Expr]
    artifacts: dict[str, Artifact]
    sizes: dict[str, int]


def given(value: Any, shape: Shape, name: str, describe: Callable[[], str]) -> Given:
    """The leaves of a value that is passed where this shape is declared. Raises TraceError when it does not fit."""
    taken = Given({}, {}, {})
    _take(value, shape, name, taken, describe)
    return taken


def _take(value: Any, shape: Shape, name: str, taken: Given, describe: Callable[[], str]) -> None:
    if isinstance(shape, Record):
        try:
            parts = record_fields(value, shape)
        except WrongValue:
            raise TraceError(
                f"{describe()} takes a {type_name(shape.type)} as {name}, and is given {called(value)}"
            ) from None
        for field, inner in shape.fields:
            _take(parts[field], inner, f"{name}-{field}" if name else field, taken, describe)
        return
    if isinstance(shape, Nothing):
        return
    leaf = next(leaves(shape, name)).name
    if isinstance(shape, File):
        _take_file(value, shape, leaf, taken, describe)
    elif isinstance(shape, Many):
        _take_many(value, shape, leaf, taken, describe)
    else:
        taken.parameters[leaf] = parameter(value, shape, f"{describe()} takes {leaf}")


def _take_file(value: Any, shape: File, leaf: str, taken: Given, describe: Callable[[], str]) -> None:
    if value is None and shape.optional:
        return
    if not isinstance(value, FileStandin):
        hint = (
            "make it an input of the workflow, and give it when it is run: -p" if not isinstance(value, Standin) else ""
        )
        if hasattr(value, "__fspath__"):
            hint = f"make it an input of the workflow: def pipeline({leaf}: Path)"
        raise TraceError(f"{describe()} takes a file of a step as {leaf}, and is given {called(value)}", hint=hint)
    taken.artifacts[leaf] = value._artifact


def _take_many(value: Any, shape: Many, leaf: str, taken: Given, describe: Callable[[], str]) -> None:
    if isinstance(value, ManyStandin):
        taken.parameters[leaf] = value._expr
        taken.artifacts[leaf] = value._artifact
        return
    if not isinstance(value, (list, tuple)):
        raise TraceError(f"{describe()} takes a list as {leaf}, and is given {called(value)}")
    items = typing.cast(list[Any], value)
    rows: list[Expr] = []
    for index, one in enumerate(items):
        inner = given(one, shape.element, "", describe)
        if inner.sizes:
            raise TraceError(f"{leaf} is a list of lists of files", hint="make the inner lists with a step each")
        rows.append(MapOf(dict, tuple(inner.parameters), tuple(inner.parameters.values())))
        taken.artifacts.update({f"{leaf}-{index}-{part}": artifact for part, artifact in inner.artifacts.items()})
    taken.parameters[leaf] = ListOf(list, tuple(rows))
    taken.sizes[leaf] = len(items)


def parameter(value: Any, shape: Text | Json, where: str) -> Expr:
    """The expression of a value for a parameter of this shape. Raises TraceError when it does not fit."""
    if isinstance(value, NothingStandin):
        value = None
    if not holds_standin(value):
        try:
            return Const(shape.type, codec.plain(value, shape.type))
        except WrongValue as wrong:
            raise TraceError(f"{where}: {wrong.message}", hint=wrong.hint) from None
    expr = expr_of(value)
    if not fits(expr.type, shape.type):
        raise TraceError(f"{where} as {type_name(shape.type)}, and is given {type_name(expr.type)}")
    return expr if isinstance(expr, Ref) and _same_text(expr.type, shape.type) else Retyped(shape.type, expr)


def _same_text(one: Any, other: Any) -> bool:
    return is_text(one) == is_text(other)


def fits(actual: Any, declared: Any) -> bool:
    """Whether a value of one type can be passed as another: what a type checker would say, in doubt yes."""
    loose = (Any, object, list, tuple, dict)
    if actual == declared or actual in loose or declared in loose:
        return True
    if is_union(declared) or is_union(actual):
        return True
    if declared is float:
        return actual is int or actual is float
    if is_text(declared) or is_text(actual):
        return is_text(declared) and is_text(actual)
    return declared not in (int, bool, str) and actual not in (int, float, bool)


def type_of_value(value: Any) -> Any:
    """The type of a constant or of what a stand-in stands for."""
    if isinstance(value, FileStandin):
        return Dir if isinstance(value._shape, File) and value._shape.folder else Path
    return expr_of(value).type


def tasks_of(value: Any) -> Iterator[Task]:
    """The tasks that a value comes from."""
    if isinstance(value, NothingStandin):
        if value._task is not None:
            yield value._task
    elif isinstance(value, RecordStandin):
        for one in value._fields.values():
            yield from tasks_of(one)
    elif isinstance(value, FileStandin):
        if isinstance(value._artifact.source, (Output, Kept)):
            yield value._artifact.source.task
    elif isinstance(value, (ParameterStandin, ManyStandin)):
        for source in sources(value._expr):
            if isinstance(source, Output):
                yield source.task
    elif isinstance(value, (list, tuple)):
        for one in typing.cast(list[Any], value):
            yield from tasks_of(one)


def shape_of_value(value: Any) -> Shape:
    """The shape of what a branch or a body returns. Raises TraceError."""
    if isinstance(value, Standin):
        return value._shape
    if value is None:
        return Nothing()
    if fields_of(type(value)):
        return shape_of(type(value))
    if isinstance(value, tuple):
        items = typing.cast(tuple[Any, ...], value)
        shapes = [shape_of_value(one) for one in items]
        types = tuple(declared_type(one) for one in shapes)
        return Record(tuple[types], tuple((str(index), one) for index, one in enumerate(shapes)))
    if isinstance(value, list) and holds_standin(value):
        items = typing.cast(list[Any], value)
        element = shape_of_value(items[0])
        if any(leaf.is_artifact for leaf in leaves(element, "")):
            return Many(element)
        return Json(expr_of(items).type)
    return shape_of(type_of(value))
