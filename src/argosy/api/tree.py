"""A run's steps as a tree of text, for notebooks.

It knows nodes; drawing on terminals is the command line's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argosy.model.status import Node

SIGNS = {
    "Succeeded": "✔",
    "Failed": "✖",
    "Error": "⚠",
    "Running": "●",
    "Pending": "·",
    "Skipped": "○",
    "Omitted": "○",
}


def tree_text(name: str, phase: str, nodes: Mapping[str, Node]) -> str:
    """The run's name and phase, and a line for each step."""
    return "\n".join((f"{name}  {phase}", *_lines(nodes)))


def _lines(nodes: Mapping[str, Node]) -> Iterator[str]:
    from argosy.project.views import leaf_types

    for node in nodes.values():
        if node.type in leaf_types():
            path = node.name.partition(".")[2] or node.name
            message = f"  {node.message}" if node.message and str(node.phase) in ("Failed", "Error") else ""
            yield f"  {SIGNS.get(str(node.phase), ' ')} {path}{message}"


class NotebookTree:
    """Follows a run in a notebook: one output that is drawn over."""

    PAUSE_SECONDS = 0.2

    def __init__(self, name: str) -> None:
        from IPython.display import display  # pyright: ignore

        self._name = name
        self._handle: Any = display({"text/plain": name}, raw=True, display_id=True)
        self._next = 0.0

    def show(self, nodes: Mapping[str, Node], message: str = "") -> None:
        import time

        now = time.monotonic()
        if now >= self._next:
            self._next = now + self.PAUSE_SECONDS
            self._draw("Running", nodes)

    def end(self, nodes: Mapping[str, Node]) -> None:
        root = next(iter(nodes.values()), None)
        self._draw(str(root.phase) if root is not None else "", nodes)

    def tell(self, text: str) -> None:
        print(text)

    def _draw(self, phase: str, nodes: Mapping[str, Node]) -> None:
        self._handle.update({"text/plain": tree_text(self._name, phase, nodes)}, raw=True)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    import sys

    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"
