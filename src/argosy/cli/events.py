"""The options on what starts a run: a push to a branch, inputs as Gradient's users give them, whose run it is.

It knows spellings; what a push resolves to is the project's matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from argosy.cli.options import pairs
from argosy.errors import UsageError

if TYPE_CHECKING:
    from argosy.project.gradient_runs import Push

Command = TypeVar("Command", bound=Callable[..., Any])


class Starting(msgspec.Struct, frozen=True, kw_only=True):
    """The options as given."""

    event: str | None = None
    ref: str = ""
    inputs: tuple[str, ...] = ()
    workflow: str = ""

    def push(self) -> Push | None:
        """The push that starts the run; None when none does. Raises NotFound, UsageError."""
        if self.event is None:
            if self.ref:
                raise UsageError("--ref names the branch of an event", hint="write --event push --ref BRANCH")
            return None
        from argosy.project.gradient_runs import push_to

        return push_to(Path.cwd(), self.ref)

    def values(self) -> dict[str, str]:
        """The inputs of files, and NAME=VALUE over them. Raises NotFound, InvalidFile, UsageError."""
        found: dict[str, str] = {}
        assigned: list[str] = []
        for text in self.inputs:
            if "=" in text and not os.path.exists(text):
                assigned.append(text)
                continue
            from argosy.project.arguments import read_inputs_file

            found |= read_inputs_file(Path(text))
        return found | pairs(tuple(assigned), "an input")


def starting_options(command: Command) -> Command:
    """The options; the command gets them as `starting`, a Starting."""

    @wraps(command)
    def collected(**given: Any) -> Any:
        mine = {name: given.pop(name) for name in Starting.__struct_fields__}
        return command(starting=Starting(**mine), **given)

    options = (
        click.option("--event", type=click.Choice(["push"]), help="Run what a push to --ref starts."),
        click.option("--ref", default="", metavar="BRANCH", help="The branch of the event.  [default: checked out]"),
        click.option("--inputs", multiple=True, metavar="FILE|NAME=VALUE", help="Inputs, from a file or one by one."),
        click.option("--workflow", default="", metavar="NAME", help="Count it as a run of this kept workflow."),
    )
    found: Any = collected
    for option in reversed(options):
        found = option(found)
    return found
