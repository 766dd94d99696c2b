"""`argosy artifacts list|download|upload`, as dstack's users write it.

It knows these words; what a run left is `argosy.project.artifacts_of_runs`' matter.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.cli.options import console
from argosy.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argosy.project.project import Project

LIST, DOWNLOAD, UPLOAD = WORDS = ("list", "download", "upload")


def is_tag(project: Project, name: str) -> bool:
    """Whether a tag is meant: NAME:TAG, :TAG, or the name of one that is no run's."""
    return ":" in name or _is_tag_alone(project, name)


def list_tag(project: Project, tag: str, output: str | None) -> None:
    """List what stands at the top of what a tag points to."""
    from argosy.artifacts.trees import parse_digest
    from argosy.cli.artifacts import SCHEMA, size_of

    content = project.names.version("tag", tag).content
    digest = parse_digest(content.digest)
    entries = project.store.entries(digest) if digest.form == "tree" else []
    found = [(f"{one.name}/" if one.kind == "tree" else one.name, one.size) for one in entries]
    talk = console()
    if output == "json":
        shown = [{"path": path, "sizeBytes": size} for path, size in found]
        talk.json({"schema": SCHEMA, "tag": tag.removeprefix(":"), "artifacts": shown})
    elif output == "name":
        for path, _ in found:
            talk.data(path)
    else:
        talk.table(("PATH", "SIZE"), [[path, size_of(size)] for path, size in found or [("-", content.size_bytes)]])


def download(project: Project, run: str, directory: Path | None) -> None:
    """Put all output artifacts of a run, or what a tag points to, into a folder, each at the path it was left at.

    Raises UsageError where something stands at their places already.
    """
    from argosy.catalog.contents import combined
    from argosy.project.named_data import outputs_of

    target = directory or Path(run.lstrip(":").replace(":", "-").replace("/", "-"))
    if is_tag(project, run):
        _put(project, project.names.version("tag", run).content.digest, target)
    else:
        found = project.view(run)
        parts, skipped = outputs_of(found.nodes, of_all=True)
        if not parts:
            raise NotFound(f"Run {found.summary.name} left no artifacts in the store")
        for name in skipped:
            console().say(f"note: {name} is not in the store: argosy artifacts {found.summary.name} tells where it is")
        _put(project, combined(project.store, parts), target)
    console().data(str(target))


def _put(project: Project, digest: str, target: Path) -> None:
    """Put a stored folder into one that may have other things in it."""
    from tempfile import TemporaryDirectory

    from argosy.artifacts.trees import parse_digest

    parsed = parse_digest(digest)
    if not target.is_symlink() and (not target.exists() or (target.is_dir() and not any(target.iterdir()))):
        project.store.materialize(digest, target)
        return
    names = [one.name for one in project.store.entries(parsed)] if parsed.form == "tree" and target.is_dir() else [""]
    for name in names:
        if os.path.lexists(target / name):
            raise UsageError(f"There is something at {target / name} already", hint="choose another place with -d")
    # Whole or not at all: moved from beside its place.
    with TemporaryDirectory(dir=target, prefix=".argosy-") as apart:
        project.store.materialize(digest, Path(apart))
        for name in names:
            (Path(apart) / name).rename(target / name)


def _is_tag_alone(project: Project, name: str) -> bool:
    """Whether it is a tag's name, and no run's: a run counts first."""
    if name.startswith("@") or not project.names.exists("tag", name):
        return False
    try:
        project.find(name)
    except NotFound:
        return True
    return False


def upload(project: Project, folder: str, tag: str) -> None:
    """Let a tag point to a folder as it is now."""
    from argosy.cli.named import show_added
    from argosy.cli.tags import SCHEMA
    from argosy.project.named_data import add_path

    show_added(add_path(project, "tag", tag, Path(folder)), None, SCHEMA)
