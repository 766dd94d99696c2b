"""`argosy mark`.

It knows arguments; notes are kept by the record.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.notes import note_runs, where_option
from argosy.cli.options import complete_runs, home_option


@click.command("mark")
@click.argument("runs", nargs=-1, shell_complete=complete_runs)
@where_option
@home_option
def command(runs: tuple[str, ...], where: str, home: Path | None) -> None:
    """Mark runs: where a run of a workflow is looked for by the workflow's name, a marked one is taken."""
    note_runs(home, runs, where, lambda experiments, run_id: experiments.note(run_id, marked=True), "marked")
