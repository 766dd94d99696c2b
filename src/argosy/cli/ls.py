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
    """List the files that a run made, those of a step below its name if several made some, or what a tag points to.

    argosy code RUN lists its code, argosy artifacts RUN its artifacts.
    """
    from argosy.cli.artifacts import size_of
    from argosy.cli.artifacts_by_words import is_tag
    from argosy.project.files_of_runs import files_of, files_of_tag

    project = open_project(home)
    if is_tag(project, run):
        name, found = run.removeprefix(":"), files_of_tag(project, run, below.strip("/"))
    else:
        view = project.view(run)
        name, found = view.summary.name, files_of(project, view, below.strip("/"))
    talk = console()
    if output == "json":
        shown = [{"path": one.path, "sizeBytes": one.size_bytes, "digest": one.digest} for one in found]
        talk.json({"schema": SCHEMA, "run": name, "files": shown})
    elif not found:
        talk.say(f"{name} made no files")
    elif long:
        talk.table(("PATH", "SIZE"), [[one.path, size_of(one.size_bytes)] for one in found])
    else:
        for one in found:
            talk.data(one.path)
