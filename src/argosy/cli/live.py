"""The live tree of a run on a terminal: steps with their times, a bar, the tail of what fails.

It knows how to draw with rich, which is imported nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

from rich.console import Console as RichConsole
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from argosy.cli.console import Console, visible
from argosy.cli.progress import MOST_TAILS, LogOf, duration, reused_from, show_tail
from argosy.model.status import Node, NodeType, Phase
from argosy.project.views import Branch, leaf_types, tree

PAUSE_SECONDS = 0.1
SYMBOLS = {
    Phase.PENDING: ("·", "dim"),
    Phase.RUNNING: ("●", "yellow"),
    Phase.SUCCEEDED: ("✔", "green"),
    Phase.FAILED: ("✖", "red"),
    Phase.ERROR: ("⚠", "red"),
    Phase.SKIPPED: ("○", "dim"),
    Phase.OMITTED: ("○", "dim"),
}
# Lines of the screen that are not for the tree.
_MARGIN = 4


class LiveTree:
    """Draws the tree over itself until the end, and then leaves it standing."""

    def __init__(self, console: Console, log_of: LogOf, name: str) -> None:
        self._console = console
        self._log_of = log_of
        self._name = name
        system: Literal["auto"] | None = "auto" if console.color_err else None
        self._rich = RichConsole(stderr=True, color_system=system, highlight=False)
        self._live = Live(console=self._rich, auto_refresh=False, transient=True)
        self._started = time.time()
        self._next = 0.0

    def show(self, nodes: Mapping[str, Node], message: str = "") -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + max(PAUSE_SECONDS, len(nodes) * 1e-4)
        if not self._live.is_started:
            self._live.start()
        self._live.update(self._drawn(nodes, message, self._rich.size.height - _MARGIN), refresh=True)

    def end(self, nodes: Mapping[str, Node]) -> None:
        if self._live.is_started:
            self._live.stop()
        self._rich.print(self._drawn(nodes, "", 200, final=True))
        failed = [one for one in nodes.values() if one.phase.unsuccessful and one.type in leaf_types()]
        for node in failed[:MOST_TAILS]:
            lines = self._log_of(node)
            if lines:
                self._console.say_painted(f"{node.display_name}: {node.message}", "31")
                show_tail(self._console, lines)

    def tell(self, text: str) -> None:
        # Above the tree, which is drawn again below it.
        self._rich.print(Text(visible(text)))

    def _drawn(self, nodes: Mapping[str, Node], message: str, height: int, *, final: bool = False) -> Group:
        rows = chosen(list(tree(nodes, self._root(nodes))), max(3, height))
        table = Table.grid(padding=(0, 2))
        now = time.time()
        for branch in rows:
            if branch is None:
                table.add_row(Text("…", "dim"), "", "")
            else:
                table.add_row(_label(branch), Text(duration(branch.node, now), "dim"), _note(branch.node))
        parts: list[Table | Text] = [table]
        if message:
            parts.append(Text(visible(message), "yellow"))
        if not final:
            parts.append(_bar(nodes))
        return Group(*parts)

    def _root(self, nodes: Mapping[str, Node]) -> str:
        return self._name if self._name in nodes else next(iter(nodes), "")


def chosen(rows: list[Branch], height: int) -> list[Branch | None]:
    """As many rows as there is room for: what runs or failed first, then what is near the end. None for a gap."""
    if len(rows) <= height:
        return list(rows)
    order = sorted(range(len(rows)), key=lambda place: (_rank(rows[place].node), rows[place].depth, -place))
    kept = sorted(order[: height - 1])
    shown: list[Branch | None] = []
    before = -1
    for place in kept:
        if place != before + 1 and (not shown or shown[-1] is not None) and len(shown) < height - 1:
            shown.append(None)
        shown.append(rows[place])
        before = place
    return shown[:height]


def _rank(node: Node) -> int:
    if node.phase is Phase.RUNNING:
        return 0
    if node.phase.unsuccessful:
        return 1
    return 2 if node.phase is Phase.PENDING else 3


def _label(branch: Branch) -> Text:
    lines = "".join("   " if last else "│  " for last in branch.last[:-1])
    if branch.last:
        lines += "└─ " if branch.last[-1] else "├─ "
    symbol, style = SYMBOLS[branch.node.phase]
    if branch.node.type is NodeType.SUSPEND and branch.node.phase is Phase.RUNNING:
        symbol = "ǁ"
    return Text().append(lines, "dim").append(f"{symbol} ", style).append(visible(branch.node.display_name))


def _note(node: Node) -> Text:
    if source := reused_from(node):
        return Text(f"reused from {visible(source)}", "dim")
    return Text(visible(node.message)[:100], "red" if node.phase.unsuccessful else "dim")


def _bar(nodes: Mapping[str, Node]) -> Table:
    leaves = [node for node in nodes.values() if node.type in leaf_types()]
    done = sum(node.phase.fulfilled for node in leaves)
    table = Table.grid(padding=(0, 1))
    table.add_row(ProgressBar(total=max(1, len(leaves)), completed=done, width=30), f"{done}/{len(leaves)}")
    return table
