"""`argosy artifacts list|download|upload`, as dstack's users write it.

It knows these words; what a run left is `argosy.project.artifacts_of_runs`' matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from argosy.cli.options import console
from argosy.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argosy.project.project import Project

LIST, DOWNLOAD, UPLOAD = WORDS = ("list", "download", "upload")


def download(project: Project, run: str, directory: Path | None) -> None:
    """Put all output artifacts of a run, or what a tag points to, into a folder, each at the path it was left at."""
    from argosy.catalog.contents import combined
    from argosy.project.named_data import outputs_of

    target = directory or Path(run.lstrip(":").replace(":", "-").replace("/", "-"))
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise UsageError(f"There is something at {target} already", hint="choose another place with -d")
    if ":" in run or _is_tag_alone(project, run):
        project.store.materialize(project.names.version("tag", run).content.digest, target)
    else:
        found = project.view(run)
        parts, skipped = outputs_of(found.nodes, of_all=True)
        if not parts:
            raise NotFound(f"Run {found.summary.name} left no artifacts in the store")
        for name in skipped:
            console().say(f"note: {name} is not in the store: argosy artifacts {found.summary.name} tells where it is")
        project.store.materialize(combined(project.store, parts), target)
    console().data(str(target))


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
