"""The parts that a parsed expr-lang expression is made of.

It knows their shape, not how they are read or computed.
"""

from __future__ import annotations

import msgspec


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Any part. position: where it begins, in characters."""

    position: int


class Literal(Node, frozen=True):
    """A constant: text, number, boolean, nil, bytes."""

    value: object


class Name(Node, frozen=True):
    """A variable, from the scope or from `let`."""

    name: str


class Pointer(Node, frozen=True):
    """`#` in a predicate, or `#acc` and `#index`."""

    name: str = ""


class Member(Node, frozen=True):
    """`base.key`, `base[key]`, and with `?.` in front."""

    base: Node
    key: Node
    optional: bool = False


class Chain(Node, frozen=True):
    """Members with `?.` among them: nil when one of those has a nil base."""

    node: Node


class Slice(Node, frozen=True):
    """`base[start:stop]`."""

    base: Node
    start: Node | None
    stop: Node | None


class Unary(Node, frozen=True):
    """`!a`, `-a`, `+a`."""

    operator: str
    operand: Node


class Binary(Node, frozen=True):
    """`a operator b`; `&&` and `and` are one operator here, and so on."""

    operator: str
    left: Node
    right: Node


class Conditional(Node, frozen=True):
    """`a ? b : c`, and `if a { b } else { c }`."""

    condition: Node
    then: Node
    otherwise: Node


class Array(Node, frozen=True):
    """`[a, b]`."""

    items: tuple[Node, ...]


class Map(Node, frozen=True):
    """`{a: b}`."""

    pairs: tuple[tuple[Node, Node], ...]


class Call(Node, frozen=True):
    """`name(a, b)`; for functions of a namespace the name is dotted."""

    name: str
    arguments: tuple[Node, ...]


class MethodCall(Node, frozen=True):
    """`base.method(a, b)`."""

    base: Node
    method: str
    arguments: tuple[Node, ...]
    optional: bool = False


class PredicateCall(Node, frozen=True):
    """`filter(items, predicate, more)`; predicate is None where it may be left out and is."""

    name: str
    items: Node
    predicate: Node | None
    more: tuple[Node, ...]
    weight: int


class Let(Node, frozen=True):
    """`let name = value; body`."""

    name: str
    value: Node
    body: Node


class Sequence(Node, frozen=True):
    """`a; b`: the last one's value."""

    nodes: tuple[Node, ...]
