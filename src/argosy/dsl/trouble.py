"""What can be wrong with a workflow that is written in Python, and where in the user's program it stands.

It knows frames and files, no construct.
"""

from __future__ import annotations

import functools
import linecache
import sys
from pathlib import Path
from typing import NamedTuple

from argosy.errors import ArgosyError

_OURS = str(Path(__file__).parent)


class Place(NamedTuple):
    """A line of a program; line 0 stands for none."""

    file: str
    line: int


NOWHERE = Place("", 0)


def place_of_user() -> Place:
    """The innermost line that runs now and is not of this room."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - inspect.stack() reads every file of the stack
    # "<string>" is code that dataclasses made.
    while frame.f_back is not None and frame.f_code.co_filename.startswith((_OURS, functools.__file__, "<string>")):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


def place_of(function: object) -> Place:
    """Where a function stands; what is made of something else says where that stands."""
    told: Place | None = getattr(function, "__argosy_place__", None)
    code = getattr(function, "__code__", None)
    if told is not None:
        return told
    return Place(code.co_filename, code.co_firstlineno) if code is not None else NOWHERE


class TraceError(ArgosyError):
    """A workflow function does what cannot be written down as a manifest; `hint` is the rewrite.

    place: the user's line.
    """

    id = "trace"
    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None) -> None:
        super().__init__(message, hint=hint)
        self.place = place if place is not None else place_of_user()

    def __str__(self) -> str:
        return "\n".join(part for part in (self._where() + self.message, self._line()) if part)

    def _where(self) -> str:
        return f"{self.place.file}:{self.place.line}: " if self.place.line else ""

    def _line(self) -> str:
        text = linecache.getline(self.place.file, self.place.line).strip() if self.place.line else ""
        return f"    {text}" if text else ""


class WrongValue(ArgosyError):
    """A value that is not of the type that was declared for it, or that cannot be passed between steps."""

    id = "wrong-value"
    exit_code = 1
