"""`argosy mlflow`.

It knows arguments and sentences.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.notes import where_option
from argosy.cli.options import complete_runs, console, home_option, open_project
from argosy.errors import UsageError


@click.command("mlflow")
@click.argument("runs", nargs=-1, shell_complete=complete_runs)
@where_option
@home_option
def command(runs: tuple[str, ...], where: str, home: Path | None) -> None:
    """Log runs that are over to MLflow, for those that were made before it was set up or while it was away.

    With MLFLOW_TRACKING_URI or [mlflow] tracking_uri in argosy.toml every run is logged at its end.
    """
    from argosy.project.experiments import runs_meant
    from argosy.project.mlflow_of_runs import log_run

    if not runs and not where:
        raise UsageError("Which run?", hint="give names, @latest, or --where CONDITION")
    project = open_project(home)
    for run in runs_meant(project, runs, where):
        console().say(f"{run.name} is logged" if log_run(project, run) else f"{run.name} was logged already")
