"""`argosy run`.

It knows how a run is asked for and shown; making and driving it is the project's matter.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from argosy.cli.console import BOLD, Console
from argosy.cli.events import Starting, starting_options
from argosy.cli.options import (
    console,
    home_option,
    open_project,
    output_option,
    pairs,
    parameter_options,
    strict_option,
)
from argosy.cli.reuse import read_refresh, reuse_options
from argosy.cli.sweep import SweepWords, sweep_of, sweep_options
from argosy.cli.values import OPEN, Words, names_of_options, read_words, values_of
from argosy.errors import NotFound, UsageError

if TYPE_CHECKING:
    from argosy.project.gradient_runs import Push
    from argosy.project.project import Project, Submitted
    from argosy.project.sources import Candidate, Source
    from argosy.project.submission import Wanted

INTERRUPTED = 130
AS_ASKED = "as asked for"


class Showing(NamedTuple):
    """How a run is followed. help: not at all, only told what it takes. needed: what it requires is run first."""

    detach: bool
    quiet: bool
    output: str | None
    help: bool = False
    needed: bool = False


class Asking(NamedTuple):
    """What stood after FILE and in the options on values. parallel: steps of Guild's pipelines may run at once."""

    given: Words
    sweep: SweepWords
    ask: bool
    parallel: bool = False


RUNTIMES = ("auto", "podman", "docker", "sandbox", "process", "function")


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
@starting_options
@click.option("--help-op", is_flag=True, help="Of Guild: tell what the operation takes, and run nothing.")
@click.option("--needed", is_flag=True, help="Of Guild: run first the operations that it requires and have no run.")
@click.option(
    "--parallel", is_flag=True, help="Of Guild: run steps at the same time where what they require allows it."
)
@reuse_options
@sweep_options
@click.option("--ignore-resources", is_flag=True, help="Start steps whatever CPU, memory and GPUs they ask for.")
@strict_option
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
    starting: Starting,
    help_op: bool,
    needed: bool,
    parallel: bool,
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

    FILE is a workflow file, a Python program or one workflow of it (FILE.py:NAME), "-" for standard input,
    template/NAME for one of the catalog, an operation of the guild.yml in this folder, or the name of a workflow in
    .dstack, or of a provider of dstack. What else a file holds (ConfigMaps, Secrets, templates, claims) is applied to
    the catalog first; several workflows run one after the other.

    NAME=VALUE gives an input its value; argosy params FILE shows what there is. NAME=[VALUE,VALUE] and
    NAME=uniform[LOW:HIGH] try many, each in a run of its own, as do the rows of @FILE; -p NAME=[...] is one value.

    Ctrl-C stops the run, with its exit handlers; once more ends it at once.
    """
    file, words, refresh = read_refresh(file, words, cache, refresh)
    given = read_words(file, words)
    if file is None and starting.event is None:
        return _list_files(console())
    from argosy.project.hosting import CodeWanted
    from argosy.project.submission import Wanted

    wanted = Wanted(
        code=CodeWanted(take=code),
        parameters={**starting.values(), **given_parameters(parameters, params_file)},
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
    asking = Asking(given, sweep, ask, parallel)
    showing = Showing(detach=detach, quiet=quiet, output=output, help=help_op, needed=needed)
    project = open_project(home)
    if file is None:
        return _run_pushed(project, asking, wanted, showing, starting)
    return _run_file(project, file, asking, wanted, showing, starting, reuse=reuse)


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
    from argosy.cli.guild import list_operations
    from argosy.project.files import manifests_of

    operations = list_operations(console)
    found = manifests_of(Path.cwd())
    if not found and operations:
        return 0
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
    starting: Starting,
    *,
    reuse: bool,
) -> int:
    from argosy.project.sources import run_of, source_of

    names = tuple(name for name, _ in asking.given.assigned)
    selected = asking.given.selected
    source = source_of(
        project,
        file,
        strict=wanted.strict,
        reuse=reuse,
        selected=selected,
        given=names,
        parallel=asking.parallel,
        words=asking.given.all,
    )
    if source.rest is not None:
        asking = asking._replace(given=read_words(file, source.rest))
    if starting.workflow:
        source = run_of(project, source, starting.workflow)
    return _run_source(project, file, source, asking, wanted, showing, starting.push())


def _run_pushed(project: Project, asking: Asking, wanted: Wanted, showing: Showing, starting: Starting) -> int:
    """Run every spec of the pushed commit that the push starts; what is wrong with one keeps no other from running."""
    from argosy.errors import ArgosyError
    from argosy.project.gradient_runs import specs_at
    from argosy.project.sources import source_of_bytes

    push = starting.push()
    assert push is not None
    specs = specs_at(push)
    if not specs:
        console().say(f"{push.branch} has no spec in .gradient/workflows")
    worst = 0
    troubles: list[ArgosyError] = []
    for path, data in specs:
        try:
            source = source_of_bytes(project, data, path, strict=wanted.strict)
            worst = max(worst, _run_source(project, path, source, asking, wanted, showing, push))
        except ArgosyError as trouble:
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return worst


def _run_source(
    project: Project,
    file: str,
    source: Source,
    asking: Asking,
    wanted: Wanted,
    showing: Showing,
    push: Push | None,
) -> int:
    from argosy.cli.guild import tell_operation, with_needed
    from argosy.project.documents import apply
    from argosy.project.sources import check_one, chosen

    takes_all = len(source.workflows) == 1 and takes_rest(source.workflows[0])
    candidates = chosen(source, () if takes_all else asking.given.selected, file)
    if not asking.given.selected:
        check_one(candidates, file)
    if len(candidates) > 1 and wanted.name:
        raise UsageError(f"{file} holds {len(candidates)} workflows, and --name names one run")
    talk = console()
    talk.diagnostics(source.findings, source.shown)
    for applied in apply(project, source.others) if source.others else ():
        talk.say(f"{applied.kind} {applied.name} {applied.outcome}")
    if showing.help:
        for candidate in candidates:
            tell_operation(talk, project, candidate)
        return 0
    detach, quiet, output, *_ = showing
    worst = 0
    for candidate in candidates:
        if push is not None:
            from argosy.project.gradient_runs import is_started_by, started_by

            if not is_started_by(candidate.workflow, push):
                talk.say(f"{file}: a push to {push.branch} does not start it")
                continue
            candidate = candidate.replaced(started_by(candidate.workflow, push))

        def make(candidate: Candidate = candidate) -> Submitted:
            return _submitted(project, source, candidate, wanted, asking, push)

        submitted = with_needed(file, make, _running(project, wanted, showing)) if showing.needed else make()
        if isinstance(submitted, int):
            return submitted
        if not quiet:
            _tell_submitted(talk, source, candidate, submitted)
        worst = max(worst, follow(project, submitted.run_id, submitted.name, detach=detach, quiet=quiet, output=output))
        if submitted.options.sweep is not None and not detach and not quiet:
            _tell_sweep(project, submitted.name)
        if worst == INTERRUPTED:
            break
    return worst


def _running(project: Project, wanted: Wanted, showing: Showing) -> Callable[[str], int]:
    """A function that runs an operation as it is, with what it requires."""
    import msgspec

    plain = msgspec.structs.replace(wanted, parameters={}, name="", entrypoint="", signature=None)
    asking = Asking(Words(), SweepWords(), False)
    here = showing._replace(detach=False, output=None)
    return lambda name: _run_file(project, name, asking, plain, here, Starting(), reuse=False)


def _submitted(
    project: Project, source: Source, candidate: Candidate, wanted: Wanted, asking: Asking, push: Push | None
) -> Submitted:
    """Put the run, or the sweep, into the record, with the values after FILE and those that were asked for."""
    import msgspec

    from argosy.project.sources import submit, takes

    signature = takes(project, candidate)
    if push is not None:
        from argosy.project.gradient_runs import values_of as event_values

        told = event_values(push, signature)
        wanted = msgspec.structs.replace(wanted, parameters={**told, **wanted.parameters})
    given = values_of(asking.given, signature)
    if signature.lists_sweep:
        given = {**wanted.parameters, **given}
    options = names_of_options(asking.given, signature)
    single, sweep = sweep_of(asking.sweep, given, asking.given.files, signature, options)
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
    talk.diagnostics([one for one in found if one.severity == "warning"], source.shown)
    for one in found:
        if one.severity == "note":
            talk.say(f"note: {one.message}")
    for name in _own_options(candidate):
        talk.say(f"note: --{name} is an option of argosy run; the variable {name} is given as {name}=VALUE")
    if submitted.renamed_from:
        talk.say(f"note: there is a run named {submitted.renamed_from} already; this one is {submitted.name}")
    if submitted.options.reason and not submitted.options.reason.endswith(AS_ASKED):
        talk.say(f"{submitted.name}: runtime {submitted.options.reason}")


def _own_options(candidate: Candidate) -> list[str]:
    """The options given to this command that are also names of variables, where these are written so."""
    takes = candidate.document.signature if candidate.document is not None else None
    if takes is None or not takes.as_options:
        return []
    from click.core import ParameterSource

    ctx = click.get_current_context()
    given = [
        one for one in ctx.command.params if ctx.get_parameter_source(one.name or "") is ParameterSource.COMMANDLINE
    ]
    names = [word.removeprefix("--") for one in given for word in one.opts if word.startswith("--")]
    return [name for name in names if takes.find(name) is not None]


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
