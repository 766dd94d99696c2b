"""Driving a run in the foreground: its progress shown, Ctrl-C heard, its end told with an exit code.

It knows signals and exit codes; the driving is the project's.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from argosy.cli.console import Console
from argosy.cli.progress import COLORS, TAIL_LINES, make_progress, spell
from argosy.model.status import Node

if TYPE_CHECKING:
    from argosy.cli.addresses import Addresses
    from argosy.cli.progress import Progress
    from argosy.plan.plan import Plan
    from argosy.project.project import Project
    from argosy.project.views import RunView

EXIT_OF_PHASE = {"Succeeded": 0, "Failed": 1, "Error": 1}
INTERRUPTED = 130


def drive_shown(
    project: Project,
    run_id: int,
    name: str,
    console: Console,
    *,
    quiet: bool,
    output: str | None,
    follower: Progress | None = None,
) -> int:
    """Drive the run to its end and tell how it went; the process's exit code.

    follower: follows it instead of what suits the console.
    """
    from argosy.project import driving
    from argosy.project.views import options_of

    reused = options_of(project, run_id).carried
    progress = follower or make_progress(console, log_finder(project, name), quiet=quiet, name=name, reused=reused)

    addresses = _addresses(project, name, progress.tell)

    def on_change(plan: Plan) -> None:
        message = _waiting_message(plan, name)
        progress.show(plan.nodes, message)
        if addresses is not None:
            addresses.show(plan.nodes)

    notes: list[str] = []
    with _interrupts(console) as interrupted:
        plan = driving.drive(project, run_id, on_change=on_change, on_stop=interrupted.listen, say=notes.append)
    if addresses is not None:
        addresses.end()
    progress.end(plan.nodes)
    if not quiet:
        for note in notes:
            console.say(f"note: {note}")
        _tell_end(console, name, plan)
    show_result(console, project.view(name) if output in ("json", "yaml") else None, output)
    return INTERRUPTED if interrupted.count else EXIT_OF_PHASE[str(plan.phase)]


def _addresses(project: Project, name: str, say: Callable[[str], None]) -> Addresses | None:
    """What tells where the run's apps are; None for a run without any."""
    from argosy.model.host_templates import APP, apps_of
    from argosy.project.views import manifest_of

    summary = project.find(name)
    if APP.encode() not in project.queries.manifest(summary.id):
        return None
    from argosy.cli.addresses import Addresses

    templates = apps_of(manifest_of(project, summary.id).spec)
    return Addresses(project.home.run(summary.uid), summary.generation, templates, say)


def _waiting_message(plan: Plan, name: str) -> str:
    waiting = plan.waiting()
    if plan.suspended or (waiting and not plan.running() and plan.wake_at is None):
        return f"{name} is suspended: argosy resume {name} lets it go on"
    return ""


def _tell_end(console: Console, name: str, plan: Plan) -> None:
    text = f"{name} {str(plan.phase).lower()} in {spell(plan.finished_at - plan.started_at)}"
    if plan.reused:
        text += f", {plan.reused} of {plan.progress.partition('/')[2]} steps reused"
    if plan.message and plan.phase != "Succeeded":
        text += f": {plan.message}"
    console.say_painted(text, COLORS[plan.phase])
    if plan.phase != "Succeeded":
        console.say(f"  argosy logs {name}, argosy why {name} STEP, argosy retry {name}")


def show_result(console: Console, run: RunView | None, output: str | None) -> None:
    """The finished run as it was asked for."""
    if run is None:
        return
    if output == "json":
        console.json(run.document())
    elif output == "yaml":
        console.yaml(run.document())


def log_finder(project: Project, name: str) -> Callable[[Node], list[str]]:
    """How the log of a node of the run ends, without secrets; [] if it wrote nothing."""
    from argosy.project.step_files import StepLogs, attempt_folder, last_log

    summary = project.find(name)
    folder = project.home.run(summary.uid)

    logs = StepLogs(project.home)

    def find(node: Node) -> list[str]:
        attempt = attempt_folder(folder, node.id, summary.generation)
        log = last_log(attempt) if attempt is not None else None
        return logs.tail(log, TAIL_LINES) if log is not None else []

    return find


class _Interrupts:
    """Ctrl-C: the first stops the run, the second ends it at once, the third gives up waiting for that."""

    def __init__(self, console: Console) -> None:
        self.count = 0
        self._console = console
        self._stop: Callable[[str, str], None] | None = None

    def listen(self, stop: Callable[[str, str], None]) -> None:
        """stop: asks the driver for the run's end; safe to call from a signal handler."""
        self._stop = stop

    def heard(self, number: int, frame: Any) -> None:
        self.count += 1
        if self._stop is None or self.count > 2:
            raise KeyboardInterrupt
        if self.count == 1:
            self._console.say("stopping; once more ends it at once")
            self._stop("Stop", "interrupted")
        else:
            self._stop("Terminate", "interrupted")


@contextmanager
def _interrupts(console: Console) -> Generator[_Interrupts]:
    """While it lasts, SIGINT and SIGTERM stop the run instead of the process."""
    interrupts = _Interrupts(console)
    before = {number: signal.signal(number, interrupts.heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
