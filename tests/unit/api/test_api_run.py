"""`argosy.run`: runs as objects, on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from argosy import Local, RunFailed, run
from argosy.errors import NotFound, UsageError

QUIET = Local(quiet=True)


def test_a_run_has_its_result_with_files_as_paths(program):
    done = run(program.search, on=QUIET)
    assert (done.phase, done.message, done.exit_code) == ("Succeeded", "", 0)
    assert done.result.accuracy == 0.75
    assert done.result.weights.read_text() == "0.25"
    assert done.outputs == {"weights": done.result.weights, "accuracy": 0.75}
    assert isinstance(done.result, program.Model)


def test_inputs_are_the_functions_parameters(program):
    done = run(program.search, lrs=[0.125], on=QUIET)
    assert done.result.accuracy == 0.875


def test_logs_of_one_step_and_of_all(program):
    done = run(program.search, on=QUIET)
    assert sorted(done.logs(program.train).splitlines()) == ["training with 0.25", "training with 0.5"]
    assert done.logs("pick-best") == ""
    assert done.logs() == done.logs("train")
    assert done.artifact(program.pick_best).read_text() == "0.25"
    with pytest.raises(NotFound):
        done.logs("nothing-like-it")
    with pytest.raises(NotFound):
        done.artifact("pick-best", "no-such")


def test_steps_and_how_a_notebook_shows_a_run(program):
    done = run(program.several, on=QUIET)
    assert done.steps() == {"train": "Succeeded", "train-2": "Succeeded", "gather": "Succeeded"}
    assert "✔ train-2" in done._repr_html_()
    assert [model.weights.read_text() for model in done.result] == ["0.5", "0.25"]
    assert repr(done) == f"<run {done.name}: Succeeded>"


def test_files_are_given_by_their_paths(program, tmp_path):
    (tmp_path / "lines.txt").write_text("a\nb\n")
    done = run(program.counting, text=Path("lines.txt"), on=QUIET)
    assert done.result.lines == 2
    assert (done.result.parts / "1.txt").read_text() == "b"


def test_a_run_that_fails_is_a_run(program):
    done = run(program.failing, message="too bad", on=QUIET)
    assert (done.phase, done.exit_code) == ("Failed", 1)
    assert "about to fail" in done.logs("fail")
    assert "too bad" in done.logs("fail")
    with pytest.raises(RunFailed, match="fail"):
        _ = done.result
    with pytest.raises(RunFailed):
        done.check()


def test_what_does_not_fit_is_refused_before_anything_runs(program):
    with pytest.raises(UsageError, match="'lr'") as unknown:
        run(program.search, lr=[1.0], on=QUIET)
    assert unknown.value.hint == "did you mean lrs?"
    with pytest.raises(UsageError, match="'a' is no list"):
        run(program.search, lrs="a", on=QUIET)
    with pytest.raises(UsageError, match="nowhere"):
        run(program.search, on="moon")


def test_runtimes_give_the_same(program):
    assert run(program.search, on=Local(runtime="process", quiet=True)).result.accuracy == 0.75


def test_scripts_give_what_they_print(program):
    assert run(program.scripted, on=QUIET).result == "A"
    assert run(program.scripted, form="$(id)", on=QUIET).result == "$(id)"


def test_from_another_thread(program):
    import threading

    phases = []
    thread = threading.Thread(target=lambda: phases.append(run(program.search, on=QUIET).phase))
    thread.start()
    thread.join()
    assert phases == ["Succeeded"]


def test_a_program_that_runs_its_workflow_is_a_program_to_be_run(program, tmp_path):
    """`run` at the top of a file neither runs again in its steps, nor when the command line reads the file."""
    file = tmp_path / "script.py"
    file.write_text(
        "from argosy import run, step, workflow\n"
        "@step\ndef double(x: int) -> int:\n    return 2 * x\n"
        "@workflow\ndef one(x: int = 4) -> int:\n    return double(x)\n"
        "print('result', run(one).result)\n"
    )
    said = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout == "result 8\n"
    command = [sys.executable, "-m", "argosy", "run", "script.py", "x=5", "-q", "-o", "json"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert '"value": "10"' in said.stdout
    assert "result" not in said.stderr


def test_an_error_shows_its_hint_in_a_traceback(program, tmp_path):
    file = tmp_path / "wrong.py"
    file.write_text(
        "from argosy import run, step, workflow\n"
        "@step\ndef positive(x: int) -> bool:\n    return x > 0\n"
        "@workflow\ndef one(x: int = 4) -> None:\n"
        "    if positive(x):\n        positive(x)\n"
        "run(one)\n"
    )
    said = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert f"{file}:7: what positive gives is asked whether it is true" in said.stderr
    assert "hint: use when(condition, then, otherwise)" in said.stderr
