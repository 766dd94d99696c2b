"""`argosy convert`.

It knows its own words only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from argosy.cli.options import console, home_option


@click.command("convert")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--strict/--no-strict", default=True, help="Whether a field that does not exist is an error.")
@home_option
def command(files: tuple[str, ...], strict: bool, home: Path | None) -> int:
    """Print workflow files as the Argo manifests that they are run as.

    What depends on this machine (volumes, node pools) is put in when a run is made.
    """
    from argosy.dialects.argo import dump
    from argosy.project.files import expanded, read

    talk = console()
    documents: list[str] = []
    for path in expanded(files):
        loaded = read(path, strict=strict, stdin=sys.stdin.buffer.read).checked()
        talk.diagnostics(loaded.diagnostics, loaded.source)
        documents += [dump(one.value) for one in loaded.documents]
    talk.data("---\n".join(documents).removesuffix("\n"))
    return 0
