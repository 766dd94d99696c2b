"""Every example is free of findings, and ends as it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "argo"
# Those whose steps write to /tmp need a runtime where that is each step's own.
WITH_FILES = {"artifacts", "memoize", "training"}
IMAGE = "docker.io/library/python:alpine3.23"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))


def argosy(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "argosy", *arguments, "--home", str(home)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARGOSY")}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=home)


def ended(home: Path, example: str, runtime: str, *parameters: str) -> dict[str, Any]:
    """The finished run as an Argo object."""
    given = [word for one in parameters for word in ("-p", one)]
    done = argosy(home, "run", str(EXAMPLES / f"{example}.yaml"), "--runtime", runtime, "-q", "-o", "json", *given)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["status"]["phase"] == "Succeeded" else 1), done.stderr
    return found["status"]


def nodes(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {node["displayName"]: node for node in status["nodes"].values()}


def runtime_for(example: str) -> str:
    if example not in WITH_FILES:
        return "process"
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    return "sandbox"


def test_there_are_examples() -> None:
    assert len(NAMES) >= 10


@pytest.mark.parametrize("example", NAMES)
def test_lint_has_nothing_to_say(example: str, tmp_path: Path) -> None:
    done = argosy(tmp_path, "lint", "-q", str(EXAMPLES / f"{example}.yaml"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("example", sorted({*NAMES} - {"approval", "exit-handler", "memoize", "retries", "training"}))
def test_example_succeeds(example: str, tmp_path: Path) -> None:
    status = ended(tmp_path, example, runtime_for(example))
    assert status["phase"] == "Succeeded"
    assert {node["phase"] for node in status["nodes"].values()} <= {"Succeeded", "Skipped"}


@pytest.mark.parametrize("runtime", ["sandbox", "podman"])
def test_training_learns(tmp_path: Path, runtime: str) -> None:
    if runtime == "sandbox":
        runtime = runtime_for("training")
    elif shutil.which("podman") is None or subprocess.run(["podman", "image", "exists", IMAGE], check=False).returncode:
        pytest.skip(f"the image {IMAGE} is not here: scripts/make-test-images makes it")
    status = ended(tmp_path, "training", runtime)
    assert status["phase"] == "Succeeded"
    found = nodes(status)
    assert sum(name.startswith("train(") for name in found) == 4
    accuracy = {one["name"]: one["value"] for one in status["outputs"]["parameters"]}["accuracy"]
    assert float(accuracy) > 0.9


def test_memoize_hits_at_the_second_call_and_the_second_run(tmp_path: Path) -> None:
    for expected in ([False, True], [True, True]):
        status = ended(tmp_path, "memoize", runtime_for("memoize"))
        assert status["phase"] == "Succeeded"
        found = nodes(status)
        hits = [found[name]["memoizationStatus"]["hit"] for name in ("first", "again")]
        assert hits == expected
        assert "144 and 144" in argosy(tmp_path, "logs", "@latest").stdout


def test_retries(tmp_path: Path) -> None:
    status = ended(tmp_path, "retries", "process")
    assert status["phase"] == "Succeeded"
    phases = [node["phase"] for node in status["nodes"].values() if node["type"] == "Pod"]
    assert sorted(phases) == ["Failed", "Failed", "Succeeded"]


@pytest.mark.parametrize(("code", "phase", "ran"), [("0", "Succeeded", "celebrate"), ("3", "Failed", "complain")])
def test_exit_handler(tmp_path: Path, code: str, phase: str, ran: str) -> None:
    status = ended(tmp_path, "exit-handler", "process", f"code={code}")
    assert status["phase"] == phase
    assert nodes(status)[ran]["phase"] == "Succeeded"
    log = argosy(tmp_path, "logs", "@latest").stdout
    assert "the workflow has begun" in log
    assert f"the step ended: {phase}" in log


def test_approval_goes_on_with_the_default(tmp_path: Path) -> None:
    status = ended(tmp_path, "approval", "process")
    found = nodes(status)
    assert (found["hold"]["phase"], found["release"]["phase"]) == ("Succeeded", "Skipped")


def test_approval_by_a_person(tmp_path: Path) -> None:
    patient = tmp_path / "approval.yaml"
    patient.write_text((EXAMPLES / "approval.yaml").read_text().replace('duration: "3"', 'duration: "600"'))
    argosy(tmp_path, "run", str(patient), "--runtime", "process", "--detach", "--name", "asked")
    until = time.monotonic() + 60

    def status() -> dict[str, Any]:
        assert time.monotonic() < until, "nothing happened for a minute"
        return json.loads(argosy(tmp_path, "get", "asked", "-o", "json").stdout)["status"]

    while nodes(status()).get("approve", {}).get("phase") != "Running":
        pass
    assert argosy(tmp_path, "resume", "asked", "-p", "decision=yes").returncode == 0
    while (now := status())["phase"] in ("Pending", "Running"):
        pass
    found = nodes(now)
    assert (now["phase"], found["release"]["phase"], found["hold"]["phase"]) == ("Succeeded", "Succeeded", "Skipped")
