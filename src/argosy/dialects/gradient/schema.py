"""What a Gradient spec holds, as values with the places of what can be wrong with them.

It knows the words of the format, not how a file is read nor what a job becomes.
Source: Gradient's documentation of the workflow spec, and specs that people wrote.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from typing import Any, Literal

import msgspec

from argosy.model.manifest import AnyString
from argosy.syntax.nodes import Mapping

DataType = Literal["dataset", "volume", "string"]
TYPES: tuple[DataType, ...] = ("dataset", "volume", "string")
FOLDERS = ("dataset", "volume")
SECRET = "secret:"
EVENT = "context.event.github."


class ResourcesPart(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """`resources`: what a job runs on, and where its image may be had."""

    instance_type: str = ""
    container_registries: tuple[str, ...] = ()


class DefaultsPart(msgspec.Struct, frozen=True, kw_only=True):
    """`defaults`: what every job has unless it says something else."""

    env: dict[str, AnyString] = {}
    resources: ResourcesPart | None = None
    cluster_id: str = msgspec.field(default="", name="clusterId")


class JobPart(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it is written; what depends on its action is read later."""

    uses: str
    with_: Any = msgspec.field(default=None, name="with")
    needs: tuple[str, ...] = ()
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    env: dict[str, AnyString] = {}
    resources: ResourcesPart | None = None


class DataPart(msgspec.Struct, frozen=True, kw_only=True):
    """`{type, with}`: of an input or an output."""

    type: str
    with_: Any = msgspec.field(default=None, name="with")


class DatasetPart(msgspec.Struct, frozen=True, kw_only=True):
    """`with` of a dataset; `id` is the early form of `ref`."""

    ref: str = ""
    id: str = ""


class StringPart(msgspec.Struct, frozen=True, kw_only=True):
    """`with` of a string."""

    value: AnyString | None = None


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output of a type. ref: of a dataset. value: of a string, None for none. place: of its key."""

    type: DataType
    ref: str = ""
    value: str | None = None
    place: int = 0


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """`workflow.inputs.NAME` (job is ""), or `JOB.outputs.NAME`."""

    job: str
    name: str
    place: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job. needs: with their places. whole: whether all of it could be read; nothing more is said of one that is not.

    place: of its key; uses_place, with_place: of those values.
    """

    name: str
    place: int
    uses: str = ""
    uses_place: int = 0
    with_: Mapping | None = None
    with_place: int = 0
    needs: tuple[tuple[str, int], ...] = ()
    inputs: dict[str, Data | Reference] = {}
    outputs: dict[str, Data] = {}
    env: dict[str, str] = {}
    instance_type: str = ""
    instance_place: int = 0
    registries: tuple[str, ...] = ()
    whole: bool = True

    @property
    def needed(self) -> tuple[str, ...]:
        """The names of the jobs that it waits for."""
        return tuple(name for name, _ in self.needs)


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A whole spec. branches: whose pushes start it, None without `on`. event: url and ref of `context`, if given."""

    jobs: dict[str, Job]
    inputs: dict[str, Data] = {}
    branches: tuple[str, ...] | None = None
    event: ReadOnly[str, str] = {}
    cluster_id: str = ""


# Keys that belong to GitHub Actions, or that people put one level too high or too low, and what to do instead.
ABROAD: ReadOnly[str, ReadOnly[str, str]] = {
    "spec": {
        "name": "remove it: a spec has no name of its own; argosy run --name NAME names a run",
        "env": "write it under `defaults`: `defaults: {env: ...}`",
        "version": "remove it: specs have no version",
        "schedule": "a CronWorkflow starts a workflow by the clock",
        "secrets": "a secret is used where it is needed, as `secret:NAME`",
        "resources": "write it under `defaults`",
        "steps": "each step is a job of its own, under `jobs`",
        **dict.fromkeys(("permissions", "concurrency", "run-name"), "remove it: that belongs to GitHub Actions"),
    },
    "job": {
        "name": "remove it: a job is called what its key says",
        "if": "remove it: jobs have no conditions here; let the job itself decide what it does",
        "when": "remove it: jobs have no conditions here; let the job itself decide what it does",
        "start_in": "remove it: a job begins when those that it needs have succeeded",
        "runs-on": "write `resources: {instance-type: C5}`",
        "steps": "make each step a job of its own, with `uses`, and order them with `needs`",
        "run": "write `uses: script@v1` and `with: {script: ..., image: ...}`",
        "timeout": "remove it: the format has no time limits; `timeout` inside the script limits a command",
        "timeout-minutes": "remove it: the format has no time limits; `timeout` inside the script limits a command",
        "depends_on": "write `needs: [JOB]`",
        "secrets": "a secret is used where it is needed, as `secret:NAME`",
        "instance-type": "write it under `resources`",
        "container-registries": "write it under `resources`",
        **dict.fromkeys(("image", "args", "command", "script", "url", "ref"), "write it under `with`"),
        **dict.fromkeys(
            ("strategy", "services", "permissions", "continue-on-error", "concurrency", "container", "defaults"),
            "remove it: that belongs to GitHub Actions",
        ),
    },
    "on": {
        "push": "write `github: {branches: {only: main}}`",
        "pull_request": "only pushes to branches start a run: `github: {branches: {only: main}}`",
        "workflow_dispatch": "remove it: every spec can be run by hand",
        "manual": "remove it: every spec can be run by hand",
        "schedule": "a CronWorkflow starts a workflow by the clock",
    },
    "branches": {
        "include": "write `only`",
        "except": "only `only` decides: name the branches that start a run",
        "ignore": "only `only` decides: name the branches that start a run",
    },
    "with": {
        "branch": "write `ref`: it takes a branch, a tag or a commit",
        "env": "write it beside `with`: `env` is a key of the job",
        "run": "write `script`",
        "token": "write `password: secret:NAME`, with `username`",
        "fetch-depth": "remove it: the whole history is fetched",
    },
}
