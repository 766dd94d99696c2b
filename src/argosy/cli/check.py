"""`argosy check`.

It knows its own words; looking is the project's matter.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, output_option

SCHEMA = "argosy.check/v1"


@click.command("check")
@click.option("--read-data", is_flag=True, help="Read every artifact and compare it with its hash.")
@output_option("json")
@home_option
def command(read_data: bool, output: str | None, home: Path | None) -> int:
    """Verify the record and the store.

    Exit code 0: all is sound. 1: something is damaged or missing; each thing is named. 5: the record cannot be read.
    """
    import msgspec

    from argosy.cli.artifacts import size_of
    from argosy.project.housekeeping import check

    found = check(open_project(home), read_data=read_data)
    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, "sound": found.sound, **msgspec.to_builtins(found)})
        return 0 if found.sound else 1
    for word, names in (
        ("damaged run", found.damaged_runs),
        ("damaged object", found.corrupt),
        ("missing object", found.missing),
        ("artifact that is not in the store", found.lost),
        ("kept aside", found.quarantined),
        ("left over by an interrupted writer", found.leftover),
    ):
        for name in names:
            talk.data(f"{word}: {name}")
    if found.record != "ok":
        talk.data(f"the record: {found.record}")
    talk.say(f"{found.objects} objects, {size_of(found.size_bytes)}: {'all is sound' if found.sound else 'NOT sound'}")
    if not read_data:
        talk.say("--read-data compares every artifact with its hash too")
    return 0 if found.sound else 1
