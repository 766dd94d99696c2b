"""The files that an attempt at a step leaves: its folder and its logs.

It knows the layout of a run's folder, not what a step is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from argosy.record.queries import RunSummary

MAIN = "main"
ENDINGS = (".stdout", ".log")
_PIECE = 1 << 16
# How far back a tail looks for its lines.
_TAIL_BYTES = 1 << 16


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


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file, [] when it is not there."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


class Follower:
    """Reads what is added to a log file, whole lines at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._rest = b""

    def lines(self, *, last: bool = False) -> Iterator[bytes]:
        """The lines since the last call, each with its line break. last: also one that has no line break yet."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                while data := file.read(_PIECE):
                    self._offset += len(data)
                    *whole, self._rest = (self._rest + data).split(b"\n")
                    for line in whole:
                        yield line + b"\n"
        except FileNotFoundError:
            return
        if last and self._rest:
            rest, self._rest = self._rest, b""
            yield rest + b"\n"
