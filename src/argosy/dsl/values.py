# pyright: reportPrivateUsage=false
# What a stand-in holds is behind an underscore, since its other names are the user's fields; this module takes it out.
"""Stand-ins: what a step gives back while a workflow is traced, which the type checker sees as the declared type.

It knows how a stand-in is made of expressions and artifacts, and what must never be asked of one: its value is known
only when the workflow runs.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from argosy.dsl import codec
from argosy.dsl.expression import (
    Binary,
    Const,
    Expr,
    Item,
    ListOf,
    MapOf,
    Member,
    Output,
    Ref,
    Source,
    Unary,
    declared_type,
)
from argosy.dsl.scopes import Artifact, Kept, Task
from argosy.dsl.shapes import (
    RESULT,
    File,
    Many,
    Nothing,
    Record,
    Shape,
    fields_of,
    is_named_tuple,
    is_text,
    is_union,
    leaves,
    shape_of,
    type_name,
)
from argosy.dsl.trouble import TraceError, WrongValue

NUMBERS = (int, float)


class Standin:
    """A value that is known only when the workflow runs."""

    __slots__ = ("_shape",)
    _shape: Shape

    def _unknown(self, what: str, hint: str) -> NoReturn:
        raise TraceError(f"{what}, and its value is known only when the workflow runs", hint=hint)

    def __bool__(self) -> bool:
        self._unknown(
            f"{self._called()} is asked whether it is true",
            "use when(condition, then, otherwise) for if, & | and not_() for and, or and not, while_loop for while",
        )

    def __iter__(self) -> Iterator[Any]:
        self._unknown(f"Python loops over {self._called()}", "use for_loop(lambda item: ..., values)")

    def __len__(self) -> int:
        self._unknown(f"the length of {self._called()} is asked for", "return it from a step, or use for_loop")

    def __contains__(self, item: object) -> bool:
        self._unknown(f"something is looked for in {self._called()}", "do it in a step")

    def __index__(self) -> int:
        self._unknown(f"{self._called()} is used as a number of Python", "do it in a step, or use for_loop")

    def __int__(self) -> int:
        return self.__index__()

    def __float__(self) -> float:
        return float(self.__index__())

    def __str__(self) -> str:
        self._unknown(f"{self._called()} is made a text", "pass it to a step, and make the text there")

    def __format__(self, spec: str) -> str:
        return str(self)

    def __fspath__(self) -> str:
        self._unknown(f"{self._called()} is used as a path of this machine", "pass it to a step, and open it there")

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> Any:
        self._unknown(f"{self._called()} is compared", "compare it in a step")

    def __ne__(self, other: object) -> Any:
        return self == other

    def _computed(self, *others: object) -> NoReturn:
        self._unknown(
            f"Python computes with {self._called()}", "do it in a step; + - * / of numbers and comparisons can be here"
        )

    __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = __divmod__ = __rdivmod__ = _computed
    __matmul__ = __rmatmul__ = __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __xor__ = __rxor__ = _computed
    __abs__ = __pos__ = __round__ = __trunc__ = __floor__ = __ceil__ = __complex__ = __bytes__ = _computed
    __setitem__ = __delitem__ = __enter__ = __exit__ = __reversed__ = __await__ = __aiter__ = _computed

    def __call__(self, *given: object, **named: object) -> NoReturn:
        self._unknown(f"{self._called()} is called", "call its method in a step")

    def _called(self) -> str:
        return "a value of a step"


class NothingStandin(Standin):
    """What a step that returns nothing gives: only something to wait for."""

    __slots__ = ("_task",)

    def __init__(self, task: Task | None) -> None:
        self._shape = Nothing()
        self._task = task

    def _called(self) -> str:
        return f"the end of {self._task.name}" if self._task is not None else "None"


class ParameterStandin(Standin):
    """A value that is, or is part of, a parameter."""

    __slots__ = ("_expr",)

    def __init__(self, shape: Shape, expr: Expr) -> None:
        self._shape = shape
        self._expr = expr

    def _called(self) -> str:
        if isinstance(self._expr, Ref):
            return _source_called(self._expr.source)
        return f"a value of type {type_name(self._expr.type)}"

    def __eq__(self, other: object) -> Any:
        return compared("==", self, other)

    def __ne__(self, other: object) -> Any:
        return compared("!=", self, other)

    __hash__ = Standin.__hash__

    def __lt__(self, other: object) -> Any:
        return compared("<", self, other)

    def __le__(self, other: object) -> Any:
        return compared("<=", self, other)

    def __gt__(self, other: object) -> Any:
        return compared(">", self, other)

    def __ge__(self, other: object) -> Any:
        return compared(">=", self, other)

    def __and__(self, other: object) -> Any:
        return logical("&&", self, other)

    def __rand__(self, other: object) -> Any:
        return logical("&&", other, self)

    def __or__(self, other: object) -> Any:
        return logical("||", self, other)

    def __ror__(self, other: object) -> Any:
        return logical("||", other, self)

    def __invert__(self) -> Any:
        # Elsewhere it would be a number, and a true one: ~True is -2.
        raise TraceError("~ of a condition means something else in plain Python", hint="use not_(condition)")

    def __add__(self, other: object) -> Any:
        return computed("+", self, other)

    def __radd__(self, other: object) -> Any:
        return computed("+", other, self)

    def __sub__(self, other: object) -> Any:
        return computed("-", self, other)

    def __rsub__(self, other: object) -> Any:
        return computed("-", other, self)

    def __mul__(self, other: object) -> Any:
        return computed("*", self, other)

    def __rmul__(self, other: object) -> Any:
        return computed("*", other, self)

    def __truediv__(self, other: object) -> Any:
        return computed("/", self, other)

    def __rtruediv__(self, other: object) -> Any:
        return computed("/", other, self)

    def __neg__(self) -> Any:
        _check_number(self._expr, "-")
        return of_expr(Unary(self._expr.type, "-", self._expr))

    def __getitem__(self, key: object) -> Any:
        if isinstance(key, Standin) or not isinstance(key, (int, str)) or isinstance(key, bool):
            raise TraceError(
                "what an element is picked by must be known when the workflow is written",
                hint="pick it in a step, or use for_loop",
            )
        if isinstance(key, int) and key < 0:
            raise TraceError("an element is counted from the end", hint="pick it in a step")
        inner, _ = element_type(self._expr.type)
        return of_expr(Member(inner, self._expr, key))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        kinds = dict(fields_of(_not_none(self._expr.type)))
        if name in kinds:
            return of_expr(Member(kinds[name], self._expr, name))
        raise TraceError(
            f"{self._called()} is asked for .{name}, and its value is known only when the workflow runs",
            hint=f"it has the fields {', '.join(kinds)}" if kinds else f"use .{name} in a step",
        )


class FileStandin(Standin):
    """A file or folder."""

    __slots__ = ("_artifact",)

    def __init__(self, shape: Shape, artifact: Artifact) -> None:
        self._shape = shape
        self._artifact = artifact

    def _called(self) -> str:
        source = self._artifact.source
        return f"a file of {source.task.name}" if isinstance(source, Kept) else _source_called(source)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._unknown(f"{self._called()} is asked for .{name}", "pass it to a step, and open it there")

    def __truediv__(self, name: object) -> Any:
        """A file in a folder."""
        if isinstance(self._shape, File) and self._shape.folder and isinstance(name, str):
            return FileStandin(File(), self._artifact.at(*name.strip("/").split("/")))
        return self._unknown(f"{self._called()} is used as a path", "return a Dir, of which / picks a file")


class RecordStandin(Standin):
    """A NamedTuple, dataclass or tuple: its fields are stand-ins."""

    __slots__ = ("_fields",)

    def __init__(self, shape: Record, fields: Mapping[str, Any]) -> None:
        self._shape = shape
        self._fields = dict(fields)

    def _called(self) -> str:
        assert isinstance(self._shape, Record)
        return f"a {type_name(self._shape.type)}"

    def __getattr__(self, name: str) -> Any:
        if name in self._fields:
            return self._fields[name]
        if name.startswith("__"):
            raise AttributeError(name)
        raise TraceError(f"{self._called()} has no field {name!r}", hint=f"it has {', '.join(self._fields)}")

    def __iter__(self) -> Iterator[Any]:
        assert isinstance(self._shape, Record)
        if typing.get_origin(self._shape.type) is tuple or issubclass(self._shape.type, tuple):
            return iter(self._fields.values())
        return super().__iter__()

    def __eq__(self, other: object) -> Any:
        return _all_equal(self, other)

    def __ne__(self, other: object) -> Any:
        return negated(self == other)

    __hash__ = Standin.__hash__

    def __getitem__(self, key: object) -> Any:
        values = list(self._fields.values())
        if isinstance(key, int) and not isinstance(key, bool) and -len(values) <= key < len(values):
            return values[key]
        raise TraceError(f"{self._called()} has no element {key!r}", hint=f"it has {', '.join(self._fields)}")


class ManyStandin(Standin):
    """A list of values with files in them. expr: their other parts, records by the names of leaves."""

    __slots__ = ("_artifact", "_expr")

    def __init__(self, shape: Many, expr: Expr, artifact: Artifact) -> None:
        self._shape = shape
        self._expr = expr
        self._artifact = artifact

    def _called(self) -> str:
        return "a list of files"

    def __getitem__(self, key: object) -> Any:
        if not isinstance(key, int) or isinstance(key, bool) or key < 0:
            raise TraceError(
                "what an element is picked by must be a number that is known when the workflow is written",
                hint="pick it in a step, or use for_loop",
            )
        return self.element(Member(dict, self._expr, key), str(key))

    def element(self, expr: Expr, index: str | Item) -> Any:
        """The stand-in of one element. expr: its other parts. index: its folder's name."""
        assert isinstance(self._shape, Many)
        return of_element(self._shape.element, expr, self._artifact.at(index))


def of_element(shape: Shape, expr: Expr, artifact: Artifact) -> Any:
    """An element of a `Many`: parameters are entries of expr, files lie in the artifact, by the names of leaves."""
    found: dict[str, Expr | Artifact] = {}
    folders: dict[str, Artifact] = {}
    for leaf in leaves(shape, ""):
        if leaf.is_parameter:
            found[leaf.name] = Member(declared_type(leaf.shape), expr, leaf.name)
        if leaf.is_artifact:
            folders[leaf.name] = artifact.at(leaf.name, optional=leaf.is_optional)
            found.setdefault(leaf.name, folders[leaf.name])
    return standin(shape, found, "", folders)


def _source_called(source: Source | Kept) -> str:
    if isinstance(source, Output):
        return f"what {source.task.name} gives" + (f" as {source.name}" if source.name != RESULT else "")
    if isinstance(source, Item):
        return "the item of a loop"
    return f"the input {source.name}"


def standin(shape: Shape, found: Mapping[str, Any], name: str, folders: Mapping[str, Any] | None = None) -> Any:
    """The stand-in of a value of this shape. found: expressions and artifacts by the names of leaves.

    folders: the artifacts of leaves that are parameter and artifact at once.
    """
    if isinstance(shape, Record):
        fields = {
            field: standin(inner, found, f"{name}-{field}" if name else field, folders) for field, inner in shape.fields
        }
        return RecordStandin(shape, fields)
    if isinstance(shape, Nothing):
        return NothingStandin(None)
    leaf = next(leaves(shape, name))
    if isinstance(shape, File):
        return FileStandin(shape, found[leaf.name])
    if isinstance(shape, Many):
        return ManyStandin(shape, found[leaf.name], (folders or {})[leaf.name])
    return ParameterStandin(shape, found[leaf.name])


def of_expr(expr: Expr) -> Any:
    """The stand-in of an expression by its type: fields of records are members of it."""
    shape = shape_of(expr.type)
    if isinstance(shape, Record):
        keyed = typing.get_origin(shape.type) is not tuple
        kinds = dict(fields_of(shape.type))
        fields = {
            name: of_expr(Member(kinds[name], expr, name if keyed else index))
            for index, (name, _) in enumerate(shape.fields)
        }
        return RecordStandin(shape, fields)
    return ParameterStandin(shape, expr)


def _not_none(declared: Any) -> Any:
    if is_union(declared):
        others = [one for one in typing.get_args(declared) if one is not type(None)]
        return others[0] if len(others) == 1 else declared
    return declared


def element_type(declared: Any) -> tuple[Any, bool]:
    """The type of the elements of a list or of the values of a mapping, and whether it is a list."""
    declared = _not_none(declared)
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin is None or not arguments:
        return Any, declared in (list, tuple)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return arguments[1], False
    return arguments[0], True


def expr_of(value: Any) -> Expr:
    """The expression of a stand-in, of a constant, or of a list or record of them. Raises TraceError."""
    if isinstance(value, ParameterStandin):
        return value._expr
    if isinstance(value, RecordStandin):
        fields: dict[str, Any] = value._fields
        shape = value._shape
        assert isinstance(shape, Record)
        inner = tuple(expr_of(one) for one in fields.values())
        return (
            ListOf(shape.type, inner)
            if typing.get_origin(shape.type) is tuple
            else MapOf(shape.type, tuple(fields), inner)
        )
    if isinstance(value, Standin):
        raise TraceError("files cannot be part of an expression", hint="pass them to a step")
    if not holds_standin(value):
        try:
            return Const(type_of(value), codec.plain(value, Any))
        except WrongValue as wrong:
            raise TraceError(wrong.message, hint=wrong.hint) from None
    if isinstance(value, dict):
        given = typing.cast(dict[str, Any], value)
        return MapOf(dict, tuple(given), tuple(expr_of(one) for one in given.values()))
    if hasattr(value, "_fields"):
        return MapOf(type(value), tuple(value._fields), tuple(expr_of(one) for one in value))
    if isinstance(value, (list, tuple)):
        items = tuple(expr_of(one) for one in typing.cast(list[Any], value))
        return ListOf(list[items[0].type] if items else list, items)
    kinds = fields_of(type(value))
    return MapOf(
        type(value), tuple(name for name, _ in kinds), tuple(expr_of(getattr(value, name)) for name, _ in kinds)
    )


def is_standin(value: object) -> bool:
    """Whether a value is a stand-in, whatever the type checker takes it for."""
    return isinstance(value, Standin)


def holds_standin(value: Any) -> bool:
    if isinstance(value, Standin):
        return True
    if isinstance(value, dict):
        return any(holds_standin(one) for one in typing.cast(dict[Any, Any], value).values())
    if isinstance(value, (list, tuple)):
        return any(holds_standin(one) for one in typing.cast(list[Any], value))
    return any(holds_standin(getattr(value, name, None)) for name, _ in fields_of(type(value)))


def type_of(value: Any) -> Any:
    """The type that a constant is declared as: the elements of a list by the first of them."""
    if codec.is_a(value, list, tuple) and not is_named_tuple(type(value)):
        items: list[Any] = list(value)
        alike = len({type_name(type(one)) for one in items}) == 1
        return list[type_of(items[0])] if alike else list
    return _class_of(value)


def _class_of(value: object) -> Any:
    return value.__class__


def _operands(left: object, right: object) -> tuple[Expr, Expr]:
    return expr_of(left), expr_of(right)


def compared(operator: str, left: object, right: object) -> Any:
    """A condition. Numbers compare with numbers and texts with texts, as they do in Python."""
    one, other = _operands(left, right)
    if operator not in ("==", "!="):
        for each in (one, other):
            if each.type not in (*NUMBERS, Any, object) and not is_text(each.type):
                raise TraceError(f"{type_name(each.type)} has no order", hint="compare it in a step")
    if is_text(one.type) != is_text(other.type) and not {one.type, other.type} & {Any, object, type(None)}:
        plain = not any(is_union(each.type) for each in (one, other))
        if plain:
            raise TraceError(f"{type_name(one.type)} is compared with {type_name(other.type)}, which is never equal")
    return of_expr(Binary(bool, operator, one, other))


def _all_equal(record: RecordStandin, other: Any) -> Any:
    """Whether two records have the same in every field. Raises TraceError for what is no record of that type."""
    shape = record._shape
    assert isinstance(shape, Record)
    try:
        parts = record_fields(other, shape)
    except WrongValue:
        raise TraceError(f"{record._called()} is compared with {called(other)}, which is never equal") from None
    return functools.reduce(
        lambda one, more: logical("&&", one, more),
        [_field_equal(record._fields[name], parts[name]) for name, _ in shape.fields],
    )


def _field_equal(one: Any, other: Any) -> Any:
    return one == other


def logical(operator: str, left: object, right: object) -> Any:
    one, other = _operands(left, right)
    for each in (one, other):
        if each.type is not bool:
            raise TraceError(
                f"{operator} stands between conditions, and this is {type_name(each.type)}",
                hint="compare it first, and mind the parentheses: (a > 1) & (b < 2)",
            )
    return of_expr(Binary(bool, operator, one, other))


def negated(value: object) -> Any:
    expr = expr_of(value)
    if expr.type is not bool:
        raise TraceError(f"not_ is of a condition, and this is {type_name(expr.type)}", hint="compare it first")
    return of_expr(Unary(bool, "!", expr))


def _check_number(expr: Expr, operator: str) -> None:
    if expr.type not in NUMBERS:
        raise TraceError(
            f"{type_name(expr.type)} {operator} ... is computed while the workflow is written", hint="do it in a step"
        )


def computed(operator: str, left: object, right: object) -> Any:
    """A number, or two texts put together."""
    one, other = _operands(left, right)
    if operator == "+" and is_text(one.type) and is_text(other.type):
        return of_expr(Binary(str, "+", one, other))
    _check_number(one, operator)
    _check_number(other, operator)
    kind = int if operator != "/" and one.type is int and other.type is int else float
    return of_expr(Binary(kind, operator, one, other))


def record_fields(value: Any, shape: Record) -> dict[str, Any]:
    if isinstance(value, RecordStandin):
        value = tuple(value._fields[name] for name, _ in shape.fields if name in value._fields)
    if isinstance(value, ParameterStandin):
        expr = value._expr
        kinds = dict(fields_of(shape.type))
        return {name: of_expr(Member(kinds[name], expr, name)) for name, _ in shape.fields}
    if isinstance(value, Standin) or value is None:
        raise WrongValue("it is no record")
    found: dict[str, Any] = {}
    for index, (name, _) in enumerate(shape.fields):
        found[name] = codec.field_of(value, name, index, shape)
    return found


def called(value: Any) -> str:
    """A value in the words of a message."""
    if isinstance(value, Standin):
        return value._called()
    return repr(value) if len(repr(value)) < 60 else f"a {type(value).__name__}"
