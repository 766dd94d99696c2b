"""`argosy tag`.

It knows arguments; notes are kept by the record.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.notes import note_runs, where_option
from argosy.cli.options import complete_runs, home_option
from argosy.errors import UsageError

if TYPE_CHECKING:
    from argosy.record.experiments import Experiments


@click.command("tag")
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_runs)
@click.option("-a", "--add", multiple=True, metavar="TAG", help="Give the runs a tag.")
@click.option("-d", "--delete", multiple=True, metavar="TAG", help="Take a tag away.")
@where_option
@home_option
def command(
    runs: tuple[str, ...], add: tuple[str, ...], delete: tuple[str, ...], where: str, home: Path | None
) -> None:
    """Tag runs with words, to find them again: argosy runs --where "tag = best".

    argosy tags names the outputs of a run, which is another thing.
    """
    if not add and not delete:
        hint = "--add TAG gives it, --delete TAG takes it away"
        if len(runs) == 2:
            # As dstack had it, whose tags are of outputs.
            hint += f"; argosy tags add {runs[1]} {runs[0]} names the outputs of {runs[0]}"
        raise UsageError("Which tag?", hint=hint)

    def change(experiments: Experiments, run_id: int) -> None:
        experiments.tag(run_id, add=add, remove=delete)

    said = [f"tagged {tag}" for tag in add] + [f"no longer tagged {tag}" for tag in delete]
    note_runs(home, runs, where, change, ", ".join(said))
