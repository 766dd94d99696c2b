"""Metrics in files that a step leaves: JSON, and TensorBoard's event files.

It knows their forms, not where they are looked for. Event files are read by the tensorboard package, an extra.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from argosy.record.experiments import Series

MOST_BYTES = 4 << 20
# An event file is read up to here.
EVENT_BYTES = 512 << 20
# Of a working folder so many entries are looked at for event files.
MOST_ENTRIES = 20_000
EVENT_MARK = ".tfevents."
MISSING = "TensorBoard event files were left unread: pip install 'argosy[tensorboard]' and see argosy metrics --again"


class UnreadableMetrics(Exception):
    """A file of metrics that is none; the message says why."""


class _Entry(msgspec.Struct, frozen=True):
    name: str
    value: Any
    format: str = ""


def read_json(path: Path) -> list[Series]:
    """The metrics of a JSON file: a list of {name, value, format}, or an object of names and numbers.

    Source: Onepanel's sys-metrics.json. A format of "%" means hundredths, which only says how to show the value.
    Values that are no numbers are passed over. [] when there is no file. Raises UnreadableMetrics.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise UnreadableMetrics("it is no file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UnreadableMetrics(f"it is longer than {MOST_BYTES >> 20} MiB")
    try:
        given: object = msgspec.json.decode(data)
        pairs = _pairs(given)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnreadableMetrics(f"it is not a list of objects with name and value ({error})") from None
    found = {
        name: value for name, value in pairs if name and (number := _number(value)) is not None and number == number
    }
    return [
        Series(name=name, source="file", steps=(0,), values=(cast("float", _number(value)),), at=about.st_mtime)
        for name, value in found.items()
    ]


def _pairs(given: object) -> list[tuple[str, object]]:
    if isinstance(given, dict):
        return [(str(name), value) for name, value in cast("dict[object, object]", given).items()]
    return [(one.name, one.value) for one in msgspec.convert(given, list[_Entry])]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def event_files(folder: Path) -> list[Path]:
    """The event files below a folder; links are not followed."""
    found: list[Path] = []
    looked = 0
    waiting = [str(folder)]
    while waiting and looked < MOST_ENTRIES:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    looked += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif EVENT_MARK in entry.name and entry.is_file(follow_symlinks=False):
                        found.append(Path(entry.path))
        except OSError:
            continue
    return sorted(found)


def can_read_events() -> bool:
    """Whether the extra is installed."""
    import importlib.util

    return importlib.util.find_spec("tensorboard") is not None


def read_events(folder: Path, files: list[Path]) -> tuple[list[Series], list[str]]:
    """The scalars of event files, and sentences on what could not be read; what comes before damage counts.

    They are named by their tags, below the folder that holds the file if that is not `folder`.
    """
    values: dict[str, list[tuple[int, float, float]]] = {}
    said: list[str] = []
    for path in files:
        prefix = "" if path.parent == folder else f"{path.parent.relative_to(folder)}/"
        try:
            if path.stat().st_size > EVENT_BYTES:
                raise UnreadableMetrics(f"it is longer than {EVENT_BYTES >> 20} MiB")
            for tag, step, value, at in _scalars(path):
                values.setdefault(prefix + tag, []).append((step, value, at))
        except UnreadableMetrics as error:
            said.append(f"the event file {prefix}{path.name} was not read to its end: {error}")
    found: list[Series] = []
    for name, points in values.items():
        points.sort(key=lambda point: (point[0], point[2]))
        steps, numbers, times = zip(*points, strict=True)
        found.append(Series(name=name, source="tensorboard", steps=steps, values=numbers, times=times, at=max(times)))
    return found, said


def _scalars(path: Path) -> Iterator[tuple[str, int, float, float]]:
    loader: Any = importlib.import_module("tensorboard.backend.event_processing.event_file_loader")
    tensors: Any = importlib.import_module("tensorboard.util.tensor_util")
    try:
        for event in loader.EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                number = _scalar(value, tensors)
                if number is not None:
                    yield value.tag, int(event.step), number, float(event.wall_time)
    except Exception as error:  # The reader raises whatever its parsers do for bytes that are not theirs.
        raise UnreadableMetrics(f"{type(error).__name__}: {str(error)[:200]}") from None


def _scalar(value: Any, tensors: Any) -> float | None:
    """The number of a summary value, None for pictures, texts and the like."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor") or value.metadata.plugin_data.plugin_name not in ("scalars", ""):
        return None
    array = tensors.make_ndarray(value.tensor)
    return float(array.reshape(-1)[0]) if array.size == 1 and array.dtype.kind in "fiu" else None
