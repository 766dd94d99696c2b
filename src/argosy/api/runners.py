"""Runners: where a workflow runs, as an object whose `run` takes the workflow.

They are `argosy.run` by other words, and know nothing more.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from argosy.api.cluster import Argo, ClusterRun
from argosy.api.run import Run
from argosy.api.running import Local, run
from argosy.dsl.workflows import Workflow
from argosy.errors import EnvironmentTrouble

P = ParamSpec("P")
R = TypeVar("R")


class LocalRunner:
    """Runs workflows on this machine; the words are those of `Local`."""

    def __init__(self, **words: Any) -> None:
        self.where = Local(**words)

    def run(self, workflow: Workflow[P, R], **inputs: Any) -> Run[R]:
        """The run, once it is over. Raises TraceError, UsageError."""
        return run(workflow, on=self.where, **inputs)


class ArgoRunner:
    """Hands workflows to Argo on a cluster; the words are those of `Argo`.

    With write_to the manifests go to that file instead.
    """

    def __init__(self, **words: Any) -> None:
        self.where = Argo(**words)

    def run(self, workflow: Workflow[P, R], **inputs: Any) -> ClusterRun:
        """The workflow as the cluster has it.

        It is handed over by `kubectl`, or by `argo`. Raises EnvironmentTrouble where there is neither; then the
        manifests are in a file, which the error names.
        """
        where = self.where
        submits = where.write_to is None and shutil.which("kubectl") is None
        if submits:
            where = replace(where, write_to=f"{workflow.name}.yaml")
        written: Any = run(workflow, on=where, **inputs)
        return _submitted(Path(str(where.write_to)), where, written) if submits else written


def _submitted(file: Path, where: Argo, written: ClusterRun) -> ClusterRun:
    """The run that `argo submit` makes of a file. Raises EnvironmentTrouble."""
    program = shutil.which("argo")
    if program is None:
        raise EnvironmentTrouble(
            "There is neither kubectl nor argo here, which hand workflows to a cluster",
            hint=f"the manifests are in {file}: kubectl create -f {file}",
        )
    if "kind: ConfigMap" in written.manifests:
        raise EnvironmentTrouble(
            "There is no kubectl here, and argo hands over workflows only, not the code that this one needs beside it",
            hint=f"the manifests are in {file}: kubectl create -f {file}; or build an image: code_in_image=True",
        )
    words = [*(["--namespace", where.namespace] if where.namespace else []), "--output", "name", str(file)]
    done = subprocess.run([program, "submit", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EnvironmentTrouble(f"argo submit failed: {done.stderr.strip()}", hint=f"the manifests are in {file}")
    return ClusterRun(done.stdout.strip(), where, written.manifests)
