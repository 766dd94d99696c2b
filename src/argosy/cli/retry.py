"""`argosy retry`.

It knows its own words; what is taken over and what runs again is the project's matter.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import (
    code_from_option,
    console,
    home_option,
    open_project,
    output_option,
    parameter_options,
    run_argument,
)


@click.command("retry")
@run_argument
@click.option("--from", "start", multiple=True, metavar="STEP", help="Run this step again too, and what follows it.")
@parameter_options
@code_from_option
@click.option("--detach", is_flag=True, help="Drive it in a process of its own.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while it runs.")
@output_option("json", "yaml", "name")
@home_option
def command(
    run: str,
    start: tuple[str, ...],
    parameters: tuple[str, ...],
    params_file: Path | None,
    code_from: str,
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
    working = code_from == "working"
    done = rerunning.retry(project, found, start=start, parameters=changed, working_code=working)
    name = found.summary.name
    if not quiet:
        console().say(f"{name}: generation {done.generation}, {done.carried} outcomes taken over")
        if found.options.code is not None and not working:
            console().say("note: with the code that the run has kept; --code-from working takes it as it is now")
    return follow(project, found.summary.id, name, detach=detach, quiet=quiet, output=output)
