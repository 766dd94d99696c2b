"""`argosy cat`.

It knows arguments; the bytes are the store's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from argosy.cli.options import home_option, open_project, run_argument


@click.command("cat")
@run_argument
@click.argument("path")
@home_option
def command(run: str, path: str, home: Path | None) -> None:
    """Print a file that a run made, by its path as argosy ls RUN shows it."""
    from argosy.project.files_of_runs import opened

    project = open_project(home)
    with opened(project, project.view(run), path) as file:
        for piece in iter(lambda: file.read(1 << 16), b""):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
