"""`argosy lint`.

It knows how findings are shown; finding them is up to `argosy.project.files`.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.cli.options import console, home_option, open_project, output_option, strict_option

if TYPE_CHECKING:
    from argosy.project.files import Checked
    from argosy.syntax.diagnostics import Diagnostic

INVALID = 3
SCHEMA = "argosy.lint/v1"


@click.command("lint")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@strict_option
@click.option("-f", "--fidelity", is_flag=True, help="Tell also what differs from a cluster here.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings only.")
@output_option("json", "text")
@home_option
def command(
    files: tuple[str, ...], strict: bool, fidelity: bool, quiet: bool, output: str | None, home: Path | None
) -> int:
    """Check workflow files, and folders of them, without running anything.

    All documents of all files know one another: a template of one file may be used by another. A Python program is
    checked when it is named, FILE.py or FILE.py:NAME: it is loaded for that. Exit code 3 when anything is wrong;
    warnings alone are fine.
    """
    import sys

    from argosy.checks.catalog import Options
    from argosy.project.files import check_all, expanded, read

    loaded = [read(path, strict=strict, stdin=sys.stdin.buffer.read, tolerant=True) for path in expanded(files)]
    checked = check_all(loaded, open_project(home).documents_if_any, Options())
    if output == "json":
        console().json(_as_json(checked))
    else:
        _show(checked, fidelity=fidelity, quiet=quiet)
    return 0 if all(one.ok for one in checked) else INVALID


def _show(checked: list[Checked], *, fidelity: bool, quiet: bool) -> None:
    counts: Counter[str] = Counter()
    # What is wrong with a file beside others is found with each of them.
    told: set[tuple[str, int, int, str]] = set()
    for one in checked:
        findings = [found for found in one.findings if _is_new(found, told)]
        if fidelity:
            findings.extend(_notes(one))
        counts.update(found.severity for found in findings)
        console().diagnostics(findings, one.loaded.source, to_out=True)
    if quiet:
        return
    documents = sum(len(one.loaded.documents) for one in checked)
    errors, warnings = counts["error"], counts["warning"]
    where = f"{_counted(len(checked), 'file')}, {_counted(documents, 'document')}"
    if errors or warnings:
        console().say(f"{where}: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}")
    else:
        console().say(f"{where}: nothing to complain about")


def _is_new(found: Diagnostic, told: set[tuple[str, int, int, str]]) -> bool:
    if found.span is None:
        return True
    key = (os.path.realpath(found.span.file), found.span.line, found.span.column, found.message)
    return key not in told and not told.add(key)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _notes(checked: Checked) -> list[Diagnostic]:
    from argosy.checks.fidelity import report
    from argosy.project.files import diagnostics_of

    return [found for one in checked.loaded.documents for found in diagnostics_of(report(one.value), one)]


def _as_json(checked: list[Checked]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "ok": all(one.ok for one in checked),
        "files": [
            {
                "file": one.loaded.source.file,
                "documents": [
                    {"kind": document.value.kind, "name": _called(document.value.metadata)}
                    for document in one.loaded.documents
                ],
                "findings": [_finding(found) for found in one.findings],
            }
            for one in checked
        ],
    }


def _called(metadata: Any) -> str:
    return metadata.name or metadata.annotations.get("argosy.dev/workflow", "")


def _finding(found: Diagnostic) -> dict[str, Any]:
    shown: dict[str, Any] = {"rule": found.rule, "severity": found.severity, "message": found.message}
    if found.span is not None:
        shown |= {
            "line": found.span.line,
            "column": found.span.column,
            "endLine": found.span.end_line,
            "endColumn": found.span.end_column,
        }
    if found.why:
        shown["why"] = found.why
    if found.hint:
        shown["hint"] = found.hint
    return shown
