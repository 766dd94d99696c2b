"""The command `argosy`: finds the verb's own file, runs it, and turns every error into one message and an exit code.

It knows the verbs by name only; each is imported when it is called, so that `argosy --help` stays cheap.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from importlib import import_module
from typing import Any, NoReturn

import click

from argosy.errors import ArgosyError

# In the order in which help shows them: the verb, the module that holds it, and what it does.
VERBS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run a workflow file, or list the ones of this folder."),
    "lint": ("lint", "Check workflow files without running them."),
    "convert": ("convert", "Print workflow files as the Argo manifests that they are run as."),
    "params": ("params", "Show what a workflow file takes."),
    "trials": ("trials", "Show the trials of a sweep, the best first."),
    "plan": ("plan", "Show what a run would do, and why, without doing it."),
    "list": ("listing", "List runs."),
    "runs": ("runs", "List runs with parameters and metrics, filtered and sorted."),
    "ps": ("ps", "List runs, as `runs` does."),
    "compare": ("compare", "Set runs beside one another."),
    "metrics": ("metrics", "Show the metrics of a run, with their curves."),
    "report": ("report", "Write a page about a run."),
    "export": ("export", "Write runs out, to be taken in elsewhere."),
    "import": ("import_runs", "Take in runs that were written out."),
    "mlflow": ("mlflow", "Log runs to MLflow."),
    "label": ("label", "Label runs with a few words."),
    "tag": ("tag", "Tag runs, to find them again."),
    "mark": ("mark", "Mark runs as preferred to others."),
    "unmark": ("unmark", "Take the mark from runs."),
    "comment": ("comment", "Write or read a comment on a run."),
    "get": ("get", "Show one run: its steps, parameters and outputs."),
    "watch": ("watch", "Follow a run until it ends."),
    "logs": ("logs", "Print what a run's steps wrote."),
    "diff": ("diff", "Show what differs between two runs, or a run and the working folder."),
    "code": ("code", "Show the code that a run has kept, or take it out."),
    "why": ("why", "Tell why a step ran, was skipped, reused or retried."),
    "shell": ("shell", "Open a shell with a step's files and environment."),
    "stop": ("stop", "End a run; its exit handlers still run."),
    "terminate": ("terminate", "End a run at once, without its exit handlers."),
    "suspend": ("suspend", "Let a run start nothing new."),
    "resume": ("resume", "Go on with a suspended run, or with one whose driver died."),
    "retry": ("retry", "Run again what failed in a run, and what depends on it."),
    "resubmit": ("resubmit", "Run a run's workflow again as a new run."),
    "restart": ("restart", "Run a run's workflow again, as `resubmit` does."),
    "delete": ("delete", "Remove runs, or objects of the catalog."),
    "apply": ("apply", "Put templates, ConfigMaps, Secrets and claims into the catalog."),
    "secrets": ("secrets", "Set, list and delete secrets; they are kept encrypted."),
    "config": ("config", "Set variables that all steps of Onepanel's templates get."),
    "templates": ("templates", "Keep workflow files as templates; list what the catalog holds."),
    "datasets": ("datasets", "Make, list and fetch datasets and their versions."),
    "models": ("models", "Make, list and fetch models and their versions."),
    "tags": ("tags", "Name the outputs of a run, or a folder."),
    "workflows": ("workflows", "Keep workflow files under names, with inputs."),
    "lineage": ("lineage", "Show what made data or a run, and what came of it."),
    "ls": ("ls", "List the files that a run made."),
    "cat": ("cat", "Print a file that a run made."),
    "artifacts": ("artifacts", "List or fetch the artifacts of a run."),
    "prune": ("prune", "Remove what is no longer wanted."),
    "check": ("check", "Verify the record and the store."),
    "doctor": ("doctor", "Tell what works on this machine."),
    "completion": ("completion", "Print the completion script of a shell."),
    "version": ("version", "Print the version."),
}
DEBUG = "ARGOSY_DEBUG"
INTERRUPTED = 130


class Verbs(click.Group):
    """The group of all verbs, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = import_module(f"argosy.cli.{VERBS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            from argosy.syntax.diagnostics import did_you_mean

            near = did_you_mean(name, VERBS)
            hint = f"Did you mean {near!r}?" if near else "argosy --help lists the commands."
            ctx.fail(f"There is no command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from argosy.cli.version import say_version

        say_version()
        ctx.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
def cli() -> None:
    """Run workflow files on this machine: kill a run, resume it, see why each step ran.

    Start with `argosy run FILE`. Exit codes: 0 succeeded, 1 failed, 2 wrong usage, 3 invalid file, 4 not found,
    5 trouble with this machine, 130 interrupted.
    """


def main() -> NoReturn:
    """The console script."""
    # Most of what a command makes it keeps: to search for garbage often finds next to none.
    gc.set_threshold(50_000, 20, 100)
    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End this process without taking the interpreter apart piece by piece, which costs more than many a command."""
    if threading.active_count() == 1:
        try:
            atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] - what the interpreter itself would call
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            # A closed pipe or a full disk: the interpreter says so, and in which way.
            sys.exit(code)
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code. No exception gets past, but SystemExit of shell completion."""
    from argosy.cli.console import Console

    console = Console.of_process()
    try:
        answer: Any = cli.main(args=arguments, prog_name="argosy", standalone_mode=False)
        console.flush()
    except BrokenPipeError:
        # Whoever read stdout has gone, as in `argosy list | head`: there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except (KeyboardInterrupt, click.Abort):
        console.say("interrupted")
        return INTERRUPTED
    except Exception as error:
        return _code_of(error, console)
    return answer if isinstance(answer, int) else 0


def _code_of(error: Exception, console: Any) -> int:
    """Tell the error and give its exit code."""
    if os.environ.get(DEBUG):
        import traceback

        console.say(traceback.format_exc(), plain=True)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        # A group without a verb: its message is the help, of many lines.
        console.say(error.format_message(), plain=True)
        return 2
    if isinstance(error, click.UsageError):
        context = error.ctx
        console.trouble(error.format_message(), f"{context.command_path} --help tells more" if context else "")
        return 2
    if isinstance(error, click.ClickException):
        console.trouble(error.format_message(), "")
        return 2
    if isinstance(error, ArgosyError):
        console.error(error)
        return error.exit_code
    if isinstance(error, OSError):
        console.trouble(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", "")
        return 5
    if isinstance(error, MemoryError):
        console.trouble("this machine has no memory left for it", "")
        return 5
    console.trouble(
        f"this is a mistake in argosy itself: {type(error).__name__}: {error}",
        f"run it again with {DEBUG}=1 for the whole story, and report that",
    )
    return 1


if __name__ == "__main__":
    main()
