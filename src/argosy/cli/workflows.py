"""`argosy workflows`.

It knows its own words; keeping and reading is the project's matter.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.named import age_of, delete_named, latest_of, show_names, show_versions, version_as_json
from argosy.cli.options import console, home_option, open_project, output_option, parameter_options

if TYPE_CHECKING:
    from argosy.catalog.names import Named, Version
    from argosy.project.project import Project

SCHEMA = "argosy.workflows/v1"


@click.group("workflows", no_args_is_help=False)
def command() -> None:
    """Workflows: files with a name, and inputs to run them with. argosy run workflow/NAME runs one.

    A workflow is named [NAMESPACE/]NAME[:VERSION|:TAG]; without version or tag the latest is meant.
    """


@command.command("create")
@click.argument("name")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@parameter_options
@click.option("--description", default="", help="What it does.")
@output_option("json", "name")
@home_option
def create(
    name: str,
    file: Path | None,
    parameters: tuple[str, ...],
    params_file: Path | None,
    description: str,
    output: str | None,
    home: Path | None,
) -> None:
    """Make a workflow, with FILE as what it runs and parameters that a run takes unless others are given."""
    from argosy.cli.run import given_parameters
    from argosy.errors import UsageError

    if file is None and (parameters or params_file):
        raise UsageError("Parameters belong to a file", hint="argosy workflows create NAME FILE -p NAME=VALUE")
    project = open_project(home)
    with project.journal.database.write():
        made = project.names.create("workflow", name, description=description)
        if file is None:
            console().data(made.whole_name)
            return
        _keep(project, name, file, given_parameters(parameters, params_file), "", output)


@command.command("set")
@click.argument("name", metavar="NAME[:TAG]")
@click.argument("file", type=click.Path(path_type=Path))
@parameter_options
@click.option("--note", default="", help="A word on this version.")
@output_option("json", "name")
@home_option
def set_(
    name: str,
    file: Path,
    parameters: tuple[str, ...],
    params_file: Path | None,
    note: str,
    output: str | None,
    home: Path | None,
) -> None:
    """Give a workflow another FILE or other parameters: its next version."""
    from argosy.cli.run import given_parameters

    project = open_project(home)
    project.names.named("workflow", name)
    _keep(project, name, file, given_parameters(parameters, params_file), note, output)


def _keep(project: Project, name: str, file: Path, inputs: dict[str, str], note: str, output: str | None) -> None:
    from argosy.project.workflows import keep

    version, new = keep(project, name, file, inputs, note=note)
    talk = console()
    if output == "json":
        talk.json({"schema": SCHEMA, "unchanged": not new, **version_as_json(version)})
        return
    talk.data(version.ref)
    if output is None and not new:
        talk.say(f"{version.ref} is that already")


@command.command("list")
@output_option("json", "name")
@home_option
def list_(output: str | None, home: Path | None) -> None:
    """List workflows that were kept, with their runs."""

    project = open_project(home)
    found = [(one, latest_of(project, one)) for one in project.names.list("workflow")]

    def row(one: Named, version: Version | None) -> list[str]:
        return [
            one.whole_name,
            str(version.version) if version else "-",
            str(version.details.get("file", "")) if version else "",
            str(len(project.uses.runs_of(one.whole_name))),
            age_of(one, version),
            one.description,
        ]

    nothing = "there are no workflows: argosy workflows create NAME FILE makes one"
    show_names(
        found, output, SCHEMA, "workflows", nothing, ("NAME", "LATEST", "FILE", "RUNS", "AGE", "DESCRIPTION"), row
    )


@command.command("get")
@click.argument("ref")
@click.option("--runs", is_flag=True, help="List its runs instead.")
@click.option("--versions", is_flag=True, help="List its versions instead.")
@click.option("--file", "text", is_flag=True, help="Print its file instead.")
@output_option("json", "name")
@home_option
def get(ref: str, runs: bool, versions: bool, text: bool, output: str | None, home: Path | None) -> None:
    """Show a workflow: its file's name, its inputs, where it came from."""
    from argosy.project.workflows import read_kept, runs_of

    project = open_project(home)
    talk = console()
    if runs:
        _show_runs([(one.name, one.phase, one.created_at) for one in runs_of(project, _whole(ref))], output)
    elif versions:
        show_versions(project.names.versions("workflow", ref), output, SCHEMA, f"{ref} has no version yet")
    elif text:
        talk.bytes(read_kept(project, ref).data)
    else:
        document = version_as_json(project.names.version("workflow", ref))
        if output == "json":
            talk.json({"schema": SCHEMA, **document})
        elif output == "name":
            talk.data(document["ref"])
        else:
            talk.yaml({key: value for key, value in document.items() if value})


def _whole(ref: str) -> str:
    from argosy.catalog.refs import parse_ref

    return parse_ref("workflow", ref).whole_name


def _show_runs(runs: list[tuple[str, str, float]], output: str | None) -> None:
    from argosy.cli.progress import COLORS, spell
    from argosy.model.status import timestamp

    talk = console()
    if output == "json":
        found = [{"name": name, "phase": phase, "createdAt": timestamp(at)} for name, phase, at in runs]
        talk.json({"schema": SCHEMA, "runs": found})
    elif output == "name":
        for name, _, _ in runs:
            talk.data(name)
    elif not runs:
        talk.say("no runs")
    else:
        now = time.time()
        talk.table(("NAME", "PHASE", "AGE"), [[n, p, spell(now - at)] for n, p, at in runs], colors=COLORS)


@command.command("run", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[FILE] [NAME=VALUE]...")
@home_option
def run(name: str, words: tuple[str, ...], home: Path | None) -> int:
    """Run a workflow, or FILE as a run of it, with the inputs that it was kept with unless others are given.

    All options of argosy run are taken. argosy run workflow/NAME is the same.
    """
    from argosy.cli.run import command as run_command

    is_file = bool(words) and not words[0].startswith("-") and ("=" not in words[0] or Path(words[0]).exists())
    asked = [words[0], "--workflow", name, *words[1:]] if is_file else [f"workflow/{name}", *words]
    if home is not None:
        asked += ["--home", str(home)]
    return run_command.main(asked, prog_name="argosy run", standalone_mode=False)


@command.command("hook")
@click.option("--remove", is_flag=True, help="Take it away again.")
@home_option
def hook(remove: bool, home: Path | None) -> None:
    """Let git run what a push starts: the specs of .gradient/workflows whose on.github.branches.only names the branch.

    On a working copy it is a pre-push hook, on a bare repository a post-receive hook. It never keeps a push from going
    on; the runs are driven in processes of their own.
    """
    from argosy.project.git_hook import install, uninstall

    talk = console()
    if remove:
        path = uninstall(Path.cwd())
        talk.say(f"{path} is removed" if path else "there is no such hook")
        return
    path = install(Path.cwd(), home)
    talk.data(str(path))


@command.command("delete")
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@home_option
def delete(refs: tuple[str, ...], yes: bool, home: Path | None) -> None:
    """Forget versions, or workflows with all their versions; their runs stay."""
    project = open_project(home)
    for ref in refs:
        delete_named(project, "workflow", ref, yes)
