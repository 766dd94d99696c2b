"""What the command line says and how: data on stdout, talk on stderr, colours on terminals only.

It holds the only print, and lets nothing that steers a terminal through; it knows no runs.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from argosy.errors import ArgosyError, InvalidFile

if TYPE_CHECKING:
    from argosy.syntax.diagnostics import Diagnostic

LARGEST_FILE = 1 << 24
BOLD, FAINT, RED, GREEN, YELLOW, BLUE = "1", "2", "31", "32", "33", "34"


class Console:
    """Two streams and what may be written to each."""

    def __init__(self, out: TextIO, err: TextIO, environment: dict[str, str]) -> None:
        self._out = out
        self._err = err
        plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
        self.out_is_terminal = _is_terminal(out)
        self.err_is_terminal = _is_terminal(err)
        self.color_out = self.out_is_terminal and not plain
        self.color_err = self.err_is_terminal and not plain
        self.live = self.err_is_terminal and environment.get("TERM") != "dumb"

    @staticmethod
    @cache
    def of_process() -> Console:
        """This process's console."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return Console(sys.stdout, sys.stderr, dict(os.environ))

    # -- stdout

    def data(self, text: str) -> None:
        """A line of what was asked for."""
        _print(text, self._out)

    def bytes(self, data: bytes) -> None:
        """Bytes of what was asked for, as they are, without a line's end."""
        self._out.flush()
        buffer = getattr(self._out, "buffer", None)
        if buffer is None:
            self._out.write(data.decode(errors="replace"))
        else:
            buffer.write(data)

    def json(self, value: object) -> None:
        """A JSON document."""
        self.data(json.dumps(value, indent=2, ensure_ascii=False))

    def yaml(self, value: object) -> None:
        """A YAML document."""
        import yaml

        dumper = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper
        text: Any = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1 << 30)
        self.data(text.rstrip("\n"))

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str]], *, colors: Mapping[str, str] | None = None
    ) -> None:
        """Rows in columns as wide as they need to be. colors: of cells that are one of these words, on a terminal."""
        shown = [[visible(cell) for cell in row] for row in rows]
        widths = [max(len(cell) for cell in column) for column in zip(head, *shown, strict=True)]
        title = "  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True)).rstrip()
        self.data(self.paint(title, BOLD))
        for row in shown:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            painted = [
                self.paint(padded, (colors or {}).get(cell, "")) for cell, padded in zip(row, cells, strict=True)
            ]
            self.data("  ".join(painted).rstrip())

    def paint(self, text: str, code: str) -> str:
        """The text in a colour, on a terminal; for stdout."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color_out and text and code else text

    # -- stderr

    def say(self, text: str, *, plain: bool = False) -> None:
        """A line of talk. plain: the text has line breaks of its own."""
        _print(text if plain else visible(text), self._err)

    def say_painted(self, text: str, code: str) -> None:
        """A line of talk in a colour, on a terminal."""
        shown = visible(text)
        _print(f"\x1b[{code}m{shown}\x1b[0m" if self.color_err else shown, self._err)

    def trouble(self, message: str, hint: str, id: str = "", excerpt: str = "") -> None:
        """What went wrong, and what to do. id: as in docs/errors.md. excerpt: lines with marks at the place."""
        word = "\x1b[1;31merror:\x1b[0m" if self.color_err else "error:"
        _print(f"{word} {visible(message)}{f' [{id}]' if id else ''}", self._err)
        for line in excerpt.splitlines():
            _print(f"  {visible(line)}", self._err)
        if hint:
            label = "\x1b[1mhint:\x1b[0m" if self.color_err else "hint:"
            _print(f"  {label} {visible(hint)}", self._err)

    def error(self, error: ArgosyError) -> None:
        """An error as its kind is told: findings at their places, or a message with what to do."""
        diagnostics = error.diagnostics if isinstance(error, InvalidFile) else ()
        if diagnostics:
            self.diagnostics(diagnostics, None)
        else:
            self.trouble(error.message, error.hint, error.id, getattr(error, "excerpt", ""))

    def diagnostics(self, diagnostics: Iterable[object], source: Any, *, to_out: bool = False) -> None:
        """Findings at their places, each with its line of the source, or of the file if no source is given."""
        from argosy.syntax.diagnostics import Diagnostic

        color = self.color_out if to_out else self.color_err
        for found in diagnostics:
            if isinstance(found, Diagnostic):
                from argosy.syntax.render import render

                text = source if _is_of(source, found) else None
                text = text or (_text_of(found.span.file) if found.span else None)
                _print(render(found, _without_values(text), color=color), self._out if to_out else self._err)

    def flush(self) -> None:
        """Raises BrokenPipeError when nobody reads any more."""
        self._out.flush()
        self._err.flush()


def visible(text: str) -> str:
    """The text on one line, without what steers a terminal."""
    if text.isascii() and text.isprintable():
        return text
    from argosy.syntax.render import visible as without_controls

    return without_controls(text)


def _is_of(source: Any, found: Diagnostic) -> bool:
    """Whether a source is the file that a finding is about, as far as it says which it is."""
    return found.span is None or getattr(source, "file", found.span.file) == found.span.file


@cache
def _text_of(file: str) -> str | None:
    """The file that a finding is about, None when it cannot be read (any more)."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read(LARGEST_FILE)
    except (OSError, ValueError):
        return None


def _without_values(source: Any) -> Any:
    """A text, or a source with one, as it may be shown: a Secret's values are in no excerpt."""
    text = source if isinstance(source, str) else getattr(source, "text", "")
    if "Secret" not in text:
        return source
    from argosy.dialects.secret_text import without_values

    shown = without_values(text)
    return shown if isinstance(source, str) else type(source)(shown, source.file)


def _print(text: str, stream: TextIO) -> None:
    print(text, file=stream)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False
