"""`run(..., stubs=...)`: workflows tested inside this process."""

from __future__ import annotations

from pathlib import Path

import api_program as program
import pytest

from argosy import Local, RunFailed, run, step, workflow
from argosy.errors import UsageError


def _fake(lr):
    file = Path("fake.txt")
    file.write_text("fake")
    print("faked", lr)
    return program.Model(file, lr)


def test_a_stub_stands_for_its_step():
    done = run(program.search, stubs={program.train: _fake})
    assert done.phase == "Succeeded"
    assert done.result.accuracy == 0.5
    assert done.result.weights.read_text() == "fake"
    assert done.logs(program.train) == "faked 0.5\nfaked 0.25\n"
    assert done.steps()["pick-best"] == "Succeeded"


def test_a_stub_gives_what_its_step_declares():
    done = run(program.search, stubs={program.train: lambda lr: "nonsense"})
    assert done.phase == "Failed"
    assert "'nonsense' is no Model" in done.message


def test_what_a_stub_raises_is_the_cause():
    def broken(lr):
        raise KeyError("the very one")

    done = run(program.search, stubs={program.train: broken})
    with pytest.raises(RunFailed) as failed:
        done.check()
    assert isinstance(failed.value.__cause__, KeyError)


def test_scripts_need_a_stub_and_can_have_one():
    done = run(program.scripted, stubs={program.today: lambda form: form * 2}, form="ab")
    assert done.result == "abab"
    with pytest.raises(UsageError, match="today"):
        run(program.scripted, stubs={})


def test_files_given_by_path(tmp_path):
    (tmp_path / "lines.txt").write_text("a\nb\nc\n")
    done = run(program.counting, stubs={}, text=tmp_path / "lines.txt")
    assert done.result.lines == 3
    assert (done.result.parts / "2.txt").read_text() == "c"


def test_steps_of_a_test_itself():
    """In one process nothing has to be found in a file."""

    @step
    def double(x: int) -> int:
        return 2 * x

    @workflow
    def twice(x: int) -> int:
        return double(double(x))

    assert run(twice, stubs={}, x=3).result == 12
    assert run(twice, on=Local(stubs={double: lambda x: x + 1}), x=3).result == 5


def test_only_steps_have_stubs():
    with pytest.raises(UsageError, match="is no step"):
        run(program.search, stubs={"train": _fake})
