"""`argosy apply`.

It knows its own words only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, output_option

SCHEMA = "argosy.apply/v1"


@click.command("apply")
@click.argument("paths", nargs=-1, metavar="[FILE]...")
@click.option("-f", "--filename", "filenames", multiple=True, metavar="FILE", help="A file or a folder.")
@output_option("json", "name")
@home_option
def command(paths: tuple[str, ...], filenames: tuple[str, ...], output: str | None, home: Path | None) -> None:
    """Put templates, ConfigMaps, Secrets and claims into the catalog, new or in place of older ones.

    All of a call, or nothing: one document that is wrong keeps the others out.
    """
    from argosy.errors import UsageError
    from argosy.project.documents import apply, short_values
    from argosy.project.files import expanded, read
    from argosy.project.programs import ready
    from argosy.project.sources import checked_documents

    if not paths and not filenames:
        raise UsageError("Nothing to apply", hint="argosy apply -f FILE")
    project = open_project(home)
    talk = console()
    loaded = [ready(read(path, stdin=sys.stdin.buffer.read).checked()) for path in expanded((*paths, *filenames))]
    for one in loaded:
        talk.diagnostics([*one.diagnostics, *checked_documents(project, one, one.documents)], one.source)
    applied = apply(project, [document.value for one in loaded for document in one.documents])
    for name, keys in short_values(document.value for one in loaded for document in one.documents):
        talk.say(f"note: short values of Secret {name}: hiding {', '.join(keys)} in logs may hide ordinary words too")
    if output == "json":
        objects = [{"kind": one.kind, "name": one.name, "outcome": one.outcome} for one in applied]
        talk.json({"schema": SCHEMA, "objects": objects})
        return
    for one in applied:
        talk.data(f"{one.kind.lower()}/{one.name}" if output == "name" else f"{one.kind} {one.name} {one.outcome}")
