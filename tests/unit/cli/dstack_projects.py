"""dstack projects as tests make them: workflows, a package of our own, and what a run has printed."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cli_samples import Argosy

IMAGE = "docker.io/library/python:3.11"


def put(folder: Path, workflows: str, variables: str = "", **files: str) -> None:
    """Workflows of a .dstack here, variables, and other files by name, _ for a dot."""
    inside = folder / ".dstack"
    inside.mkdir(exist_ok=True)
    (inside / "workflows.yaml").write_text("workflows:\n" + workflows)
    if variables:
        (inside / "variables.yaml").write_text("variables:\n" + variables)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def logs(argosy: Argosy, run: str = "@latest") -> str:
    return argosy("logs", run).out


def wheel(folder: Path) -> str:
    """A package of our own, so that nothing is fetched."""
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w") as file:
        file.writestr("tiny.py", "x = 42\n")
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "")
    return name


def need_image() -> None:
    """Skip where podman or the test image is not there."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    if subprocess.run(["podman", "image", "exists", IMAGE], check=False).returncode != 0:
        pytest.skip(f"{IMAGE} is not here: scripts/make-test-images makes it")
