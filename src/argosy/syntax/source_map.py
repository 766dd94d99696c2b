"""From a path in a document to the place where it is written.

It knows the tree of nodes only; nothing is computed before it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence as Items

from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence
from argosy.syntax.span import Source, Span

Path = Items[str | int]


class SourceMap:
    """Paths are keys and indexes as the file has them: ("spec", "templates", 0, "name")."""

    __slots__ = ("root", "source")

    def __init__(self, root: Node, source: Source) -> None:
        self.root = root
        self.source = source

    def span(self, path: Path) -> Span:
        """Where the value at a path stands; where the path leads nowhere, its nearest ancestor that exists.

        An ancestor that spans lines is shown by its key, or by its first line.
        """
        found, depth = self._walk(path)
        if depth < len(path) and not isinstance(found, Scalar):
            return self.key_span(path[:depth])
        return self.source.span(found.place)

    def key_span(self, path: Path) -> Span:
        """Where the key of a path's last part stands; of a list's item, its beginning."""
        _, depth = self._walk(path)
        parent, _ = self._walk(path[: depth - 1]) if depth else (self.root, 0)
        if depth and isinstance(parent, Mapping):
            return self.source.span(parent.key_place(str(path[depth - 1])))
        found, _ = self._walk(path)
        return self.source.first_line(self.source.span(found.place))

    def contains(self, path: Path) -> bool:
        """Whether the file itself has something at this path."""
        return self._walk(path)[1] == len(path)

    def _walk(self, path: Path) -> tuple[Node, int]:
        """The deepest node on the path, and how many parts of the path lead to it."""
        node = self.root
        for depth, part in enumerate(path):
            if isinstance(node, Mapping) and isinstance(part, str):
                below = node.values.get(part)
            elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
                below = node.items[part]
            else:
                below = None
            if below is None:
                return node, depth
            node = below
        return node, len(path)
