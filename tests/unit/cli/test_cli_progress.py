"""Following a run: lines for what changed, a tree that fits the screen, times people can read."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from argosy.cli.console import Console
from argosy.cli.live import LiveTree, chosen
from argosy.cli.progress import Lines, spell
from argosy.model.status import Node, NodeType, Phase
from argosy.project.step_files import tail
from argosy.project.views import tree


def _node(id: str, phase: Phase, kind: NodeType = NodeType.POD, boundary: str = "w", message: str = "") -> Node:
    return Node(
        id=id,
        name="w" if id == "w" else f"w.{id}",
        display_name=id,
        type=kind,
        phase=phase,
        boundary_id=boundary,
        message=message,
        started_at=1e9,
        finished_at=1e9 + 2 if phase.fulfilled else 0.0,
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0s"), (9.96, "10.0s"), (12.7, "12s"), (185, "3m05s"), (7620, "2h07m"), (356400, "4d03h"), (-1, "0.0s")],
)
def test_spell(seconds: float, shown: str) -> None:
    assert spell(seconds) == shown


def test_lines_tell_each_change_once(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    console = Console(sys.stdout, sys.stderr, {})
    lines = Lines(console, lambda node: ["one", "two\x1b[31m"], ["w.kept"], clock=iter(range(100)).__next__)
    nodes = {"w": _node("w", Phase.RUNNING, NodeType.DAG, ""), "a": _node("a", Phase.RUNNING)}
    lines.show(nodes)
    lines.show(nodes)
    nodes["a"] = _node("a", Phase.FAILED, message="main: Error (exit code 1)")
    nodes["kept"] = _node("kept", Phase.SUCCEEDED)
    nodes["s"] = _node("s", Phase.SKIPPED, NodeType.SKIPPED, message="when 'x == y' evaluated false")
    lines.show(nodes, "suspended")
    lines.show(nodes, "suspended")
    lines.end(nodes)
    said = [line[9:] if line[2:3] == ":" else line for line in capfd.readouterr().err.splitlines()]
    assert said == [
        "started   a",
        "failed    a  2.0s  main: Error (exit code 1)",
        "    | one",
        "    | two�[31m",
        "skipped   s  when 'x == y' evaluated false",
        "suspended",
    ]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_live_tree_draws_and_leaves_the_last_state(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    console = Console(io.StringIO(), terminal, {"TERM": "xterm", "NO_COLOR": "1"})
    assert console.live
    live = LiveTree(console, lambda node: [], "w")
    nodes = {"w": _node("w", Phase.RUNNING, NodeType.DAG, ""), "a": _node("a", Phase.RUNNING)}
    live.show(nodes)
    nodes["a"] = _node("a", Phase.SUCCEEDED)
    nodes["w"] = _node("w", Phase.SUCCEEDED, NodeType.DAG, "")
    live.end(nodes)
    drawn = terminal.getvalue()
    assert "● a" in drawn
    assert "0/1" in drawn
    assert "└─ ✔ a" in drawn.splitlines()[-1]


def test_a_tree_that_is_too_long_keeps_what_runs_and_what_failed() -> None:
    nodes = {"w": _node("w", Phase.RUNNING, NodeType.DAG, "")}
    nodes |= {f"n{number}": _node(f"n{number}", Phase.SUCCEEDED) for number in range(1000)}
    nodes["n500"] = _node("n500", Phase.RUNNING)
    nodes["n10"] = _node("n10", Phase.FAILED)
    rows = chosen(list(tree(nodes, "w")), 10)
    assert len(rows) <= 10
    shown = [row.node.id for row in rows if row is not None]
    assert {"n500", "n10"} <= set(shown)
    assert None in rows


def test_no_colour_where_nobody_wants_it() -> None:
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert not Console(_Terminal(), _Terminal(), environment).color_err
    assert Console(_Terminal(), _Terminal(), {}).color_err
    assert not Console(io.StringIO(), io.StringIO(), {}).color_out


def test_the_tail_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "driver.log"
    path.write_bytes(b"one\ntwo\nthree")
    assert tail(path, 2) == ["two", "three"]
    assert tail(tmp_path / "none", 2) == []


def test_the_tree_puts_attempts_and_items_below_what_they_belong_to() -> None:
    nodes = {
        "w": _node("w", Phase.RUNNING, NodeType.STEPS, ""),
        "g": _node("g", Phase.RUNNING, NodeType.STEP_GROUP),
        "r": _node("r", Phase.RUNNING, NodeType.RETRY),
        "r(0)": _node("r(0)", Phase.FAILED),
        "r(1)": _node("r(1)", Phase.RUNNING),
        "end": _node("end", Phase.RUNNING, boundary=""),
    }
    nodes["r"].children = ["r(0)", "r(1)"]
    assert [(one.node.id, one.depth) for one in tree(nodes, "w")] == [
        ("w", 0),
        ("r", 1),
        ("r(0)", 2),
        ("r(1)", 2),
        ("end", 0),
    ]
