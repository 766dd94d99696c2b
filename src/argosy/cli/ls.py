"""`argosy ls`.

It knows how paths are shown; which files a run made is the project's matter.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, output_option, run_argument

SCHEMA = "argosy.files/v1"


@click.command("ls")
@run_argument
@click.argument("below", required=False, default="", metavar="[FOLDER]")
@click.option("-l", "--long", is_flag=True, help="Show sizes.")
@output_option("json", "name")
@home_option
def command(run: str, below: str, long: bool, output: str | None, home: Path | None) -> None:
    """List the files that a run made, those of a step below its name if several made some.

    argosy code RUN lists its code, argosy artifacts RUN its artifacts.
    """
    from argosy.cli.artifacts import size_of
    from argosy.project.files_of_runs import files_of

    project = open_project(home)
    view = project.view(run)
    found = files_of(project, view, below.strip("/"))
    talk = console()
    if output == "json":
        shown = [{"path": one.path, "sizeBytes": one.size_bytes, "digest": one.digest} for one in found]
        talk.json({"schema": SCHEMA, "run": view.summary.name, "files": shown})
    elif not found:
        talk.say(f"{view.summary.name} made no files")
    elif long:
        talk.table(("PATH", "SIZE"), [[one.path, size_of(one.size_bytes)] for one in found])
    else:
        for one in found:
            talk.data(one.path)
