"""Outputs that a manifest gives a name: when their step has succeeded, each becomes a new version.

It is told the facts of a run after they are durable, and again by every driver that takes the run up: the attempt and
the artifact tell what was published before. It knows facts and names, not how a run is driven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import msgspec

from argosy.artifacts.store import Store
from argosy.catalog.contents import Part, combined, content_of
from argosy.catalog.names import Names, Origin
from argosy.catalog.refs import Kind, parse_ref
from argosy.errors import UsageError
from argosy.model.events import AttemptExited, CacheRead, Event
from argosy.model.manifest import Artifact, Outputs, Parameter, Workflow

# On a workflow: the tags, separated by commas, that are to point to all outputs of a run that has succeeded.
TAGS = "argosy.dev/tag"
# On a workflow: what a tag without a name is of. It becomes a tag of that name too.
TAG_OF = "argosy.dev/tag-of"


def tags_of(workflow: Workflow) -> list[str]:
    """The tags that a run's outputs are to get. Raises UsageError for what is no tag."""
    found = [one.strip() for one in workflow.metadata.annotations.get(TAGS, "").split(",") if one.strip()]
    for one in found:
        if parse_ref("tag", one).version:
            raise UsageError(f"{one!r} names what a tag pointed to", hint=f"write {one.partition('@')[0]}")
    return found


def with_tags(workflow: Workflow, tags: tuple[str, ...]) -> Workflow:
    """The workflow whose runs' outputs get these tags too. Raises UsageError for what is no tag."""
    if tags:
        metadata = workflow.metadata
        if of := metadata.annotations.get(TAG_OF, ""):
            tags = (*tags, *(f"{of}:{one}" for one in tags if ":" not in one and "/" not in one))
        text = ",".join(filter(None, (metadata.annotations.get(TAGS, ""), *tags)))
        annotated = msgspec.structs.replace(metadata, annotations=dict(metadata.annotations) | {TAGS: text})
        workflow = msgspec.structs.replace(workflow, metadata=annotated)
    tags_of(workflow)
    return workflow


class Publication:
    """The published outputs of one generation of a run. One thread: that of the connection of `names`."""

    def __init__(
        self,
        names: Names,
        store: Store,
        *,
        run: str,
        run_name: str,
        attempt: Callable[[str], str],
        step: Callable[[str], str],
    ) -> None:
        """run: its uid. attempt: the id, unique within the run for ever, of the attempt at a node. step: its name."""
        self._names = names
        self._store = store
        self._run = run
        self._run_name = run_name
        self._attempt = attempt
        self._step = step

    def take(self, facts: Iterable[Event]) -> None:
        """Publish what these facts, which are durable, tell of. Safe to repeat. Raises RecordTrouble."""
        for fact in facts:
            if isinstance(fact, AttemptExited) and fact.phase == "Succeeded":
                self._publish(fact.node, fact.outputs, reused=False)
            elif isinstance(fact, CacheRead) and fact.hit:
                self._publish(fact.node, fact.outputs, reused=True)

    def tag(self, tags: Sequence[str], parts: Sequence[Part]) -> None:
        """Let these tags point to all outputs of the run, which has succeeded. Safe to repeat."""
        if not tags or not parts:
            return
        digest = combined(self._store, parts)
        self._store.sync()
        origin = Origin(run=self._run, run_name=self._run_name, node=self._attempt("run"))
        details = {"artifacts": [msgspec.to_builtins(one) for one in parts]}
        for one in tags:
            self._names.add("tag", one, content_of(self._store, digest), origin, details=details)

    def _publish(self, node: str, outputs: Outputs | None, *, reused: bool) -> None:
        for artifact in outputs.artifacts if outputs is not None else ():
            if artifact.named is not None and artifact.digest:
                self._version(node, artifact, outputs.parameters if outputs is not None else (), reused)

    def _version(self, node: str, artifact: Artifact, parameters: tuple[Parameter, ...], reused: bool) -> None:
        named = artifact.named
        assert named is not None
        kind = cast(Kind, named.kind)
        if reused and self._is_latest(kind, named.ref, artifact.digest):
            return
        origin = Origin(
            run=self._run,
            run_name=self._run_name,
            node=self._attempt(node),
            step=self._step(node),
            artifact=artifact.name,
        )
        details = _details(named.metrics, parameters)
        type = named.type if kind == "model" else ""
        self._names.publish(
            kind, named.ref, content_of(self._store, artifact.digest), origin, type=type, details=details
        )

    def _is_latest(self, kind: Kind, ref: str, digest: str) -> bool:
        """A step whose outputs were reused made nothing new when the name points to them already."""
        if not self._names.exists(kind, ref) or not self._names.named(kind, ref).latest:
            return False
        whole = ref.partition(":")[0] if kind != "tag" else ref
        return self._names.version(kind, whole).content.digest == digest


def _details(metrics: tuple[str, ...], parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """The metrics that output parameters hold, numbers as numbers."""
    found = {one.name: one.value for one in parameters if one.name in metrics and one.value is not None}
    return {"metrics": {name: number(value) for name, value in found.items()}} if found else {}


def number(text: str) -> float | int | str:
    """The number that a text is, or the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
