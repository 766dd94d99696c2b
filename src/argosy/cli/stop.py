"""`argosy stop`.

It knows its own words; `argosy.cli.ending` does it.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.ending import end_runs, unfinished
from argosy.cli.options import home_option
from argosy.errors import UsageError


@click.command("stop")
@click.argument("runs", nargs=-1, metavar="RUN...")
@click.option("-a", "--all", "everything", is_flag=True, help="Every run that is not over.")
@click.option("-m", "--message", default="", help="Why, for the record.")
@click.option("-x", "--abort", is_flag=True, help="End at once and keep no outputs, as `argosy terminate` does.")
@click.option("-w", "--wait", is_flag=True, help="Return when they are over.")
@click.option("-y", "--yes", is_flag=True, help="Of dstack: nothing is asked anyway.")
@home_option
def command(
    runs: tuple[str, ...], everything: bool, message: str, abort: bool, wait: bool, yes: bool, home: Path | None
) -> int:
    """End runs: steps that run are ended and their outputs kept, exit handlers still run.

    A step has the grace of argosy.toml (10 seconds) between SIGTERM and SIGKILL."""
    from argosy.project.requests import STOP, TERMINATE

    if not runs and not everything:
        raise UsageError("Which run?", hint="write argosy stop RUN, or argosy stop --all")
    if runs and everything:
        raise UsageError("--all is every run that is not over", hint="leave out --all, or the names")
    if everything:
        runs = unfinished(home)
    return end_runs(home, runs, TERMINATE if abort else STOP, message, wait=wait)
