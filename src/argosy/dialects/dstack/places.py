"""From a path in the lowered workflow to the place of the dstack file that it is from.

It knows which template is which workflow of the file; what is in neither is at the file's first workflow.
"""

from __future__ import annotations

from collections.abc import Mapping

from argosy.syntax.nodes import Node
from argosy.syntax.source_map import Path, SourceMap
from argosy.syntax.span import Source, Span


class LoweredMap(SourceMap):
    """templates: for each template of the workflow, by its number, where in the file its workflow is."""

    __slots__ = ("_main", "_templates")

    def __init__(self, root: Node, source: Source, templates: Mapping[int, int], main: int) -> None:
        super().__init__(root, source)
        self._templates = templates
        self._main = main

    def span(self, path: Path) -> Span:
        return self.key_span(path)

    def key_span(self, path: Path) -> Span:
        return super().key_span(self._in_file(path))

    def contains(self, path: Path) -> bool:
        return bool(path) and path[-1] != "spec"

    def _in_file(self, path: Path) -> Path:
        number = path[2] if len(path) > 2 and path[1] == "templates" else None
        index = self._templates.get(number, self._main) if isinstance(number, int) else self._main
        return ("workflows", index)
