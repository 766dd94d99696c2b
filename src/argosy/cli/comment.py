"""`argosy comment`.

It knows arguments; notes are kept by the record.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.console import visible
from argosy.cli.notes import note_runs
from argosy.cli.options import console, home_option, open_project, run_argument


@click.command("comment")
@run_argument
@click.argument("text", required=False)
@click.option("--clear", is_flag=True, help="Take the comment away.")
@home_option
def command(run: str, text: str | None, clear: bool, home: Path | None) -> None:
    """Write a comment on a run, or read it without TEXT."""
    if text is not None or clear:
        new = "" if clear else text or ""
        note_runs(home, (run,), "", lambda experiments, run_id: experiments.note(run_id, comment=new), "commented")
        return
    from argosy.record.experiments import Experiments

    project = open_project(home)
    summary = project.find(run)
    for line in Experiments(project.queries.database).notes([summary.id])[summary.id].comment.splitlines():
        console().data(visible(line))
