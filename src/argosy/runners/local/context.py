"""What the parts of a local run share: who the run is, where its files are, what it may ask for.

It knows places and questions, not steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from argosy.artifacts.repositories import Repository
from argosy.artifacts.store import Store
from argosy.model.manifest import ConfigMap, KeySelector, Secret, Workflow
from argosy.plan.workflow_names import RunIdentity


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings of one run on this machine.

    folder: the run's own, with a folder for each attempt below `steps`. claims: where persistent volume claims are
    folders. generation: 1, and one more with each retry of the run. config_map, secret: from the local catalog; None
    for one that is not there. secret_version: what stands for a Secret in records. claim_exists: whether a
    PersistentVolumeClaim of that name was applied. grace_seconds: how long a step that is stopped has between SIGTERM
    and SIGKILL.
    """

    identity: RunIdentity
    workflow: Workflow
    folder: Path
    claims: Path
    store: Store
    repository: Repository
    generation: int = 1
    config_map: Callable[[str], ConfigMap | None] = lambda name: None
    secret: Callable[[str], Secret | None] = lambda name: None
    secret_version: Callable[[str], int | None] = lambda name: None
    claim_exists: Callable[[str], bool] = lambda name: False
    grace_seconds: float = 10.0
    objects: Objects | None = None

    def attempt(self, node: str) -> str:
        """The id of the attempt at a node, unique within the run for ever."""
        return node if self.generation == 1 else f"{node}.{self.generation}"

    def attempt_folder(self, node: str) -> Path:
        """Where the files of the attempt at a node are: work, tmp, logs."""
        return Path(self.attempt_place(node))

    def attempt_place(self, node: str) -> str:
        """The same as a string, which costs a tenth: for what is done for every step."""
        return f"{self.folder}/steps/{self.attempt(node)}"

    def secret_value(self, selector: KeySelector) -> bytes | None:
        """The value of a Secret's key, decoded; None if there is none."""
        secret = self.secret(selector.name)
        if secret is None:
            return None
        if selector.key in secret.string_data:
            return secret.string_data[selector.key].encode()
        if selector.key in secret.data:
            import base64

            return base64.b64decode(secret.data[selector.key])
        return None


class Objects:
    """The local objects that a resource template may create, read and change: a face of the catalog and of runs."""

    def __init__(
        self,
        *,
        get: Callable[[str, str], bytes | None],
        put: Callable[[str, str, bytes, bool], None],
        delete: Callable[[str, str], bool],
        go_on: Callable[[str, bool], None] = lambda name, again: None,
        end: Callable[[str, str], str] = lambda name, owner: "",
        labels: Callable[[str], Mapping[str, Mapping[str, str]]] = lambda kind: {},
    ) -> None:
        """get(kind, name): the object as JSON. put(kind, name, JSON, must be new): raises UsageError if it exists.

        For the kind Workflow, put submits a run that is driven in a process of its own, and get shows it with status.
        go_on(name, again): has a run driven if nobody drives it; again: one that failed is retried.
        end(name, owner): asks a run to end as its owner, the run of that name, was asked to, and says how it is:
        "over", "ending", or "" when its owner was not asked to end.
        labels(kind): those of all objects of a kind, by name.
        """
        self.get = get
        self.put = put
        self.delete = delete
        self.go_on = go_on
        self.end = end
        self.labels = labels
