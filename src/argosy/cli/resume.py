"""`argosy resume`.

It knows its own words; who has to be asked is the project's matter.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, output_option, pairs, run_argument


@click.command("resume")
@run_argument
@click.option("--step", default="", help="Only this suspended step.")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="An output it waits for.")
@click.option("--fail", is_flag=True, help="End the suspended step in failure instead.")
@click.option("-m", "--message", default="", help="With --fail: why.")
@click.option("--detach", is_flag=True, help="Drive it in a process of its own, if it has to be driven.")
@click.option("--drive-only", is_flag=True, hidden=True, help="Let a suspended run stay suspended.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while it runs.")
@output_option("json", "yaml", "name")
@home_option
def command(
    run: str,
    step: str,
    parameters: tuple[str, ...],
    fail: bool,
    message: str,
    detach: bool,
    drive_only: bool,
    quiet: bool,
    output: str | None,
    home: Path | None,
) -> int:
    """Go on with a suspended run, or with one whose driver died.

    What finished before stays finished, what still runs is taken up again. A suspended run that another process
    drives is only told to go on; one that nobody drives is driven here, and the exit code is that of `argosy run`.
    """
    from argosy.cli.run import follow
    from argosy.model.status import Phase
    from argosy.project import requests

    project = open_project(home)
    summary = project.find(run)
    if drive_only:
        # How `--detach` begins a process of its own.
        return follow(project, summary.id, summary.name, detach=False, quiet=quiet, output=output)
    given = pairs(parameters, "a value")
    if fail:
        node = requests.end_node(project, summary, step, Phase.FAILED, message)
        console().say(f"{summary.name}: {node.display_name} is ended in failure")
        return 0
    done = requests.resume(project, summary, step, given)
    if done.asked:
        console().say(f"{summary.name} goes on")
    if not done.needs_driver:
        return 0
    return follow(project, summary.id, summary.name, detach=detach, quiet=quiet, output=output)
