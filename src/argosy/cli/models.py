"""`argosy models`.

It knows its own words; names and versions are the catalog's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.named import (
    age_of,
    delete_named,
    fetch_version,
    latest_of,
    metrics_of,
    origin_of,
    set_tag,
    show_added,
    show_names,
    show_versions,
    version_as_json,
)
from argosy.cli.options import console, home_option, open_project, output_option, pairs

if TYPE_CHECKING:
    from argosy.catalog.names import Named, Version

SCHEMA = "argosy.models/v1"


@click.group("models", no_args_is_help=False)
def command() -> None:
    """Models: files or folders with a name, a type, metrics, and the run that made them.

    A model is named [NAMESPACE/]NAME[:VERSION|:TAG]; without version or tag the latest is meant.
    """


@command.command("list")
@click.option("--type", "type_", help="Only models of this type.")
@output_option("json", "name")
@home_option
def list_(type_: str | None, output: str | None, home: Path | None) -> None:
    """List models with their latest versions."""
    from argosy.cli.artifacts import size_of

    project = open_project(home)
    found = [
        (one, latest_of(project, one)) for one in project.names.list("model") if type_ is None or one.type == type_
    ]

    def row(one: Named, version: Version | None) -> list[str]:
        return [
            one.whole_name,
            one.type,
            str(version.version) if version else "-",
            size_of(version.content.size_bytes) if version else "",
            age_of(one, version),
            metrics_of(version),
            origin_of(version) if version else "",
        ]

    nothing = "there are no models: argosy models add NAME PATH makes one"
    show_names(
        found, output, SCHEMA, "models", nothing, ("NAME", "TYPE", "LATEST", "SIZE", "AGE", "METRICS", "FROM"), row
    )


@command.command("get")
@click.argument("ref")
@click.option("-d", "--directory", type=click.Path(path_type=Path), help="Put the model there.")
@click.option("--versions", is_flag=True, help="List every version instead.")
@output_option("json", "name")
@home_option
def get(ref: str, directory: Path | None, versions: bool, output: str | None, home: Path | None) -> None:
    """Show a version of a model, or put it at a place with -d."""
    project = open_project(home)
    if versions:
        show_versions(project.names.versions("model", ref), output, SCHEMA, f"{ref} has no version yet")
        return
    version = project.names.version("model", ref)
    if directory is not None:
        fetch_version(project, version, directory, output, SCHEMA)
        return
    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, **version_as_json(version)})
    elif output == "name":
        talk.data(version.ref)
    else:
        talk.yaml({key: value for key, value in version_as_json(version).items() if value})


@command.command("add")
@click.argument("name", metavar="NAME[:TAG]")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--type", "type_", default="", help="What it is, as in Tensorflow, ONNX, Custom.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME=VALUE", help="A figure on how good it is.")
@click.option("--run", metavar="RUN", help="An output of this run instead of a path.")
@click.option("--artifact", default="", metavar="[STEP/]NAME", help="Which output artifact of the run.")
@click.option("--note", default="", help="A word on this version.")
@output_option("json", "name")
@home_option
def add(
    name: str,
    path: Path | None,
    type_: str,
    metrics: tuple[str, ...],
    run: str | None,
    artifact: str,
    note: str,
    output: str | None,
    home: Path | None,
) -> None:
    """Make a new version of a model from a file or folder, or from what a run gave."""
    from argosy.catalog.publication import number
    from argosy.errors import UsageError
    from argosy.project.named_data import add_path, add_run

    project = open_project(home)
    if (path is None) == (run is None):
        raise UsageError("A model is made from a path or from a run", hint="give PATH, or --run RUN")
    measured = {name: number(value) for name, value in pairs(metrics, "a metric").items()}
    details: dict[str, Any] = {"metrics": measured} if measured else {}
    if path is not None:
        added = add_path(project, "model", name, path, type=type_, note=note, details=details)
    else:
        view = project.view(str(run))
        added = add_run(project, "model", name, view, artifact=artifact, type=type_, note=note, details=details)
    show_added(added, output, SCHEMA)


@command.command("tag")
@click.argument("ref")
@click.argument("tag")
@click.option("--delete", "remove", is_flag=True, help="Forget the tag instead.")
@home_option
def tag(ref: str, tag: str, remove: bool, home: Path | None) -> None:
    """Let NAME:TAG mean the version that REF means, whatever it meant before."""
    set_tag(open_project(home), "model", ref, tag, remove=remove)


@command.command("delete")
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
def delete(refs: tuple[str, ...], yes: bool, home: Path | None) -> None:
    """Forget versions, or models with all their versions; the next prune frees what nothing else needs."""
    project = open_project(home)
    for ref in refs:
        delete_named(project, "model", ref, yes)
