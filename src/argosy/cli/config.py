"""`argosy config`: the variables that all steps of Onepanel's templates get.

It knows words and columns; where they are kept is the catalog's matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.options import console, home_option, open_project, output_option, pairs

if TYPE_CHECKING:
    from argosy.project.project import Project

SCHEMA = "argosy.config-env/v1"
HIDDEN = "********"


@click.group("config")
def command() -> None:
    """Set what holds for all runs of this home."""


@command.group("env")
@home_option
@click.pass_context
def env(context: click.Context, home: Path | None) -> None:
    """Set, list and delete the default environment: variables that steps of Onepanel's templates get.

    A variable that a template sets itself stays what it is. They are the ConfigMap, and with --secret the Secret,
    onepanel-default-env of the catalog.
    """
    context.obj = home


def _project(home: Path | None) -> Project:
    """The project of the home that was named, here or before the verb."""
    return open_project(home or click.get_current_context().obj)


@env.command("set")
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE...")
@click.option("--secret", is_flag=True, help="Keep them encrypted, and hide them in logs.")
@home_option
def set_env(values: tuple[str, ...], secret: bool, home: Path | None) -> None:
    """Set variables; the others stay."""
    from argosy.project.default_environment import set_variables

    given = pairs(values, "a variable")
    project = _project(home)
    set_variables(project, given, secret=secret)
    console().say(f"{', '.join(given)} set for steps of Onepanel's templates")


@env.command("list")
@output_option("json", "name")
@home_option
def list_env(output: str | None, home: Path | None) -> None:
    """List the variables. Values of secret ones are not shown."""
    from argosy.project.default_environment import variables_of

    project = _project(home)
    found = variables_of(project) if project.home.record.exists() else {}
    talk = console()
    if output == "json":
        variables = [{"name": name, "value": value, "secret": value is None} for name, value in found.items()]
        talk.json({"schema": SCHEMA, "variables": variables})
    elif output == "name":
        for name in found:
            talk.data(name)
    elif not found:
        talk.say("no variables: argosy config env set NAME=VALUE")
    else:
        talk.table(("NAME", "VALUE"), [[name, HIDDEN if value is None else value] for name, value in found.items()])


@env.command("delete")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@home_option
def delete_env(names: tuple[str, ...], home: Path | None) -> None:
    """Remove variables."""
    from argosy.project.default_environment import delete_variables

    delete_variables(_project(home), names)
    console().say(f"deleted {', '.join(names)}")
