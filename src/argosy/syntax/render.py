"""A diagnostic as lines of text: its place, the source line, a mark under it, the reason, what to do.

It knows neither terminals nor files: the caller has the text, and says whether colours are wanted.
"""

from __future__ import annotations

import unicodedata

from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.span import Source, Span

# How many columns of a source line are shown, and how many of them before the mark where the line is cut.
_WIDTH = 100
_BEFORE = 60
# How many characters on either side of a mistake are looked at; some take no room.
_REACH = 1000
_TAB = "    "
_UNSHOWN = "\ufffd"
_CUT = "…"

_COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "note": "\x1b[1;36m"}
_BOLD, _FAINT, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(diagnostic: Diagnostic, source: Source | str | None, *, color: bool = False) -> str:
    """Several lines without a line break at the end. With no source, the lines of the file are left out.

    Characters that steer a terminal never get through, whatever the file, the message or the hint holds.
    """
    given = Source(source.removeprefix("\ufeff"), "") if isinstance(source, str) else source
    paint = _Paint(color)
    place = f"{visible(str(diagnostic.span))}: " if diagnostic.span else ""
    severity = paint(_COLORS[diagnostic.severity], f"{diagnostic.severity}:")
    rule = paint(_FAINT, f"[{diagnostic.rule}]")
    lines = [f"{paint(_BOLD, place)}{severity} {visible(diagnostic.message)} {rule}"]
    if diagnostic.span is not None and given is not None:
        lines += _excerpt(diagnostic.span, given, paint, _COLORS[diagnostic.severity])
    lines += [f"  {paint(_BOLD, 'why:')} {visible(diagnostic.why)}"] if diagnostic.why else []
    lines += [f"  {paint(_BOLD, 'hint:')} {visible(diagnostic.hint)}"] if diagnostic.hint else []
    for span, text in diagnostic.related:
        lines.append(f"  {paint(_BOLD, visible(str(span)) + ':')} {visible(text)}")
        if given is not None and diagnostic.span is not None and span.file == diagnostic.span.file:
            lines += _excerpt(span, given, paint, _COLORS["note"])
    return "\n".join(lines)


def visible(text: str) -> str:
    """The text on one line, with what steers a terminal replaced: control, direction and unassigned characters."""
    if text.isascii() and text.isprintable():
        return text
    shown = (" " if character in "\t\n\r" else character if _shows(character) else _UNSHOWN for character in text)
    return "".join(shown)


class _Paint:
    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, code: str, text: str) -> str:
        return f"{code}{text}{_PLAIN}" if self.color and text else text


def _excerpt(span: Span, source: Source, paint: _Paint, color: str) -> list[str]:
    """The line of a span and the marks under it."""
    line = source.line(span.line)
    if not line.strip():
        return []
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line.rstrip())
    # A file may be one line: what is far off is not looked at.
    far_left, far_right = max(0, start - _REACH), start + _REACH
    is_cut_left, is_cut_right = far_left > 0, far_right < len(line)
    line, start, end = line[far_left:far_right], start - far_left, end - far_left
    cells = [_TAB if character == "\t" else character if _shows(character) else _UNSHOWN for character in line]
    widths = [_columns(cell) for cell in cells]
    first, last = _window(widths, start)
    shown = "".join(cells[first:last])
    left, right = _CUT if first or is_cut_left else "", _CUT if last < len(cells) or is_cut_right else ""
    blanks = sum(widths[first:start]) + len(left)
    marks = max(1, sum(widths[start : max(start, min(end, last))]))
    number = str(span.line)
    bar = paint(_FAINT, "|")
    return [
        f"  {paint(_FAINT, number)} {bar} {left}{shown}{right}".rstrip(),
        f"  {' ' * len(number)} {bar} {' ' * blanks}{paint(color, '^' * marks)}",
    ]


def _window(widths: list[int], start: int) -> tuple[int, int]:
    """Which characters of a line are shown: all, or about _WIDTH columns around the one at `start`."""
    if sum(widths) <= _WIDTH:
        return 0, len(widths)
    first, columns = start, 0
    while first > 0 and columns + widths[first - 1] <= _BEFORE:
        first -= 1
        columns += widths[first]
    last = start
    while last < len(widths) and columns + widths[last] <= _WIDTH:
        columns += widths[last]
        last += 1
    return first, last


def _shows(character: str) -> bool:
    """Whether a character takes up room and does nothing else. Marks that join the one before are shown too."""
    return character == " " or unicodedata.category(character)[0] not in "CZ" or character == "\u3000"


def _columns(cell: str) -> int:
    """How many columns of a terminal a cell takes."""
    if len(cell) > 1 or cell.isascii():
        return len(cell)
    if unicodedata.category(cell) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1
