"""A thousand sandboxes while containers, and with them their mounts, come and go: not one may fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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


# In a mount namespace of its own, with a store of its own: mounts that last two milliseconds. With /var bound whole,
# one sandbox in forty fails here.
STORM = """
import ctypes, os, subprocess, threading
from argosy.runners.local.runtimes.layers import HostLayers

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, RECURSIVE, PRIVATE, SHARED, DETACH = 0x20000, 0x4000, 0x40000, 0x100000, 2
assert libc.unshare(NEWNS) == 0
assert libc.mount(None, b"/", None, RECURSIVE | PRIVATE, None) == 0
assert libc.mount(None, b"/", None, RECURSIVE | SHARED, None) == 0
assert libc.mount(b"tmpfs", b"/var/lib/containers", b"tmpfs", 0, None) == 0
folders = [f"/var/lib/containers/{number}/merged".encode() for number in range(4)]
for folder in folders:
    os.makedirs(folder)
options, over, failures = HostLayers().options, threading.Event(), []

def storm():
    while not over.is_set():
        for folder in folders:
            libc.mount(b"tmpfs", folder, b"tmpfs", 0, None)
        over.wait(0.002)
        for folder in folders:
            libc.umount2(folder, DETACH)

def sandboxes():
    for _ in range(250):
        ran = subprocess.run(["bwrap", *options, "--unshare-pid", "--", "true"], capture_output=True)
        if ran.returncode:
            failures.append(ran.stderr)

others = threading.Thread(target=storm)
others.start()
mine = [threading.Thread(target=sandboxes) for _ in range(2)]
for thread in mine:
    thread.start()
for thread in mine:
    thread.join()
over.set()
others.join()
print(len(failures), failures[:1])
"""


def test_sandboxes_in_a_storm_of_mounts() -> None:
    if (trouble := SandboxRuntime().trouble()) or os.geteuid() or not os.path.isdir("/var/lib/containers"):
        pytest.skip(trouble or "only root can mount, and only where containers have a store")
    ran = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("0 []\n", "")
