"""The files that an attempt at a step leaves: its folder, and its logs without the secrets that it was given.

It knows the layout of a run's folder, not what a step is.
"""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.errors import ArgosyError
from argosy.record.queries import RunSummary

if TYPE_CHECKING:
    from argosy.project.home import Home
    from argosy.runners.local.logs import LogReader, Mask

MAIN = "main"
ENDINGS = (".stdout", ".log")
# How far back a tail looks for its lines.
_TAIL_BYTES = 1 << 16
_ADDRESS = rb"(?m)^open (http://127\.0\.0\.1:\d+/[!-~]*)$"


def attempt_folder(run_folder: Path, node: str, generation: int) -> Path | None:
    """The folder of the latest attempt at a node, up to this generation; None when it never began."""
    for one in range(generation, 0, -1):
        folder = run_folder / "steps" / (node if one == 1 else f"{node}.{one}")
        if folder.is_dir():
            return folder
    return None


def folder_of(home_run: Path, summary: RunSummary, node: str) -> Path | None:
    """The folder of the latest attempt at a node of a run."""
    return attempt_folder(home_run, node, summary.generation)


def logs(folder: Path, container: str = "") -> list[Path]:
    """The log files of an attempt, those of the main container first; of one container only if it is named.

    A container whose standard output is asked for has that in a file of its own beside its log.
    """
    found = sorted(one for ending in ENDINGS for one in folder.glob(f"*{ending}") if one.is_file())
    found.sort(key=lambda path: path.stem != MAIN)
    return [one for one in found if not container or one.stem == container]


def container_of(log: Path) -> str:
    """The container that wrote a log file."""
    return log.stem


def last_log(folder: Path) -> Path | None:
    """The file in which the main container most likely says what went wrong: stderr before stdout."""
    for ending in reversed(ENDINGS):
        path = folder / f"{MAIN}{ending}"
        if path.is_file() and path.stat().st_size:
            return path
    return None


def address_of(run_folder: Path, node: str, generation: int) -> str:
    """Where the app that a step is can be reached, as the step wrote it when it began; "" as long as it has not."""
    folder = attempt_folder(run_folder, node, generation)
    for log in logs(folder, MAIN) if folder is not None else ():
        try:
            with open(log, "rb") as file:
                found = re.search(_ADDRESS, file.read(_TAIL_BYTES))
        except OSError:
            continue
        if found is not None:
            return found.group(1).decode("ascii")
    return ""


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file that is no step's, [] when it is not there."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


class StepLogs:
    """Reads the logs of steps as people may see them. A step that was given no secrets costs nothing more."""

    def __init__(self, home: Home) -> None:
        """home: where the values of the secrets to be hidden are."""
        self._home = home
        self._masks: dict[Path, Mask] = {}

    def reader(self, log: Path, last: int | None = None) -> LogReader:
        """Reads a log on from where it stopped, or from its last lines on.

        Raises EnvironmentTrouble when the step was given a Secret that is not here any more: what to hide is unknown.
        """
        from argosy.runners.local.logs import LogReader

        mask = self._masks.get(log.parent)
        if mask is None:
            mask = self._masks[log.parent] = self._mask(log.parent)
        return LogReader(log, container_of(log), mask, last)

    def tail(self, log: Path, lines: int) -> list[str]:
        """The last lines of a log; why it cannot be shown if that is so."""
        try:
            # Of a line without end only as much as fits is kept.
            found = deque(self.reader(log, lines).lines(to_end=True), maxlen=lines)
        except ArgosyError as trouble:
            return [f"(not shown: {trouble.message})"]
        return b"".join(one.data for one in found).decode("utf-8", "replace").splitlines()[-lines:]

    def _mask(self, folder: Path) -> Mask:
        from argosy.project.objects import SharedDocuments
        from argosy.runners.local.logs import AttemptLogs, Mask
        from argosy.runners.local.staging import ATTEMPT_FILE

        # What runs in the driver itself has no record of containers, and keeps secrets out of its log when it writes.
        if not (folder / ATTEMPT_FILE).exists():
            return Mask([])
        documents = SharedDocuments(self._home)
        try:
            return AttemptLogs(folder, documents.secret).mask()
        finally:
            documents.close()
