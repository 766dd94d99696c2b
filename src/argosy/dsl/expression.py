"""Values that are known only when the workflow runs, as expressions over inputs and outputs, and how they are spelled.

It knows expr-lang, which Argo evaluates (Argo docs: variables.md, expression tag templates), and no stand-in. A
parameter is text; within an expression it is first turned into a value of its declared type, so that nothing is
compared as words.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from argosy.dsl.codec import to_json
from argosy.dsl.shapes import choices_of, is_text, leaves

if TYPE_CHECKING:
    from argosy.dsl.scopes import Scope, Task
    from argosy.dsl.shapes import Shape


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the template that a scope becomes."""

    scope: Scope
    name: str

    def path(self, kind: str = "parameters") -> str:
        return f"inputs.{kind}[{quoted(self.name)}]"

    def tag(self, kind: str = "parameters") -> str:
        return "{{inputs." + f"{kind}.{self.name}" + "}}"


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a task."""

    task: Task
    name: str

    @property
    def scope(self) -> Scope:
        return self.task.scope

    def path(self, kind: str = "parameters") -> str:
        if self.name == STDOUT and kind == "parameters":
            return f"tasks[{quoted(self.task.name)}].outputs.result"
        return f"tasks[{quoted(self.task.name)}].outputs.{kind}[{quoted(self.name)}]"

    def tag(self, kind: str = "parameters") -> str:
        if self.name == STDOUT and kind == "parameters":
            return "{{tasks." + self.task.name + ".outputs.result}}"
        return "{{tasks." + f"{self.task.name}.outputs.{kind}.{self.name}" + "}}"


# The name of what a script prints, which is an output of its own in Argo.
STDOUT = "stdout"


@dataclass(frozen=True, slots=True)
class Item:
    """The item of a loop in the arguments of the loop's own task; index: where it stands instead of what it is."""

    task: Task
    index: bool = False

    @property
    def scope(self) -> Scope:
        return self.task.scope

    def path(self, kind: str = "parameters") -> str:
        if not self.task.indexed:
            return "item"
        return "item.i" if self.index else "item.v"

    def tag(self, kind: str = "parameters") -> str:
        return "{{" + self.path() + "}}"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that is the same in the whole workflow, such as workflow.status."""

    name: str

    @property
    def scope(self) -> None:
        return None

    def path(self, kind: str = "parameters") -> str:
        return self.name

    def tag(self, kind: str = "parameters") -> str:
        return "{{" + self.name + "}}"


Source = Input | Output | Item | Variable


def quoted(text: str) -> str:
    """A text as expr-lang has it. No two braces stand beside each other, which would end the tag around it."""
    body = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    for pair in ("{{", "}}"):
        while pair in body:
            body = body.replace(pair, f"{pair[0]}' + '{pair[1]}")
    return f"'{body}'" if "' + '" not in body else f"('{body}')"


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression of a declared type."""

    type: Any

    def native(self) -> str:
        """How its value is spelled in expr-lang."""
        raise AssertionError

    def parts(self) -> tuple[Expr, ...]:
        return ()

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        """The same expression with its parts changed."""
        return self


@dataclass(frozen=True, slots=True)
class Ref(Expr):
    """A parameter."""

    source: Source

    def native(self) -> str:
        return _from_text(self.source.path(), self.type)


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A value that the program has already, as JSON has it."""

    value: Any

    def native(self) -> str:
        return _literal(self.value)


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """Two values with an operator between them."""

    operator: str
    left: Expr
    right: Expr

    def native(self) -> str:
        return f"({self.left.native()} {self.operator} {self.right.native()})"

    def parts(self) -> tuple[Expr, ...]:
        return self.left, self.right

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, left=change(self.left), right=change(self.right))


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """A value with an operator before it: not, or minus."""

    operator: str
    inner: Expr

    def native(self) -> str:
        return f"{self.operator}({self.inner.native()})"

    def parts(self) -> tuple[Expr, ...]:
        return (self.inner,)

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, inner=change(self.inner))


@dataclass(frozen=True, slots=True)
class Member(Expr):
    """A field, an entry or an element of a value."""

    inner: Expr
    key: str | int

    def native(self) -> str:
        key = quoted(self.key) if isinstance(self.key, str) else str(self.key)
        return f"{self.inner.native()}[{key}]"

    def parts(self) -> tuple[Expr, ...]:
        return (self.inner,)

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, inner=change(self.inner))


@dataclass(frozen=True, slots=True)
class Each(Expr):
    """A field of each record in a list."""

    inner: Expr
    key: str

    def native(self) -> str:
        return f"map({self.inner.native()}, #[{quoted(self.key)}])"

    def parts(self) -> tuple[Expr, ...]:
        return (self.inner,)

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, inner=change(self.inner))


@dataclass(frozen=True, slots=True)
class ListOf(Expr):
    """A list made of values."""

    items: tuple[Expr, ...]

    def native(self) -> str:
        return "[" + ", ".join(one.native() for one in self.items) + "]"

    def parts(self) -> tuple[Expr, ...]:
        return self.items

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, items=tuple(change(one) for one in self.items))


@dataclass(frozen=True, slots=True)
class MapOf(Expr):
    """A mapping made of values."""

    names: tuple[str, ...]
    values: tuple[Expr, ...]

    def native(self) -> str:
        pairs = (f"{quoted(name)}: {one.native()}" for name, one in zip(self.names, self.values, strict=True))
        return "({" + ", ".join(pairs) + "})"

    def parts(self) -> tuple[Expr, ...]:
        return self.values

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, values=tuple(change(one) for one in self.values))


@dataclass(frozen=True, slots=True)
class Choice(Expr):
    """One of two values."""

    condition: Expr
    then: Expr
    otherwise: Expr

    def native(self) -> str:
        return f"({self.condition.native()} ? {self.then.native()} : {self.otherwise.native()})"

    def parts(self) -> tuple[Expr, ...]:
        return self.condition, self.then, self.otherwise

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, condition=change(self.condition), then=change(self.then), otherwise=change(self.otherwise))


@dataclass(frozen=True, slots=True)
class Retyped(Expr):
    """A value that is passed as another type: an int as a float, a text where anything may stand."""

    inner: Expr

    def native(self) -> str:
        return self.inner.native()

    def parts(self) -> tuple[Expr, ...]:
        return (self.inner,)

    def rebuilt(self, change: Callable[[Expr], Expr]) -> Expr:
        return replace(self, inner=change(self.inner))


@dataclass(frozen=True, slots=True)
class Written(Expr):
    """A text with tags in it that this room wrote itself."""

    text: str

    def native(self) -> str:
        raise AssertionError("it stands in arguments only")


@dataclass(frozen=True, slots=True)
class Ended(Expr):
    """Whether a task of this scope ran and succeeded. `skipped`: whether it had nothing to do instead."""

    task: Task
    skipped: bool = False

    def native(self) -> str:
        return f"tasks[{quoted(self.task.name)}].status == '{'Skipped' if self.skipped else 'Succeeded'}'"


@dataclass(frozen=True, slots=True)
class Gathered(Expr):
    """The results of all items of a loop, in their order.

    Argo gives one list of texts for each output, and none when there was no item (`processAggregateNodeOutputs`). flat:
    records keep the names of leaves, for lists of values that have files. items: what the loop went over.
    """

    task: Task
    element: Shape
    items: Expr
    flat: bool = False

    def native(self) -> str:
        found = [leaf for leaf in leaves(self.element, "") if leaf.is_parameter]
        if not found:
            return f"map({self.items.native()}, ({{}}))"
        lists = [f"let l{index} = fromJSON({Output(self.task, leaf.name).path()});" for index, leaf in enumerate(found)]
        values = {leaf.name: _gathered(f"l{index}[#]", leaf.shape) for index, leaf in enumerate(found)}
        each = _flat(values) if self.flat else _nested(self.element, values, "")
        made = f"({' '.join(lists)} map(0..len(l0)-1, {each}))"
        return f"({Ended(bool, self.task, skipped=True).native()} ? [] : {made})"


def is_encoded(shape: Shape) -> bool:
    """Whether a text is gathered as JSON: Argo gathers texts that all look like lists or mappings as those."""
    from argosy.dsl.shapes import Text

    if not isinstance(shape, Text):
        return False
    choices = choices_of(shape)
    return not choices or any(one.lstrip()[:1] in ("[", "{") for one in choices)


def _gathered(path: str, shape: Shape) -> str:
    declared = declared_type(shape)
    if is_text(declared):
        return f"fromJSON({path})" if is_encoded(shape) else path
    if declared in (int, float, bool):
        return _from_text(path, declared)
    return f"(type({path}) == 'string' ? fromJSON({path}) : {path})"


def _flat(values: dict[str, str]) -> str:
    return "({" + ", ".join(f"{quoted(name)}: {value}" for name, value in values.items()) + "})"


def _nested(shape: Shape, values: dict[str, str], name: str) -> str:
    from argosy.dsl.shapes import RESULT, Record

    if not isinstance(shape, Record):
        return values[name or RESULT]
    inner = ((field, _nested(one, values, f"{name}-{field}" if name else field)) for field, one in shape.fields)
    if typing.get_origin(shape.type) is tuple:
        return "[" + ", ".join(value for _, value in inner) + "]"
    return "({" + ", ".join(f"{quoted(field)}: {value}" for field, value in inner) + "})"


def declared_type(shape: Shape) -> Any:
    """The type of the parameter that a leaf of this shape is."""
    from argosy.dsl.shapes import Json, Record, Text

    return shape.type if isinstance(shape, (Text, Json, Record)) else list


def _from_text(path: str, declared: Any) -> str:
    if is_text(declared):
        return path
    if declared is int:
        return f"asInt({path})"
    if declared is float:
        return f"asFloat({path})"
    if declared is bool:
        return f"({path} == 'true')"
    return f"fromJSON({path})"


def text_of(expr: Expr) -> str:
    """An expression that gives the text which a parameter of this value has."""
    if isinstance(expr, Ref):
        return expr.source.path()
    if isinstance(expr, Choice):
        return f"({expr.condition.native()} ? {text_of(expr.then)} : {text_of(expr.otherwise)})"
    if isinstance(expr, Const):
        return quoted(const_text(expr))
    return expr.native() if is_text(expr.type) else f"toJson({expr.native()})"


def const_text(expr: Const) -> str:
    return expr.value if is_text(expr.type) else to_json(expr.value)


def argument(expr: Expr) -> str:
    """What stands in a manifest for an expression: a text, a tag, or an expression in a tag."""
    if isinstance(expr, Const) and "{{" not in const_text(expr):
        return const_text(expr)
    if isinstance(expr, Ref):
        return expr.source.tag()
    if isinstance(expr, Written):
        return expr.text
    return "{{=" + text_of(expr) + "}}"


def condition(expr: Expr) -> str:
    """What stands in `when` for an expression that is true or false."""
    return "{{=" + expr.native() + "}}"


def _literal(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join(_literal(one) for one in typing.cast(list[Any], value)) + "]"
    if isinstance(value, dict):
        given = typing.cast(dict[str, Any], value)
        return "({" + ", ".join(f"{quoted(name)}: {_literal(one)}" for name, one in given.items()) + "})"
    return to_json(value)


def sources(expr: Expr) -> Iterator[Source]:
    """All that an expression refers to."""
    if isinstance(expr, Ref):
        yield expr.source
    elif isinstance(expr, (Gathered, Ended)):
        yield Output(expr.task, "")
        if isinstance(expr, Gathered):
            yield from sources(expr.items)
    for part in expr.parts():
        yield from sources(part)
