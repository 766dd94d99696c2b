"""A run's surroundings for leaves: a store, a repository, secrets, and objects kept in a dict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from argosy.artifacts.repositories import Repository
from argosy.artifacts.store import Store
from argosy.errors import UsageError
from argosy.model.events import AttemptExited
from argosy.model.manifest import ObjectMeta, Secret, Template, Workflow, WorkflowSpec
from argosy.plan.actions import Start
from argosy.plan.workflow_names import RunIdentity
from argosy.runners.local.context import Objects, RunContext
from argosy.runners.local.leaves import run, runs_here


class Shelf:
    """Objects by kind and name; `looked` counts the questions, `later` changes an object when it is asked for."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}
        self.looked = 0
        self.later: Callable[[int], None] = lambda count: None

    def get(self, kind: str, name: str) -> bytes | None:
        self.looked += 1
        self.later(self.looked)
        found = self.kept.get((kind, name))
        return json.dumps(found).encode() if found is not None else None

    def put(self, kind: str, name: str, data: bytes, must_be_new: bool) -> None:
        if must_be_new and (kind, name) in self.kept:
            raise UsageError(f"{kind} {name} exists")
        self.kept[kind, name] = json.loads(data)

    def labels(self, kind: str) -> dict[str, dict[str, str]]:
        return {name: one["metadata"].get("labels", {}) for (its, name), one in self.kept.items() if its == kind}

    def delete(self, kind: str, name: str) -> bool:
        return self.kept.pop((kind, name), None) is not None


class Surroundings:
    """Runs one template and gives back how it ended."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shelf = Shelf()
        self.secrets: dict[str, dict[str, str]] = {}
        self.store = Store.open(root / "store")
        self.repository = Repository(root=root / "repository")
        (root / "repository").mkdir()
        self.context = RunContext(
            identity=RunIdentity(name="the-run", uid="uid-1"),
            workflow=Workflow(metadata=ObjectMeta(name="the-run"), spec=WorkflowSpec(), kind="Workflow"),
            folder=root / "run",
            claims=root / "claims",
            store=self.store,
            repository=self.repository,
            secret=self._secret,
            objects=Objects(get=self.shelf.get, put=self.shelf.put, delete=self.shelf.delete, labels=self.shelf.labels),
        )

    def _secret(self, name: str) -> Secret | None:
        found = self.secrets.get(name)
        return Secret(metadata=ObjectMeta(name=name), string_data=found, kind="Secret") if found is not None else None

    def run(
        self, template: dict[str, Any], *, node: str = "node-1", cancelled: Callable[[], bool] = lambda: False
    ) -> AttemptExited:
        made = msgspec.convert({"name": "t", **template}, Template)
        assert runs_here(made)
        start = Start(node=node, name="the-run.t", pod_name="pod", template=made, capture_result=True)
        return run(start, self.context, cancelled)

    def log(self, node: str = "node-1") -> str:
        return (self.context.attempt_folder(node) / "main.log").read_text()


def parameters(exited: AttemptExited) -> dict[str, str | None]:
    return {one.name: one.value for one in exited.outputs.parameters} if exited.outputs else {}
