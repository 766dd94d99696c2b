"""`argosy terminate`.

It knows its own words; `argosy.cli.ending` does it.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.ending import end_runs
from argosy.cli.options import home_option


@click.command("terminate")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("-m", "--message", default="", help="Why, for the record.")
@click.option("-w", "--wait", is_flag=True, help="Return when they are over.")
@home_option
def command(runs: tuple[str, ...], message: str, wait: bool, home: Path | None) -> int:
    """End runs at once: no exit handler runs."""
    from argosy.project.requests import TERMINATE

    return end_runs(home, runs, TERMINATE, message, wait=wait)
