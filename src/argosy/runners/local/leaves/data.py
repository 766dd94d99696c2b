"""The data template: paths of artifacts listed, then put through expressions (Argo docs:
data-sourcing-and-transformation.md). Ours: with output artifacts, its input artifacts are handed on, by their paths.

It knows sources and transformations; not stores.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from argosy.artifacts.drivers.local import LocalDriver
from argosy.artifacts.locations import location_kind
from argosy.artifacts.places import remove
from argosy.artifacts.repositories import KEY_FIELD, driver_of, location_key, resolve, with_key
from argosy.artifacts.store import Store
from argosy.artifacts.trees import Digest, parse_digest
from argosy.errors import ExpressionError
from argosy.expressions import expr
from argosy.expressions.formatting import json_text
from argosy.model.events import AttemptExited
from argosy.model.manifest import Artifact, ArtifactPaths, Data, Outputs
from argosy.model.status import Phase
from argosy.plan.actions import Start
from argosy.runners.local.context import RunContext
from argosy.runners.local.fetching import fetch
from argosy.runners.local.leaves.surroundings import LeafFailed, Log, given_parameters, transfer_context

# Where an attempt lays out what it hands on.
_LAID_OUT = "laid-out"


def run_data(start: Start, context: RunContext, cancelled: Callable[[], bool]) -> AttemptExited:
    """List the source, transform the list, give it as outputs.result in JSON. Raises ArgosyError, OSError."""
    template, outputs = start.template.data, start.template.outputs
    log = Log(start, context)
    if outputs is not None and outputs.artifacts:
        return _handed_on(start, outputs, context, log, cancelled)
    if template is None or template.source.artifact_paths is None:
        raise LeafFailed("a data template has no source.", hint="Give source.artifactPaths.")
    parameters = given_parameters(start.template, "data")
    found = _paths(template.source.artifact_paths, context, log, cancelled)
    log.say(f"{len(found)} paths listed")
    result = json_text(_transformed(template, found, cancelled))
    log.write(result + "\n")
    outputs = Outputs(result=result, exit_code="0", parameters=parameters)
    return AttemptExited(at=0.0, node=start.node, phase=Phase.SUCCEEDED, outputs=outputs)


def _handed_on(
    start: Start, outputs: Outputs, context: RunContext, log: Log, cancelled: Callable[[], bool]
) -> AttemptExited:
    """Output artifacts from what input artifacts have at their paths, laid out as a container would see them."""
    from argosy.runners.local.collecting import check_name

    parameters = given_parameters(start.template, "data", files=True)
    folder = context.attempt_folder(start.node) / _LAID_OUT
    inputs = start.template.inputs.artifacts if start.template.inputs is not None else ()
    try:
        remove(folder)
        for artifact in sorted(inputs, key=lambda one: one.path):
            log.say(f"{artifact.name}: fetching to {artifact.path}")
            place = _inside(folder, artifact.path)
            fetch(artifact, place, context, asking=transfer_context(context, log, cancelled))
            if artifact.path.endswith("/") and place.is_file():
                _into_folder(place, artifact)
        made: list[Artifact] = []
        for artifact in outputs.artifacts:
            if artifact.named is not None:
                check_name(artifact)
            place = _inside(folder, artifact.path)
            if not place.exists():
                place.mkdir(parents=True)
            digest = context.store.put(place)
            made.append(msgspec.structs.replace(artifact, digest=digest))
            log.say(f"{artifact.name}: {digest}")
    finally:
        remove(folder)
    found = Outputs(artifacts=tuple(made), parameters=parameters, exit_code="0")
    return AttemptExited(at=0.0, node=start.node, phase=Phase.SUCCEEDED, outputs=found)


def _into_folder(place: Path, artifact: Artifact) -> None:
    """Put a file into a folder at its place, as `cp FILE FOLDER/` does, by the name that it has in its location."""
    kind = location_kind(artifact) or ""
    name = location_key(artifact, kind).rpartition("/")[2] if kind in KEY_FIELD else artifact.name
    aside = place.with_name(f".{place.name}.file")
    place.rename(aside)
    place.mkdir()
    aside.rename(place / (name or artifact.name))


def _inside(folder: Path, path: str) -> Path:
    """A step's path below a folder. Raises LeafFailed for one that leads out of it."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise LeafFailed(f"{path!r} is no path of an artifact.")
    return folder.joinpath(*parts)


def _paths(source: ArtifactPaths, context: RunContext, log: Log, cancelled: Callable[[], bool]) -> list[str]:
    """The keys of all files at or below the location; for content in the store, the paths within it."""
    if source.digest:
        return _paths_in(context.store, parse_digest(source.digest), "")
    asked = transfer_context(context, log, cancelled)
    if location_kind(source) is None:
        whole = with_key(source, context.repository, "")
        if not context.repository.kind:
            return LocalDriver(context.repository.root).list(whole, asked)
        return driver_of(whole, context.repository).list(whole, asked)
    artifact = resolve(source, context.repository)
    return driver_of(artifact, context.repository).list(artifact, asked)


def _paths_in(store: Store, digest: Digest, name: str) -> list[str]:
    """The paths of all files of a folder in the store, below `name`; of a file, its own."""
    if digest.form != "tree":
        return [name]
    found: list[str] = []
    for entry in store.entries(digest):
        path = f"{name}/{entry.name}" if name else entry.name
        found += _paths_in(store, parse_digest(entry.digest), path) if entry.kind == "tree" else [path]
    return found


def _transformed(template: Data, data: object, cancelled: Callable[[], bool]) -> object:
    for number, step in enumerate(template.transformation):
        if cancelled():
            raise LeafFailed("the transformation was stopped.")
        try:
            data = expr.evaluate(step.expression, {"data": data})
        except ExpressionError as problem:
            raise LeafFailed(f"transformation {number}: {problem.message}", hint=problem.hint) from problem
    return data
