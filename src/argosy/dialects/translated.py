"""Places in a file of another format, for findings that speak of the manifest that was made of it.

It knows paths only: which part of the manifest came from which part of the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from argosy.syntax.nodes import Node
from argosy.syntax.source_map import Path, SourceMap
from argosy.syntax.span import Source, Span

Parts = tuple[str | int, ...]


class TranslatedMap(SourceMap):
    """A source map that takes paths of the manifest."""

    __slots__ = ("_origins",)

    def __init__(self, root: Node, source: Source, origins: Mapping[Parts, Parts]) -> None:
        """origins: paths of the manifest, with the path in the file that each came from."""
        super().__init__(root, source)
        self._origins = dict(origins)

    def span(self, path: Path) -> Span:
        """Where the nearest part that came from the file stands."""
        there = self._there(path)
        return super().span(there) if there else super().key_span(())

    def key_span(self, path: Path) -> Span:
        """Where the key of the nearest part that came from the file stands."""
        return super().key_span(self._there(path))

    def contains(self, path: Path) -> bool:
        """Whether the file itself has something for this very path."""
        return tuple(path) in self._origins and super().contains(self._origins[tuple(path)])

    def _there(self, path: Path) -> Parts:
        whole = tuple(path)
        for length in range(len(whole), 0, -1):
            found = self._origins.get(whole[:length])
            if found is not None:
                return found
        return ()
