"""`argosy why`.

It knows how an explanation is laid out.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.console import BOLD, visible
from argosy.cli.options import console, home_option, open_project, output_option, run_argument
from argosy.cli.progress import COLORS, duration
from argosy.cli.running import log_finder

SCHEMA = "argosy.why/v1"


@click.command("why")
@run_argument
@click.argument("step")
@output_option("json")
@home_option
def command(run: str, step: str, output: str | None, home: Path | None) -> None:
    """Tell why a step ran, was skipped, reused or retried.

    STEP is a step's name as `argosy get` shows it, its whole name, or its id.
    """
    from argosy.project.explanations import explain
    from argosy.project.reuse import differences

    project = open_project(home)
    found = project.view(run)
    node = found.node(step)
    answer = explain(found, node, lambda key, at: differences(project.journal.database, key, found.summary.uid, at))
    talk = console()
    if output == "json":
        reasons = [{"kind": one.kind, "text": one.text.strip()} for one in answer.reasons]
        talk.json(
            {
                "schema": SCHEMA,
                "run": found.summary.name,
                "node": node.id,
                "name": node.name,
                "phase": str(node.phase),
                "reasons": reasons,
            }
        )
        return
    phase = talk.paint(str(node.phase), COLORS.get(node.phase, ""))
    took = f" in {duration(node)}" if node.phase.completed else ""
    talk.data(f"{talk.paint(visible(node.name), BOLD)}  {node.type}, template {node.template_name}: {phase}{took}")
    for reason in answer.reasons:
        talk.data(f"  {visible(reason.text)}")
    if node.phase.unsuccessful:
        for line in log_finder(project, found.summary.name)(node):
            talk.data(f"    | {visible(line)}")
