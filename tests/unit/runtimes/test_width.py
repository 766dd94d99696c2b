"""Processes that wait until fewer than so many run: in order, never more at once, also without a driver."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.runners.local.supervision import Exit, Spawn, Supervision

# Notes that it begins, and ends once it is told to.
STEP = "echo begin {id} >> notes; while [ ! -e go-{id} ] && [ ! -e go ]; do sleep 0.01; done; echo end {id} >> notes"


@pytest.fixture
def supervision(tmp_path: Path) -> Iterator[Supervision]:
    found = connected(tmp_path)
    yield found
    (tmp_path / "go").touch()
    found.close()


def connected(folder: Path) -> Supervision:
    return Supervision.connect_or_start(folder / "s", f"width-{os.getpid()}-{folder.name}")


def step(folder: Path, id: str) -> Spawn:
    return Spawn(
        id=id,
        argv=("/bin/sh", "-c", STEP.format(id=id)),
        directory=str(folder),
        stdout="/dev/null",
        stderr="/dev/null",
        environment={"PATH": os.environ["PATH"]},
    )


def notes(folder: Path, lines: int) -> list[str]:
    """What the steps noted, as soon as there are so many lines."""
    deadline = time.monotonic() + 20
    path = folder / "notes"
    while not path.exists() or path.read_text().count("\n") < lines:
        assert time.monotonic() < deadline, path.read_text() if path.exists() else "nothing was noted"
        time.sleep(0.01)
    return path.read_text().split("\n")[:-1]


def exits_of(supervision: Supervision, count: int) -> dict[str, Exit]:
    exits: dict[str, Exit] = {}
    while len(exits) < count and (found := supervision.wait(20)):
        exits |= {exit.id: exit for exit in found}
    return exits


def most_at_once(lines: list[str]) -> int:
    most = now = 0
    for line in lines:
        now += 1 if line.startswith("begin") else -1
        most = max(most, now)
    return most


def test_those_beyond_the_width_begin_in_order_as_others_end(supervision: Supervision, tmp_path: Path):
    supervision.spawn([step(tmp_path, id) for id in "abcd"], 2)
    assert sorted(notes(tmp_path, 2)) == ["begin a", "begin b"]
    (tmp_path / "go-b").touch()
    assert notes(tmp_path, 4)[2:] == ["end b", "begin c"]
    (tmp_path / "go").touch()
    assert {id: exit.code for id, exit in exits_of(supervision, 4).items()} == dict.fromkeys("abcd", 0)
    lines = notes(tmp_path, 8)
    assert most_at_once(lines) == 2
    assert [line for line in lines if line.startswith("begin")][2:] == ["begin c", "begin d"]


def test_processes_without_a_width_neither_wait_nor_take_room(supervision: Supervision, tmp_path: Path):
    supervision.spawn([step(tmp_path, "free")])
    supervision.spawn([step(tmp_path, id) for id in "ab"], 1)
    assert sorted(notes(tmp_path, 2)) == ["begin a", "begin free"]
    supervision.spawn([step(tmp_path, "more")])
    assert notes(tmp_path, 3)[2] == "begin more"


def test_a_process_that_is_stopped_while_it_waits_never_begins(supervision: Supervision, tmp_path: Path):
    supervision.spawn([step(tmp_path, id) for id in "abc"], 1)
    notes(tmp_path, 1)
    supervision.kill("b", signal.SIGTERM, 5.0)
    [exit] = supervision.wait(20)
    assert (exit.id, exit.code, exit.signal) == ("b", 143, signal.SIGTERM)
    (tmp_path / "go").touch()
    assert {id: exit.code for id, exit in exits_of(supervision, 2).items()} == {"a": 0, "c": 0}
    assert notes(tmp_path, 4) == ["begin a", "end a", "begin c", "end c"]


def test_a_process_that_cannot_start_takes_no_room(supervision: Supervision, tmp_path: Path):
    missing = Spawn(id="no", argv=("/no/such",), directory=str(tmp_path), stdout="/dev/null", stderr="/dev/null")
    supervision.spawn([step(tmp_path, "a"), missing, step(tmp_path, "b")], 1)
    (tmp_path / "go").touch()
    assert {id: exit.code for id, exit in exits_of(supervision, 3).items()} == {"a": 0, "no": 127, "b": 0}


def test_what_waits_begins_without_a_driver_and_not_again_for_the_next_one(supervision: Supervision, tmp_path: Path):
    supervision.spawn([step(tmp_path, id) for id in "abc"], 1)
    notes(tmp_path, 1)
    supervision._disconnect()  # pyright: ignore[reportPrivateUsage] - as the death of a driver does
    second = connected(tmp_path)
    assert second.known() == {"a": None}
    second.spawn([step(tmp_path, id) for id in "abc"], 1)
    (tmp_path / "go").touch()
    assert {id: exit.code for id, exit in exits_of(second, 3).items()} == dict.fromkeys("abc", 0)
    second.close()
    assert notes(tmp_path, 6) == [f"{what} {id}" for id in "abc" for what in ("begin", "end")]
