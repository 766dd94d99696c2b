"""The artifacts of a run: which there are, where their bytes are, and how to get them.

It knows nodes and the store; other locations are asked through their drivers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from argosy.errors import NotFound, UsageError
from argosy.model.manifest import Artifact
from argosy.model.status import Node

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.project.views import RunView

Way = Literal["output", "input"]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One artifact of a step. place: its digest, or its location in words. size_bytes: of one in the store."""

    step: str
    node: str
    way: Way
    artifact: Artifact
    place: str
    size_bytes: int | None


def artifacts_of(project: Project, run: RunView, node: Node | None, *, inputs: bool) -> list[Found]:
    """The artifacts of a run, or of one node of it and what that called."""
    found: list[Found] = []
    chosen = {node.id} if node is not None else None
    for id, one in run.nodes.items():
        if chosen is not None and id not in chosen:
            if one.boundary_id not in chosen and not one.name.startswith(f"{node.name if node else ''}("):
                continue
            chosen.add(id)
        for artifact in one.outputs.artifacts if one.outputs is not None else ():
            found.append(_found(project, one, "output", artifact))
        for artifact in one.inputs.artifacts if inputs and one.inputs is not None else ():
            found.append(_found(project, one, "input", artifact))
    return found


def _found(project: Project, node: Node, way: Way, artifact: Artifact) -> Found:
    size = None
    if artifact.digest:
        try:
            size = project.store.size(artifact.digest)
        except NotFound:
            place = f"{artifact.digest} (pruned)"
        else:
            place = artifact.digest
    else:
        place = _location(artifact)
    return Found(step=node.display_name, node=node.id, way=way, artifact=artifact, place=place, size_bytes=size)


def _location(artifact: Artifact) -> str:
    from argosy.artifacts.locations import location_kind
    from argosy.artifacts.repositories import location_key

    kind = location_kind(artifact) or ""
    return f"{kind} {location_key(artifact, kind)}".strip()


def fetch(project: Project, run: RunView, found: Found, target: Path) -> None:
    """Put the artifact at `target`, where nothing may be. Raises UsageError, ArtifactNotFound."""
    if target.exists() or target.is_symlink():
        raise UsageError(f"There is something at {target} already", hint="choose another place with -d")
    from argosy.project.driving import context_of
    from argosy.runners.local.fetching import fetch as fetch_artifact

    target.parent.mkdir(parents=True, exist_ok=True)
    fetch_artifact(found.artifact, target, context_of(project, run.summary, run.workflow))
