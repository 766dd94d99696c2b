"""Builds the tree of nodes from a stream of openings, values and closings, and keeps every budget.

It knows neither YAML's nor JSON's spelling. It holds its own stack: deep nesting costs no recursion.
"""

from __future__ import annotations

from typing import NoReturn

from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, Node, Scalar, ScalarValue, Sequence
from argosy.syntax.scalars import key_text
from argosy.syntax.span import Source, end_of, pack, start_of

# A file is refused as too dense when its nodes are more than this plus a sixth of the characters read so far.
_DENSE_FROM = 6_000
# A value weighs one node more for so many characters (as a shift), so that aliases of long texts are bounded too.
_WEIGHT_SHIFT = 6


class Stop(Exception):
    """Reading cannot go on; the diagnostic is among the builder's already."""


class _Frame:
    """A sequence or mapping that is still open."""

    __slots__ = ("anchor", "height", "key", "key_place", "merges", "node", "weight")

    def __init__(self, node: Sequence | Mapping, anchor: str | None, weight: int) -> None:
        self.node = node
        self.anchor = anchor
        self.weight = weight
        self.key: str | None = None
        self.key_place = 0
        self.height = 1
        self.merges: list[tuple[Node, int]] | None = None


class _Anchor:
    __slots__ = ("height", "node", "weight")

    def __init__(self, node: Node, weight: int, height: int) -> None:
        self.node = node
        self.weight = weight
        self.height = height


# Stands for the key `<<`.
_MERGE = "\0merge"


class TreeBuilder:
    """Takes what a tokenizer finds, in order; `documents` and `diagnostics` are what came of it."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.documents: list[Node] = []
        self.diagnostics: list[Diagnostic] = []
        self._stack: list[_Frame] = []
        self._top: _Frame | None = None
        self._anchors: dict[str, _Anchor | None] = {}
        self._keys: dict[str, str] = {}
        self._count = 0
        self._weight = 0
        self._alias_weight = 0
        self._merged = 0

    # -- what a tokenizer calls ---------------------------------------------------------------------------------

    def start_document(self, place: int = 0) -> None:
        self._anchors = {}
        if len(self.documents) >= self.limits.documents:
            message = f"more than {self.limits.documents} documents in one file"
            self.stop("file-limit", message, place, hint="split the file")

    def scalar(self, value: ScalarValue, length: int, place: int, anchor: str | None = None) -> None:
        """A value whose text has `length` characters."""
        top = self._top
        if top is not None and top.key is None and isinstance(top.node, Mapping):
            self._key(top, value, length, place)
            if anchor is not None:
                self._anchors[anchor] = _Anchor(Scalar(value, place), 1, 0)
            return
        self.check_length(length, place)
        node = Scalar(value, place)
        self._counted(1 + (length >> _WEIGHT_SHIFT), place)
        if anchor is not None:
            self._anchors[anchor] = _Anchor(node, 1 + (length >> _WEIGHT_SHIFT), 0)
        self._add(node, 0)

    def open(self, node: Sequence | Mapping, anchor: str | None = None) -> None:
        top = self._top
        if top is not None and top.key is None and isinstance(top.node, Mapping):
            self._complex_key(node)
        if len(self._stack) >= self.limits.depth:
            self.stop("file-limit", f"nested deeper than {self.limits.depth} levels", node.place)
        self._counted(1, node.place)
        self._top = _Frame(node, anchor, self._weight - 1)
        self._stack.append(self._top)
        if anchor is not None:
            self._anchors[anchor] = None

    def close(self, end: int | None) -> None:
        """The innermost opening ends: at an offset, or (None) behind its last value."""
        frame = self._stack.pop()
        node = frame.node
        if isinstance(node, Mapping):
            if frame.merges:
                self._merge(frame, node)
            last = next(reversed(node.values.values()), None) if end is None else None
            if last is not None and start_of(last.place) < start_of(node.key_places[-1]):
                last = Scalar(None, node.key_places[-1])
        else:
            last = node.items[-1] if end is None and node.items else None
        if end is None:
            end = end_of(last.place) if last is not None else end_of(node.place)
        start = start_of(node.place)
        node.place = pack(start, max(start, end))
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchor(node, self._weight - frame.weight, frame.height)
        self._top = self._stack[-1] if self._stack else None
        self._add(node, frame.height)

    def alias(self, name: str, place: int) -> None:
        """A reference to an anchor that stands earlier in the document."""
        if name not in self._anchors:
            near = did_you_mean(name, self._anchors)
            hint = f"did you mean `*{near}`?" if near else f"put `&{name}` before the value that is meant"
            self.stop("yaml-alias", f"`*{name}` refers to an anchor that is not defined above it", place, hint=hint)
        anchor = self._anchors[name]
        if anchor is None:
            self.stop(
                "yaml-alias", f"`*{name}` stands inside the value that it refers to", place, hint="copy it instead"
            )
        self._alias_weight += anchor.weight
        self._weight += anchor.weight
        if self._alias_weight > self.limits.alias_nodes:
            self.stop("file-limit", f"aliases stand for more than {self.limits.alias_nodes} values", place)
        if len(self._stack) + anchor.height > self.limits.depth:
            self.stop("file-limit", f"nested deeper than {self.limits.depth} levels, aliases followed", place)
        top = self._top
        if top is not None and top.key is None and isinstance(top.node, Mapping):
            if not isinstance(anchor.node, Scalar):
                self._complex_key(anchor.node)
            self._key(top, anchor.node.value, 0, place)
            return
        self._add(anchor.node, anchor.height)

    def check_length(self, length: int, place: int) -> None:
        most = self.limits.scalar_characters
        if length > most:
            self.stop("file-limit", f"a value of {length} characters; the most is {most}", place)

    def merge_key(self, place: int) -> bool:
        """The word `<<`, unquoted. True if it stands as a key, and so means: take over what follows."""
        top = self._top
        if top is None or top.key is not None or not isinstance(top.node, Mapping):
            return False
        top.key = _MERGE
        top.key_place = place
        return True

    def report(
        self,
        rule: str,
        message: str,
        place: int,
        *,
        why: str = "",
        hint: str = "",
        related: tuple[int, str] | None = None,
    ) -> None:
        """An error that lets reading go on. Raises Stop when there are too many of them."""
        places = ((self.source.span(related[0]), related[1]),) if related else ()
        span = self.source.span(place)
        self.diagnostics.append(
            Diagnostic(rule=rule, severity="error", message=message, span=span, why=why, hint=hint, related=places)
        )
        if len(self.diagnostics) >= self.limits.problems:
            raise Stop

    def stop(self, rule: str, message: str, place: int, *, why: str = "", hint: str = "") -> NoReturn:
        """An error behind which nothing can be read. Always raises Stop."""
        self.report(rule, message, place, why=why, hint=hint)
        raise Stop

    # -- inside -------------------------------------------------------------------------------------------------

    def _counted(self, weight: int, place: int) -> None:
        self._weight += weight
        self._count += 1
        if self._count > _DENSE_FROM:
            if self._count > self.limits.nodes:
                self.stop("file-limit", f"more than {self.limits.nodes} values in one file", place)
            if self._count > _DENSE_FROM + start_of(place) // 6:
                self.stop(
                    "file-limit",
                    f"more than {_DENSE_FROM} values that are hardly a character each",
                    place,
                    hint="let the workflow make them: `withSequence`, or `withParam` with a step's output",
                )

    def _add(self, node: Node, height: int) -> None:
        frame = self._top
        if frame is None:
            self.documents.append(node)
            return
        if height >= frame.height:
            frame.height = height + 1
        parent = frame.node
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = frame.key
        frame.key = None
        if key is _MERGE:
            if frame.merges is None:
                frame.merges = []
            frame.merges.append((node, frame.key_place))
        elif key is not None:
            if key not in parent.values:
                parent.key_places.append(frame.key_place)
            # Of equal keys the last counts, for those who take them for less than an error.
            parent.values[key] = node

    def _key(self, frame: _Frame, value: ScalarValue, length: int, place: int) -> None:
        if value is None:
            self.stop("yaml-key", "a key is missing before the colon", place)
        if length > self.limits.key_characters:
            self.stop("file-limit", f"a key of {length} characters; the most is {self.limits.key_characters}", place)
        name = value if isinstance(value, str) else key_text(value)
        name = self._keys.setdefault(name, name)
        mapping = frame.node
        if isinstance(mapping, Mapping) and name in mapping.values:
            self.report(
                "yaml-duplicate-key",
                f"the key `{shortened(name)}` stands twice in one mapping",
                place,
                hint="remove one, or give it another name",
                related=(mapping.key_place(name), "first written here"),
            )
        frame.key = name
        frame.key_place = place

    def _complex_key(self, node: Node) -> NoReturn:
        offset = start_of(node.place)
        if self.source.text[max(0, offset - 1) : offset + 2].count("{{"):
            self.stop(
                "yaml-key",
                "a `{{...}}` tag must stand in quotes here",
                node.place,
                why="outside quotes YAML takes `{` as the start of a mapping",
                hint='write "{{...}}", quotes included',
            )
        self.stop("yaml-key", "a key must be a word, not a list or a mapping", node.place, hint="put it in quotes")

    def _merge(self, frame: _Frame, mapping: Mapping) -> None:
        """What `<<` brings: a key that is written out wins, then the first source that has it."""
        for value, place in frame.merges or ():
            for given in value.items if isinstance(value, Sequence) else (value,):
                if not isinstance(given, Mapping):
                    self.stop("yaml-merge", "`<<` takes a mapping or a list of mappings", place)
                self._merged += len(given.values)
                if self._merged > self.limits.merge_keys:
                    self.stop("file-limit", f"merge keys bring more than {self.limits.merge_keys} keys", place)
                for (name, child), key_place in zip(given.values.items(), given.key_places, strict=True):
                    if name not in mapping.values:
                        mapping.values[name] = child
                        mapping.key_places.append(key_place)


def shortened(text: str, most: int = 60) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"
