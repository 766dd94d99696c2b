"""Runs taken out of this project, and put into it: as a folder or an archive.

It knows where a run's files are and in which order they become durable; the form is `argosy.experiments.packing`'s.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import InvalidFile, NotFound, UsageError
from argosy.experiments.packing import LOGS, read_folder, store_objects, write_run
from argosy.project.naming import checked
from argosy.project.step_files import StepLogs, logs
from argosy.record.run_rows import add_run, refuse_known

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary

ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was exported or imported. notes: what did not come with it."""

    name: str
    notes: tuple[str, ...]


def export_run(project: Project, summary: RunSummary, target: Path) -> Carried:
    """Write the run to a new folder, or to an archive if the name ends as one's does.

    Raises UsageError when something is there already or the run is not over, DamagedRun, EnvironmentTrouble.
    """
    from argosy.project.metrics_of_runs import gather_so_far

    if target.exists() or target.is_symlink():
        raise UsageError(f"There is something at {target} already", hint="choose another place")
    gather_so_far(project, summary)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{summary.name}.", suffix=".part") as scratch:
        folder = Path(scratch) / summary.name
        folder.mkdir()
        notes = write_run(project.queries.database, summary.id, project.store, _logs(project, summary), folder)
        if target.name.endswith(ARCHIVES):
            from argosy.artifacts.archives import pack

            if target.name.endswith(".tar"):
                raise UsageError("An export is packed", hint=f"name it {target.name}.gz, or .zip")
            pack(folder, target, "zip" if target.name.endswith(".zip") else "tar.gz")
        else:
            folder.rename(target)
    return Carried(name=summary.name, notes=tuple(notes))


def _logs(project: Project, summary: RunSummary) -> Iterator[tuple[str, Callable[[], Iterator[bytes]]]]:
    """The logs of every attempt, without secrets."""
    steps = project.home.run(summary.uid) / "steps"
    reader = StepLogs(project.home)

    def pieces(path: Path) -> Iterator[bytes]:
        for line in reader.reader(path).lines(to_end=True):
            yield line.data

    for attempt in sorted(steps.iterdir()) if steps.is_dir() else ():
        for path in logs(attempt):
            yield f"{attempt.name}/{path.name}", lambda path=path: pieces(path)


def import_run(project: Project, source: Path) -> Carried:
    """Take in a run that `export_run` wrote.

    Raises UsageError when it is here already, InvalidFile, NotFound, ArchiveRefused.
    """
    if not source.exists():
        raise NotFound(f"There is nothing at {source}")
    project.home.make()
    with tempfile.TemporaryDirectory(dir=project.home.folder, prefix=".import.") as scratch:
        folder = source
        if not source.is_dir():
            from argosy.artifacts.archives import safe_extract

            folder = Path(scratch) / "run"
            safe_extract(source, folder, unwrap=True)
        return _take_in(project, folder, Path(scratch) / "files")


def _take_in(project: Project, folder: Path, files: Path) -> Carried:
    unpacked = read_folder(folder)
    run = unpacked.run
    checked(run.name)
    refuse_known(project.journal.database, run)
    notes = store_objects(project.store, unpacked.digests, folder)
    place = project.home.run(run.uid)
    if place.exists():
        raise UsageError(f"There is something at {place} already", hint="argosy prune removes what no run owns")
    _copy_logs(folder / LOGS, files / "steps")
    place.parent.mkdir(parents=True, exist_ok=True)
    files.rename(place)
    try:
        add_run(project.journal.database, run, unpacked.facts, unpacked.metrics, [])
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return Carried(name=run.name, notes=tuple(notes))


def _copy_logs(source: Path, target: Path) -> None:
    """Only plain files two levels deep: nothing else is a log."""
    target.mkdir(parents=True)
    for attempt in sorted(source.iterdir()) if source.is_dir() and not source.is_symlink() else ():
        if attempt.is_symlink() or not attempt.is_dir():
            raise InvalidFile(f"{LOGS}/{attempt.name} is no folder of logs")
        (target / attempt.name).mkdir()
        for log in sorted(attempt.iterdir()):
            if log.is_symlink() or not log.is_file() or log.suffix not in (".log", ".stdout"):
                raise InvalidFile(f"{LOGS}/{attempt.name}/{log.name} is no log")
            shutil.copyfile(log, target / attempt.name / log.name)
