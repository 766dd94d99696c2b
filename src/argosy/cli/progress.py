"""How a run is followed: plain lines where nobody watches, a live tree on a terminal.

It knows nodes and what people want to see of them; it is handed a plan or a view, and asks for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Protocol

from argosy.cli.console import GREEN, RED, YELLOW, Console
from argosy.model.status import Node, NodeType, Phase

PAUSE_SECONDS = 0.1
TAIL_LINES = 10
# Of so many failed steps the logs are shown; the rest are counted.
MOST_TAILS = 3
_QUIET = (NodeType.STEPS, NodeType.STEP_GROUP, NodeType.DAG, NodeType.TASK_GROUP, NodeType.RETRY, NodeType.CONTAINER)
COLORS = {
    "Succeeded": GREEN,
    "Failed": RED,
    "Error": RED,
    "Running": YELLOW,
    "Pending": YELLOW,
    "Interrupted": YELLOW,
    "Skipped": "2",
    "Omitted": "2",
}
# The last lines of a node's log.
LogOf = Callable[[Node], list[str]]


class Progress(Protocol):
    """Something that follows a run."""

    def show(self, nodes: Mapping[str, Node], message: str = "") -> None:
        """How the run stands now; called often, and may pass over what is too soon."""
        ...

    def end(self, nodes: Mapping[str, Node]) -> None:
        """How the run stands at its end."""
        ...

    def tell(self, text: str) -> None:
        """A word on the run, from any thread."""
        ...


class Silent:
    """Follows nothing."""

    def show(self, nodes: Mapping[str, Node], message: str = "") -> None:
        return

    def end(self, nodes: Mapping[str, Node]) -> None:
        return

    def tell(self, text: str) -> None:
        return


class Lines:
    """A line for each step that begins, and one for each that ends."""

    def __init__(
        self,
        console: Console,
        log_of: LogOf,
        reused: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """reused: the names of nodes whose outcome was taken over; they have no lines."""
        self._reused = reused
        self._console = console
        self._log_of = log_of
        self._clock = clock
        self._next = 0.0
        self._seen = 0
        self._open: dict[str, bool] = {}
        self._tails = 0
        self._message = ""

    def show(self, nodes: Mapping[str, Node], message: str = "") -> None:
        now = self._clock()
        if now >= self._next:
            self._look(nodes)
            # With many nodes a look costs something: it is then taken less often.
            self._next = now + max(PAUSE_SECONDS, len(self._open) * 2e-5)
        if message and message != self._message:
            self._message = message
            self._console.say(message)

    def end(self, nodes: Mapping[str, Node]) -> None:
        self._look(nodes)
        if self._tails > MOST_TAILS:
            self._console.say(f"{self._tails - MOST_TAILS} more steps failed; argosy logs shows what they wrote")

    def tell(self, text: str) -> None:
        self._console.say(text)

    def _look(self, nodes: Mapping[str, Node]) -> None:
        if len(nodes) > self._seen:
            fresh = list(nodes)[self._seen :]
            self._seen = len(nodes)
            self._open.update((id, False) for id in fresh)
        for id, begun in list(self._open.items()):
            node = nodes[id]
            if node.phase.fulfilled:
                del self._open[id]
                self._tell_end(node)
            elif node.phase is Phase.RUNNING and not begun:
                self._open[id] = True
                self._tell_begin(node)

    def _tell_begin(self, node: Node) -> None:
        if node.type not in _QUIET:
            word = "waiting" if node.type is NodeType.SUSPEND else "started"
            self._console.say(f"{_clock(node.started_at)} {word:<9} {_short(node)}")

    def _tell_end(self, node: Node) -> None:
        if node.name in self._reused or (node.type in _QUIET and not (node.phase is Phase.ERROR and node.message)):
            return
        source = reused_from(node)
        word = "reused" if source else node.phase.lower()
        text = f"{_clock(node.finished_at)} {word:<9} {_short(node)}"
        if source:
            text += f"  from {source}"
        elif node.phase.completed:
            text += f"  {duration(node)}"
        if node.message and node.phase is not Phase.SUCCEEDED:
            text += f"  {node.message}"
        self._console.say_painted(text, COLORS[node.phase] if node.phase.unsuccessful else "0")
        if node.phase.unsuccessful:
            self._tails += 1
            if self._tails <= MOST_TAILS:
                show_tail(self._console, self._log_of(node))


def reused_from(node: Node) -> str:
    """Whose outcome a node has instead of one of its own: a run, or a cache that the manifest names; "" if it ran."""
    status = node.memoization_status
    return (status.from_run or status.cache_name) if status is not None and status.hit else ""


def show_tail(console: Console, lines: list[str]) -> None:
    """The last lines of a log, set off from the talk around them."""
    for line in lines:
        console.say(f"    | {line}")


def duration(node: Node, now: float | None = None) -> str:
    """How long a node took, or takes so far."""
    end = node.finished_at or now or node.started_at
    return spell(end - node.started_at) if node.started_at else ""


def spell(seconds: float) -> str:
    """A time that passed: 0.3s, 12s, 3m05s, 2h07m, 4d03h."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%H:%M:%S") if seconds else "        "


def _short(node: Node) -> str:
    """The node's name without the run's."""
    run, dot, rest = node.name.partition(".")
    if dot:
        return rest
    bracket = run.find("[")
    return run[bracket:] if bracket >= 0 else run


def make_progress(console: Console, log_of: LogOf, *, quiet: bool, name: str, reused: Collection[str] = ()) -> Progress:
    """What suits the console: nothing, lines, or a live tree."""
    if quiet:
        return Silent()
    if console.live:
        from argosy.cli.live import LiveTree

        return LiveTree(console, log_of, name)
    return Lines(console, log_of, reused)
