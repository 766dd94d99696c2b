"""`argosy params`.

It knows columns; what a file takes is the project's matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from argosy.cli.console import BOLD, Console
from argosy.cli.options import console, home_option, open_project, output_option, strict_option
from argosy.model.input_values import listed, shown
from argosy.model.inputs import Input, Signature

SCHEMA = "argosy.params/v1"
# Argo's own, on a workflow.
DESCRIPTION = "workflows.argoproj.io/description"

# Whole files are defaults too: a table shows how they begin, `-o json` all of it.
WIDEST_DEFAULT = 40


@click.command("params")
@click.argument("file", type=click.Path())
@click.argument("name", required=False)
@strict_option
@output_option("json", "yaml", "name")
@home_option
def command(file: str, name: str | None, strict: bool, output: str | None, home: Path | None) -> int:
    """Show what a workflow takes: names, types, defaults, choices.

    FILE is a manifest, a Python program, "-" for standard input, or template/NAME. NAME is one of the workflows in it.
    """
    from argosy.project.sources import chosen, source_of, takes

    project = open_project(home)
    source = source_of(project, file, strict=strict, selected=(name,) if name else None)
    talk = console()
    talk.diagnostics(source.findings, source.shown)
    candidates = chosen(source, (name,) if name else (), file)
    all = [(called(one.workflow), takes(project, one)) for one in candidates]
    if output in ("json", "yaml"):
        document = {"schema": SCHEMA, "workflows": [_as_json(title, signature) for title, signature in all]}
        talk.json(document) if output == "json" else talk.yaml(document)
        return 0
    for place, (title, signature) in enumerate(all):
        if output == "name":
            for one in signature.inputs:
                talk.data(one.name)
            continue
        if len(all) > 1:
            talk.data(("\n" if place else "") + talk.paint(title, BOLD))
        if (words := candidates[place].workflow.metadata.annotations.get(DESCRIPTION)) and output is None:
            talk.say(words)
        show(talk, title, signature)
    return 0


def called(workflow: Any) -> str:
    """What people call a workflow of a file."""
    metadata = workflow.metadata
    beginning = f"{metadata.generate_name}*" if metadata.generate_name else "the workflow"
    return metadata.name or metadata.annotations.get("argosy.dev/workflow") or beginning


def _as_json(title: str, signature: Signature) -> dict[str, Any]:
    return {"name": title, **msgspec.to_builtins(signature)}


def show(talk: Console, title: str, signature: Signature) -> None:
    """Print a table of what it takes."""
    if not signature.inputs:
        talk.say(f"{title} takes nothing")
        return
    rows = [[one.name, one.type, _default(one), _allowed(one), _words(one)] for one in signature.inputs]
    talk.table(("NAME", "TYPE", "DEFAULT", "ALLOWED", "WHAT"), rows)


def _default(one: Input) -> str:
    if one.default:
        text = one.default.replace("\n", "\\n")
        return text if len(text) <= WIDEST_DEFAULT else f"{text[: WIDEST_DEFAULT - 1]}…"
    if one.default is not None:
        return '""'
    return "(required)" if one.required else f"({one.comes_from})" if one.comes_from else ""


def _allowed(one: Input) -> str:
    if one.choices:
        words = tuple(f"{c.value} ({c.label})" if c.label and c.label != c.value else c.value for c in one.choices)
        return listed(words) + (", or another" if one.open_choices else "")
    low = f"at least {shown(one.minimum)}" if one.minimum is not None else ""
    high = f"at most {shown(one.maximum)}" if one.maximum is not None else ""
    return ", ".join(part for part in (low, high) if part)


def _words(one: Input) -> str:
    """The hint, and what else there is to know."""
    more = [one.display_name if one.display_name != one.name else "", one.hint.replace("\n", " ")]
    more.append(one.visibility if one.visibility != "public" else "")
    more.append(f"also {', '.join(one.aliases)}" if one.aliases else "")
    return "; ".join(part for part in more if part)
