"""The supervisor has what a step with a mask writes put into its log without the values, all of it, before the exit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.artifacts.redaction import spellings
from argosy.runners.local.supervision import Exit, Spawn, Supervision

SECRET = "hunter2-and-more"
Run = Callable[..., Exit]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a shell's script with the mask; stdout and stderr are apart if asked for."""

    def call(script: str, *, program: str = "/bin/sh", apart: bool = False, secret: str = SECRET) -> Exit:
        supervision = Supervision.connect_or_start(tmp_path / "supervisor", "masked")
        values = spellings([secret])
        supervision.spawn(
            [
                Spawn(
                    id="step",
                    argv=("sh", "-c", script),
                    program=program,
                    directory=str(tmp_path),
                    environment={"PATH": os.environ["PATH"], "SECRET": secret},
                    stdout=str(tmp_path / ("out" if apart else "log")),
                    stderr=str(tmp_path / "log"),
                    mask=(values.texts, values.broken),
                )
            ]
        )
        (exit,) = supervision.wait(30)
        supervision.close()
        return exit

    return call


def test_all_is_written_before_the_exit_is_told(run: Run, tmp_path: Path) -> None:
    exit = run(
        'for i in 1 2 3; do echo "$i $SECRET"; done; echo "err $SECRET" >&2; printf %s "$SECRET" | base64; exit 3'
    )
    assert exit.code == 3
    assert (tmp_path / "log").read_text() == "1 ***\n2 ***\n3 ***\nerr ***\n***\n"


def test_outputs_that_are_apart_stay_apart(run: Run, tmp_path: Path) -> None:
    run('echo "out $SECRET"; echo "err $SECRET" >&2', apart=True)
    assert (tmp_path / "out").read_text() == "out ***\n"
    assert (tmp_path / "log").read_text() == "err ***\n"


def test_a_value_in_many_writes_and_a_beginning_at_the_end(run: Run, tmp_path: Path) -> None:
    run('printf hun; sleep 0.05; printf ter2-; sleep 0.05; printf "and-more hunter2-an"')
    assert (tmp_path / "log").read_text() == "*** hunter2-an"


def test_much_output(run: Run, tmp_path: Path) -> None:
    run('yes "$SECRET and 30 other letters of a line" | head -n 50000')
    assert (tmp_path / "log").read_text() == "*** and 30 other letters of a line\n" * 50_000


def test_what_outlives_the_step_does_not_hold_its_exit_up(run: Run, tmp_path: Path) -> None:
    begun = time.monotonic()
    exit = run("env -i setsid sleep 60 & echo done")
    assert exit.code == 0
    assert (tmp_path / "log").read_text() == "done\n"
    assert time.monotonic() - begun < 30


def test_a_program_that_is_not_there(run: Run, tmp_path: Path) -> None:
    exit = run("", program=f"/none/{SECRET}")
    assert exit.code == 127
    assert SECRET not in exit.message
    assert "***" in exit.message


def test_no_value_on_a_command_line_or_in_a_file(run: Run, tmp_path: Path) -> None:
    look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\\\0' ' ' > seen; cat supervisor/* > kept 2>/dev/null; true"
    assert run(look).code == 0
    for name in ("seen", "kept"):
        found = (tmp_path / name).read_bytes()
        assert found
        assert SECRET.encode() not in found
    assert b"supervisor.py" in (tmp_path / "seen").read_bytes()
