"""Carrying an artifact between a step's path and its location: packed and unpacked as its archive strategy says.

It knows Argo's rules for archives and modes (Argo docs: fields.md, ArchiveStrategy); not the locations themselves.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from argosy.artifacts.archives import archive_form, pack, safe_extract
from argosy.artifacts.locations import Context, Driver
from argosy.artifacts.places import remove
from argosy.artifacts.troubles import ArchiveRefused, ArtifactNotFound, disk_errors
from argosy.model.manifest import ArtifactFields

Strategy = Literal["tar", "zip", "none", "unsaid"]


def strategy_of(artifact: ArtifactFields) -> Strategy:
    """What the artifact says of archives; "unsaid" packs as tar and unpacks only what is one."""
    archive = artifact.archive
    if archive is None:
        return "unsaid"
    if archive.none is not None:
        return "none"
    if archive.tar is not None:
        return "tar"
    return "zip" if archive.zip is not None else "unsaid"


def file_name(artifact: ArtifactFields, name: str) -> str:
    """What an output that names no key is called below its step's folder, as Argo calls it."""
    strategy = strategy_of(artifact)
    if strategy == "none":
        return os.path.basename(artifact.path.rstrip("/")) or name
    return f"{name}.zip" if strategy == "zip" else f"{name}.tgz"


def save_output(path: Path, artifact: ArtifactFields, driver: Driver, context: Context, *, scratch: Path) -> None:
    """Save what a step left at `path`, packed as the artifact says. scratch: a folder with room for the archive.

    Raises ArtifactNotFound when nothing is at `path`, and what packing and the driver raise.
    """
    if not os.path.lexists(path):
        raise ArtifactNotFound(
            f"The step left nothing at {artifact.path or path}.", hint="Mark the artifact `optional: true` if it may."
        )
    strategy = strategy_of(artifact)
    if strategy == "none":
        driver.save(path, artifact, context)
        return
    with disk_errors("write", scratch):
        scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="save-", dir=scratch))
    try:
        packed = folder / "artifact"
        if strategy == "zip":
            pack(path, packed, "zip")
        else:
            tar = artifact.archive.tar if artifact.archive else None
            pack(path, packed, "tar.gz", compression_level=tar.compression_level if tar else None)
        driver.save(packed, artifact, context)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def load_input(artifact: ArtifactFields, target: Path, driver: Driver, context: Context) -> None:
    """Fetch an artifact to `target`, unpacked as it says, with its mode.

    A gzipped tar is unpacked unless the artifact says `archive: none`; a zip only when it says `archive: zip`. One name
    at its top becomes the target itself. Raises what the driver raises, ArchiveRefused, StoreTrouble; nothing stays at
    `target` then.
    """
    with disk_errors("write", target):
        target.parent.mkdir(parents=True, exist_ok=True)
    fetched = target.parent / f".{target.name[:100]}.{os.urandom(6).hex()}.fetched"
    try:
        driver.fetch(artifact, fetched, context)
        if _is_packed(artifact, fetched):
            done = safe_extract(fetched, target, limits=context.limits, unwrap=True, cancelled=context.cancelled)
            for warning in done.warnings:
                context.log(warning)
        else:
            with disk_errors("write", target):
                os.rename(fetched, target)
    finally:
        remove(fetched)
    if artifact.mode is not None:
        with disk_errors("change the mode of", target):
            set_mode(target, artifact.mode, recurse=artifact.recurse_mode)


def _is_packed(artifact: ArtifactFields, fetched: Path) -> bool:
    strategy = strategy_of(artifact)
    if strategy == "none" or fetched.is_dir():
        return False
    form = archive_form(fetched)
    if strategy == "unsaid":
        return form == "tar.gz"
    expected = form == "zip" if strategy == "zip" else form is not None and form != "zip"
    if not expected:
        raise ArchiveRefused(
            f"The artifact is to be unpacked as {strategy}, and it is {form or 'no archive'}.",
            hint="Set `archive: none: {}` to take it as it is.",
        )
    return True


def set_mode(path: Path, mode: int, *, recurse: bool) -> None:
    """Give a file or folder its permission bits, with recurse all below it too; links and what they point at stay."""
    if recurse and path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            set_mode(child, mode, recurse=True)
    if not path.is_symlink():
        os.chmod(path, mode & 0o7777)
