"""Python programs on the command line: listed, planned, with hooks."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from argosy import for_loop, step, when, workflow


@step
def train(lr: float) -> float:
    return 1 - lr


@step
def best(scores: list[float]) -> float:
    return max(scores)


@step
def tell(status: str = "") -> None:
    print("told", status)


@workflow
def search(lrs: list[float] = [0.5, 0.25]) -> float:
    found = best.on_running(tell).on_exit(tell)(for_loop(train, lrs))
    return when(found > 0.7, lambda: found, lambda: train(0.0))
"""


def _argosy(folder, *words):
    command = [sys.executable, "-m", "argosy", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_folder_lists_its_programs_without_running_them(tmp_path):
    (tmp_path / "search.py").write_text(PROGRAM + "\nraise SystemExit('it was run')\n")
    (tmp_path / "other.py").write_text("print('nothing of ours')\n")
    (tmp_path / "with_hera.py").write_text(
        "from hera.workflows import Workflow\nwith Workflow(generate_name='a-') as mine:\n    pass\n"
    )
    said = _argosy(tmp_path, "run")
    assert said.stdout == "search.py  search\nwith_hera.py  mine\n"


def test_a_plan_takes_nothing_of_each_type_for_what_steps_give(tmp_path):
    (tmp_path / "search.py").write_text(PROGRAM)
    said = _argosy(tmp_path, "plan", "search.py")
    assert said.returncode == 0, said.stderr
    assert "errored" not in said.stdout
    assert "train(1:0.25)" in said.stdout
    assert "when 'false'" not in said.stdout
    better = _argosy(tmp_path, "plan", "search.py", "--assume", "best.result=0.9")
    assert "when 'false' evaluated false" in better.stdout


def test_hooks_run_beside_and_after_their_step(tmp_path):
    (tmp_path / "argosy.toml").touch()
    (tmp_path / "search.py").write_text(
        PROGRAM.replace("return max(scores)", "import time; time.sleep(0.5); return max(scores)")
    )
    said = _argosy(tmp_path, "run", "search.py", "-q")
    assert said.returncode == 0, said.stderr
    logs = _argosy(tmp_path, "logs", "@latest").stdout
    assert "best.hooks.running: told Running" in logs
    assert "best.onExit: told Succeeded" in logs
