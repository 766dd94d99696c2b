"""A shell in a sandbox sees what the step left at the paths of its outputs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import Argosy

from argosy.runners.local.runtimes.sandbox import SandboxRuntime

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: made}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: none, command: [sh, -c, "mkdir -p /made/here; echo found > /made/here/it"]}
    outputs: {parameters: [{name: it, valueFrom: {path: /made/here/it}}]}
"""


def test_a_shell_in_a_sandbox_has_the_outputs(argosy: Argosy, folder: Path) -> None:
    if trouble := SandboxRuntime().trouble():
        pytest.skip(trouble)
    (folder / "made.yaml").write_text(WORKFLOW)
    assert argosy("run", "made.yaml", "--runtime", "sandbox", "-q").code == 0
    again = subprocess.run(
        [sys.executable, "-m", "argosy.cli.main", "shell", "made", "made", "--", "cat", "/made/here/it"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.stdout, again.stderr) == ("found\n", "")
