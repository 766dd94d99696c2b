"""`argosy export`.

It knows where things are put.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.notes import where_option
from argosy.cli.options import complete_runs, console, home_option, open_project
from argosy.errors import UsageError


@click.command("export")
@click.argument("given", nargs=-1, metavar="RUN... TARGET", shell_complete=complete_runs)
@where_option
@home_option
def command(given: tuple[str, ...], where: str, home: Path | None) -> None:
    """Write runs out, with their facts, logs, artifacts, parameters and metrics; without secrets.

    TARGET is a new folder, or an archive (.tar.gz, .zip). Of several runs each has a folder of its name in TARGET.
    `argosy import` takes them in elsewhere.
    """
    from argosy.project.carrying import ARCHIVES, export_run
    from argosy.project.experiments import runs_meant

    if len(given) < (1 if where else 2):
        raise UsageError("An export needs runs and a target", hint="as in argosy export @latest run.tar.gz")
    project = open_project(home)
    *names, last = given
    found = runs_meant(project, tuple(names), where)
    target = Path(last)
    if len(found) > 1 and target.name.endswith(ARCHIVES):
        raise UsageError(f"{len(found)} runs do not go into one archive", hint="name a folder")
    several = bool(where) or len(names) > 1
    for run in found:
        place = target / run.name if several and not target.name.endswith(ARCHIVES) else target
        carried = export_run(project, run, place)
        for note in carried.notes:
            console().say(f"note: {run.name}: {note}")
        console().data(str(place))
    if not found:
        console().say("no run is like that")
