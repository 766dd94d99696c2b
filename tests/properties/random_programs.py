"""Random programs as data: what a workflow function could do, written down, to be traced and to be run as it stands.

A program means whatever the functions that it calls mean: within a trace they record, elsewhere they are plain Python.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import program_steps as steps

from argosy import for_loop, not_, when, while_loop, workflow

Values = dict[str, Any]
OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "neg": operator.neg,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": operator.and_,
    "|": operator.or_,
    "not": not_,
}


class Node:
    """Something that has a value."""

    def value(self, known: Values) -> Any:
        raise AssertionError


@dataclass
class Const(Node):
    what: Any

    def value(self, known: Values) -> Any:
        return self.what


@dataclass
class Var(Node):
    name: str

    def value(self, known: Values) -> Any:
        return known[self.name]


@dataclass
class Field(Node):
    of: Node
    name: str

    def value(self, known: Values) -> Any:
        return getattr(self.of.value(known), self.name)


@dataclass
class Index(Node):
    of: Node
    at: Any

    def value(self, known: Values) -> Any:
        return self.of.value(known)[self.at]


@dataclass
class In(Node):
    """A file in a folder."""

    of: Node
    name: str

    def value(self, known: Values) -> Any:
        return self.of.value(known) / self.name


@dataclass
class Op(Node):
    sign: str
    parts: tuple[Node, ...]

    def value(self, known: Values) -> Any:
        return OPERATORS[self.sign](*(one.value(known) for one in self.parts))


@dataclass
class ListOf(Node):
    items: tuple[Node, ...]

    def value(self, known: Values) -> Any:
        return [one.value(known) for one in self.items]


@dataclass
class RecordOf(Node):
    kind: str
    fields: tuple[Node, ...]

    def value(self, known: Values) -> Any:
        found = [one.value(known) for one in self.fields]
        return tuple(found) if self.kind in ("pair", "path_pair") else steps.TYPES[self.kind](*found)


@dataclass
class Call(Node):
    """A step, perhaps with options, another name, or something that it comes after."""

    step: str
    given: dict[str, Node]
    using: dict[str, Any] = field(default_factory=dict)
    named: str = ""
    after: tuple[Node, ...] = ()
    in_order: bool = False

    def value(self, known: Values) -> Any:
        step = getattr(steps, self.step)
        if self.using:
            step = step.using(**self.using)
        if self.named:
            step = step.named(self.named)
        if self.after:
            step = step.after(*(one.value(known) for one in self.after))
        given = {name: one.value(known) for name, one in self.given.items()}
        return step(*given.values()) if self.in_order else step(**given)


@dataclass
class Block:
    """Statements and what comes of them. Names are new in each, so that an inner one never changes an outer value."""

    statements: list[tuple[str, Node]] = field(default_factory=list)
    gives: Node | None = None

    def value(self, known: Values, **more: Any) -> Any:
        known = {**known, **more}
        for name, node in self.statements:
            known[name] = node.value(known)
        return self.gives.value(known) if self.gives is not None else None


@dataclass
class When(Node):
    condition: Node
    then: Block
    otherwise: Block | None
    decorated: bool = False

    def value(self, known: Values) -> Any:
        condition = self.condition.value(known)
        if self.otherwise is not None:
            return when(condition, lambda: self.then.value(known), lambda: self.otherwise.value(known))
        if not self.decorated:
            return when(condition, lambda: self.then.value(known))

        @when(condition)
        def branch() -> None:
            self.then.value(known)

        return branch()


@dataclass
class For(Node):
    over: Node
    item: str
    body: Block
    parallelism: int | None = None
    decorated: bool = False

    def value(self, known: Values) -> Any:
        over = self.over.value(known)
        if not self.decorated:
            return for_loop(
                lambda item: self.body.value(known, **{self.item: item}), over, parallelism=self.parallelism
            )

        @for_loop(over, parallelism=self.parallelism)
        def body(item):
            return self.body.value(known, **{self.item: item})

        return body()


@dataclass
class While(Node):
    state: str
    condition: Node
    body: Block
    init: Node
    most: int
    on_limit: str
    decorated: bool = False

    def value(self, known: Values) -> Any:
        words: Any = {"max_iterations": self.most, "on_limit": self.on_limit}

        def condition(state: Any) -> Any:
            return self.condition.value({**known, self.state: state})

        def body(state: Any) -> Any:
            return self.body.value(known, **{self.state: state})

        init = self.init.value(known)
        if self.decorated:
            return while_loop(condition, **words)(body)(init)
        return while_loop(condition, body, init=init, **words)


@dataclass
class Unrolled(Node):
    """A `for` of Python, over what is known when the workflow is written."""

    name: str
    over: list[Any]
    body: Block

    def value(self, known: Values) -> Any:
        return [self.body.value(known, **{self.name: item}) for item in self.over]


@dataclass
class Part(Node):
    """A call of another workflow."""

    of: Function
    given: dict[str, Node]

    def value(self, known: Values) -> Any:
        return self.of.workflow(**{name: one.value(known) for name, one in self.given.items()})


@dataclass
class Function:
    """A workflow's function: its parameters by their kinds, defaults, and what it does."""

    name: str
    parameters: dict[str, str]
    defaults: Values
    body: Block
    gives: tuple[str, ...] | str | None
    annotated: bool = True
    on_exit: bool = False

    def __post_init__(self) -> None:
        self.workflow = workflow(**({"on_exit": steps.handler} if self.on_exit else {}))(self.function())

    def result(self) -> Any:
        """The declared type of what it gives."""
        if self.gives is None:
            return None
        if isinstance(self.gives, str):
            return steps.TYPES[self.gives]
        return tuple[tuple(steps.TYPES[kind] for kind in self.gives)]

    def function(self) -> Callable[..., Any]:
        def function(**given: Any) -> Any:
            return self.body.value({**self.defaults, **given})

        kinds = {name: steps.TYPES[kind] for name, kind in self.parameters.items()}
        ordered = sorted(self.parameters, key=lambda name: name in self.defaults)
        empty = inspect.Parameter.empty
        declared: Any = function
        declared.__name__ = declared.__qualname__ = self.name
        declared.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    annotation=kinds[name],
                    default=self.defaults.get(name, empty),
                )
                for name in ordered
            ]
        )
        declared.__annotations__ = {**kinds, **({"return": self.result()} if self.annotated else {})}
        return function
