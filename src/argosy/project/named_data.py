"""Named data as a person handles it: made from a folder or from a run, fetched, forgotten.

It knows how names, the store and runs go together; each is kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.catalog.names import Origin, Version
from argosy.catalog.refs import Kind, parse_ref
from argosy.errors import NotFound, UsageError
from argosy.model.host_templates import CODE_FOLDER
from argosy.model.status import Node, NodeType, Phase
from argosy.syntax.diagnostics import did_you_mean

if TYPE_CHECKING:
    from argosy.catalog.contents import Part
    from argosy.project.project import Project
    from argosy.project.views import RunView


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was made; or the latest one, when it holds the very same already. skipped: outputs elsewhere."""

    version: Version
    unchanged: bool = False
    skipped: tuple[str, ...] = ()


def add_path(
    project: Project,
    kind: Kind,
    text: str,
    path: Path,
    *,
    type: str = "",
    note: str = "",
    details: Mapping[str, Any] | None = None,
) -> Added:
    """A new version that holds a file or folder. Raises NotFound, UsageError, StoreTrouble."""
    from argosy.catalog.contents import content_of_path

    parse_ref(kind, text)
    if not path.exists():
        raise NotFound(f"There is nothing at {path}")
    if kind == "dataset" and not path.is_dir():
        raise UsageError(f"{path} is no folder", hint="a dataset is a folder of files")
    content = content_of_path(project.store, path.resolve(), project.journal.database)
    names = project.names
    if kind != "model" and names.exists(kind, text) and names.named(kind, text).latest:
        ref = parse_ref(kind, text)
        latest = names.version(kind, ref.whole_name)
        if latest.content.digest == content.digest and not ref.version:
            if ref.tag:
                latest = names.tag(kind, ref.whole_name, ref.tag)
            return Added(version=latest, unchanged=True)
    origin = Origin(source=str(path.resolve()))
    return Added(version=names.add(kind, text, content, origin, type=type, note=note, details=dict(details or {})))


def add_paths(project: Project, kind: Kind, text: str, paths: Collection[Path], *, note: str = "") -> Added:
    """A new version that holds files and folders at their relative paths, others by their last names.

    Raises NotFound, StoreTrouble.
    """
    from argosy.catalog.contents import Part, combined, content_of, content_of_path

    parse_ref(kind, text)
    parts: list[Part] = []
    for path in paths:
        if not path.exists():
            raise NotFound(f"There is nothing at {path}")
        content = content_of_path(project.store, path.resolve(), project.journal.database)
        parts.append(Part(artifact=path.resolve().name, step="", node="", path=str(path), digest=content.digest))
    digest = combined(project.store, parts)
    project.store.sync()
    origin = Origin(source=", ".join(str(one.resolve()) for one in paths))
    return Added(version=project.names.add(kind, text, content_of(project.store, digest), origin, note=note))


def add_run(
    project: Project,
    kind: Kind,
    text: str,
    run: RunView,
    *,
    artifact: str = "",
    type: str = "",
    note: str = "",
    details: Mapping[str, Any] | None = None,
) -> Added:
    """A new version that holds what a run gave: one output artifact, as NAME or STEP/NAME, or all of them together.

    Raises NotFound when there is none, UsageError when several are meant.
    """
    from argosy.catalog.contents import combined, content_of

    parse_ref(kind, text)
    parts, skipped = outputs_of(run.nodes, of_all=True)
    origin = Origin(run=run.summary.uid, run_name=run.summary.name)
    if artifact:
        part = chosen_part(parts, artifact, run.summary.name)
        digest = part.digest
        origin = msgspec.structs.replace(origin, node=part.node, step=part.step, artifact=part.artifact)
    else:
        if not parts:
            raise NotFound(
                f"Run {run.summary.name} left no artifacts in the store",
                hint="they are elsewhere" if skipped else "its steps have no output artifacts, or left nothing there",
            )
        digest = combined(project.store, parts)
        project.store.sync()
    held = dict(details or {}) | {"artifacts": [msgspec.to_builtins(one) for one in parts if not artifact]}
    if artifact:
        del held["artifacts"]
        # Asked for by a person, it is made each time: only what a run publishes by itself is made once.
        origin = msgspec.structs.replace(origin, node="")
    version = project.names.add(
        kind, text, content_of(project.store, digest), origin, type=type, note=note, details=held
    )
    return Added(version=version, skipped=tuple(skipped))


def outputs_of(nodes: Mapping[str, Node], *, of_all: bool = False) -> tuple[list[Part], list[str]]:
    """The artifacts in the store that steps of a run gave, by when the steps ended; and the others, by name.

    of_all: those of steps that failed or were stopped too, but for tries that another one followed.
    """
    from argosy.catalog.contents import Part

    parts: list[Part] = []
    skipped: list[str] = []
    ended = sorted(nodes.values(), key=lambda node: node.finished_at)
    retries = (node for node in ended if of_all and node.type is NodeType.RETRY)
    tried_again = {id for node in retries for id in node.children[:-1]}
    for node in ended:
        if node.type is not NodeType.POD or node.outputs is None:
            continue
        if node.phase is not Phase.SUCCEEDED and (not of_all or node.id in tried_again):
            continue
        for one in node.outputs.artifacts:
            if not one.path and one.name.endswith("-logs"):
                continue
            if not one.digest:
                skipped.append(f"{node.display_name}/{one.name}")
                continue
            parts.append(
                Part(
                    artifact=one.name,
                    step=node.display_name,
                    node=node.id,
                    # What a container left beside its code is where it would be on the host.
                    path=one.path.removeprefix(f"{CODE_FOLDER}/"),
                    digest=one.digest,
                )
            )
    return parts, skipped


def chosen_part(parts: list[Part], artifact: str, run: str) -> Part:
    """The output that NAME or STEP/NAME means. Raises NotFound, UsageError when several steps have one."""
    found = [one for one in parts if one.artifact == artifact] or [
        one for one in parts if f"{one.step}/{one.artifact}" == artifact
    ]
    if not found:
        near = did_you_mean(artifact, [one.artifact for one in parts])
        names = ", ".join(dict.fromkeys(one.artifact for one in parts))
        hint = f"did you mean {near}?" if near else f"it has {names}" if names else "it left none in the store"
        raise NotFound(f"Run {run} has no output artifact {artifact!r}", hint=hint)
    if len({one.digest for one in found}) > 1:
        steps = ", ".join(f"{one.step}/{one.artifact}" for one in found[:5])
        raise UsageError(f"Several steps of run {run} have an artifact {artifact}", hint=f"name one of {steps}")
    return found[-1]


def fetch(project: Project, version: Version, target: Path) -> None:
    """Put a version's content at `target`, where nothing may be but an empty folder. Raises UsageError."""
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise UsageError(f"There is something at {target} already", hint="choose another place with -d")
    project.store.materialize(version.content.digest, target)
