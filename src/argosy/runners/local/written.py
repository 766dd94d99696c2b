"""What a host template wrote into its working folder, told from the code and the inputs that it was given there.

It knows inputs and stored folders, not how outputs are kept.
"""

from __future__ import annotations

import posixpath
from pathlib import Path

from argosy.artifacts.subtraction import without
from argosy.model.host_templates import CODE_FOLDER, is_host
from argosy.model.manifest import Template
from argosy.runners.local.context import RunContext
from argosy.runners.local.runtimes.places import ENGINES


def is_working_folder(template: Template, path: str) -> bool:
    """Whether an output's path is the whole working folder of a host template."""
    return is_host(template) and posixpath.normpath(path) in (".", CODE_FOLDER)


def written(template: Template, place: Path, context: RunContext, runtime: str) -> str:
    """The digest of what the step wrote in the folder at `place`. Raises ArtifactNotFound, StoreTrouble."""
    held: dict[str, str] = {}
    dropped: list[str] = []
    inputs = template.inputs
    for one in inputs.artifacts if inputs is not None else ():
        path = "." if one.path == CODE_FOLDER else posixpath.normpath(one.path.removeprefix(f"{CODE_FOLDER}/"))
        if path.startswith("/"):
            continue
        if one.digest and (path == "." or runtime not in ENGINES):
            held[path] = context.store.descend(one.digest, one.sub_path) if one.sub_path else one.digest
        else:
            # Not known by its content; or, for a container, mounted over an empty place.
            dropped.append(path)
    return without(context.store, context.store.put(place, sync=False), held, dropped)
