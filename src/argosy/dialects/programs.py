"""Places in a Python program, for findings that speak of the manifest that was made of it.

It knows lines only: which part of the manifest was written at which line of which file.
"""

from __future__ import annotations

from collections.abc import Mapping

from argosy.syntax.nodes import Mapping as MappingNode
from argosy.syntax.nodes import Node, Scalar
from argosy.syntax.parse import parse
from argosy.syntax.source_map import Path, SourceMap
from argosy.syntax.span import Source, Span, end_of, start_of

Parts = tuple[str | int, ...]
Line = tuple[str, int]


def span_of(source: Source, file: str, line: int, first: int = 0, behind: int = 0) -> Span:
    """A line of a program, or its columns from `first` up to `behind`; 0 for the whole line without its blanks."""
    text = source.line(line) if file == source.file else ""
    begin = first or len(text) - len(text.lstrip()) + 1
    end = behind or max(len(text.rstrip()), begin) + 1
    return Span(file=file, line=line, column=begin, end_line=line, end_column=max(end, begin + 1))


class ProgramMap(SourceMap):
    """A source map that takes paths of the manifest and gives lines of the program."""

    __slots__ = ("_made", "_origins")

    def __init__(self, made: SourceMap | None, source: Source, origins: Mapping[Parts, Line]) -> None:
        """made: of the manifest itself, which says what is in it. origins: paths of it, each with a file and a line."""
        super().__init__(made.root if made is not None else Scalar(value=None, place=0), source)
        self._made = made
        self._origins = dict(origins)

    def span(self, path: Path) -> Span:
        """The line of the nearest part that is known."""
        whole = tuple(path)
        for length in range(len(whole), -1, -1):
            found = self._origins.get(whole[:length])
            if found is not None:
                return span_of(self.source, *found)
        return span_of(self.source, self.source.file, 1)

    def key_span(self, path: Path) -> Span:
        return self.span(path)

    def contains(self, path: Path) -> bool:
        """Whether the manifest has something at this path."""
        return self._made is not None and self._made.contains(path)


def path_at(text: str, span: Span) -> Parts:
    """The path of what stands at a place of a manifest's text."""
    parsed = parse(text, span.file)
    if not parsed.documents:
        return ()
    node, found = parsed.documents[0], ()
    while True:
        below = _below(node, parsed.source, span)
        if below is None:
            return found
        node, found = below[0], (*found, below[1])


def _below(node: Node, source: Source, span: Span) -> tuple[Node, str | int] | None:
    """The part of a node that a place is in, its key included."""
    where = (span.line, span.column)
    if isinstance(node, Scalar):
        return None
    if isinstance(node, MappingNode):
        parts = [
            (start_of(key), value, name)
            for key, (name, value) in zip(node.key_places, node.values.items(), strict=True)
        ]
    else:
        parts = [(start_of(value.place), value, number) for number, value in enumerate(node.items)]
    for start, value, name in parts:
        if source.position(start) <= where <= source.position(end_of(value.place)):
            return value, name
    return None
