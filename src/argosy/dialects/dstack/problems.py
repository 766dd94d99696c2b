"""What is wrong with a dstack file, gathered as it is read.

It knows places, not rules.
"""

from __future__ import annotations

from argosy.syntax.diagnostics import Diagnostic, Severity
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence
from argosy.syntax.span import Source, end_of, pack, start_of


class Problems:
    """The diagnostics of one piece of a file. source: the text that its nodes are from."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []

    def add(
        self, rule: str, message: str, place: int, *, severity: Severity = "error", why: str = "", hint: str = ""
    ) -> None:
        """Note a problem at a place of the file."""
        span = self.source.first_line(self.source.span(place))
        self.found.append(Diagnostic(rule=rule, severity=severity, message=message, span=span, why=why, hint=hint))

    def within(self, node: Node, words: str) -> int:
        """The place of some words within a node's text; the node's own when they are not found there."""
        start = self.source.text.find(words, start_of(node.place), end_of(node.place))
        return pack(start, start + len(words)) if words and start >= 0 else node.place

    def written(self, node: Scalar) -> str:
        """A value as it stands in the file, so that 3.10 stays what it is."""
        return node.value if isinstance(node.value, str) else self.source.written(node.place)

    def as_written(self, node: Node) -> Node:
        """A command or a value as it stands in the file: `true` is a program, `1.0` is no `1`."""
        if not isinstance(node, Scalar) or isinstance(node.value, str) or node.value is None:
            return node
        return Scalar(self.written(node), node.place)

    def key(self, key: str, place: int) -> str:
        """A key as it stands in the file: `n` is a name, and no way to say false."""
        return self.source.written(place).strip("\"'") if key in ("true", "false") else key

    def at(self, node: Node, *keys: str) -> int | None:
        """The place of what stands below these keys; None where nothing does."""
        for key in keys:
            if not isinstance(node, Mapping) or key not in node.values:
                return None
            node = node.values[key]
        return node.place


def with_letters(node: Node, source: Source) -> Node:
    """The node with the plain words y and n as text, as dstack's reader had them."""
    if isinstance(node, Sequence):
        return Sequence([with_letters(one, source) for one in node.items], node.place)
    if isinstance(node, Mapping):
        values = {key: with_letters(one, source) for key, one in node.values.items()}
        return Mapping(values, node.key_places, node.place)
    if isinstance(node.value, bool) and (written := source.written(node.place)) in ("y", "Y", "n", "N"):
        return Scalar(written, node.place)
    return node
