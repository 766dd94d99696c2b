"""`argosy delete`.

It knows its own words only.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project
from argosy.errors import UsageError

_WORDS = {
    "workflowtemplate": "WorkflowTemplate",
    "template": "WorkflowTemplate",
    "wftmpl": "WorkflowTemplate",
    "clusterworkflowtemplate": "ClusterWorkflowTemplate",
    "cwftmpl": "ClusterWorkflowTemplate",
    "cronworkflow": "CronWorkflow",
    "cronwf": "CronWorkflow",
    "configmap": "ConfigMap",
    "cm": "ConfigMap",
    "secret": "Secret",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "pvc": "PersistentVolumeClaim",
}


@click.command("delete")
@click.argument("names", nargs=-1, metavar="RUN|KIND/NAME...")
@click.option("--older-than", metavar="AGE", help="Every finished run older than this: 30m, 12h, 7d.")
@click.option("--completed", is_flag=True, help="Every run that is over.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
def command(names: tuple[str, ...], older_than: str | None, completed: bool, yes: bool, home: Path | None) -> None:
    """Remove runs with their files, or objects of the catalog, as in secret/NAME.

    A sweep goes with its trials. Artifacts in the store that nothing else needs go with the next `argosy prune`.
    """
    from argosy.cli.listing import seconds_of_age
    from argosy.project.housekeeping import delete_run

    if not names and not older_than and not completed:
        raise UsageError("Nothing to delete", hint="name a run, or give --completed or --older-than AGE")
    project = open_project(home)
    talk = console()
    for name in (one for one in names if "/" in one):
        word, _, rest = name.partition("/")
        if word.lower() not in _WORDS:
            raise UsageError(
                f"The catalog keeps no {word}", hint=f"it keeps {', '.join(dict.fromkeys(_WORDS.values()))}"
            )
        project.catalog.delete(_WORDS[word.lower()], rest)
        talk.say(f"deleted {_WORDS[word.lower()]} {rest}")
    runs = [project.find(name) for name in names if "/" not in name]
    if older_than or completed:
        before = time.time() - (seconds_of_age(older_than) if older_than else 0.0)
        chosen = [one for one in project.queries.runs() if one.finished and one.finished_at <= before]
        if chosen and not yes and talk.err_is_terminal:
            click.confirm(f"Delete {len(chosen)} runs?", abort=True, err=True)
        runs += [one for one in chosen if one.id not in {other.id for other in runs}]
    for run in runs:
        if project.queries.named(run.name) is None:
            # It went with the sweep that it was a trial of.
            continue
        for trouble in delete_run(project, run):
            talk.say(trouble)
        talk.say(f"deleted {run.name}")
