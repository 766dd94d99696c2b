"""kill -9 of steps, of the supervisor, of both with the driver: what died is known, what replaces it runs alone.

ARGOSY_ROUNDS says how often (20 unless told). ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from driven import Folder, alive, await_true, containers, ended, kill, never_two_at_once

from argosy.runners.local.runtimes.choose import make

ROUNDS = int(os.environ.get("ARGOSY_ROUNDS", "20"))
SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))

LONG = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: long-}
spec:
  entrypoint: main
  templates:
  - name: main
    RETRY
    container:
      image: alpine
      command: [sh, -c, "echo begin main $$$$ >> NOTES; sleep 60 & wait; sleep 60"]
"""

# The first attempt waits to be killed, the next one succeeds.
SECOND_TIME_LUCKY = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: lucky-}
spec:
  entrypoint: main
  templates:
  - name: main
    retryStrategy: {limit: "2"}
    container:
      image: alpine
      command: [sh, -c, "echo begin main $$$$ >> NOTES; test {{retries}} != 0 || sleep 60; echo end main $$$$ >> NOTES"]
"""

# "$$" is "$" for Kubernetes. Each attempt tells when another process of its step is alive as it begins.
STAGES = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: stages-}
spec:
  entrypoint: main
  arguments:
    parameters: [{name: notes}]
  templates:
  - name: main
    steps:
    - - {name: a, template: note, withSequence: {count: "3"}, arguments: {parameters: [{name: id, value: "a{{item}}"}]}}
    - - {name: b, template: note, withSequence: {count: "3"}, arguments: {parameters: [{name: id, value: "b{{item}}"}]}}
  - name: note
    inputs: {parameters: [{name: id}]}
    retryStrategy: {limit: "20", retryPolicy: POLICY}
    container:
      image: alpine
      command: [sh, -c]
      args:
      - |
        notes={{workflow.parameters.notes}}; me={{inputs.parameters.id}}
        for old in $(grep "^begin $me " $notes 2>/dev/null | cut -d' ' -f3); do
          if grep -qz "^ARGOSY_RUN=$ARGOSY_RUN" /proc/$old/environ 2>/dev/null; then
            echo "TWO $me $old $$$$" >> $notes
          fi
        done
        echo "begin $me $$$$" >> $notes
        sleep 0.1
        echo "end $me $$$$" >> $notes
"""


def wait_for_death(folder: Folder, name: str, since: float) -> float:
    """The seconds until the record says that the attempt is over."""
    while True:
        nodes = folder.status(name).get("nodes", {}).values()
        if any(one["type"] == "Pod" and one["phase"] in ("Failed", "Error") for one in nodes):
            return time.monotonic() - since
        assert time.monotonic() - since < 20


@pytest.mark.parametrize("runtime", ["process", "sandbox"])
def test_a_killed_step_is_failed_within_five_seconds(tmp_path: Path, runtime: str) -> None:
    folder = Folder(tmp_path)
    # A sandboxed step does not write outside of its folder.
    folder.write(LONG.replace("RETRY", "").replace(">> NOTES", ""))
    driver = folder.run("one", runtime=runtime)
    await_true(lambda: "begin" in folder.logs(), 20)
    for pid in folder.processes("one"):
        kill(pid)
    since = time.monotonic()
    assert wait_for_death(folder, "one", since) < 5
    assert ended(driver)[0] == 1
    node = folder.node("one", "one")
    assert node["phase"] == "Failed"
    assert "137" in node["message"]
    assert node["outputs"]["exitCode"] == "137"
    folder.nothing_left("one")


def test_a_killed_step_is_retried_as_its_strategy_says(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(SECOND_TIME_LUCKY)
    driver = folder.run("one")
    folder.await_lines(1)
    for pid in folder.processes("one"):
        kill(pid)
    code, _, errors = ended(driver)
    assert code == 0, errors
    assert [line.split()[0] for line in folder.lines()] == ["begin", "begin", "end"]
    assert folder.node("one", "one(0)")["phase"] == "Failed"
    assert folder.node("one", "one(1)")["phase"] == "Succeeded"


def test_a_step_that_dies_with_its_supervisor_is_in_error_and_retried_by_policy_only(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(LONG.replace("RETRY", "retryStrategy: {limit: 3, retryPolicy: OnFailure}"))
    driver = folder.run("one")
    pid = int(folder.await_lines(1)[0].split()[2])
    for one in (driver.pid, *folder.supervisors()):
        kill(one)
    driver.communicate()
    code, _, errors = folder.call("resume", "one")
    assert code == 1, errors
    assert not alive(pid)
    assert folder.node("one", "one(0)")["phase"] == "Error"
    assert len(folder.lines()) == 1


@pytest.mark.parametrize("runtime", ["process", "sandbox", "podman"])
def test_nothing_outlives_driver_and_supervisor_once_the_run_is_ended(tmp_path: Path, runtime: str) -> None:
    if trouble := make(runtime).trouble():
        pytest.skip(trouble)
    folder = Folder(tmp_path)
    folder.write(LONG.replace("RETRY", "").replace(">> NOTES", "").replace("alpine", "alpine:latest"))
    driver = folder.run("one", runtime=runtime)
    await_true(lambda: "begin" in folder.logs(), 60)
    for one in (driver.pid, *folder.supervisors()):
        kill(one)
    driver.communicate()
    code, _, errors = folder.call("terminate", "one")
    assert code == 0, errors
    assert folder.status("one")["phase"] in ("Failed", "Error")
    folder.nothing_left("one")
    await_true(lambda: not containers(folder.uid("one")), 10, lambda: f"left: {containers(folder.uid('one'))}")


def kill_some(folder: Folder, chance: random.Random, driver: int, name: str) -> None:
    """Kill the driver, mostly the supervisor too, sometimes the steps, in any order."""
    victims = [driver]
    if chance.random() < 0.8:
        victims += folder.supervisors()
    if chance.random() < 0.3:
        notes = folder.folder / name
        lines = notes.read_text().splitlines() if notes.exists() else []
        over = {line.split()[2] for line in lines if line.startswith("end")}
        victims += [int(one.split()[2]) for one in lines if one.startswith("begin") and one.split()[2] not in over]
    chance.shuffle(victims)
    for pid in victims:
        kill(pid)


def check_attempts(status: dict[str, Any]) -> int:
    """Each step succeeded once, and was not begun again after that; how many attempts were lost."""
    nodes = status["nodes"]
    retries = [one for one in nodes.values() if one["type"] == "Retry"]
    assert len(retries) == 6
    lost = 0
    for retry in retries:
        *before, last = [nodes[child]["phase"] for child in retry["children"]]
        assert last == "Succeeded"
        assert set(before) <= {"Error", "Failed"}
        lost += len(before)
    return lost


def test_driver_and_supervisor_killed_at_random_moments(tmp_path: Path) -> None:
    print(f"ARGOSY_SEED={SEED}")
    chance = random.Random(SEED)
    folder = Folder(tmp_path)
    folder.write(STAGES.replace("POLICY", "Always"))
    lost = 0
    for number in range(ROUNDS):
        name = f"round-{number}"
        notes = folder.folder / name
        run = ["run", "workflow.yaml", "--name", name, "-p", f"notes={notes}", "--runtime", "process"]
        process = folder.start(*run)
        for _ in range(chance.randint(1, 2)):
            time.sleep(chance.uniform(0.15, 0.8))
            kill_some(folder, chance, process.pid, name)
            process.communicate()
            process = folder.start("resume", name)
        code, _, errors = ended(process)
        if code == 4:  # killed before the run was recorded
            code, _, errors = folder.call(*run)
        status = folder.status(name)
        assert status["phase"] == "Succeeded", (name, errors, status)
        assert code in (0, 2), errors  # 2: it was over before the last kill
        never_two_at_once(notes.read_text().splitlines())
        lost += check_attempts(status)
        folder.nothing_left(name)
    assert set(folder.phases().values()) == {"Succeeded"}
    assert lost, "no attempt was ever lost: the kills hit nothing"
    print(f"{ROUNDS} runs, {lost} attempts lost")


def test_a_supervisor_killed_under_a_living_driver_costs_its_steps_only(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(STAGES.replace("POLICY", "OnError"))
    notes = folder.folder / "one"
    driver = folder.start("run", "workflow.yaml", "--name", "one", "-p", f"notes={notes}", "--runtime", "process")
    while not notes.exists():
        time.sleep(0.01)
    for pid in folder.supervisors():
        kill(pid, signal.SIGKILL)
    code, _, errors = ended(driver)
    assert code == 0, errors
    never_two_at_once(notes.read_text().splitlines())
    folder.nothing_left("one")
