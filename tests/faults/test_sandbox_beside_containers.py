"""A thousand sandboxes while containers, and with them their mounts, come and go: not one may fail."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from argosy.runners.local.runtimes.runtime import StepSpec
from argosy.runners.local.runtimes.sandbox import SandboxRuntime

STEPS = 1000
AT_ONCE = 2


def _images() -> list[str]:
    if shutil.which("podman") is None:
        return []
    listed = subprocess.run(
        ["podman", "images", "--quiet", "--filter", "dangling=false"], capture_output=True, text=True, check=False
    )
    return listed.stdout.split()


def _churn(image: str, over: threading.Event, done: list[int]) -> None:
    while not over.is_set():
        argv = ["podman", "run", "--rm", "--network", "none", "--entrypoint", "/bin/true", image]
        done.append(subprocess.run(argv, capture_output=True, check=False).returncode)


def test_a_thousand_sandboxes_while_containers_come_and_go(tmp_path: Path) -> None:
    runtime, images = SandboxRuntime(), _images()
    if (trouble := runtime.trouble()) or not images:
        pytest.skip(trouble or "podman has no images here")
    for name in ("work", "tmp"):
        (tmp_path / name).mkdir()
    step = StepSpec(
        id="one", command=("true",), folder=str(tmp_path), stdout="/dev/null", stderr="/dev/null", environment={}
    )
    argv = runtime.spawn(step, "run").argv
    over, containers, failures = threading.Event(), list[int](), list[bytes]()

    def sandboxes() -> None:
        for _ in range(STEPS // AT_ONCE):
            ran = subprocess.run(argv, capture_output=True, check=False)
            if ran.returncode:
                failures.append(ran.stderr)

    others = [threading.Thread(target=_churn, args=(images[0], over, containers)) for _ in range(AT_ONCE)]
    mine = [threading.Thread(target=sandboxes) for _ in range(AT_ONCE)]
    for thread in (*others, *mine):
        thread.start()
    for thread in mine:
        thread.join()
    over.set()
    for thread in others:
        thread.join()
    assert failures == []
    # Else nothing came and went.
    assert containers.count(0) >= 3
