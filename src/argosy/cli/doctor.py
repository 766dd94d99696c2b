"""`argosy doctor`.

It knows how findings about a machine are laid out; looking is the project's matter.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.console import GREEN, RED, YELLOW
from argosy.cli.options import console, home_option, open_project, output_option

SCHEMA = "argosy.doctor/v1"
_SIGNS = {"ok": ("✔", GREEN), "note": ("·", YELLOW), "trouble": ("✖", RED)}


@click.command("doctor")
@output_option("json")
@home_option
def command(output: str | None, home: Path | None) -> int:
    """Tell what works on this machine: runtimes, the record, the disk, GPUs.

    Exit code 5 when something that every run needs does not work.
    """
    from argosy.project.machine import examine

    found = examine(open_project(home))
    talk = console()
    sound = not any(one.state == "trouble" for one in found)
    if output == "json":
        looks = [{"what": one.what, "state": one.state, "text": one.text, "hint": one.hint} for one in found]
        talk.json({"schema": SCHEMA, "sound": sound, "looks": looks})
        return 0 if sound else 5
    width = max(len(one.what) for one in found)
    for one in found:
        sign, color = _SIGNS[one.state]
        talk.data(f"{talk.paint(sign, color)} {one.what:<{width}}  {one.text}")
        if one.hint:
            talk.data(f"  {'':<{width}}  {one.hint}")
    return 0 if sound else 5
