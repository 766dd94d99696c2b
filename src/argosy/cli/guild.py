"""What `argosy run` does for a guild.yml only: tells of an operation, lists all, runs first what another one needs.

It knows sentences; the file is read by `argosy.project.guild_files`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from argosy.cli.console import BOLD, Console
from argosy.errors import UsageError

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.project.sources import Candidate

Answer = TypeVar("Answer")
MOST_NEEDED = 20


def list_operations(talk: Console) -> bool:
    """Print the operations of the guild.yml in this folder; whether there are any."""
    from argosy.project.guild_files import listed

    found = listed(Path.cwd())
    width = max((len(name) for name, _ in found), default=0)
    for name, description in found:
        talk.data(f"{talk.paint(name, BOLD)}{' ' * (width - len(name))}  {description}".rstrip())
    if found:
        talk.say("run one of them with argosy run OPERATION; --help-op tells what it takes")
    return bool(found)


def tell_operation(talk: Console, project: Project, candidate: Candidate) -> None:
    """What an operation is and takes."""
    from argosy.cli.params import called, show
    from argosy.project.sources import takes

    talk.data(talk.paint(called(candidate.workflow), BOLD))
    show(talk, called(candidate.workflow), takes(project, candidate))


def with_needed(first: str, make: Callable[[], Answer], run: Callable[[str], int]) -> Answer | int:
    """What `make` gives; each time it finds that an operation has no run, that one is run first.

    first: the file and operation on the command line. run: runs an operation and returns its exit code, which is
    returned when it is not 0. Raises UsageError when that goes on for too long.
    """
    from argosy.project.guild_files import meant
    from argosy.project.operations import NoRun

    file = meant(first)
    for _ in range(MOST_NEEDED):
        try:
            return make()
        except NoRun as missing:
            if file is None:
                raise
            operation = missing.operation.partition(",")[0].strip()
            code = run(f"{file[0]}:{operation}")
            if code:
                return code
    raise UsageError(f"More than {MOST_NEEDED} operations are needed first", hint="run them one by one")
