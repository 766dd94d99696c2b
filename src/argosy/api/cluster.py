"""Submitting a workflow to Argo on a cluster, with what a cluster's users have: `kubectl`.

It knows the commands of that program; how a workflow is written for a cluster is the project's matter.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.dsl.places import code_root
from argosy.errors import EnvironmentTrouble, UsageError

if TYPE_CHECKING:
    from argosy.dsl.workflows import Workflow

OVER = ("Succeeded", "Failed", "Error")
PAUSE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Argo:
    """A cluster with Argo Workflows. context: of kubectl's configuration. image: of steps that name none.

    code_in_image: the images hold the code. artifacts: URLs of the files that the workflow takes. write_to: a file
    that the manifests are written to instead of being submitted.
    """

    namespace: str = ""
    context: str = ""
    image: str = ""
    code_in_image: bool = False
    artifacts: Mapping[str, str] = field(default_factory=dict[str, str])
    write_to: Path | str | None = None


class ClusterRun:
    """A workflow that was submitted. name: as the cluster knows it; "" for one that was only written down."""

    def __init__(self, name: str, where: Argo, manifests: str) -> None:
        self.name = name
        self.manifests = manifests
        self._where = where

    def __repr__(self) -> str:
        return f"<run {self.name or 'written down'} on argo>"

    @property
    def phase(self) -> str:
        """The phase as the cluster tells it; Pending before it does. Raises EnvironmentTrouble."""
        return str(self._status().get("phase") or "Pending")

    @property
    def outputs(self) -> dict[str, Any]:
        """The output parameters of its entrypoint. Raises EnvironmentTrouble."""
        nodes = self._status().get("nodes", {})
        found = nodes.get(self.name, {}).get("outputs", {}).get("parameters", [])
        return {one["name"]: one.get("value") for one in found}

    def wait(self) -> ClusterRun:
        """This run, once it is over."""
        while self.phase not in OVER:
            time.sleep(PAUSE_SECONDS)
        return self

    def logs(self, step: object = None) -> str:
        """What its pods wrote; of the pods of one step if it is named. Raises EnvironmentTrouble."""
        chosen = f"workflows.argoproj.io/workflow={self.name}"
        told = _kubectl(self._where, "logs", "-l", chosen, "-c", "main", "--prefix", "--tail=-1")
        wanted = getattr(step, "display_name", step)
        return "".join(line for line in told.splitlines(True) if wanted is None or f"-{wanted}-" in line.split("]")[0])

    def _status(self) -> dict[str, Any]:
        if not self.name:
            raise UsageError("The workflow was written down and not submitted", hint="kubectl create -f FILE")
        return json.loads(_kubectl(self._where, "get", "workflow", self.name, "-o", "json")).get("status", {})


def submit(pipeline: Workflow[..., Any], where: Argo, parameters: Mapping[str, str]) -> ClusterRun:
    """Write a workflow for a cluster and hand it over. Raises EnvironmentTrouble without a kubectl, UsageError."""
    code, workflow = manifests_of(pipeline, where, parameters)
    text = "---\n".join(one for one in (code, workflow) if one)
    if where.write_to is not None:
        Path(where.write_to).write_text(text, encoding="utf-8")
        return ClusterRun("", where, text)
    if code:
        _kubectl(where, "apply", "-f", "-", given=code)
    created = json.loads(_kubectl(where, "create", "-o", "json", "-f", "-", given=workflow))
    return ClusterRun(str(created["metadata"]["name"]), where, text)


def manifests_of(pipeline: Workflow[..., Any], where: Argo, parameters: Mapping[str, str]) -> tuple[str, str]:
    """The ConfigMap with the code, "" for none, and the workflow, as YAML."""
    from argosy.dialects.argo import dump, load
    from argosy.model.manifest import Workflow as Manifest
    from argosy.project.arguments import with_parameters
    from argosy.project.cluster_form import Cluster, for_cluster, location_of
    from argosy.project.hosting import python_image
    from argosy.project.project import Project

    folder = code_root(Path(pipeline.line.file).resolve())
    (document,) = load(json.dumps(pipeline.manifest()), pipeline.line.file).documents
    assert isinstance(document.value, Manifest)
    project = Project.open(None, folder=folder)
    cluster = Cluster(
        image=where.image or python_image(project.configuration),
        code_in_image=where.code_in_image,
        artifacts={name: location_of(url) for name, url in where.artifacts.items()},
    )
    code, made = for_cluster(project, document.value, cluster)
    given = {name: text for name, text in parameters.items() if name not in where.artifacts}
    return dump(code) if code is not None else "", dump(with_parameters(made, given, None))


def _kubectl(where: Argo, *words: str, given: str | None = None) -> str:
    program = shutil.which("kubectl")
    if program is None:
        raise EnvironmentTrouble(
            "There is no kubectl here, which hands workflows to a cluster",
            hint='write the manifests down with Argo(write_to="FILE"), or with argosy convert FILE.py --for argo',
        )
    command = [program]
    if where.context:
        command += ["--context", where.context]
    if where.namespace:
        command += ["--namespace", where.namespace]
    done = subprocess.run([*command, *words], input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise EnvironmentTrouble(f"kubectl {words[0]} failed: {told[-1] if told else done.returncode}")
    return done.stdout
