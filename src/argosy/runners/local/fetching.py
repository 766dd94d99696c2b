"""Input artifacts: brought to where a step sees them, each a private copy.

It knows locations and places, not containers. Source: Argo docs: fields.md (Artifact); the executor's loadArtifacts.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from pathlib import Path

import msgspec

from argosy.artifacts.locations import Context, driver_for, location_kind
from argosy.artifacts.places import remove
from argosy.artifacts.repositories import below, driver_of, resolve
from argosy.artifacts.transfer import load_input
from argosy.artifacts.troubles import ArtifactNotFound, disk_errors
from argosy.errors import ArgosyError, InvalidFile, NotFound
from argosy.model.manifest import Artifact, ArtifactFields, KeySelector
from argosy.runners.local.context import RunContext
from argosy.runners.local.environment import config_map_key, secret_key
from argosy.runners.local.runtimes.places import ENGINES, is_within, mount_at
from argosy.runners.local.runtimes.runtime import Mount
from argosy.runners.local.shared_places import held, taking
from argosy.runners.local.volumes import is_inside

INPUTS = "inputs"


def is_given(artifact: ArtifactFields) -> bool:
    """Whether an artifact says where its bytes are."""
    return bool(artifact.digest) or location_kind(artifact) is not None


def place_inputs(
    artifacts: Sequence[Artifact],
    mounts: Sequence[Mount],
    context: RunContext,
    folder: str,
    runtime: str,
    *,
    fresh: bool,
) -> tuple[Mount, ...]:
    """The mounts that show a step its input artifacts, which are fetched unless the step may be running already.

    mounts: its volumes; what lies in one of them is put there. Raises what fetching raises.
    """
    found: list[Mount] = []
    for artifact in artifacts:
        if not is_given(artifact):
            if artifact.optional:
                continue
            raise NotFound(f"The required artifact {artifact.name!r} was not supplied.", hint="Pass it with `from`.")
        if not artifact.path:
            continue
        place, mount = _place(artifact, mounts, folder, runtime)
        if mount is None and not is_within(str(place), folder):
            if not _shared(artifact, place, context, folder, fresh=fresh):
                continue
        # What is mounted so that nothing can be written may share its files with the store.
        elif fresh and not _fetched(artifact, place, context, writable=mount is None or not artifact.read_only):
            continue
        if mount is not None and os.path.lexists(place):
            found.append(mount)
    return tuple(found)


def _place(artifact: Artifact, mounts: Sequence[Mount], folder: str, runtime: str) -> tuple[Path, Mount | None]:
    """Where on the host an artifact goes, and how the step sees it if that is not there anyway."""
    if not artifact.path.startswith("/") and runtime not in ENGINES:
        place = Path(posixpath.normpath(f"{folder}/work/{artifact.path}"))
        if not is_inside(str(place), f"{folder}/work"):
            raise InvalidFile(
                f"The path {artifact.path!r} of artifact {artifact.name!r} leads out of the step's folder."
            )
        return place, None
    path = posixpath.normpath("/" + artifact.path.lstrip("/"))
    around = mount_at(path, mounts)
    if around is None:
        place = Path(folder, INPUTS, artifact.name)
        return place, Mount(source=str(place), target=path, read_only=artifact.read_only)
    place = Path(
        posixpath.normpath(os.path.join(around.source, posixpath.relpath(path, posixpath.normpath(around.target))))
    )
    if not is_inside(str(place), around.source):
        raise InvalidFile(f"The path {artifact.path!r} of artifact {artifact.name!r} follows a link out of its volume.")
    return place, None


def _shared(artifact: Artifact, place: Path, context: RunContext, folder: str, *, fresh: bool) -> bool:
    """As `_fetched`, at a place that other steps see too: not again while one of them has the same there."""
    what = msgspec.json.encode(msgspec.structs.replace(artifact, name="", optional=False)).decode()
    if not fresh:
        held(str(place), what, folder)
        return True
    with taking(str(place), what, folder) as needed:
        return (not needed and os.path.lexists(place)) or _fetched(artifact, place, context, of=folder)


def _fetched(artifact: Artifact, place: Path, context: RunContext, *, writable: bool = True, of: str = "") -> bool:
    """Put an artifact at `place`, over what is there; False if it is optional and there is none.

    of: the attempt, where several may do this at the same time.
    """
    mark = f".{os.path.basename(of)}" if of else ""
    temporary = place.parent / f".{place.name[:100]}{mark}.fetching"
    with disk_errors("write", place):
        place.parent.mkdir(parents=True, exist_ok=True)
        remove(temporary)
    try:
        fetch(artifact, temporary, context, writable=writable)
    except ArgosyError as problem:
        if artifact.optional and isinstance(problem, ArtifactNotFound):
            return False
        problem.message = f"The input artifact {artifact.name!r} cannot be fetched: {problem.message}"
        problem.args = (problem.message,)
        raise
    with disk_errors("write", place):
        remove(place)
        os.rename(temporary, place)
    return True


def fetch(
    artifact: ArtifactFields,
    target: Path,
    context: RunContext,
    *,
    writable: bool = True,
    asking: Context | None = None,
) -> None:
    """Put an artifact, unpacked and with its mode, at `target`, where nothing is.

    writable: False when nobody can write there. asking: what a driver may ask for, the run's Secrets unless given.

    Raises ArtifactNotFound, and what the driver of its location raises.
    """
    if artifact.digest:
        digest = context.store.descend(artifact.digest, artifact.sub_path) if artifact.sub_path else artifact.digest
        context.store.materialize(
            digest, target, mode=artifact.mode, recurse_mode=artifact.recurse_mode, writable=writable
        )
        return
    if artifact.sub_path:
        artifact = msgspec.structs.replace(below(artifact, artifact.sub_path), sub_path="")
    wanted = resolve(artifact, context.repository)
    driver = driver_for(wanted) if wanted.raw is not None else driver_of(wanted, context.repository)
    load_input(wanted, target, driver, asking or transfer_context(context))


def transfer_context(context: RunContext) -> Context:
    """What drivers may ask of this run: its Secrets and ConfigMaps."""

    def secret(selector: KeySelector) -> bytes:
        return secret_key(context, selector) or b""

    def config(selector: KeySelector) -> str:
        return (config_map_key(context, selector) or b"").decode("utf-8", "replace")

    return Context(secret=secret, config=config)
