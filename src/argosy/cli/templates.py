"""`argosy templates`.

It knows columns; the objects are the catalog's.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from argosy.cli.options import console, home_option, open_project, output_option, pairs, strict_option
from argosy.cli.progress import spell

if TYPE_CHECKING:
    from argosy.project.documents import Applied
    from argosy.project.project import Project
    from argosy.record.catalog import CatalogObject

SCHEMA = "argosy.templates/v1"
KINDS = (
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
)
VERSIONED = KINDS[:3]
HIDDEN = "********"


class Templates(click.Group):
    """`argosy templates NAME` is `argosy templates show NAME`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("templates", cls=Templates)
def command() -> None:
    """List what the catalog holds, or print the manifest of NAME: argosy templates [NAME[@VERSION]].

    Applying a template whose content changed makes a new version; older ones stay: argosy run template/NAME@VERSION.
    """


@command.command("create")
@click.argument("file", type=click.Path())
@click.option("--name", default="", help="Call it so.  [default: the file's own name]")
@strict_option
@output_option("json", "name")
@home_option
def create(file: str, name: str, strict: bool, output: str | None, home: Path | None) -> None:
    """Keep the workflow of FILE as a template, or as a new version of the one of that name.

    Onepanel's templates keep their forms: argosy params template/NAME. The name is written in small letters, a dash
    for whatever is no letter and no digit, and has at most 30 characters.
    """
    import sys

    from argosy.project.files import read
    from argosy.project.programs import ready
    from argosy.project.sources import checked_documents
    from argosy.project.template_library import create as keep

    project = open_project(home)
    loaded = ready(read(file, strict=strict, stdin=sys.stdin.buffer.read).checked())
    console().diagnostics([*loaded.diagnostics, *checked_documents(project, loaded, loaded.documents)], loaded.source)
    _tell(project, keep(project, loaded, name), output)


@command.command("clone")
@click.argument("name", metavar="NAME[@VERSION]")
@click.argument("new")
@output_option("json", "name")
@home_option
def clone(name: str, new: str, output: str | None, home: Path | None) -> None:
    """Keep a template under another name as well."""
    from argosy.project.template_library import clone as copy

    project = open_project(home)
    _tell(project, copy(project, name, new), output)


def _tell(project: Project, made: Applied, output: str | None) -> None:
    version = project.catalog.versions.latest(project.catalog.place_of(made.kind, made.name))
    if output == "json":
        console().json(
            {"schema": SCHEMA, "kind": made.kind, "name": made.name, "version": version, "outcome": made.outcome}
        )
    else:
        console().data(
            f"{made.name}@{version}" if output == "name" else f"{made.name} version {version} {made.outcome}"
        )


@command.command("list")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS, case_sensitive=False), help="Of this kind.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only with this label.")
@click.option("--archived", is_flag=True, help="Archived ones too.")
@click.option("--all", "everything", is_flag=True, help="ConfigMaps, Secrets and claims too.")
@output_option("json", "yaml", "name")
@home_option
@click.pass_context
def list_templates(context: click.Context, **given: Any) -> None:
    """List what the catalog holds."""
    context.invoke(show, name=None, source=False, **given)


@command.command("show")
@click.argument("name", required=False)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS, case_sensitive=False), help="Of this kind.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Only with this label.")
@click.option("--archived", is_flag=True, help="Archived ones too.")
@click.option("--all", "everything", is_flag=True, help="ConfigMaps, Secrets and claims too.")
@click.option("--source", is_flag=True, help="The file that it was made of, if it is kept.")
@output_option("json", "yaml", "name")
@home_option
def show(
    name: str | None,
    kinds: tuple[str, ...],
    labels: tuple[str, ...],
    archived: bool,
    everything: bool,
    source: bool,
    output: str | None,
    home: Path | None,
) -> None:
    """List what the catalog holds, or print the manifest of NAME. Values of Secrets are not shown."""
    project = open_project(home)
    wanted = kinds or (KINDS if everything or name else VERSIONED)
    if name is not None and source:
        _show_source(project, name)
        return
    if name is not None and "@" in name:
        _show_version(project, name, output)
        return
    found = [one for kind in wanted for one in project.catalog.list(kind)]
    if name is not None:
        short = name.rpartition("/")[2]
        found = [one for one in found if one.name == short] or [
            project.catalog.get(_likely(project, short) if wanted is KINDS else wanted[0], short)
        ]
    elif not archived:
        found = [one for one in found if _archived_at(project, one) is None]
    asked = pairs(labels, "a label")
    found = [one for one in found if all(_is_labelled(project, one, *label) for label in asked.items())]
    shown = [_shown(one.kind, msgspec.json.decode(one.manifest)) for one in found]
    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, "objects": shown})
    elif output == "yaml" or name is not None:
        for place, one in enumerate(shown):
            if place:
                talk.data("---")
            talk.yaml(one if output == "yaml" else _without_source(one))
    elif output == "name":
        for one in found:
            talk.data(f"{one.kind.lower()}/{one.name}")
    elif not found:
        talk.say("the catalog holds nothing of that kind: argosy apply -f FILE puts something there")
    else:
        _table(project, found, shown)


def _table(project: Project, found: list[CatalogObject], shown: list[dict[str, Any]]) -> None:
    now = time.time()
    rows: list[list[str]] = []
    for one, manifest in zip(found, shown, strict=True):
        latest = project.catalog.versions.latest(_place(project, one)) if one.kind in VERSIONED else 0
        labels = ", ".join(f"{key}={value}" for key, value in _labels(project, one).items())
        gone = "archived" if _archived_at(project, one) is not None else ""
        rows.append(
            [
                one.kind,
                one.name,
                str(latest or ""),
                spell(now - one.created_at),
                "; ".join(part for part in (gone, labels, _what(manifest)) if part),
            ]
        )
    console().table(("KIND", "NAME", "VERSION", "AGE", "WHAT"), rows)


def _place(project: Project, one: CatalogObject) -> tuple[str, str, str]:
    return project.catalog.place_of(one.kind, one.name, namespace=one.namespace or "default")


def _archived_at(project: Project, one: CatalogObject) -> float | None:
    return project.catalog.versions.standing(_place(project, one)).archived_at


def _is_labelled(project: Project, one: CatalogObject, key: str, value: str) -> bool:
    """Whether it has the label; the keys `name` and `template` search in its name, as Onepanel's do."""
    return _labels(project, one).get(key) == value or (key in ("name", "template") and value in one.name)


def _labels(project: Project, one: CatalogObject) -> dict[str, str]:
    """The labels of the manifest, and those put on by hand over them."""
    metadata: dict[str, Any] = msgspec.json.decode(one.manifest).get("metadata") or {}
    own: dict[str, str] = metadata.get("labels") or {}
    return own | project.catalog.versions.standing(_place(project, one)).labels


def _show_version(project: Project, name: str, output: str | None) -> None:
    from argosy.errors import UsageError

    plain, _, version = name.rpartition("/")[2].partition("@")
    if not version.isdecimal():
        raise UsageError(f"{version!r} is no version", hint=f"argosy templates versions {plain} lists them")
    place = _found(project, plain)
    kept = _in_order(msgspec.json.decode(project.catalog.versions.get(place, int(version)).manifest))
    talk = console()
    if output == "name":
        talk.data(f"{place[0].lower()}/{plain}@{version}")
    elif output == "json":
        talk.json({"schema": SCHEMA, "objects": [kept]})
    else:
        talk.yaml(kept if output == "yaml" else _without_source(kept))


def _without_source(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest as people read it: the file that it was made of is what --source is for."""
    from argosy.project.onepanel import SOURCE

    annotations: dict[str, str] = manifest.get("metadata", {}).get("annotations") or {}
    if SOURCE not in annotations:
        return manifest
    left = {key: value for key, value in annotations.items() if key != SOURCE}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": left}}


def _show_source(project: Project, name: str) -> None:
    from argosy.errors import NotFound
    from argosy.project.template_library import source_of

    plain, _, version = name.rpartition("/")[2].partition("@")
    text = source_of(project, _found(project, plain), version)
    if text is None:
        raise NotFound(
            f"The file that {plain} was made of is not kept", hint=f"argosy templates {plain} has its manifest"
        )
    console().data(text.removesuffix("\n"))


def _found(project: Project, name: str) -> tuple[str, str, str]:
    """The template of that name, of whichever kind. Raises NotFound with names that look alike, UsageError."""
    from argosy.errors import NotFound, UsageError

    found: list[tuple[str, str, str]] = []
    for kind in VERSIONED:
        try:
            found.append(project.catalog.place_of(kind, name.rpartition("/")[2]))
        except NotFound:
            continue
    if len(found) > 1:
        raise UsageError(f"Several kinds have a {name}: {', '.join(kind for kind, _, _ in found)}")
    return found[0] if found else project.catalog.place_of(_likely(project, name), name)


def _likely(project: Project, name: str) -> str:
    """The kind among whose names one looks most like this, for the error that says so."""
    from argosy.syntax.diagnostics import did_you_mean

    near = (kind for kind in VERSIONED if did_you_mean(name, [one.name for one in project.catalog.list(kind)]))
    return next(near, VERSIONED[0])


@command.command("versions")
@click.argument("name")
@output_option("json", "name")
@home_option
def versions(name: str, output: str | None, home: Path | None) -> None:
    """List the versions of a template, the newest first."""
    from argosy.model.status import timestamp

    project = open_project(home)
    found = project.catalog.versions.list(_found(project, name))
    talk = console()
    if output == "json":
        documents = [
            {
                "version": one.version,
                "createdAt": timestamp(one.created_at),
                "manifest": msgspec.json.decode(one.manifest),
            }
            for one in found
        ]
        talk.json({"schema": SCHEMA, "name": name, "versions": documents})
    elif output == "name":
        for one in found:
            talk.data(f"{name}@{one.version}")
    else:
        now = time.time()
        talk.table(
            ("VERSION", "AGE", "WHAT"),
            [
                [str(one.version), spell(now - one.created_at), _what(msgspec.json.decode(one.manifest))]
                for one in found
            ],
        )


@command.command("archive")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@home_option
def archive(names: tuple[str, ...], home: Path | None) -> None:
    """Take templates out of use: not listed and not run by name. Their versions stay."""
    _archive(names, home, archived=True)


@command.command("unarchive")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@home_option
def unarchive(names: tuple[str, ...], home: Path | None) -> None:
    """Bring archived templates back."""
    _archive(names, home, archived=False)


def _archive(names: tuple[str, ...], home: Path | None, *, archived: bool) -> None:
    project = open_project(home)
    for name in names:
        project.catalog.versions.archive(_found(project, name), archived)
        console().say(f"{name} is {'archived' if archived else 'in use again'}")


@command.command("label")
@click.argument("name")
@click.argument("labels", nargs=-1, required=True, metavar="KEY=VALUE|KEY-...")
@home_option
def label(name: str, labels: tuple[str, ...], home: Path | None) -> None:
    """Put labels on a template, or take them off with KEY-. That makes no new version."""
    from argosy.project.template_library import check_label

    project = open_project(home)
    place = _found(project, name)
    without = tuple(one.removesuffix("-") for one in labels if one.endswith("-") and "=" not in one)
    given = pairs(tuple(one for one in labels if "=" in one or not one.endswith("-")), "a label")
    for key, value in given.items():
        check_label(key, value)
    project.catalog.versions.label(place, given, without)
    for key, value in project.catalog.versions.standing(place).labels.items():
        console().data(f"{key}={value}")


def _shown(kind: str, manifest: dict[str, Any]) -> dict[str, Any]:
    if kind == "Secret":
        for field in ("data", "stringData"):
            if field in manifest:
                manifest[field] = dict.fromkeys(manifest[field], HIDDEN)
    return _in_order(manifest)


def _in_order(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with what it is at its beginning, as people write it."""
    return {key: manifest[key] for key in ("apiVersion", "kind") if key in manifest} | manifest


def _what(manifest: dict[str, Any]) -> str:
    """A word on what an object holds."""
    spec: dict[str, Any] = manifest.get("spec") or {}
    if "templates" in spec:
        return f"templates: {', '.join(str(one.get('name')) for one in spec['templates'])}"
    if "schedules" in spec:
        return f"schedules: {', '.join(spec['schedules'])}"
    keys: list[str] = [*(manifest.get("data") or {}), *(manifest.get("stringData") or {})]
    return f"keys: {', '.join(keys)}" if keys else ""
