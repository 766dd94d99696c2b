"""What `stop` and `terminate` share: the run's end asked for, carried out here if nobody else can, waited for.

It knows runs and requests, not signals.
"""

from __future__ import annotations

import time
from pathlib import Path

from argosy.cli.options import console, open_project
from argosy.cli.runs import ended_by_a_person

PAUSE_SECONDS = 0.1


def end_runs(home: Path | None, names: tuple[str, ...], strategy: str, message: str, *, wait: bool) -> int:
    """End the runs."""
    from argosy.project import requests

    project = open_project(home)
    talk = console()
    word = "stopping" if strategy == requests.STOP else "terminating"
    asked: list[str] = []
    for name in names:
        summary = project.find(name)
        requests.end(project, summary, strategy, message)
        talk.say(f"{word} {summary.name}")
        if not summary.driven:
            # Its steps may be at work with nobody to end them.
            from argosy.project.driving import drive

            plan = drive(project, summary.id, say=talk.say)
            talk.say(f"{summary.name} {(ended_by_a_person(plan.message) or str(plan.phase)).lower()}")
        else:
            asked.append(summary.uid)
    for uid in asked if wait else ():
        while not project.find(uid).finished:
            time.sleep(PAUSE_SECONDS)
        summary = project.find(uid)
        talk.say(f"{summary.name} {(ended_by_a_person(summary.message) or summary.phase).lower()}")
    return 0


def unfinished(home: Path | None) -> tuple[str, ...]:
    """The runs that are not over, the newest first."""
    queries = open_project(home).queries
    going_on = [one for phase in ("Pending", "Running") for one in queries.runs(phase=phase) if not one.finished]
    found = tuple(one.uid for one in sorted(going_on, key=lambda one: -one.id))
    if not found:
        console().say("every run is over")
    return found
