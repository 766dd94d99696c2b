"""`argosy get`.

It knows how a run is laid out for people, and the forms that programs read.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.console import BOLD, Console, visible
from argosy.cli.options import console, home_option, open_project, output_option, run_argument
from argosy.cli.progress import COLORS, duration, spell
from argosy.model.status import SYMBOLS

if TYPE_CHECKING:
    from argosy.model.manifest import Outputs
    from argosy.project.project import Project
    from argosy.project.views import RunView

# Of a wide loop so many members are shown.
MOST_SHOWN = 1000


@click.command("get")
@run_argument
@output_option("json", "yaml", "name", "manifest", "source")
@click.option("--generation", type=click.IntRange(min=1), help="As an earlier generation of the run ended.")
@home_option
def command(run: str, output: str | None, generation: int | None, home: Path | None) -> None:
    """Show one run: its steps, parameters and outputs.

    RUN is a name, the beginning of one, or @latest. -o json gives an Argo Workflow object with its status, manifest
    the workflow as it is run, source the file as it was given.
    """
    from argosy.project.views import view

    project = open_project(home)
    summary = project.find(run)
    talk = console()
    if output == "name":
        talk.data(summary.name)
        return
    if output == "source":
        talk.data(project.queries.source(summary.id, generation).rstrip("\n"))
        return
    found = view(project, summary, generation, exact=output is None)
    if output == "json":
        talk.json(found.document())
    elif output == "yaml":
        talk.yaml(found.document())
    elif output == "manifest":
        from argosy.dialects.argo import dump

        talk.data(dump(found.workflow).rstrip("\n"))
    else:
        show(talk, project, found)


def show(talk: Console, project: Project, run: RunView) -> None:
    """The run for people, on stdout."""
    summary, status = run.summary, run.status
    phase = run.phase if not summary.finished else str(status["phase"])
    _line(talk, "Name", summary.name)
    _line(talk, "Phase", talk.paint(phase, COLORS.get(phase, "")))
    if status.get("message"):
        _line(talk, "Message", visible(str(status["message"])))
    if run.suspended and not summary.finished:
        _line(talk, "Suspended", f"argosy resume {summary.name} lets it go on")
    if summary.interrupted:
        _line(talk, "Interrupted", f"nobody drives it; argosy resume {summary.name} goes on with it")
    _line(talk, "Created", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(summary.created_at)))
    if summary.started_at:
        _line(talk, "Took", spell((summary.finished_at or time.time()) - summary.started_at))
    if summary.reused:
        _line(talk, "Reused", f"{summary.reused} outcomes of earlier steps")
    _line(talk, "Runtime", run.options.reason or run.options.runtime)
    if run.options.origin:
        _line(talk, "Taken over", f"{len(run.options.carried)} outcomes of {run.options.origin}")
    arguments = run.workflow.spec.arguments
    for parameter in arguments.parameters if arguments is not None else ():
        _line(talk, "Parameter", visible(f"{parameter.name}={parameter.value or parameter.default or ''}"))
    for use in run.options.data:
        word = f"{use.kind} {use.asked}" if use.asked != use.found else use.kind
        _line(talk, "Data", visible(f"{word} is {use.found}  {use.place}"))
    _show_addresses(talk, project, run)
    _show_outputs(talk, status.get("outputs"))
    talk.data("")
    show_tree(talk, run)


def _line(talk: Console, word: str, text: str) -> None:
    talk.data(talk.paint(f"{word + ':':<13}", BOLD) + text)


def _show_addresses(talk: Console, project: Project, run: RunView) -> None:
    """Where the apps are that run."""
    from argosy.model.host_templates import apps_of
    from argosy.project.step_files import address_of

    apps = apps_of(run.workflow.spec)
    for node in run.nodes.values() if apps and not run.summary.finished else ():
        if node.template_name in apps and node.phase == "Running":
            folder = project.home.run(run.summary.uid)
            if address := address_of(folder, node.id, run.summary.generation):
                _line(talk, "Open", address)


def _show_outputs(talk: Console, given: object) -> None:
    if given is None:
        return
    import msgspec

    from argosy.model.manifest import Outputs

    outputs: Outputs = msgspec.convert(given, Outputs, strict=False)
    for parameter in outputs.parameters:
        _line(talk, "Output", visible(f"{parameter.name}={parameter.value or ''}"))
    for artifact in outputs.artifacts:
        _line(talk, "Artifact", visible(f"{artifact.name}  {artifact.digest}"))


def show_tree(talk: Console, run: RunView) -> None:
    """The steps as a tree, with how long each took and what there is to say about it."""
    from argosy.project.views import tree

    now = time.time()
    for shown, branch in enumerate(tree(run.nodes, run.summary.name)):
        if shown == MOST_SHOWN:
            talk.data(f"… and more: {len(run.nodes)} nodes in all; -o json has every one")
            return
        node = branch.node
        lines = "".join("   " if last else "│  " for last in branch.last[:-1])
        if branch.last:
            lines += "└─ " if branch.last[-1] else "├─ "
        symbol = talk.paint(SYMBOLS[node.phase], COLORS.get(node.phase, ""))
        text = f"{lines}{symbol} {visible(node.display_name)}"
        if node.phase.completed or node.phase == "Running":
            text += f"  {talk.paint(duration(node, now), '2')}"
        reused = node.name in run.options.carried or (node.memoization_status and node.memoization_status.hit)
        if reused:
            source = node.memoization_status.from_run if node.memoization_status is not None else ""
            text += f"  reused from {source}" if source else "  reused"
        if node.message and node.phase != "Succeeded":
            text += f"  {visible(node.message)}"
        talk.data(text)
