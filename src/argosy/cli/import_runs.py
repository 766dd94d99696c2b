"""`argosy import`.

It knows arguments and sentences.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project
from argosy.errors import UsageError


@click.command("import")
@click.argument("sources", nargs=-1, metavar="[FILE|FOLDER]...", type=click.Path(path_type=Path))
@click.option(
    "--guild", type=click.Path(path_type=Path), metavar="GUILD_HOME", help="Take in the runs of a home of Guild AI."
)
@home_option
def command(sources: tuple[Path, ...], guild: Path | None, home: Path | None) -> None:
    """Take in runs that `argosy export` wrote. A run that is here already is refused.

    Of a Guild home every run that is over is taken that is not here yet, without the environment that Guild kept.
    """
    from argosy.project.carrying import import_run

    if not sources and guild is None:
        raise UsageError("Which runs?", hint="name what argosy export wrote, or --guild GUILD_HOME")
    project = open_project(home)
    talk = console()
    if guild is not None:
        from argosy.project.guild_runs import check_home, import_home

        check_home(guild)
        for carried in import_home(project, guild):
            for note in carried.notes:
                talk.say(f"note: {carried.name}: {note}")
            if not carried.notes:
                talk.data(carried.name)
    for source in sources:
        carried = import_run(project, source)
        for note in carried.notes:
            talk.say(f"note: {carried.name}: {note}")
        talk.data(carried.name)
