"""`argosy logs`.

It knows how the lines of many steps are put one after the other; the files are the project's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy.cli.console import FAINT, Console, visible
from argosy.cli.options import console, home_option, open_project, run_argument

if TYPE_CHECKING:
    from argosy.model.status import Node
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary
    from argosy.runners.local.logs import LogLine, LogReader

PAUSE_SECONDS = 0.1


@click.command("logs")
@run_argument
@click.argument("step", required=False)
@click.option("-c", "--container", default="", help="Of this container only: main, wait, a sidecar.")
@click.option("-f", "-a", "--follow", is_flag=True, help="Go on until the run ends; -a is dstack's word.")
@click.option("--tail", "last", type=click.IntRange(min=0), help="The last lines of each step only.")
@click.option("--grep", default="", metavar="PATTERN", help="Only lines that match.")
@click.option("--prefix/--no-prefix", default=None, help="Mark each line with its step.")
@home_option
def command(
    run: str,
    step: str | None,
    container: str,
    follow: bool,
    last: int | None,
    grep: str,
    prefix: bool | None,
    home: Path | None,
) -> None:
    """Print what a run's steps wrote, or one STEP of it.

    With several steps each line is marked with its step. Piped, bytes come through as they were written; on a
    terminal nothing that steers it does.
    """
    project = open_project(home)
    logs = _Logs(project, project.find(run), step, container, grep)
    logs.mark = prefix if prefix is not None else logs.has_several()
    if follow:
        logs.follow()
    else:
        logs.print_all(last)


class _Logs:
    """The logs of one run, or of one step and all that it called."""

    def __init__(self, project: Project, summary: RunSummary, step: str | None, container: str, grep: str) -> None:
        self._project = project
        self._summary = summary
        self._step = step
        self._container = container
        self._pattern = _compiled(grep)
        self._console: Console = console()
        self._folder = project.home.run(summary.uid)
        # The log whose last line that was printed has no end yet.
        self._unended: Path | None = None
        self.mark = True

    def has_several(self) -> bool:
        """Whether more than one step wrote, or may do so yet."""
        if self._summary.finished:
            return len({node.id for node, _ in self._files()}) > 1
        return self._step is None or len(self._chosen()) > 1

    def _chosen(self) -> list[Node]:
        """The nodes that are asked for and may have a log, in the order in which they came to be."""
        from argosy.project.views import leaf_types, view

        run = view(self._project, self._summary)
        if self._step is None:
            return [one for one in run.nodes.values() if one.type in leaf_types()]
        wanted = run.node(self._step)
        inside = {wanted.id}
        for id, node in run.nodes.items():
            if node.boundary_id in inside or (node.name.startswith(f"{wanted.name}(")):
                inside.add(id)
        return [node for id, node in run.nodes.items() if id in inside and node.type in leaf_types()]

    def _files(self) -> Iterator[tuple[Node, Path]]:
        from argosy.project.step_files import attempt_folder, logs

        for node in self._chosen():
            folder = attempt_folder(self._folder, node.id, self._summary.generation)
            for path in logs(folder, self._container) if folder is not None else ():
                yield node, path

    def print_all(self, last: int | None) -> None:
        from argosy.project.step_files import StepLogs

        logs = StepLogs(self._project.home)
        for node, path in self._files():
            self._print(node, path, logs.reader(path, last).lines(to_end=True))
        self._end_line()

    def follow(self) -> None:
        """Print what is there, and then what is added, until the run is over."""
        from argosy.project.step_files import StepLogs

        logs = StepLogs(self._project.home)
        readers: dict[Path, LogReader] = {}
        while True:
            self._summary = self._project.find(self._summary.uid)
            over = self._summary.finished or self._summary.interrupted
            for node, path in self._files():
                reader = readers.get(path)
                if reader is None:
                    reader = readers[path] = logs.reader(path)
                self._print(node, path, reader.lines(to_end=over or node.phase.fulfilled))
            if over:
                self._end_line()
                return
            self._console.flush()
            time.sleep(PAUSE_SECONDS)

    def _print(self, node: Node, path: Path, lines: Iterator[LogLine]) -> None:
        label = ""
        if self.mark:
            from argosy.project.step_files import MAIN, container_of

            container = container_of(path)
            name = node.display_name if container == MAIN else f"{node.display_name}/{container}"
            label = self._console.paint(f"{visible(name)}: ", FAINT)
        for line in lines:
            data = line.data
            if self._pattern is not None and not self._pattern(data):
                continue
            if self._console.out_is_terminal:
                self._console.data(label + visible(data.decode("utf-8", "replace").rstrip("\r\n")))
                continue
            if self._unended != path:
                self._end_line()
                self._console.bytes(label.encode() + data)
            else:
                self._console.bytes(data)
            self._unended = None if data.endswith(b"\n") else path

    def _end_line(self) -> None:
        if self._unended is not None:
            self._unended = None
            self._console.bytes(b"\n")


def _compiled(pattern: str):
    if not pattern:
        return None
    import re

    from argosy.errors import UsageError

    try:
        return re.compile(pattern.encode()).search
    except re.error as error:
        raise UsageError(f"{pattern!r} is no regular expression: {error}") from error
