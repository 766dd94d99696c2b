"""A place in a file, as a person names it: line and column, counted from one, in characters.

It knows text and positions, not what is written there.
"""

from __future__ import annotations

import re
from bisect import bisect_left

import msgspec

# Packed places: the offset of the first character above, the offset behind the last one below.
_SHIFT = 25
_MASK = (1 << _SHIFT) - 1
_LONE_RETURN = re.compile(r"\r(?!\n)")
# Lines are counted in pieces of so many characters.
_PIECE = 1 << 14


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
    """The text of a file, which turns packed places into spans.

    Lines are counted when first asked for, in pieces, so that a file of a million empty lines costs no table.
    """

    __slots__ = ("_counted", "_lines", "file", "text")

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        # The text with each line break ending in a newline, and the number of newlines before each piece of it.
        self._lines = ""
        self._counted: list[int] = []

    def _count(self) -> str:
        if not self._counted:
            self._lines = _LONE_RETURN.sub("\n", self.text) if "\r" in self.text else self.text
            before = 0
            for start in range(0, len(self._lines) + 1, _PIECE):
                self._counted.append(before)
                before += self._lines.count("\n", start, start + _PIECE)
        return self._lines

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of the character at an offset from 0."""
        lines = self._count()
        piece = min(offset // _PIECE, len(self._counted) - 1)
        row = self._counted[piece] + lines.count("\n", piece * _PIECE, offset)
        return row + 1, offset - lines.rfind("\n", 0, offset)

    def line(self, number: int) -> str:
        """The line of this number, from 1, without its line break; "" past the end."""
        lines = self._count()
        if number < 1:
            return ""
        piece = bisect_left(self._counted, number - 1) - 1
        row, start = (self._counted[piece], piece * _PIECE) if piece > 0 else (0, 0)
        while row < number - 1:
            start = lines.find("\n", start) + 1
            row += 1
            if not start:
                return ""
        # The first piece of a line may begin within it.
        start = lines.rfind("\n", 0, start) + 1
        end = lines.find("\n", start)
        return lines[start : end if end >= 0 else len(lines)].rstrip("\r")

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
