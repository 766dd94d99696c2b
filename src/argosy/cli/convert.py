"""`argosy convert`.

It knows its own words only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.options import console, home_option, open_project

if TYPE_CHECKING:
    from argosy.dialects.argo import Loaded


@click.command("convert")
@click.argument("files", nargs=-1, required=True, metavar="FILE... | guild.yml OPERATION")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--strict/--no-strict", default=True, help="Whether a field that does not exist is an error.")
@home_option
def command(files: tuple[str, ...], output: Path | None, strict: bool, home: Path | None) -> int:
    """Print workflow files as the Argo manifests that they are run as.

    What depends on this machine (volumes, node pools) is put in when a run is made. Of a guild.yml the operations that
    are named after it are meant, or all. A workflow of .dstack is meant by its name too.
    """
    from argosy.dialects.argo import dump
    from argosy.project.files import expanded, read

    talk = console()
    documents: list[str] = []
    loads = _operations(files, home)
    for path in expanded(files) if loads is None else ():
        loads = [*(loads or ()), read(path, strict=strict, stdin=sys.stdin.buffer.read).checked()]
    for loaded in loads or ():
        talk.diagnostics(loaded.diagnostics, loaded.source)
        documents += [dump(one.value) for one in loaded.documents]
    text = "---\n".join(documents)
    if output is not None:
        output.write_text(text, encoding="utf-8")
        return 0
    talk.data(text.removesuffix("\n"))
    return 0


def _operations(files: tuple[str, ...], home: Path | None) -> list[Loaded] | None:
    """The operations that are named; None when the words are files."""
    from argosy.project import guild_files

    file = guild_files.meant(files[0])
    if file is None and len(files) == 1 and not Path(files[0]).exists() and "/" not in files[0]:
        from argosy.project.dstack_files import load_named

        named = load_named(Path.cwd(), files[0])
        return [named.checked()] if named is not None else None
    if file is None or (not file[1] and len(files) == 1):
        return None
    names = (file[1],) if file[1] else files[1:]
    project = open_project(home)
    return [guild_files.operation(project, file[0], name) for name in names]
