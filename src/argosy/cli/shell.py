"""`argosy shell`.

It knows terminals; what the shell sees is the project's matter.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import click

from argosy.cli.options import console, home_option, open_project, run_argument
from argosy.errors import EnvironmentTrouble


@click.command("shell", context_settings={"ignore_unknown_options": True})
@run_argument
@click.argument("step")
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("-c", "--container", default="", help="In this container: a sidecar, one of a set.  [default: main]")
@click.option("--print", "only_print", is_flag=True, help="Print the step's own command instead, to be copied.")
@home_option
def command(
    run: str, step: str, command_line: tuple[str, ...], container: str, only_print: bool, home: Path | None
) -> None:
    """Open a shell with a step's files and environment, or run COMMAND there.

    Without a terminal and without a command, the command that would be run is printed. What the step made is there
    to be looked at, and can be changed; the record is not touched.
    """
    from argosy.project.step_shell import invocation

    project = open_project(home)
    found = project.view(run)
    node = found.node(step)
    talk = console()
    terminal = talk.out_is_terminal and os.isatty(0) and not only_print
    printed = only_print or not (terminal or command_line)
    process = invocation(
        project,
        found.summary,
        node,
        container=container,
        command=None if only_print else command_line or (_shell(found.options.runtime),),
        terminal=terminal,
        with_secrets=not printed,
    )
    if process.absent:
        talk.say(f"not set, for their values are secrets: {', '.join(process.absent)}")
    if printed:
        talk.data(process.text())
        return
    talk.flush()
    _become(process.program, process.argv, process.environment, process.directory)


def _shell(runtime: str) -> str:
    # An image may hold no other.
    return "/bin/sh" if runtime in ("podman", "docker") else os.environ.get("SHELL", "/bin/sh")


def _become(program: str, argv: tuple[str, ...], environment: dict[str, str], directory: str) -> NoReturn:
    """Replace this process. Raises EnvironmentTrouble when that cannot be."""
    try:
        os.chdir(directory)
        os.execvpe(program, argv, environment)
    except OSError as error:
        raise EnvironmentTrouble(f"{program} cannot be run in {directory}: {error.strerror}") from error
