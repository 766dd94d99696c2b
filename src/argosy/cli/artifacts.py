"""`argosy artifacts`.

It knows columns and where a person wants a file; the bytes are the store's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.options import console, home_option, open_project, output_option, run_argument
from argosy.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argosy.project.artifacts_of_runs import Found

SCHEMA = "argosy.artifacts/v1"


@click.command("artifacts")
@run_argument
@click.argument("step", required=False)
@click.argument("tag", required=False)
@click.option("--get", "name", metavar="NAME", help="Fetch this artifact.")
@click.option("-d", "--directory", type=click.Path(path_type=Path), help="Where to put it.  [default: ./NAME]")
@click.option("--inputs", is_flag=True, help="What steps were given, too.")
@output_option("json", "name")
@home_option
def command(
    run: str,
    step: str | None,
    tag: str | None,
    name: str | None,
    directory: Path | None,
    inputs: bool,
    output: str | None,
    home: Path | None,
) -> None:
    """List the artifacts of a run, or of one STEP, or fetch one with --get NAME.

    \b
    Also as in dstack:
      argosy artifacts list RUN|TAG
      argosy artifacts download RUN|TAG [FOLDER]
      argosy artifacts upload FOLDER TAG
    """
    from argosy.cli.artifacts_by_words import DOWNLOAD, LIST, UPLOAD, WORDS, download, is_tag, list_tag, upload
    from argosy.project.artifacts_of_runs import artifacts_of, fetch

    project = open_project(home)
    if tag is not None and run not in WORDS:
        raise UsageError(f"{tag!r} is one word too many", hint="write argosy artifacts RUN [STEP]")
    if step is not None and run == DOWNLOAD:
        download(project, step, directory or (Path(tag) if tag is not None else None))
        return
    if step is not None and run == UPLOAD:
        if tag is None:
            raise UsageError("A tag is missing", hint=f"write argosy artifacts upload {step} TAG")
        upload(project, step, tag)
        return
    if step is not None and run == LIST:
        if tag is None and is_tag(project, step):
            list_tag(project, step, output)
            return
        run, step = step, tag
    found = project.view(run)
    listed = artifacts_of(project, found, found.node(step) if step else None, inputs=inputs)
    talk = console()
    if name is not None:
        one = _chosen(listed, name)
        target = directory or Path(name)
        fetch(project, found, one, target)
        talk.data(str(target))
    elif output == "json":
        talk.json({"schema": SCHEMA, "run": found.summary.name, "artifacts": [_as_json(one) for one in listed]})
    elif output == "name":
        for one in listed:
            talk.data(one.artifact.name)
    elif not listed:
        talk.say(f"{found.summary.name} has no artifacts")
    else:
        talk.table(
            ("STEP", "NAME", "WAY", "SIZE", "WHERE"),
            [[one.step, one.artifact.name, one.way, size_of(one.size_bytes), one.place] for one in listed],
        )


def _chosen(listed: list[Found], name: str) -> Found:
    found = [one for one in listed if one.artifact.name == name]
    if not found:
        from argosy.syntax.diagnostics import did_you_mean

        near = did_you_mean(name, [one.artifact.name for one in listed])
        hint = f"did you mean {near}?" if near else "argosy artifacts RUN lists what there is"
        raise NotFound(f"There is no artifact {name!r}", hint=hint)
    if len({one.place for one in found}) > 1:
        steps = ", ".join(one.step for one in found)
        raise UsageError(f"Several steps have an artifact {name}: {steps}", hint="name the step too")
    return found[-1]


def size_of(size_bytes: int | None) -> str:
    """A number of bytes for people, "" for None."""
    if size_bytes is None:
        return ""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _as_json(one: Found) -> dict[str, Any]:
    import msgspec

    return {
        "step": one.step,
        "node": one.node,
        "way": one.way,
        "sizeBytes": one.size_bytes,
        "artifact": msgspec.to_builtins(one.artifact),
    }
