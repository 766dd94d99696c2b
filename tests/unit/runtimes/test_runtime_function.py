"""Forks of warm interpreters: how many there are, and what becomes of steps when one is killed, stuck or broken."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from runtime_bench import open_files

from argosy.artifacts.redaction import spellings
from argosy.runners.local.runtimes.runtime import StepSpec

PROGRAM = """
import os, signal, time
from pathlib import Path

def note():
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(os.environ["ARGOSY_STEP"] + "\\n")

def notes():
    note()

def waits():
    note()
    while not Path(os.environ["NOTES"] + ".go").exists():
        time.sleep(0.01)
    os._exit(6)

def kills_its_parent():
    note()
    parent = os.getppid()
    try:
        # Without an interpreter the parent is the supervisor.
        if "argosy.dsl.warm" in Path(f"/proc/{parent}/cmdline").read_text():
            os.kill(parent, 9)
    except OSError:
        pass  # another step was quicker
    time.sleep(0.05)
    os._exit(5)

def kills_its_group():
    note()
    os.killpg(0, 9)

def leaves_one_behind():
    note()
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write, b"up")
            time.sleep(600)
        os._exit(0)
    os.read(read, 2)
"""


@pytest.fixture
def forks(function_bench):
    write(function_bench, PROGRAM)
    return function_bench


def write(bench, text: str) -> None:
    (bench.root / "code").mkdir(exist_ok=True)
    (bench.root / "code" / "program.py").write_text(text)


def notes(bench) -> Path:
    return bench.root / "notes"


def step(bench, id: str, name: str, **more: object) -> StepSpec:
    return bench.call(id, name, environment={"NOTES": str(notes(bench))}, **more)


def begun(bench) -> list[str]:
    return notes(bench).read_text().split() if notes(bench).exists() else []


def await_begun(bench, count: int) -> None:
    deadline = time.monotonic() + 30
    while len(begun(bench)) < count:
        assert time.monotonic() < deadline, f"{begun(bench)} began"
        time.sleep(0.005)


def test_many_forks_of_one_interpreter_leak_nothing(forks):
    assert forks.run(step(forks, "first", "notes")).code == 0
    (warm,) = forks.warm()
    pids = (os.getpid(), forks.supervisor_pid(), warm)
    before = [open_files(pid) for pid in pids]
    forks.runner.start([step(forks, f"n{number}", "notes") for number in range(500)])
    assert {exit.code for exit in forks.wait_all(500).values()} == {0}
    assert forks.warm() == [warm]
    assert [open_files(pid) for pid in pids] == before
    assert sorted(begun(forks)) == sorted(["first", *(f"n{number}" for number in range(500))])
    assert forks.leftovers() == []


def test_steps_outlive_their_interpreter(forks):
    forks.runner.start([step(forks, name, "waits") for name in ("a", "b", "c")])
    await_begun(forks, 3)
    (warm,) = forks.warm()
    os.kill(warm, signal.SIGKILL)
    forks.runner.start([step(forks, "later", "notes")])
    assert forks.wait_all()["later"].code == 0
    assert warm not in forks.warm()
    forks.runner.stop("c", 30)
    ended = forks.wait_all()
    assert (ended["c"].code, ended["c"].signal) == (143, signal.SIGTERM)
    Path(f"{notes(forks)}.go").touch()
    assert {exit.code for exit in forks.wait_all(2).values()} == {6}
    assert sorted(begun(forks)) == ["a", "b", "c", "later"]


def test_a_step_that_kills_its_interpreter(forks):
    forks.runner.start([step(forks, f"n{number}", "kills_its_parent") for number in range(20)])
    ended = forks.wait_all(20)
    assert {exit.code for exit in ended.values()} == {5}
    assert sorted(begun(forks)) == sorted(ended)


def test_a_step_that_kills_its_group(forks):
    assert forks.run(step(forks, "a", "kills_its_group")).code == 137
    assert forks.run(step(forks, "b", "notes")).code == 0
    assert len(forks.warm()) == 1


def test_what_a_fork_leaves_behind_is_killed_while_others_run(forks):
    forks.runner.start([step(forks, "other", "waits")])
    await_begun(forks, 1)
    assert forks.run(step(forks, "a", "leaves_one_behind")).code == 0
    assert len(forks.leftovers()) == 1
    Path(f"{notes(forks)}.go").touch()
    assert forks.wait_all()["other"].code == 6


def test_a_step_is_called_off_while_its_program_is_loaded(forks):
    write(forks, f"import time\ntime.sleep(60)\n{PROGRAM}")
    forks.runner.start([step(forks, "a", "notes"), step(forks, "b", "notes")])
    forks.runner.stop("a", 30)
    ended = forks.wait_all()["a"]
    assert (ended.code, ended.signal) == (143, signal.SIGTERM)
    forks.runner.stop("b", 0)
    assert forks.wait_all()["b"].code in (137, 143)
    assert begun(forks) == []


def test_an_interpreter_that_is_killed_while_it_loads(forks):
    write(forks, f"import os, time\ntime.sleep(0 if os.path.exists('{forks.root}/go') else 60)\n{PROGRAM}")
    forks.runner.start([step(forks, "a", "notes"), step(forks, "b", "notes")])
    while not forks.warm():
        time.sleep(0.005)
    (forks.root / "go").touch()
    os.kill(forks.warm()[0], signal.SIGKILL)
    assert {exit.code for exit in forks.wait_all(2).values()} == {0}
    assert sorted(begun(forks)) == ["a", "b"]


def test_a_program_that_crashes_when_it_is_loaded(forks):
    write(forks, f"import os\nos.abort()\n{PROGRAM}")
    forks.runner.start([step(forks, name, "notes") for name in ("a", "b", "c")])
    assert {exit.signal for exit in forks.wait_all(3).values()} == {signal.SIGABRT}
    assert forks.run(step(forks, "d", "notes")).code == 134
    assert forks.warm() == []


def test_interpreters_for_steps_whose_environments_differ_are_few(forks):
    specs = [
        forks.call(f"n{number}", "notes", environment={"NOTES": str(notes(forks)), "OMP_NUM_THREADS": str(number)})
        for number in range(12)
    ]
    forks.runner.start(specs)
    assert {exit.code for exit in forks.wait_all(12).values()} == {0}
    assert len(forks.warm()) == 8
    assert len(begun(forks)) == 12


def test_a_step_with_secrets_is_a_process_of_its_own(forks):
    write(forks, "import os\ndef tells():\n    print('it is', os.environ['KEY'])\n")
    hidden = spellings([b"the-very-secret"])
    spec = forks.call("a", "tells", environment={"KEY": "the-very-secret"}, hidden=hidden)
    assert forks.run(spec).code == 0
    assert forks.log.read_text() == "it is ***\n"
    assert forks.warm() == []


@pytest.mark.parametrize("seed", range(3))
def test_interpreters_killed_at_any_moment(forks, seed: int):
    ids = [f"n{number}" for number in range(150)]
    forks.runner.start([step(forks, id, "notes") for id in ids])
    ended: dict[str, int] = {}
    while len(ended) < len(ids):
        for pid in forks.warm()[:1]:
            time.sleep(0.002 * seed)
            if b"ARGOSY_WARM= " in _environment(pid):
                os.kill(pid, signal.SIGKILL)
        ended |= {exit.id: exit.code for exit in forks.runner.wait(0.05)}
    assert sorted(begun(forks)) == sorted(ids)
    assert set(ended.values()) == {0}


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def test_a_fork_that_dies_before_it_says_that_it_is_there(forks):
    """As when memory runs out: what had not begun begins another way."""
    text = "import os\nif 'warm' in open('/proc/self/cmdline').read():\n"
    text += "    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), 9))\n"
    write(forks, text + PROGRAM)
    assert forks.run(step(forks, "a", "notes")).code == 0
    assert begun(forks) == ["a"]
    assert len(forks.warm()) == 1
