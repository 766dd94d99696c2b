"""`argosy ps`, as dstack's users call `argosy runs`: of one run too.

It knows the name only.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import click

from argosy.cli.options import open_project
from argosy.cli.runs import command as runs


def _of_one(run: str | None, where: str, **rest: Any) -> Any:
    if run is not None:
        named = f'name = "{open_project(rest["home"]).find(run).name}"'
        where = f"({where}) and {named}" if where else named
    assert runs.callback is not None
    return runs.callback(where=where, **rest)


command = copy(runs)
command.name = "ps"
command.params = [click.Argument(["run"], required=False), *runs.params]
command.callback = _of_one
