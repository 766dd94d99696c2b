"""Which runtimes the cases can be run on, on this machine."""

from __future__ import annotations

import subprocess

from argosy.runners.local.runtimes import choose

# `scripts/make-test-images` makes it, with all others that cases name.
IMAGE = "docker.io/library/alpine:3.23"


def trouble(runtime: str) -> str:
    """Why the cases cannot be run on a runtime; "" if they can."""
    found = choose.make(runtime).trouble()
    if not found and runtime == "podman":
        done = subprocess.run(["podman", "image", "exists", IMAGE], check=False)
        return "the test images are not there: scripts/make-test-images" if done.returncode else ""
    return found
