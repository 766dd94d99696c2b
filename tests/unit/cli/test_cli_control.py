"""What is asked of runs: stop, suspend, resume, retry, resubmit, why, delete."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli_samples import DIAMOND, HELLO, MAKING_A_WORKFLOW, Argosy


@pytest.fixture
def started(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start argosy in a process of its own; none outlives the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "argosy.cli.main", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _phases(argosy: Argosy, name: str) -> dict[str, str]:
    answer = argosy("get", name, "-o", "json")
    if answer.code:
        return {}
    nodes = json.loads(answer.out)["status"]["nodes"].values()
    return {node["displayName"]: node["phase"] for node in nodes}


Started = Callable[..., subprocess.Popen[str]]


def test_a_run_that_waits_from_its_beginning_says_so(folder: Path) -> None:
    (folder / "waits.yaml").write_text(
        "{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {name: waits},"
        " spec: {entrypoint: w, templates: [{name: w, suspend: {}}]}}"
    )
    command = [sys.executable, "-m", "argosy.cli.main", "run", "waits.yaml"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("waits is suspended: argosy resume waits" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        assert process.wait(60) == 130


def test_a_suspended_run_goes_on_with_the_value_it_waits_for(argosy: Argosy, gated: str, started: Started) -> None:
    process = started("run", gated)
    _wait_for(lambda: _phases(argosy, "gated").get("gate") == "Running")
    wrong = argosy("resume", "gated", "-p", "answr=x")
    assert wrong.code == 2
    assert "did you mean answer?" in wrong.err
    assert argosy("resume", "gated", "--step", "tell", "-p", "answer=x").code == 4
    assert argosy("resume", "gated", "-p", "answer=42").code == 0
    assert process.wait(60) == 0
    assert argosy("logs", "gated").out == "42\n"
    over = argosy("resume", "gated")
    assert over.code == 2
    assert "argosy resubmit gated" in over.err


def test_a_suspended_step_can_be_ended_in_failure(argosy: Argosy, gated: str, started: Started) -> None:
    process = started("run", gated)
    _wait_for(lambda: _phases(argosy, "gated").get("gate") == "Running")
    assert argosy("resume", "gated", "--fail", "-m", "no answer").code == 0
    assert process.wait(60) == 1
    assert "failed: no answer" in argosy("why", "gated", "gate").out


def test_a_run_whose_driver_died_is_interrupted_and_goes_on(argosy: Argosy, gated: str, started: Started) -> None:
    process = started("run", gated)
    _wait_for(lambda: _phases(argosy, "gated").get("gate") == "Running")
    process.kill()
    process.wait()
    assert argosy("list", "--phase", "interrupted", "-o", "name").out == "gated\n"
    assert "argosy resume gated goes on with it" in argosy("get", "gated").out
    assert "its run is interrupted" in argosy("why", "gated", "gate").out
    answer = argosy("resume", "gated", "-p", "answer=7", "-q")
    assert answer.code == 0
    assert argosy("logs", "gated", "tell").out == "7\n"


@pytest.mark.parametrize("verb", ["stop", "terminate"])
def test_a_run_that_nobody_drives_is_ended_here(argosy: Argosy, gated: str, started: Started, verb: str) -> None:
    process = started("run", gated)
    _wait_for(lambda: _phases(argosy, "gated").get("gate") == "Running")
    process.kill()
    process.wait()
    answer = argosy(verb, "gated", "-m", "enough")
    assert answer.code == 0
    assert {"stop": "gated stopped", "terminate": "gated terminated"}[verb] in answer.err
    assert argosy("list", "--phase", "failed", "-o", "name").out == "gated\n"
    assert argosy(verb, "gated").code == 2


def test_terminate_runs_no_exit_handler_and_stop_does(argosy: Argosy, folder: Path, started: Started) -> None:
    napping = DIAMOND.replace('args: ["echo ending >&2; exit $CODE"]', 'args: ["sleep 60"]')
    (folder / "nap.yaml").write_text(napping)
    for verb, handled in (("stop", True), ("terminate", False)):
        process = started("run", "nap.yaml", "--name", verb)
        _wait_for(lambda name=verb: _phases(argosy, name).get("b") == "Running")
        assert argosy(verb, verb, "--wait").code == 0
        assert process.wait(60) == 1
        assert (f"{verb}.onExit" in _phases(argosy, verb)) is handled


def test_suspend_holds_back_what_has_not_begun(argosy: Argosy, folder: Path, started: Started) -> None:
    waiting = DIAMOND.replace(
        'args: ["echo ending >&2; exit $CODE"]', 'args: ["until test -e ../../../go; do sleep 0.05; done"]'
    )
    (folder / "w.yaml").write_text(waiting)
    process = started("run", "w.yaml", "--name", "held")
    _wait_for(lambda: _phases(argosy, "held").get("b") == "Running")
    assert argosy("suspend", "held").code == 0
    _wait_for(lambda: "Suspended:" in argosy("get", "held").out)
    (next((folder / ".argosy" / "runs").iterdir()) / "go").touch()
    _wait_for(lambda: _phases(argosy, "held").get("b") == "Succeeded")
    assert _phases(argosy, "held")["c"] == "Pending"
    assert argosy("resume", "held").code == 0
    assert process.wait(60) == 0


def test_retry_takes_over_what_succeeded(argosy: Argosy, diamond: str) -> None:
    assert argosy("run", diamond, "-q", "--name", "dia").code == 1
    first = json.loads(argosy("get", "dia", "-o", "json").out)["status"]["nodes"]
    answer = argosy("retry", "dia", "-p", "code=0")
    assert answer.code == 0
    assert "generation 2, 1 outcomes taken over" in answer.err
    assert "succeeded a" not in answer.err
    again = json.loads(argosy("get", "dia", "-o", "json").out)["status"]["nodes"]
    a = next(id for id, node in first.items() if node["displayName"] == "a")
    assert again[a]["startedAt"] == first[a]["startedAt"]
    assert argosy("get", "dia", "--generation", "1").out.count("Phase:       Failed") == 1
    assert "reused" in argosy("get", "dia").out
    assert "taken over" in argosy("why", "dia", "a").out
    assert "code was changed" in argosy("why", "dia", "b").out
    assert argosy("logs", "dia", "onExit").out == "bye Succeeded\n"


def test_retry_from_a_step(argosy: Argosy, diamond: str) -> None:
    assert argosy("run", diamond, "-q", "--name", "dia", "-p", "code=0").code == 0
    nothing = argosy("retry", "dia")
    assert nothing.code == 2
    assert "--from STEP" in nothing.err
    assert "1 outcomes taken over" in argosy("retry", "dia", "--from", "b").err
    assert argosy("retry", "dia", "--from", "bb").code == 4
    assert "0 outcomes taken over" in argosy("retry", "dia", "--from", "a").err


def test_resubmit(argosy: Argosy, diamond: str) -> None:
    assert argosy("run", diamond, "-q", "--name", "dia").code == 1
    fresh = argosy("resubmit", "dia", "-p", "code=0", "--name", "fresh")
    assert fresh.code == 0
    assert "succeeded a" in fresh.err
    memoized = argosy("resubmit", "dia", "--memoized", "-p", "code=0", "--name", "memo")
    assert memoized.code == 0
    assert "1 outcomes taken over" in memoized.err
    assert "run dia" in argosy("why", "memo", "a").out
    assert argosy("list", "-o", "name").out == "memo\nfresh\ndia\n"


def test_why(argosy: Argosy, diamond: str) -> None:
    argosy("run", diamond, "-q", "--name", "dia")
    assert "its condition did not hold" in argosy("why", "dia", "s").out
    omitted = argosy("why", "dia", "c").out
    assert "it depends on: b" in omitted
    assert "b is Failed" in omitted
    assert "it is the exit handler of dia" in argosy("why", "dia", "dia.onExit").out
    assert "it is the entrypoint" in argosy("why", "dia", "dia").out
    failed = argosy("why", "dia", "b")
    assert "main: Error (exit code 1)" in failed.out
    assert "    | ending" in failed.out
    document = json.loads(argosy("why", "dia", "s", "-o", "json").out)
    assert document["schema"] == "argosy.why/v1"
    assert {"when", "skipped"} <= {reason["kind"] for reason in document["reasons"]}


def test_names_of_steps_and_runs(argosy: Argosy, diamond: str) -> None:
    argosy("run", diamond, "-q", "--name", "dia-one")
    argosy("run", diamond, "-q", "--name", "dia-two")
    assert argosy("get", "dia-o", "-o", "name").out == "dia-one\n"
    assert argosy("get", "@latest", "-o", "name").out == "dia-two\n"
    assert argosy("get", "dia").code == 2
    assert argosy("get", "dai-one").code == 4
    assert "dia-one" in argosy("get", "dai-one").err
    assert argosy("why", "dia-one", "say").code == 2
    assert argosy("why", "dia-one", "nothing").code == 4


def test_logs(argosy: Argosy, diamond: str) -> None:
    argosy("run", diamond, "-q", "--name", "dia", "-p", "code=0")
    lines = argosy("logs", "dia").out.splitlines()
    assert sorted(lines) == ["a: said", "b: ending", "c: said", "dia.onExit: bye Succeeded"]
    assert argosy("logs", "dia", "b").out == "ending\n"
    assert argosy("logs", "dia", "--grep", "^bye").out == "dia.onExit: bye Succeeded\n"
    assert argosy("logs", "dia", "--no-prefix", "--tail", "0").out == ""
    assert argosy("logs", "dia", "-f").out.splitlines() == lines
    assert argosy("logs", "dia", "--grep", "(").code == 2


def test_delete(argosy: Argosy, diamond: str, folder: Path) -> None:
    argosy("run", diamond, "-q", "--name", "one")
    argosy("run", diamond, "-q", "--name", "two")
    assert argosy("delete", "one").code == 0
    assert argosy("list", "-o", "name").out == "two\n"
    assert len(list((folder / ".argosy" / "runs").iterdir())) == 1
    assert argosy("delete", "one").code == 4
    assert argosy("delete").code == 2
    assert argosy("delete", "--older-than", "1h").code == 0
    assert argosy("list", "-o", "name").out == "two\n"
    assert argosy("delete", "--completed").code == 0
    assert argosy("list", "-o", "name").out == ""


def test_a_run_that_is_driven_is_not_deleted_nor_retried(argosy: Argosy, gated: str, started: Started) -> None:
    process = started("run", gated)
    _wait_for(lambda: _phases(argosy, "gated").get("gate") == "Running")
    assert argosy("delete", "gated").code == 5
    assert argosy("retry", "gated").code == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    assert os.path.isdir(".argosy")


def test_a_run_that_begins_suspended_stays_so_in_a_process_of_its_own(argosy: Argosy, folder: Path) -> None:
    (folder / "held.yaml").write_text(HELLO.replace("spec:\n", "spec:\n  suspend: true\n"))
    assert argosy("run", "held.yaml", "--detach", "--name", "held").code == 0
    _wait_for(lambda: "Suspended:" in argosy("get", "held").out)
    _wait_for(lambda: _phases(argosy, "held").get("held") == "Pending")
    assert argosy("resume", "held").code == 0
    assert argosy("watch", "held").code == 0


def test_a_workflow_that_a_step_makes_is_driven_in_a_process_of_its_own(argosy: Argosy, folder: Path) -> None:
    (folder / "make.yaml").write_text(MAKING_A_WORKFLOW)
    answer = argosy("run", "make.yaml", "--name", "parent")
    assert answer.code == 0
    assert argosy("list", "-o", "name").out == "child\nparent\n"
    assert argosy("logs", "child").out == "born\n"
