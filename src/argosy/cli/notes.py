"""What `argosy label`, `mark`, `unmark` and `comment` have in common: the runs that are meant, and what is said.

It knows arguments and sentences; notes are kept by the record.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from argosy.cli.options import console, open_project
from argosy.errors import UsageError

if TYPE_CHECKING:
    from argosy.record.experiments import Experiments

Command = TypeVar("Command", bound=Callable[..., Any])


def where_option(command: Command) -> Command:
    """--where CONDITION."""
    return click.option("-w", "--where", default="", metavar="CONDITION", help="And the runs that fulfil this.")(
        command
    )


def note_runs(
    home: Path | None, names: tuple[str, ...], where: str, change: Callable[[Experiments, int], None], what: str
) -> None:
    """Change what is noted about runs, and say of which. Raises UsageError when none is meant, NotFound."""
    from argosy.project.experiments import experiments_of, runs_meant

    if not names and not where:
        raise UsageError("Which run?", hint="give names, @latest, or --where CONDITION")
    project = open_project(home)
    found = runs_meant(project, names, where)
    experiments = experiments_of(project)
    with experiments.database.write():
        for run in found:
            change(experiments, run.id)
    talk = console()
    if not found:
        talk.say("no run is like that")
    for run in found:
        talk.say(f"{run.name} {what}")
