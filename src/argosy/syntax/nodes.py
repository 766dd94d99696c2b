"""A document as a tree whose every node remembers its place.

It knows values and places, not fields, kinds or meaning. Nodes are shared where the file has an alias.
"""

from __future__ import annotations

import msgspec

ScalarValue = str | int | float | bool | None


class Scalar(msgspec.Struct, gc=False):
    """A value as Argo reads it: a number that is whole is an int, whatever way it was written."""

    value: ScalarValue
    place: int


class Sequence(msgspec.Struct):
    items: list[Node]
    place: int


class Mapping(msgspec.Struct):
    """Keys are always strings. `key_places` follow the order of `values`."""

    values: dict[str, Node]
    key_places: list[int]
    place: int

    def key_place(self, key: str) -> int:
        """Where a key stands. Raises KeyError if it does not."""
        for position, name in enumerate(self.values):
            if name == key:
                return self.key_places[position]
        raise KeyError(key)


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> object:
    """The node as plain values: str, int, float, bool, None, list, dict. Its depth is bounded by the reader."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.values.items()}


def described(node: Node) -> str:
    """What the node is, in words: `a list`, `the number 3`."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the boolean {str(node.value).lower()}"
    if isinstance(node.value, str):
        return "an empty string" if not node.value else "a string"
    return f"the number {node.value}" if len(str(node.value)) < 30 else "a number"
