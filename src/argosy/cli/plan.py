"""`argosy plan`.

It knows how a run that was not done is shown; doing it on assumptions is the project's matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.console import FAINT, Console, visible
from argosy.cli.get import MOST_SHOWN
from argosy.cli.options import console, home_option, open_project, output_option, parameter_options
from argosy.cli.progress import COLORS

if TYPE_CHECKING:
    from argosy.model.status import Node
    from argosy.project.simulation import Dry

SCHEMA = "argosy.plan/v1"


@click.command("plan")
@click.argument("file", type=click.Path())
@parameter_options
@click.option("--entrypoint", default="", metavar="TEMPLATE", help="Begin at this template.")
@click.option("--assume", "assumed", multiple=True, metavar="STEP=PHASE|STEP.OUTPUT=VALUE", help="How a step ends.")
@output_option("json", "yaml")
@home_option
def command(
    file: str,
    parameters: tuple[str, ...],
    params_file: Path | None,
    entrypoint: str,
    assumed: tuple[str, ...],
    output: str | None,
    home: Path | None,
) -> int:
    """Show what a run would do, and why, without doing it.

    Every step is taken to succeed; --assume STEP=Failed says otherwise, --assume STEP.result=heads or STEP.NAME=VALUE
    gives an output. What only a real run can tell is called unknown. -o json has each step with all tags replaced.
    """
    from argosy.cli.run import given_parameters
    from argosy.project.planning import dry_run
    from argosy.project.simulation import read_assumptions
    from argosy.project.sources import source_of
    from argosy.project.submission import Wanted

    project = open_project(home)
    source = source_of(project, file)
    wanted = Wanted(parameters=given_parameters(parameters, params_file), entrypoint=entrypoint)
    talk = console()
    talk.diagnostics(source.findings, source.shown)
    assumptions = read_assumptions(assumed)
    plans = [dry_run(project, source, one, wanted, assumptions) for one in source.workflows]
    if output:
        document = {"schema": SCHEMA, "runs": [_as_json(one) for one in plans]}
        talk.json(document) if output == "json" else talk.yaml(document)
        return 0
    for one in plans:
        _show(talk, one)
    return 0


def _show(talk: Console, dry: Dry) -> None:
    from argosy.project.views import tree

    plan = dry.plan
    name = plan.workflow.metadata.name
    started = {start.node for start in dry.starts}
    for shown, branch in enumerate(tree(plan.nodes, name)):
        if shown == MOST_SHOWN:
            talk.data(f"… and more: {len(plan.nodes)} nodes in all; -o json has every one")
            break
        lines = "".join("   " if last else "│  " for last in branch.last[:-1])
        if branch.last:
            lines += "└─ " if branch.last[-1] else "├─ "
        node = branch.node
        sign, word = _verdict(node, started)
        text = f"{lines}{talk.paint(sign, COLORS.get(node.phase, ''))} {visible(node.display_name)}"
        talk.data(f"{text}  {talk.paint(visible(word), FAINT)}".rstrip())
    if dry.cut:
        talk.say(f"it goes on after {len(dry.starts)} steps: a loop that no assumption ends? --assume gives outputs")
        return
    talk.say(
        f"{len(dry.starts)} steps would run, and the run would be {str(plan.phase).lower()}{_message(plan.message)}"
    )


def _message(text: str) -> str:
    return f": {text}" if text else ""


def _verdict(node: Node, started: set[str]) -> tuple[str, str]:
    """A sign, and why the node would run or not."""
    from argosy.model.status import NodeType, Phase
    from argosy.project.simulation import is_uncertain

    if node.phase in (Phase.SKIPPED, Phase.OMITTED):
        if is_uncertain(node.message):
            return "?", f"decided when it comes to it: {node.message}"
        return "○", node.message
    if node.phase.unsuccessful:
        return "✖", node.message
    if node.id in started:
        return "▶", node.template_name
    if node.type is NodeType.SUSPEND:
        return "ǁ", "waits"
    return "·", str(node.type).lower()


def _as_json(dry: Dry) -> dict[str, Any]:
    import msgspec

    from argosy.model.status import as_status

    templates = {start.node: msgspec.to_builtins(start.template) for start in dry.starts}
    nodes: list[dict[str, Any]] = []
    for id, node in dry.plan.nodes.items():
        shown: dict[str, Any] = as_status(node)
        for key in ("startedAt", "finishedAt", "hostNodeName"):
            shown.pop(key, None)
        shown["wouldRun"] = id in templates
        if id in templates:
            shown["template"] = templates[id]
        nodes.append(shown)
    return {
        "name": dry.plan.workflow.metadata.name,
        "phase": str(dry.plan.phase),
        "message": dry.plan.message,
        "complete": not dry.cut,
        "order": [start.name for start in dry.starts],
        "nodes": nodes,
    }
