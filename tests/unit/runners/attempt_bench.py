"""A bench for whole attempts: a template goes in, real processes run, the fact of its end comes out."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.artifacts.places import memory_folder
from argosy.artifacts.repositories import Repository
from argosy.artifacts.store import Store
from argosy.model.events import AttemptExited
from argosy.model.manifest import ConfigMap, Secret, Template, Workflow
from argosy.plan.actions import Start
from argosy.plan.workflow_names import RunIdentity
from argosy.runners.local.collecting import collect
from argosy.runners.local.context import RunContext
from argosy.runners.local.pod import Pod
from argosy.runners.local.runtimes.container import ContainerRuntime
from argosy.runners.local.runtimes.process import ProcessRuntime
from argosy.runners.local.runtimes.runner import SupervisedRunner
from argosy.runners.local.runtimes.runtime import Runtime
from argosy.runners.local.runtimes.sandbox import SandboxRuntime
from argosy.runners.local.staging import StagingOptions, prepare

IMAGE = "docker.io/library/alpine:3.23"
KINDS = ("process", "sandbox", "podman")


def made_runtime(kind: str) -> Runtime:
    runtimes = {"process": ProcessRuntime, "sandbox": SandboxRuntime, "podman": lambda: ContainerRuntime("podman")}
    runtime: Runtime = runtimes[kind]()
    if trouble := runtime.trouble():
        pytest.skip(trouble)
    if kind == "podman" and subprocess.run(["podman", "image", "exists", IMAGE], check=False).returncode:
        pytest.skip(f"the image {IMAGE} is not here: scripts/make-test-images makes it")
    return runtime


class AttemptBench:
    """One run's surroundings, on one runtime."""

    def __init__(self, kind: str, root: Path) -> None:
        self.kind = kind
        self.root = root
        self.uid = f"attempts-{os.getpid()}-{root.name}"
        self.config_maps: dict[str, ConfigMap] = {}
        self.secrets: dict[str, Secret] = {}
        self.claims: set[str] = set()
        self.spec: dict[str, Any] = {}
        self.store = Store.open(root / "store")
        self.repository = Repository(root=root / "repository")
        self.options = StagingOptions(runtime=kind)
        self.runner: SupervisedRunner | None = None
        self.count = 0

    def start_runner(self) -> SupervisedRunner:
        if self.runner is None:
            runtime = made_runtime(self.kind)
            self.options = StagingOptions.of(runtime, self.uid)
            self.runner = SupervisedRunner.open(runtime, self.root / "supervisor", self.uid)
        return self.runner

    @property
    def context(self) -> RunContext:
        workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "run"}}
        return RunContext(
            identity=RunIdentity(name="run", uid=self.uid, namespace="argo", host="here"),
            workflow=msgspec.convert(workflow | {"spec": self.spec}, Workflow),
            folder=self.root / "run",
            claims=self.root / "claims",
            store=self.store,
            repository=self.repository,
            config_map=self.config_maps.get,
            secret=self.secrets.get,
            claim_exists=self.claims.__contains__,
        )

    def add_config_map(self, name: str, **data: str) -> None:
        self.config_maps[name] = msgspec.convert(
            {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}, ConfigMap
        )

    def add_secret(self, name: str, **data: str) -> None:
        self.secrets[name] = msgspec.convert({"kind": "Secret", "metadata": {"name": name}, "stringData": data}, Secret)

    def start(self, template: Mapping[str, Any], *, result: bool = False) -> Start:
        self.count += 1
        return Start(
            node=f"run-{self.count}",
            name=f"run.step-{self.count}",
            pod_name=f"run-step-{self.count}",
            template=msgspec.convert({"name": "step", **template}, Template),
            capture_result=result,
        )

    def sh(
        self, script: str, *, result: bool = False, container: Mapping[str, Any] | None = None, **more: Any
    ) -> Start:
        """A start of a template whose container is a shell with this script."""
        fields = {"image": IMAGE, "command": ["sh", "-c"], "args": [script], **(container or {})}
        return self.start({"container": fields, **more}, result=result)

    def run(self, start: Start) -> AttemptExited:
        """Prepare, run to the end, collect."""
        runner = self.start_runner()
        pod = prepare(start, self.context, self.options)
        if pod.write_record is not None:
            pod.write_record()
        runner.start(pod.begin())
        self.finish(pod)
        return collect(start, pod, self.context, self.options)

    def finish(self, pod: Pod) -> None:
        """Follow a pod to its end."""
        runner = self.start_runner()
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, f"{pod.ids()} do not end"
            for exit in runner.wait(5):
                turn = pod.exited(exit)
                for id in turn.stop:
                    runner.stop(id, 1.0)
                runner.start(turn.start)
                if turn.ended:
                    return

    def log(self, start: Start, container: str = "main") -> str:
        return (self.context.attempt_folder(start.node) / f"{container}.log").read_text()

    def close(self) -> None:
        if self.runner is not None:
            self.runner.close()
        if (memory := memory_folder()) is not None:
            shutil.rmtree(memory / self.uid, ignore_errors=True)
