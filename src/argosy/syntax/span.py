"""A place in a file, as a person names it: line and column, counted from one, in characters.

It knows text and positions, not what is written there.
"""

from __future__ import annotations

import re
from bisect import bisect_right

import msgspec

# Packed places: the offset of the first character above, the offset behind the last one below.
_SHIFT = 25
_MASK = (1 << _SHIFT) - 1
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a file. All numbers start at 1; `end_column` is one behind the last character."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def pack(start: int, end: int) -> int:
    """The place from offset `start` up to `end`, in one integer, so that a tree of nodes stays small."""
    return start << _SHIFT | end


def start_of(place: int) -> int:
    return place >> _SHIFT


def end_of(place: int) -> int:
    return place & _MASK


class Source:
    """The text of a file, which turns packed places into spans. The table of lines is made when first asked for."""

    __slots__ = ("_starts", "file", "text")

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._starts: list[int] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of the character at an offset from 0."""
        if self._starts is None:
            self._starts = [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]
        row = bisect_right(self._starts, offset)
        return row, offset - self._starts[row - 1] + 1

    def line(self, number: int) -> str:
        """The line of this number, from 1, without its line break; "" past the end."""
        self.position(0)
        starts = self._starts or [0]
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def written(self, place: int) -> str:
        """What stands at a place, without the blanks behind it."""
        return self.text[start_of(place) : end_of(place)].rstrip()

    def span(self, place: int) -> Span:
        """The span of a place, without the blanks behind it; at least one character wide."""
        start = start_of(place)
        line, column = self.position(start)
        end_line, end_column = self.position(start + max(1, len(self.written(place))))
        if end_line > line and end_column == 1:
            end_line, end_column = line, column + 1
        return Span(file=self.file, line=line, column=column, end_line=end_line, end_column=end_column)

    def first_line(self, span: Span) -> Span:
        """The part of a span that is on its first line."""
        if span.line == span.end_line:
            return span
        width = len(self.line(span.line).rstrip())
        return Span(
            file=span.file,
            line=span.line,
            column=span.column,
            end_line=span.line,
            end_column=max(width, span.column) + 1,
        )
