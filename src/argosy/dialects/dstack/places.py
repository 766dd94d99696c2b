"""From a path in the lowered workflow to the place of the dstack file that it is from.

It knows which template is which workflow of the file, and which of its keys became which field; what is in neither is
at the file's first workflow.
"""

from __future__ import annotations

from collections.abc import Mapping

from argosy.syntax import nodes
from argosy.syntax.nodes import Node, Scalar
from argosy.syntax.source_map import Path, SourceMap
from argosy.syntax.span import Source, Span

# For a field of a template, the keys that it may come from, the likeliest first.
_KEYS = {
    "source": ("commands", "before_run", "setup", "args", "file", "script", "python_script"),
    "env": ("env", "environment"),
    "image": ("image", "python", "version"),
    "resources": ("resources", "gpu"),
    "outputs": ("artifacts",),
    "inputs": ("depends-on", "deps", "dependencies"),
}


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
        workflow = ("workflows", index)
        if number not in self._templates:
            return workflow
        field = next((part for part in path[3:] if part in _KEYS), "")
        for key in _KEYS.get(str(field), ()):
            if super().contains((*workflow, key)):
                return self._of_reference((*workflow, key)) if field == "source" else (*workflow, key)
        return workflow

    def _of_reference(self, path: tuple[str | int, ...]) -> Path:
        """Of a list, its first item into which a value is put: what is wrong with a script is wrong with that."""
        node, _ = self._walk(path)
        items = node.items if isinstance(node, nodes.Sequence) else []
        for number, one in enumerate(items):
            if isinstance(one, Scalar) and "${{" in str(one.value):
                return (*path, number)
        return path
