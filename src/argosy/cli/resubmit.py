"""`argosy resubmit`.

It knows its own words only.
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
    pairs,
    parameter_options,
    run_argument,
)
from argosy.cli.reuse import read_refresh, reuse_options


@click.command("resubmit")
@run_argument
@click.option("--memoized", is_flag=True, help="Take over what succeeded in the old run.")
@parameter_options
@click.option("--ask", is_flag=True, help="Ask for its values, beginning with those of the old run.")
@click.option("--name", default="", help="Name the new run.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Label the new run.")
@click.option("--runtime", help="How steps run.  [default: as before]")
@reuse_options
@code_from_option
@click.option("--detach", is_flag=True, help="Drive it in a process of its own.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while it runs.")
@output_option("json", "yaml", "name")
@home_option
def command(
    run: str,
    memoized: bool,
    parameters: tuple[str, ...],
    params_file: Path | None,
    ask: bool,
    name: str,
    labels: tuple[str, ...],
    runtime: str | None,
    cache: bool | None,
    refresh: tuple[str, ...],
    code_from: str,
    detach: bool,
    quiet: bool,
    output: str | None,
    home: Path | None,
) -> int:
    """Run a run's workflow again as a new run."""
    from argosy.cli.run import follow, given_parameters
    from argosy.project.rerunning import resubmit
    from argosy.project.submission import Wanted

    project = open_project(home)
    found = project.view(run)
    given = given_parameters(parameters, params_file)
    if ask:
        from argosy.cli.asking import ask as ask_for
        from argosy.project.rerunning import prefilled

        given |= ask_for(console(), prefilled(found), tuple(given))
    wanted = Wanted(
        parameters=given,
        name=name,
        labels=pairs(labels, "a label"),
        runtime=runtime or "",
        jobs=found.options.jobs,
        gpus=found.options.gpus,
        ignore_resources=found.options.ignore_resources,
        cache=(found.options.cache or None) if cache is None else cache,
        refresh=read_refresh(run, (), cache, refresh)[2],
    )
    submitted = resubmit(project, found, wanted, memoized=memoized, working_code=code_from == "working")
    if not quiet:
        taken = f", {len(submitted.options.carried)} outcomes taken over" if memoized else ""
        console().say(f"{submitted.name}: again what {found.summary.name} was{taken}")
    return follow(project, submitted.run_id, submitted.name, detach=detach, quiet=quiet, output=output)
