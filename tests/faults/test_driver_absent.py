"""While no driver lives: a result that comes is used, and of several that want to drive, one does.

ARGOSY_ROUNDS says how often (20 unless told).
"""

from __future__ import annotations

import os
from pathlib import Path

from driven import Folder, await_true, ended, kill

ROUNDS = int(os.environ.get("ARGOSY_ROUNDS", "20"))

WAITING = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: waiting-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: notes}]}
  templates:
  - name: main
    steps:
    - - {name: first, template: first}
    - - {name: second, template: second, arguments: {parameters: [{name: x, value: "{{steps.first.outputs.result}}"}]}}
  - name: first
    script:
      image: alpine
      command: [sh]
      source: |
        n={{workflow.parameters.notes}}; echo first >> $n
        while ! test -e $n.go; do sleep 0.02; done
        echo 42; echo over >> $n
  - name: second
    inputs: {parameters: [{name: x}]}
    container:
      image: alpine
      command: [sh, -c, "echo second {{inputs.parameters.x}} >> {{workflow.parameters.notes}}"]
"""


class Case:
    """A run whose first step waits for a file."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.notes = folder.folder / name
        self.driver = folder.start("run", "workflow.yaml", "--name", name, "-p", f"notes={self.notes}",
                                   "--runtime", "process")  # fmt: skip
        await_true(self.notes.exists, 20)

    def kill_driver(self) -> None:
        kill(self.driver.pid)
        self.driver.communicate()

    def let_go(self) -> None:
        self.notes.with_name(self.name + ".go").touch()

    def lines(self) -> list[str]:
        return self.notes.read_text().splitlines()


def test_a_result_that_came_while_nobody_watched_is_used(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(WAITING)
    for number in range(ROUNDS):
        case = Case(folder, f"round-{number}")
        case.kill_driver()
        case.let_go()
        await_true(lambda case=case: case.lines()[-1] == "over", 10)
        code, _, errors = folder.call("resume", case.name)
        assert code == 0, errors
        assert case.lines() == ["first", "over", "second 42"]
    assert set(folder.phases().values()) == {"Succeeded"}


def test_a_result_that_came_long_ago_is_used_when_the_supervisor_has_gone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(WAITING)
    case = Case(folder, "one")
    case.kill_driver()
    case.let_go()
    await_true(lambda: case.lines()[-1] == "over", 10)
    await_true(lambda: not folder.supervisors(), 20, lambda: "the supervisor leaves when it has nothing to do")
    code, _, errors = folder.call("resume", "one")
    assert code == 0, errors
    assert case.lines() == ["first", "over", "second 42"]


def test_a_driven_run_has_one_driver(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(WAITING)
    case = Case(folder, "one")
    code, _, errors = folder.call("resume", "one")
    assert code == 5, errors
    assert f"process {case.driver.pid}" in errors
    assert "watch one" in errors
    code, _, errors = folder.call("resume", "one", "--drive-only")
    assert code == 5, errors
    assert f"process {case.driver.pid}" in errors
    case.let_go()
    assert ended(case.driver)[0] == 0
    assert case.lines() == ["first", "over", "second 42"]


def test_of_two_that_resume_a_dead_run_one_drives(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(WAITING)
    for number in range(ROUNDS):
        case = Case(folder, f"round-{number}")
        case.kill_driver()
        both = [folder.start("resume", case.name) for _ in range(2)]
        await_true(lambda both=both: any(one.poll() is not None for one in both), 20)
        loser, winner = sorted(both, key=lambda one: one.poll() is None)
        assert winner.poll() is None
        code, _, errors = ended(loser)
        # 5: both asked at once. 2: the other drove it already when this one looked.
        assert code in (2, 5), errors
        if code == 5:
            assert f"process {winner.pid}" in errors
        case.let_go()
        code, _, errors = ended(winner)
        assert code == 0, errors
        assert case.lines() == ["first", "over", "second 42"]
