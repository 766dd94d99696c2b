"""`argosy stop`.

It knows its own words; `argosy.cli.ending` does it.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.ending import end_runs
from argosy.cli.options import home_option


@click.command("stop")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("-m", "--message", default="", help="Why, for the record.")
@click.option("-a", "-x", "--abort", is_flag=True, help="End at once and keep no outputs, as `argosy terminate` does.")
@click.option("-w", "--wait", is_flag=True, help="Return when they are over.")
@home_option
def command(runs: tuple[str, ...], message: str, abort: bool, wait: bool, home: Path | None) -> int:
    """End runs: steps that run are ended and their outputs kept, exit handlers still run.

    A step has the grace of argosy.toml (10 seconds) between SIGTERM and SIGKILL."""
    from argosy.project.requests import STOP, TERMINATE

    return end_runs(home, runs, TERMINATE if abort else STOP, message, wait=wait)
