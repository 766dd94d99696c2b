"""`argosy label`.

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


@click.command("label")
@click.argument("given", nargs=-1, metavar="RUN... TEXT", shell_complete=complete_runs)
@click.option("--clear", is_flag=True, help="Take the label away; no TEXT then.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Give the runs a tag; no TEXT then.")
@click.option("--untag", multiple=True, metavar="TAG", help="Take a tag away; no TEXT then.")
@where_option
@home_option
def command(
    given: tuple[str, ...], clear: bool, tags: tuple[str, ...], untag: tuple[str, ...], where: str, home: Path | None
) -> None:
    """Label runs with a few words, as in `argosy label @latest "small batch"`."""
    if clear or tags or untag:
        names, text = given, "" if clear else None
    elif not given or (len(given) == 1 and not where):
        raise UsageError("A label needs runs and a text", hint='as in argosy label @latest "small batch", or --clear')
    else:
        names, text = given[:-1], given[-1]

    def change(experiments: Experiments, run_id: int) -> None:
        experiments.note(run_id, label=text)
        experiments.tag(run_id, add=tags, remove=untag)

    said = [f"labelled {text}"] if text else ["has no label any more"] if clear else []
    said += [f"tagged {tag}" for tag in tags] + [f"no longer tagged {tag}" for tag in untag]
    note_runs(home, names, where, change, ", ".join(said))
