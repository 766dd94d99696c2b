"""`argosy tags`.

It knows its own words; names and versions are the catalog's.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from argosy.cli.named import (
    delete_named,
    fetch_version,
    latest_of,
    named_as_json,
    origin_of,
    show_added,
    show_versions,
)
from argosy.cli.options import console, home_option, open_project, output_option

SCHEMA = "argosy.tags/v1"


@click.group("tags", no_args_is_help=False)
def command() -> None:
    """Tags: names for all output artifacts of a run, or for a folder. A tag can be moved, and keeps what it was.

    A tag is written NAME:TAG or TAG alone; NAME:TAG@1 is the first thing that it pointed to.
    """


@command.command("add")
@click.argument("tag")
@click.argument("what", required=False, metavar="[RUN|FOLDER]")
@click.option(
    "-a",
    "--local-dir",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file or folder at its path.",
)
@click.option("-r", "--run-name", metavar="RUN", help="Of dstack: as RUN behind the tag.")
@click.option("--artifact", default="", metavar="[STEP/]NAME", help="Only this output artifact of the run.")
@click.option("--note", default="", help="A word on it.")
@output_option("json", "name")
@home_option
def add(
    tag: str,
    what: str | None,
    paths: tuple[Path, ...],
    run_name: str | None,
    artifact: str,
    note: str,
    output: str | None,
    home: Path | None,
) -> None:
    """Let TAG point to the outputs of a run, or to a folder as it is now. Write ./NAME for a folder named like a run.

    Outputs stand together as one folder: what a step left at a relative path keeps it, anything else has the name of
    its artifact. So do files and folders of this machine that are given with -a.
    """
    from argosy.errors import NotFound, UsageError
    from argosy.project.named_data import add_path, add_paths, add_run

    what = what or run_name
    if (what is None) != bool(paths):
        raise UsageError("A tag points to one thing", hint="write a run, or a folder, or -a PATH for each that it has")
    project = open_project(home)
    if what is None:
        show_added(add_paths(project, "tag", tag, paths, note=note), output, SCHEMA)
        return
    looks_like_path = "/" in what or what in (".", "..")
    if not looks_like_path:
        try:
            run = project.view(what)
        except NotFound:
            if not Path(what).exists():
                raise
        else:
            show_added(add_run(project, "tag", tag, run, artifact=artifact, note=note), output, SCHEMA)
            return
    show_added(add_path(project, "tag", tag, Path(what), note=note), output, SCHEMA)


@command.command("list")
@click.argument("tag", required=False)
@output_option("json", "name")
@home_option
def list_(tag: str | None, output: str | None, home: Path | None) -> None:
    """List tags and what they point to, or everything that one TAG pointed to, the latest first."""
    from argosy.cli.artifacts import size_of
    from argosy.cli.progress import spell

    project = open_project(home)
    if tag is not None:
        show_versions(project.names.versions("tag", tag), output, SCHEMA, f"{tag} points to nothing")
        return
    found = [(one, latest_of(project, one)) for one in project.names.list("tag")]
    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, "tags": [named_as_json(*one) for one in found]})
    elif output == "name":
        for one, _ in found:
            talk.data(one.whole_name)
    elif not found:
        talk.say("there are no tags: argosy tags add TAG RUN makes one")
    else:
        now = time.time()
        talk.table(
            ("TAG", "FROM", "FILES", "SIZE", "AGE", "MOVED"),
            [
                [
                    one.whole_name,
                    origin_of(version) if version else "-",
                    str(version.content.files) if version else "",
                    size_of(version.content.size_bytes) if version else "",
                    spell(now - (version.created_at if version else one.created_at)),
                    f"{one.versions - 1} times" if one.versions > 1 else "",
                ]
                for one, version in found
            ],
        )


@command.command("get")
@click.argument("tag")
@click.option("-d", "--directory", type=click.Path(path_type=Path), help="Where to put it.  [default: ./TAG]")
@output_option("json", "name")
@home_option
def get(tag: str, directory: Path | None, output: str | None, home: Path | None) -> None:
    """Put what a tag points to into a folder."""
    project = open_project(home)
    fetch_version(project, project.names.version("tag", tag), directory, output, SCHEMA)


@command.command("delete")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
def delete(tags: tuple[str, ...], yes: bool, home: Path | None) -> None:
    """Forget tags and what they pointed to; the runs stay."""
    project = open_project(home)
    for tag in tags:
        delete_named(project, "tag", tag, yes)
