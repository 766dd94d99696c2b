"""`argosy import`.

It knows arguments and sentences.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project


@click.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path))
@home_option
def command(sources: tuple[Path, ...], home: Path | None) -> None:
    """Take in runs that `argosy export` wrote. A run that is here already is refused."""
    from argosy.project.carrying import import_run

    project = open_project(home)
    talk = console()
    for source in sources:
        carried = import_run(project, source)
        for note in carried.notes:
            talk.say(f"note: {carried.name}: {note}")
        talk.data(carried.name)
