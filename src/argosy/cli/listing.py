"""`argosy list`.

It knows columns, not how runs are found.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.options import console, home_option, open_project, output_option
from argosy.cli.progress import COLORS, spell
from argosy.errors import UsageError

if TYPE_CHECKING:
    from argosy.record.queries import RunSummary

SCHEMA = "argosy.list/v1"
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Error", "Interrupted")
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds_of_age(text: str) -> float:
    """The seconds of an age such as 90s, 30m, 12h, 7d, 2w. Raises UsageError."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no age", hint="write 90s, 30m, 12h, 7d or 2w")
    return float(found[1]) * _SECONDS[found[2]]


@click.command("list")
@click.option("--phase", type=click.Choice(PHASES, case_sensitive=False), help="Only runs of this phase.")
@click.option("-l", "--label", metavar="KEY=VALUE", help="Only runs with this label.")
@click.option("--since", metavar="AGE", help="Only runs made within this time: 30m, 12h, 7d.")
@click.option("--template", help="Only runs of this WorkflowTemplate.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--all", "everything", is_flag=True, help="However many there are.")
@output_option("json", "yaml", "name")
@home_option
def command(
    phase: str | None,
    label: str | None,
    since: str | None,
    template: str | None,
    limit: int,
    everything: bool,
    output: str | None,
    home: Path | None,
) -> None:
    """List runs, the newest first."""
    from argosy.errors import NotFound

    try:
        queries = open_project(home).queries
    except NotFound as error:
        # No runs is an answer too.
        _show([], output, error.message)
        return
    key, _, value = (label or "").partition("=")
    found = queries.runs(
        phase=None if phase == "Interrupted" else phase,
        label=(key, value) if label else None,
        since=time.time() - seconds_of_age(since) if since else None,
        template=template,
        limit=None if everything or phase in ("Interrupted", "Running", "Pending") else limit,
    )
    if phase is not None:
        found = [one for one in found if _phase(one) == phase]
    _show(found if everything else found[:limit], output, "no runs")
    if not everything and not output and len(found) >= limit:
        console().say(f"the newest {limit}; --all shows every one")


def _phase(run: RunSummary) -> str:
    return "Interrupted" if run.interrupted else run.phase


def _show(runs: list[RunSummary], output: str | None, nothing: str) -> None:
    talk = console()
    if output in ("json", "yaml"):
        document = {"schema": SCHEMA, "runs": [_as_json(run) for run in runs]}
        talk.json(document) if output == "json" else talk.yaml(document)
    elif output == "name":
        for run in runs:
            talk.data(run.name)
    elif not runs:
        talk.say(nothing)
    else:
        _table(runs)


def _table(runs: list[RunSummary]) -> None:
    now = time.time()
    rows: list[list[str]] = []
    for run in runs:
        took = (run.finished_at or now) - run.started_at if run.started_at and not run.interrupted else None
        rows.append(
            [
                run.name,
                _phase(run),
                f"{run.progress} ({run.reused} reused)" if run.reused else run.progress,
                spell(now - run.created_at),
                spell(took) if took is not None else "",
                run.damaged or run.message if run.phase != "Succeeded" else "",
            ]
        )
    console().table(("NAME", "PHASE", "STEPS", "AGE", "TOOK", "MESSAGE"), rows, colors=COLORS)


def _as_json(run: RunSummary) -> dict[str, Any]:
    from argosy.model.status import timestamp

    return {
        "name": run.name,
        "uid": run.uid,
        "namespace": run.namespace,
        "phase": run.phase,
        "interrupted": run.interrupted,
        "driven": run.driven,
        "message": run.message,
        "progress": run.progress,
        "reused": run.reused,
        "createdAt": timestamp(run.created_at),
        "startedAt": timestamp(run.started_at) if run.started_at else None,
        "finishedAt": timestamp(run.finished_at) if run.finished_at else None,
        "generation": run.generation,
        "labels": run.labels,
        "parameters": run.parameters,
        "workflowTemplate": run.template,
    }
