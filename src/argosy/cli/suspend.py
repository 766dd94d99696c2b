"""`argosy suspend`.

It knows its own words only.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project


@click.command("suspend")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@home_option
def command(runs: tuple[str, ...], home: Path | None) -> None:
    """Let runs start nothing new; what runs goes on. `argosy resume` lets them go on."""
    from argosy.project.requests import suspend

    project = open_project(home)
    for name in runs:
        summary = project.find(name)
        suspend(project, summary)
        console().say(f"{summary.name} starts nothing new; argosy resume {summary.name} lets it go on")
