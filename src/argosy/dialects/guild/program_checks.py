"""The part of a step's program that checks what the step did, for steps of a pipeline that say what to expect.

It knows patterns in output and files; a check that fails ends the step with exit code 3, as in Guild.
"""

from __future__ import annotations

import glob
import os
import re
import sys
import threading
from collections.abc import Callable
from typing import Any

UNEXPECTED = 3


def checked(spec: dict[str, Any], begin: Callable[[], int]) -> int:
    """Run the step, then look at what it printed and left behind."""
    wants_output = any("output" in one for one in spec["expect"])
    printed = _Copied() if wants_output else None
    try:
        code = begin()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 0 if ending.code is None else 1
        if isinstance(ending.code, str):
            print(ending.code, file=sys.stderr)
    finally:
        text = printed.end() if printed is not None else ""
    if code:
        return code
    problems = [problem for one in spec["expect"] if (problem := _problem(one, text, spec))]
    for problem in problems:
        print(f"expected of {spec['operation']}: {problem}", file=sys.stderr)
    return UNEXPECTED if problems else 0


def _problem(check: dict[str, Any], text: str, spec: dict[str, Any]) -> str:
    if "output" in check:
        found = re.search(check["output"], text, re.MULTILINE)
        return "" if found else f"output that fits {check['output']!r}, and there is none"
    paths = sorted(glob.glob(check["file"]))
    if not paths:
        return f"a file {check['file']}, and there is none"
    for path in paths:
        problem = _file_problem(check, path, spec)
        if problem:
            return problem
    return ""


def _file_problem(check: dict[str, Any], path: str, spec: dict[str, Any]) -> str:
    with open(path, "rb") as file:
        content = file.read()
    if "contains" in check and not re.search(check["contains"], content.decode("utf-8", "replace"), re.MULTILINE):
        return f"{path} with something that fits {check['contains']!r}, and it has nothing such"
    if "compare_to" in check:
        other = check["compare_to"]
        places = [os.path.join(base, other) for base in (".", spec.get("project", "."))]
        found = next((one for one in places if os.path.isfile(one)), "")
        if not found:
            return f"{path} like {other}, which is not there"
        with open(found, "rb") as file:
            if file.read() != content:
                return f"{path} like {other}, and they differ"
    return ""


class _Copied:
    """What this process and those it starts print, kept as well as passed on."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._to = os.dup(1)
        self._kept: list[bytes] = []
        reading, writing = os.pipe()
        os.dup2(writing, 1)
        os.close(writing)
        self._thread = threading.Thread(target=self._copy, args=(reading,), daemon=True)
        self._thread.start()

    def _copy(self, reading: int) -> None:
        with os.fdopen(reading, "rb", buffering=0) as file:
            for piece in iter(lambda: file.read(1 << 16), b""):
                self._kept.append(piece)
                os.write(self._to, piece)

    def end(self) -> str:
        sys.stdout.flush()
        os.dup2(self._to, 1)
        # What the step left running may still hold the pipe.
        self._thread.join(5)
        return b"".join(self._kept).decode("utf-8", "replace")
