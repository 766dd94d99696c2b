"""`argosy retry`.

It knows its own words; what is taken over and what runs again is the project's matter.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, output_option, parameter_options, run_argument


@click.command("retry")
@run_argument
@click.option("--from", "start", multiple=True, metavar="STEP", help="Run this step again too, and what follows it.")
@parameter_options
@click.option("--detach", is_flag=True, help="Drive it in a process of its own.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while it runs.")
@output_option("json", "yaml", "name")
@home_option
def command(
    run: str,
    start: tuple[str, ...],
    parameters: tuple[str, ...],
    params_file: Path | None,
    detach: bool,
    quiet: bool,
    output: str | None,
    home: Path | None,
) -> int:
    """Run again what failed in a run, and what depends on it; what succeeded keeps its outcome.

    With -p the steps that run again see changed parameters. Exit handlers run again.
    """
    from argosy.cli.run import follow, given_parameters
    from argosy.project import rerunning

    project = open_project(home)
    found = project.view(run)
    changed = given_parameters(parameters, params_file)
    done = rerunning.retry(project, found, start=start, parameters=changed)
    name = found.summary.name
    if not quiet:
        console().say(f"{name}: generation {done.generation}, {done.carried} outcomes taken over")
    return follow(project, found.summary.id, name, detach=detach, quiet=quiet, output=output)
