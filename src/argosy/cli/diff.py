"""`argosy diff`.

It knows how differences are shown, not how they are found.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.console import BOLD, GREEN, RED, Console
from argosy.cli.options import console, home_option, open_project, output_option, run_argument
from argosy.errors import UsageError

if TYPE_CHECKING:
    from argosy.experiments.differences import FileDifference, ValueDifference

CYAN = "36"
_TITLES = {"params": "parameters", "env": "environment", "code": "code"}


@click.command("diff")
@run_argument
@click.argument("other", required=False, metavar="[RUN]")
@click.option("--params", is_flag=True, help="Compare parameters.")
@click.option("--env", is_flag=True, help="Compare interpreters, packages and machines.")
@click.option("--code", is_flag=True, help="Compare code.")
@click.option("--working", is_flag=True, help="Compare with the working folder as it is now.")
@output_option("json")
@home_option
def command(
    run: str,
    other: str | None,
    params: bool,
    env: bool,
    code: bool,
    working: bool,
    output: str | None,
    home: Path | None,
) -> int:
    """Show what differs between two runs: parameters, environment and code.

    With one RUN it is compared with the working folder. Without options everything is compared that can be.
    """
    from argosy.project.differences_of_runs import differences

    if other is not None and working:
        raise UsageError("--working takes the place of the second run", hint="leave one of them out")
    project = open_project(home)
    parts = [name for name, wanted in (("params", params), ("env", env), ("code", code)) if wanted]
    before = project.view(run)
    found = differences(project, before, project.view(other) if other is not None else None, parts)
    talk = console()
    if output == "json":
        import msgspec

        talk.data(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return 0
    talk.say(f"from {found.before} to {found.after}")
    sections = [(name, getattr(found, name)) for name in ("params", "env", "code")]
    for name, changes in sections:
        if changes:
            talk.data(talk.paint(_TITLES[name], BOLD))
            for change in changes:
                _show_file(talk, change) if name == "code" else _show_value(talk, change)
    for note in found.notes:
        talk.say(f"note: {note}")
    compared = [_TITLES[name] for name, changes in sections if changes is not None]
    if compared and not any(changes for _, changes in sections):
        talk.say(f"{' and '.join(compared)}: no difference")
    return 0


def _show_value(talk: Console, change: ValueDifference) -> None:
    if change.before is not None:
        talk.data(talk.paint(f"- {change.name}={change.before}", RED))
    if change.after is not None:
        talk.data(talk.paint(f"+ {change.name}={change.after}", GREEN))


def _show_file(talk: Console, change: FileDifference) -> None:
    if change.note or not change.diff:
        talk.data(f"{change.change} {change.path}{f': {change.note}' if change.note else ''}")
    for line in change.diff.splitlines():
        colour = CYAN if line.startswith("@@") else ""
        if line.startswith(("+++ ", "--- ")):
            colour = BOLD
        elif line.startswith("+"):
            colour = GREEN
        elif line.startswith("-"):
            colour = RED
        talk.data(talk.paint(line, colour) if colour else line)
