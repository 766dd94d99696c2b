"""`argosy run`.

It knows how a run is asked for and shown; making and driving it is the project's matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from argosy.cli.console import BOLD, Console
from argosy.cli.options import console, home_option, open_project, output_option, pairs, parameter_options
from argosy.cli.reuse import read_refresh, reuse_options
from argosy.cli.sweep import SweepWords, sweep_of, sweep_options
from argosy.cli.values import OPEN, Words, read_words, values_of
from argosy.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argosy.project.project import Project, Submitted
    from argosy.project.sources import Candidate, Source
    from argosy.project.submission import Wanted

INTERRUPTED = 130
AS_ASKED = "as asked for"


class Showing(NamedTuple):
    """How a run is followed."""

    detach: bool
    quiet: bool
    output: str | None


class Asking(NamedTuple):
    """What stood after FILE and in the options on values."""

    given: Words
    sweep: SweepWords
    ask: bool


RUNTIMES = ("auto", "podman", "docker", "sandbox", "process")


@click.command("run", context_settings=OPEN)
@click.argument("file", required=False, type=click.Path())
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[NAME=VALUE]...")
@parameter_options
@click.option("--ask", is_flag=True, help="Ask for the values that are not given.")
@click.option("--entrypoint", default="", metavar="TEMPLATE", help="Begin at this template.")
@click.option("--name", default="", help="Name the run.")
@click.option("--runtime", type=click.Choice(RUNTIMES), help="How steps run.  [default: auto]")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many steps may run at once.")
@click.option("--gpus", default="", metavar="COUNT|INDICES", help="The GPUs that may be used, as in 2 or 0,3.")
@click.option("-l", "--label", "labels", multiple=True, metavar="KEY=VALUE", help="Label the run.")
@click.option(
    "-t", "--tag", "tags", multiple=True, metavar="TAG", help="Let TAG point to its outputs once it has succeeded."
)
@click.option(
    "--code/--no-code", default=None, help="Keep the code with the run, or run without.  [default: if needed]"
)
@click.option("-d", "--detach", is_flag=True, help="Drive the run in a process of its own, and return.")
@click.option("--reuse", is_flag=True, help="Of dstack: take what it would run first from its latest run.")
@reuse_options
@sweep_options
@click.option("--ignore-resources", is_flag=True, help="Start steps whatever CPU, memory and GPUs they ask for.")
@click.option("--strict/--no-strict", default=True, help="Whether a field that does not exist is an error.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while it runs.")
@output_option("json", "yaml", "name")
@home_option
def command(
    file: str | None,
    words: tuple[str, ...],
    parameters: tuple[str, ...],
    params_file: Path | None,
    ask: bool,
    entrypoint: str,
    name: str,
    runtime: str | None,
    jobs: int | None,
    gpus: str,
    labels: tuple[str, ...],
    tags: tuple[str, ...],
    code: bool | None,
    detach: bool,
    reuse: bool,
    cache: bool | None,
    refresh: tuple[str, ...],
    sweep: SweepWords,
    ignore_resources: bool,
    strict: bool,
    quiet: bool,
    output: str | None,
    home: Path | None,
) -> int:
    """Run a workflow file, or list the ones of this folder.

    FILE is a workflow file, "-" for standard input, template/NAME for one of the catalog, or the name of a workflow
    in .dstack. What else the file holds
    (ConfigMaps, Secrets, templates, claims) is applied to the catalog first; several workflows run one after the other.

    NAME=VALUE gives an input its value; argosy params FILE shows what there is. NAME=[VALUE,VALUE] and
    NAME=uniform[LOW:HIGH] try many, each in a run of its own, as do the rows of @FILE; -p NAME=[...] is one value.

    Ctrl-C stops the run, with its exit handlers; once more ends it at once.
    """
    file, words, refresh = read_refresh(file, words, cache, refresh)
    given = read_words(file, words)
    if file is None:
        return _list_files(console())
    from argosy.project.hosting import CodeWanted
    from argosy.project.submission import Wanted

    wanted = Wanted(
        code=CodeWanted(take=code),
        parameters=given_parameters(parameters, params_file),
        entrypoint=entrypoint,
        name=name,
        runtime=runtime or "",
        jobs=jobs,
        gpus=gpus,
        labels=pairs(labels, "a label"),
        tags=tags,
        ignore_resources=ignore_resources,
        strict=strict,
        cache=cache,
        refresh=refresh,
    )
    asking = Asking(given, sweep, ask)
    showing = Showing(detach=detach, quiet=quiet, output=output)
    return _run_file(open_project(home), file, asking, wanted, showing, reuse=reuse)


def takes_rest(candidate: Candidate) -> bool:
    """Whether the words after FILE are the workflow's own, whatever they are."""
    signature = candidate.document.signature if candidate.document is not None else None
    return signature is not None and bool(signature.rest)


def given_parameters(parameters: tuple[str, ...], params_file: Path | None) -> dict[str, str]:
    """The parameters of the command line over those of the file. Raises UsageError, InvalidFile."""
    found: dict[str, str] = {}
    if params_file is not None:
        from argosy.project.arguments import read_parameters_file

        try:
            found = read_parameters_file(params_file.read_bytes(), str(params_file))
        except FileNotFoundError:
            raise NotFound(f"There is no file {params_file}") from None
    return found | pairs(parameters, "a parameter")


def _list_files(console: Console) -> int:
    from argosy.project.files import manifests_of

    found = manifests_of(Path.cwd())
    if not found:
        raise UsageError("There is no workflow file in this folder", hint="argosy run FILE runs one from elsewhere")
    for path, names in found:
        console.data(f"{console.paint(path, BOLD)}  {', '.join(names)}")
    console.say("run one of them with argosy run FILE")
    return 0


def _run_file(
    project: Project,
    file: str,
    asking: Asking,
    wanted: Wanted,
    showing: Showing,
    *,
    reuse: bool,
) -> int:
    from argosy.project.documents import apply
    from argosy.project.sources import chosen, source_of

    names = tuple(name for name, _ in asking.given.assigned)
    selected = asking.given.selected
    source = source_of(project, file, strict=wanted.strict, reuse=reuse, selected=selected, given=names)
    takes_all = len(source.workflows) == 1 and takes_rest(source.workflows[0])
    candidates = chosen(source, () if takes_all else asking.given.selected, file)
    if len(candidates) > 1 and wanted.name:
        raise UsageError(f"{file} holds {len(candidates)} workflows, and --name names one run")
    talk = console()
    talk.diagnostics(source.findings, source.text)
    for applied in apply(project, source.others) if source.others else ():
        talk.say(f"{applied.kind} {applied.name} {applied.outcome}")
    detach, quiet, output = showing
    worst = 0
    for candidate in candidates:
        submitted = _submitted(project, source, candidate, wanted, asking)
        if not quiet:
            _tell_submitted(talk, source, candidate, submitted)
        worst = max(worst, follow(project, submitted.run_id, submitted.name, detach=detach, quiet=quiet, output=output))
        if submitted.options.sweep is not None and not detach and not quiet:
            _tell_sweep(project, submitted.name)
        if worst == INTERRUPTED:
            break
    return worst


def _submitted(project: Project, source: Source, candidate: Candidate, wanted: Wanted, asking: Asking) -> Submitted:
    """Put the run, or the sweep, into the record, with the values after FILE and those that were asked for."""
    import msgspec

    from argosy.project.sources import submit, takes

    signature = takes(project, candidate)
    given = values_of(asking.given, signature)
    if signature.lists_sweep:
        given = {**wanted.parameters, **given}
    single, sweep = sweep_of(asking.sweep, given, asking.given.files, signature)
    parameters = {**({} if signature.lists_sweep else wanted.parameters), **single}
    if asking.ask:
        from argosy.cli.asking import ask

        swept = sweep.spaces if sweep is not None else ()
        parameters |= ask(console(), signature, (*parameters, *swept))
    wanted = msgspec.structs.replace(wanted, parameters=parameters, signature=signature)
    if sweep is None:
        return submit(project, source, candidate, wanted)
    from argosy.project.sweeping import submit as submit_sweep

    return submit_sweep(project, source, candidate, wanted, sweep)


def _tell_sweep(project: Project, name: str) -> None:
    from argosy.cli.trials import tell
    from argosy.project.sweep_results import results_of

    tell(console(), results_of(project, project.find(name)))


def _tell_submitted(talk: Console, source: Source, candidate: Candidate, submitted: Submitted) -> None:
    from argosy.project.sources import placed

    found = placed(submitted.findings, candidate)
    talk.diagnostics([one for one in found if one.severity == "warning"], source.text or None)
    for one in found:
        if one.severity == "note":
            talk.say(f"note: {one.message}")
    if submitted.renamed_from:
        talk.say(f"note: there is a run named {submitted.renamed_from} already; this one is {submitted.name}")
    if submitted.options.reason and not submitted.options.reason.endswith(AS_ASKED):
        talk.say(f"{submitted.name}: runtime {submitted.options.reason}")


def follow(project: Project, run_id: int, name: str, *, detach: bool, quiet: bool, output: str | None) -> int:
    """Drive a run that was just put into the record, here or in a process of its own; the exit code."""
    if output == "name":
        console().data(name)
    if not detach:
        from argosy.cli.running import drive_shown

        return drive_shown(project, run_id, name, console(), quiet=quiet, output=output)
    from argosy.project.driving import detach as drive_apart

    drive_apart(project, name)
    if output in ("json", "yaml"):
        from argosy.cli.running import show_result

        show_result(console(), project.view(name), output)
    elif output is None:
        console().data(name)
    return 0
