"""Options that several verbs share.

It knows how they are spelled, not what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from argosy.cli.console import Console

if TYPE_CHECKING:
    from argosy.project.project import Project

Command = TypeVar("Command", bound=Callable[..., Any])


def home_option(command: Command) -> Command:
    """--home DIR."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="ARGOSY_HOME",
        help="Where runs are kept.  [default: .argosy beside the project]",
    )(command)


def strict_option(command: Command) -> Command:
    """--strict, --no-strict."""
    text = "Whether an unknown field, or a number in place of text, is an error."
    return click.option("--strict/--no-strict", default=True, help=text)(command)


def output_option(*formats: str) -> Callable[[Command], Command]:
    """-o FORMAT."""
    return click.option("-o", "--output", type=click.Choice(formats), help="Print this instead of text.")


def complete_runs(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The names of runs that begin so, for shells."""
    project = open_project(ctx.params.get("home"))
    try:
        return [run.name for run in project.queries.runs() if run.name.startswith(incomplete)]
    except Exception:
        # A shell that completes a word is no place for errors.
        return []


def run_argument(command: Command) -> Command:
    """RUN: a name, the beginning of one, or @latest."""
    return click.argument("run", shell_complete=complete_runs)(command)


def parameter_options(command: Command) -> Command:
    """-p NAME=VALUE and --params-file."""
    command = click.option(
        "--params-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Take parameters from a YAML or JSON file.",
    )(command)
    return click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter.")(
        command
    )


def code_from_option(command: Command) -> Command:
    """--code-from run|working."""
    return click.option(
        "--code-from",
        type=click.Choice(("run", "working")),
        default="run",
        help="Whether host templates have the code that the run had, or the working folder's as it is now.  "
        "[default: run]",
    )(command)


def pairs(given: tuple[str, ...], what: str) -> dict[str, str]:
    """The NAME=VALUE texts of an option. Raises UsageError."""
    from argosy.errors import UsageError

    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is not {what}", hint="write NAME=VALUE")
        found[name] = value
    return found


def console() -> Console:
    """This process's console."""
    return Console.of_process()


def open_project(home: Path | None) -> Project:
    """The project around the current folder, until the command is over."""
    from argosy.project.project import Project

    project = Project.open(home, folder=Path.cwd())
    context = click.get_current_context(silent=True)
    # Completion of names asks outside of any command.
    if context is not None:
        context.call_on_close(project.close)
    return project
