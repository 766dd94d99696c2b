"""`argosy report`.

It knows where the page is put.
"""

from __future__ import annotations

from pathlib import Path

import click

from argosy.cli.options import console, home_option, open_project, run_argument


@click.command("report")
@run_argument
@click.option("-o", "--output", metavar="FILE", help='Where to write it, "-" for stdout.  [default: RUN.html]')
@home_option
def command(run: str, output: str | None, home: Path | None) -> None:
    """Write a page about a run: one HTML file with its graph, timeline, parameters, metrics, pictures, ends of logs.

    The page needs nothing else, loads nothing and runs no script, so that it can be sent to anybody.
    """
    from argosy.project.report_of_run import report_of

    project = open_project(home)
    summary = project.find(run)
    text = report_of(project, run)
    talk = console()
    if output == "-":
        talk.bytes(text.encode())
        return
    target = Path(output or f"{summary.name}.html")
    part = target.with_name(f".{target.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)
    talk.data(str(target))
