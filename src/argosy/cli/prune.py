"""`argosy prune`.

It knows its own words; what may go is the project's matter.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, output_option

SCHEMA = "argosy.prune/v1"


@click.command("prune")
@click.option("--older-than", metavar="AGE", help="Also every finished run older than this: 12h, 7d.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@output_option("json")
@home_option
def command(older_than: str | None, dry_run: bool, output: str | None, home: Path | None) -> None:
    """Remove what is no longer wanted.

    Runs that have outlived their ttlStrategy, working folders as podGC says, artifacts as artifactGC says; then
    objects of the store that no run names, and folders of runs that are no more. Runs that are not over stay whole.
    """
    from argosy.cli.artifacts import size_of
    from argosy.cli.listing import seconds_of_age
    from argosy.project.housekeeping import prune

    age = seconds_of_age(older_than) if older_than else None
    done = prune(open_project(home), now=time.time(), older_than_seconds=age, dry_run=dry_run)
    talk = console()
    if output == "json":
        talk.json(
            {
                "schema": SCHEMA,
                "dryRun": dry_run,
                "runs": done.runs,
                "folders": done.folders,
                "artifacts": done.artifacts,
                "freedBytes": done.freed_bytes,
                "troubles": done.troubles,
            }
        )
        return
    for word, names in (("run", done.runs), ("artifact", done.artifacts), ("folder", done.folders)):
        for name in names:
            talk.data(f"{word} {name}")
    for trouble in done.troubles:
        talk.say(trouble)
    talk.say(f"{'would free at least' if dry_run else 'freed'} {size_of(done.freed_bytes)}")
