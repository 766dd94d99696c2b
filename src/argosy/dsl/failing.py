"""What a program raised while it was loaded, told by its own lines.

It knows tracebacks, and which files are a person's: not those of this package, of Python, or of installed packages.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import Any, cast

_OURS = str(Path(__file__).resolve().parent.parent)
Frame = list[Any]


def as_failure(error: BaseException, program: Path) -> dict[str, Any]:
    """The error as it is told: kind, message, hint, frames with the innermost last; all_frames has other's too."""
    if isinstance(error, SystemExit):
        message = f"the program ended itself with exit code {error.code!r} while it was read"
        hint = "put what it does when it is started under `if __name__ == '__main__':`"
        return {"kind": "SystemExit", "message": message, "hint": hint, **_frames(error, program)}
    hint = getattr(error, "hint", "")
    message = str(error)
    if isinstance(error, SyntaxError):
        message = error.msg
    told = {"kind": type(error).__name__, "message": message, "hint": hint if isinstance(hint, str) else ""}
    found = _frames(error, program)
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        first = error.offset or 1
        last = error.end_offset or 0
        same_line = (error.end_lineno or error.lineno) == error.lineno
        found["frames"].append([error.filename, error.lineno, first, last if same_line and last > first else 0, ""])
    place = cast("tuple[str, int] | None", getattr(error, "place", None) if told["kind"] == "TraceError" else None)
    if place is not None:
        told["message"] = cast(Any, error).message
        if place[1] and (not found["frames"] or found["frames"][-1][:2] != list(place)):
            # It knows better than the traceback which line it is about.
            found["frames"].append([*place, 0, 0, ""])
    if not found["frames"]:
        found["frames"].append([str(program), 1, 0, 0, ""])
    return {**told, **found}


def _frames(error: BaseException, program: Path) -> dict[str, list[Frame]]:
    shown: list[Frame] = []
    every: list[Frame] = []
    for one in traceback.extract_tb(error.__traceback__):
        frame = [one.filename, one.lineno or 1, *_columns(one), one.name]
        every.append(frame)
        if is_a_persons(one.filename, program):
            shown.append(frame)
    return {"frames": shown, "all_frames": [one for one in every if not _is_machinery(one[0])]}


def _columns(frame: traceback.FrameSummary) -> tuple[int, int]:
    """First column and the one behind the last, from 1; 0 where Python does not tell. Bytes become characters."""
    # Python 3.10 has none of these.
    first: int | None = getattr(frame, "colno", None)
    behind: int | None = getattr(frame, "end_colno", None)
    if first is None or behind is None or getattr(frame, "end_lineno", None) != frame.lineno:
        return 0, 0
    # Not `frame.line`, which has lost its indentation.
    line = (getattr(frame, "_original_line", None) or "").encode()
    if not line:
        return first + 1, behind + 1
    return len(line[:first].decode(errors="replace")) + 1, len(line[:behind].decode(errors="replace")) + 1


def is_a_persons(file: str, program: Path) -> bool:
    """Whether a file is the program or one of its own modules."""
    if os.path.realpath(file) == str(program):
        return True
    return not _is_machinery(file) and not any(_is_below(file, folder) for folder in _library_folders())


def _is_machinery(file: str) -> bool:
    return file.startswith("<") or _is_below(os.path.realpath(file), _OURS)


def _library_folders() -> list[str]:
    paths = sysconfig.get_paths()
    return [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib") if key in paths] + [
        one for one in sys.path if one.endswith(("site-packages", "dist-packages"))
    ]


def _is_below(file: str, folder: str) -> bool:
    return file.startswith(folder.rstrip(os.sep) + os.sep)
