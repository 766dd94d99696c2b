"""`argosy watch`.

It knows how a run that another process drives is looked at again and again.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from argosy.cli.console import YELLOW
from argosy.cli.options import console, home_option, open_project, run_argument
from argosy.cli.progress import COLORS, make_progress
from argosy.cli.running import EXIT_OF_PHASE, log_finder

PAUSE_SECONDS = 0.25


@click.command("watch")
@run_argument
@home_option
def command(run: str, home: Path | None) -> int:
    """Follow a run until it ends; its phase decides the exit code, as that of `argosy run`.

    Ctrl-C ends the watching, not the run.
    """
    from argosy.project.watching import Watch

    project = open_project(home)
    summary = project.find(run)
    talk = console()
    progress = make_progress(talk, log_finder(project, summary.name), quiet=False, name=summary.name)
    watch = Watch(project, summary)
    told = False
    while not watch.look():
        message = f"{summary.name} is suspended: argosy resume {summary.name}" if watch.suspended else ""
        progress.show(watch.nodes, message)
        if watch.summary.interrupted and not told:
            told = True
            talk.say(f"nobody drives {summary.name}: argosy resume {summary.name} goes on with it")
        time.sleep(PAUSE_SECONDS)
    progress.end(watch.nodes)
    text = f"{summary.name} {watch.summary.phase.lower()}"
    talk.say_painted(text, COLORS.get(watch.summary.phase, YELLOW))
    return EXIT_OF_PHASE[watch.summary.phase]
