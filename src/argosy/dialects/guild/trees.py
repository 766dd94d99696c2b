"""Nodes of a guild.yml as Guild's YAML reader takes them, and made anew: what was read is never changed in place.

It knows nodes and places, no word of Guild's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from argosy.syntax.diagnostics import Diagnostic, Severity
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence
from argosy.syntax.span import Source, Span

# YAML 1.1 has these letters for booleans; the reader that Guild uses takes them as text.
_LETTERS = ("y", "Y", "n", "N")
MOST_FINDINGS = 50


class Findings:
    """What was found in one file, each at its place."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.all: list[Diagnostic] = []

    def report(
        self, rule: str, message: str, place: int, *, severity: Severity = "error", why: str = "", hint: str = ""
    ) -> None:
        """Note a finding; the same at the same place only once."""
        self.at(rule, message, self.source.span(place), severity=severity, why=why, hint=hint)

    def at(
        self, rule: str, message: str, span: Span, *, severity: Severity = "error", why: str = "", hint: str = ""
    ) -> None:
        """As `report`, where the place is known as a span."""
        span = self.source.first_line(span)
        found = Diagnostic(rule=rule, severity=severity, message=message, span=span, why=why, hint=hint)
        if found not in self.all and len(self.all) < MOST_FINDINGS:
            self.all.append(found)


def corrected(node: Node, source: Source) -> Node:
    """The node with numbers such as 1.0 as floats, and y and n as text."""
    if isinstance(node, Scalar):
        return Scalar(_value(node, source), node.place)
    if isinstance(node, Sequence):
        return Sequence([corrected(one, source) for one in node.items], node.place)
    values: dict[str, Node] = {}
    for (key, child), place in zip(node.values.items(), node.key_places, strict=True):
        written = source.written(place) if key in ("true", "false") else key
        values[written if written in _LETTERS else key] = corrected(child, source)
    return Mapping(values, list(node.key_places), node.place)


def _value(node: Scalar, source: Source) -> Any:
    value = node.value
    if isinstance(value, bool):
        written = source.written(node.place)
        return written if written in _LETTERS else value
    if isinstance(value, int):
        written = source.written(node.place).replace("_", "")
        if any(sign in written for sign in ".eE") and not written.lower().startswith("0x"):
            try:
                return float(written)
            except ValueError:
                return value
    return value


def mapping(pairs: Iterable[tuple[str, Node, int]], place: int) -> Mapping:
    """A mapping of keys, values and the keys' places; of equal keys the first counts."""
    values: dict[str, Node] = {}
    places: list[int] = []
    for key, node, key_place in pairs:
        if key not in values:
            values[key] = node
            places.append(key_place)
    return Mapping(values, places, place)


def pairs_of(node: Mapping) -> Iterator[tuple[str, Node, int]]:
    """Keys, values and the keys' places."""
    for (key, child), place in zip(node.values.items(), node.key_places, strict=True):
        yield key, child, place


def replaced(node: Mapping, changes: dict[str, Callable[[Node], Node | None]]) -> Mapping:
    """The mapping with some values made anew; a value that becomes None is left out."""
    found: list[tuple[str, Node, int]] = []
    for key, child, place in pairs_of(node):
        made = changes[key](child) if key in changes else child
        if made is not None:
            found.append((key, made, place))
    return mapping(found, node.place)


def over(child: Mapping, parent: Mapping, keys: Iterable[str] | None = None) -> Mapping:
    """The child with what it lacks from the parent, mappings inside too. keys: which of the parent's keys count."""
    wanted = None if keys is None else set(keys)
    found = list(pairs_of(child))
    for key, node, place in pairs_of(parent):
        if wanted is not None and key not in wanted:
            continue
        own = child.values.get(key)
        if own is None:
            found.append((key, node, place))
        elif isinstance(own, Mapping) and isinstance(node, Mapping):
            found = [(name, over(own, node) if name == key else one, at) for name, one, at in found]
    return mapping(found, child.place)


def rebased(node: Node, place: int) -> Node:
    """A node of another file, as if all of it stood at this place."""
    if isinstance(node, Scalar):
        return Scalar(node.value, place)
    if isinstance(node, Sequence):
        return Sequence([rebased(one, place) for one in node.items], place)
    return Mapping(
        {key: rebased(child, place) for key, child in node.values.items()}, [place] * len(node.values), place
    )


def is_null(node: Node | None) -> bool:
    """Whether nothing stands there."""
    return node is None or (isinstance(node, Scalar) and node.value is None)


def text_of(node: Node | None) -> str:
    """The text of a scalar, "" for anything else."""
    if not isinstance(node, Scalar) or node.value is None:
        return ""
    if isinstance(node.value, bool):
        return "yes" if node.value else "no"
    return str(node.value)


def listed(node: Node) -> Sequence:
    """The node as a list: one of itself, unless it is one."""
    return node if isinstance(node, Sequence) else Sequence([] if is_null(node) else [node], node.place)
