"""The Gradient example does what its README says, in a sandbox and in containers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "gradient"
IMAGE = "docker.io/library/python:3.12"


def call(folder: Path, *command: str, text: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "ARGOSY_HOME"}
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, env=environment | who, input=text
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def argosy(folder: Path, *arguments: str, text: str | None = None) -> str:
    return call(folder, sys.executable, "-m", "argosy", *arguments, text=text)


def check_runtime(runtime: str) -> None:
    if shutil.which({"sandbox": "bwrap"}.get(runtime, runtime)) is None:
        pytest.skip(f"{runtime} is not installed")
    if runtime == "podman" and subprocess.run(["podman", "image", "exists", IMAGE], check=False).returncode != 0:
        pytest.skip("the test images are not there: scripts/make-test-images")


@pytest.mark.parametrize("runtime", ["sandbox", "podman"])
def test_the_readme(tmp_path: Path, runtime: str) -> None:
    check_runtime(runtime)
    folder = tmp_path / "line"
    shutil.copytree(EXAMPLE, folder)
    call(folder, "git", "init", "-q", "-b", "main")
    call(folder, "git", "add", ".")
    call(folder, "git", "commit", "-q", "-m", "The example")
    argosy(folder, "datasets", "add", "numbers", "numbers")
    argosy(folder, "datasets", "create", "line")
    argosy(folder, "secrets", "set", "TRACKER_TOKEN", "--from-stdin", text="only an example\n")
    assert argosy(folder, "lint", "-q", ".gradient/workflows/train.yaml") == ""
    done = argosy(folder, "run", "--event", "push", "--ref", "main", "--runtime", runtime, "-q", "-o", "json")
    run: dict[str, Any] = json.loads(done)
    assert run["status"]["phase"] == "Succeeded"
    name = run["metadata"]["name"]
    assert f"line-model:{name}.model errs by 0.230" in argosy(folder, "logs", name, "report")
    assert "fitting a line with a token of 15 characters" in argosy(folder, "logs", name, "train")
    argosy(folder, "datasets", "get", "line:1", "-d", "there")
    assert (folder / "there" / "line.txt").read_text().split()[0].startswith("1.94")
    assert (folder / "there" / "NOTE").read_text() == "made by the example"
    models = json.loads(argosy(folder, "models", "list", "-o", "json"))["models"]
    assert [(one["name"], one["type"]) for one in models] == [("line-model", "Custom")]
    commit = call(folder, "git", "rev-parse", "HEAD").strip()
    assert run["metadata"]["annotations"]["argosy.dev/event-commit"] == commit
