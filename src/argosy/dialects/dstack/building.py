"""A mapping of nodes as it is made, with the places of its keys.

It knows nodes, not what any key means.
"""

from __future__ import annotations

from argosy.syntax.nodes import Mapping, Node


class Building:
    """A mapping as it is made. pending_deps: dependencies that stand under several keys."""

    def __init__(self, place: int) -> None:
        self.values: dict[str, Node] = {}
        self._places: dict[str, int] = {}
        self._place = place
        self.pending_deps: list[Node] = []

    def put(self, key: str, node: Node, place: int) -> None:
        """Let a key have this value, whatever it had. place: the key's."""
        self.values[key] = node
        self._places[key] = place

    def made(self) -> Mapping:
        """The mapping."""
        return Mapping(self.values, list(self._places.values()), self._place)
