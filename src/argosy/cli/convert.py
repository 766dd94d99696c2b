"""`argosy convert`.

It knows its own words only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.options import console, home_option, open_project, strict_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from argosy.dialects.argo import Loaded
    from argosy.model.manifest import Document, Part


@click.command("convert")
@click.argument("files", nargs=-1, required=True, metavar="FILE... | guild.yml OPERATION")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option(
    "--for", "target", type=click.Choice(("argo",)), help="As a cluster runs them: steps of the host in images."
)
@click.option(
    "--image", default="", metavar="IMAGE", help="With --for: of steps that name none.  [default: python:3.X]"
)
@click.option("--code-in-image", is_flag=True, help="With --for: the images hold the code.")
@click.option(
    "--artifact",
    "artifacts",
    multiple=True,
    metavar="NAME=URL",
    help="With --for: where a file is there.",
)
@strict_option
@home_option
def command(
    files: tuple[str, ...],
    output: Path | None,
    target: str | None,
    image: str,
    code_in_image: bool,
    artifacts: tuple[str, ...],
    strict: bool,
    home: Path | None,
) -> int:
    """Print workflow files as the Argo manifests that they are run as.

    What depends on this machine (volumes, node pools) is put in when a run is made. Of a guild.yml the operations that
    are named after it are meant, or all. With --for argo, steps that run on the host here are written with an image,
    and with the project's code in a ConfigMap. A workflow of .dstack is meant by its name too.
    """
    from argosy.dialects.argo import dump
    from argosy.project.files import expanded, read

    talk = console()
    written = _for_cluster(home, image, code_in_image, artifacts) if target is not None else None
    documents: list[str] = []
    loads = _operations(files, home)
    for path in expanded(files) if loads is None else ():
        loads = [*(loads or ()), read(path, strict=strict, stdin=sys.stdin.buffer.read).checked()]
    for loaded in loads or ():
        talk.diagnostics(loaded.diagnostics, loaded.source)
        for one in loaded.documents:
            documents += [dump(value) for value in (written(one.value) if written is not None else (one.value,))]
    text = "---\n".join(documents)
    if output is not None:
        output.write_text(text, encoding="utf-8")
        return 0
    talk.data(text.removesuffix("\n"))
    return 0


def _for_cluster(
    home: Path | None, image: str, code_in_image: bool, artifacts: tuple[str, ...]
) -> Callable[[Document], tuple[Part, ...]]:
    """How a document is written for a cluster."""
    from argosy.cli.options import pairs
    from argosy.model.manifest import Workflow
    from argosy.project.cluster_form import Cluster, for_cluster, location_of
    from argosy.project.hosting import python_image

    project = open_project(home)
    places = {name: location_of(url) for name, url in pairs(artifacts, "an artifact").items()}
    cluster = Cluster(image=image or python_image(project.configuration), code_in_image=code_in_image, artifacts=places)

    def written(document: Document) -> tuple[Part, ...]:
        if not isinstance(document, Workflow):
            return (document,)
        code, workflow = for_cluster(project, document, cluster)
        return (workflow,) if code is None else (code, workflow)

    return written


def _operations(files: tuple[str, ...], home: Path | None) -> list[Loaded] | None:
    """The operations that are named; None when the words are files."""
    from argosy.project import guild_files

    file = guild_files.meant(files[0])
    if file is None and len(files) == 1 and not Path(files[0]).exists() and "/" not in files[0]:
        from argosy.project.dstack_files import load_named

        named = load_named(Path.cwd(), files[0])
        return [named.checked()] if named is not None else None
    if file is None or (not file[1] and len(files) == 1):
        return None
    names = (file[1],) if file[1] else files[1:]
    project = open_project(home)
    return [guild_files.operation(project, file[0], name) for name in names]
