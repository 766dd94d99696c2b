"""`argosy version`.

It knows the number only.
"""

from __future__ import annotations

import click

from argosy.cli.options import console, home_option, output_option


def say_version() -> None:
    """Print the version on a line of its own."""
    console().data(f"argosy {number()}")


def number() -> str:
    """The version that is installed."""
    from importlib.metadata import version

    return version("argosy")


@click.command("version")
@home_option
@output_option("json")
def command(home: object, output: str | None) -> None:
    """Print the version."""
    if output == "json":
        console().json({"version": number()})
    else:
        say_version()
