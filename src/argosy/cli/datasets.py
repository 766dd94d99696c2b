"""`argosy datasets`.

It knows its own words; names and versions are the catalog's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.named import (
    age_of,
    delete_named,
    fetch_version,
    latest_of,
    origin_of,
    set_tag,
    show_added,
    show_names,
    show_versions,
)
from argosy.cli.options import console, home_option, open_project, output_option

if TYPE_CHECKING:
    from argosy.catalog.names import Named, Version

SCHEMA = "argosy.datasets/v1"


@click.group("datasets", no_args_is_help=False)
def command() -> None:
    """Datasets: folders with a name, of which every version stays as it was.

    A dataset is named [NAMESPACE/]NAME[:VERSION|:TAG]; without version or tag the latest is meant.
    """


@command.command("create")
@click.argument("name")
@click.option("--description", default="", help="What it is.")
@home_option
def create(name: str, description: str, home: Path | None) -> None:
    """Make a dataset that has no version yet."""
    made = open_project(home).names.create("dataset", name, description=description)
    console().data(made.whole_name)


@command.command("list")
@output_option("json", "name")
@home_option
def list_(output: str | None, home: Path | None) -> None:
    """List datasets with their latest versions."""
    from argosy.cli.artifacts import size_of

    project = open_project(home)
    found = [(one, latest_of(project, one)) for one in project.names.list("dataset")]

    def row(one: Named, version: Version | None) -> list[str]:
        return [
            one.whole_name,
            str(version.version) if version else "-",
            ", ".join(version.tags) if version else "",
            str(version.content.files) if version else "",
            size_of(version.content.size_bytes) if version else "",
            age_of(one, version),
            origin_of(version) if version else "",
            one.description,
        ]

    nothing = "there are no datasets: argosy datasets add NAME FOLDER makes one"
    show_names(
        found,
        output,
        SCHEMA,
        "datasets",
        nothing,
        ("NAME", "LATEST", "TAGS", "FILES", "SIZE", "AGE", "FROM", "DESCRIPTION"),
        row,
    )


@command.command("versions")
@click.argument("name")
@output_option("json", "name")
@home_option
def versions(name: str, output: str | None, home: Path | None) -> None:
    """List the versions of a dataset, the newest first."""
    found = open_project(home).names.versions("dataset", name)
    show_versions(found, output, SCHEMA, f"{name} has no version yet: argosy datasets add {name} FOLDER makes one")


@command.command("add")
@click.argument("name", metavar="NAME[:TAG]")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--run", metavar="RUN", help="The outputs of this run instead of a folder.")
@click.option("--artifact", default="", metavar="[STEP/]NAME", help="Only this output artifact of the run.")
@click.option("--note", default="", help="A word on this version.")
@output_option("json", "name")
@home_option
def add(
    name: str,
    folder: Path | None,
    run: str | None,
    artifact: str,
    note: str,
    output: str | None,
    home: Path | None,
) -> None:
    """Make a new version that holds FOLDER as it is now, or what a run gave.

    The dataset is made if there is none. Files that other versions hold too are stored once.
    """
    from argosy.errors import UsageError
    from argosy.project.named_data import add_path, add_run

    project = open_project(home)
    if (folder is None) == (run is None):
        raise UsageError("A version is made from a folder or from a run", hint="give FOLDER, or --run RUN")
    if folder is not None:
        added = add_path(project, "dataset", name, folder, note=note)
    else:
        added = add_run(project, "dataset", name, project.view(str(run)), artifact=artifact, note=note)
    show_added(added, output, SCHEMA)


@command.command("get")
@click.argument("ref")
@click.option("-d", "--directory", type=click.Path(path_type=Path), help="Where to put it.  [default: ./NAME]")
@output_option("json", "name")
@home_option
def get(ref: str, directory: Path | None, output: str | None, home: Path | None) -> None:
    """Put a version of a dataset into a folder."""
    project = open_project(home)
    fetch_version(project, project.names.version("dataset", ref), directory, output, SCHEMA)


@command.command("tag")
@click.argument("ref")
@click.argument("tag")
@click.option("--delete", "remove", is_flag=True, help="Forget the tag instead.")
@home_option
def tag(ref: str, tag: str, remove: bool, home: Path | None) -> None:
    """Let NAME:TAG mean the version that REF means, whatever it meant before."""
    set_tag(open_project(home), "dataset", ref, tag, remove=remove)


@command.command("delete")
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
def delete(refs: tuple[str, ...], yes: bool, home: Path | None) -> None:
    """Forget versions, or datasets with all their versions; the next prune frees what nothing else needs."""
    project = open_project(home)
    for ref in refs:
        delete_named(project, "dataset", ref, yes)
