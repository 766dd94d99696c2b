"""Hiding known values in bytes, whole or as they stream by: a value that is cut by the end of a piece is hidden too.

It knows texts to look for, not which values they spell (`redaction` does) nor where the bytes come from. Only builtins
are imported: the program that reads along with a step loads this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

HIDDEN = b"***"
_LINE_ENDS = b"\r\n"
# Base64 is broken into lines by many programs. A text is looked for across line ends if it has so many characters, ...
_SHORTEST_BROKEN = 8
# ... so many of them stand before the first line end, ...
_UNBROKEN = 4
# ... and line ends make it at most so many times as long.
_STRETCH = 2


class Masker:
    """One stream. `feed` it pieces and write what it gives, at last that of `end`.

    Every byte that belongs to an occurrence of a text is left out, and each unbroken row of such bytes becomes `***`.
    That depends on the stream alone, not on where it was cut into pieces. What is held back is only what may be the
    beginning of a text.
    """

    def __init__(self, texts: Sequence[bytes], broken: Sequence[bytes] = ()) -> None:
        """texts: to be hidden. broken: those of them that line ends may break."""
        self._texts = tuple(text for text in texts if text)
        self._broken = tuple(text for text in broken if len(text) >= _SHORTEST_BROKEN)
        self._held = b""
        # How far into what is held the last occurrence reaches, and whether what was given last was hidden.
        self._covered = 0
        self._hiding = False

    def feed(self, data: bytes) -> bytes:
        """What can be said of the stream after one more piece."""
        if not self._texts:
            return data
        whole = self._held + data
        return self._give(whole, self._certain(whole))

    def end(self) -> bytes:
        """What was held back."""
        return self._give(self._held, len(self._held))

    def _give(self, whole: bytes, certain: int) -> bytes:
        """The first `certain` bytes, masked."""
        given: list[bytes] = []
        at = self._covered
        for start, stop in sorted(self._occurrences(whole)):
            if start >= certain:
                break
            if stop <= at:
                continue
            if start > at:
                given.append(whole[at:start])
                self._hiding = False
            if not self._hiding:
                given.append(HIDDEN)
                self._hiding = True
            at = stop
        if at < certain:
            given.append(whole[at:certain])
            self._hiding = False
            at = certain
        self._held, self._covered = whole[certain:], at - certain
        return b"".join(given)

    # -- whole occurrences

    def _occurrences(self, whole: bytes) -> Iterable[tuple[int, int]]:
        for text in self._texts:
            at = whole.find(text)
            while at >= 0:
                yield at, at + len(text)
                at = whole.find(text, at + 1)
        if self._broken:
            yield from self._broken_occurrences(whole)

    def _broken_occurrences(self, whole: bytes) -> Iterable[tuple[int, int]]:
        joined = whole.translate(None, _LINE_ENDS)
        if len(joined) == len(whole):
            return
        places: list[int] = []
        for text in self._broken:
            at = joined.find(text)
            while at >= 0:
                places = places or _places(whole)
                start, stop = places[at], places[at + len(text) - 1] + 1
                if _may_be_broken(places, at, len(text)) and stop - start <= _STRETCH * len(text):
                    yield start, stop
                at = joined.find(text, at + 1)

    # -- beginnings

    def _certain(self, whole: bytes) -> int:
        """Where the first text begins, if any does, that more of the stream may complete."""
        certain = len(whole)
        for text in self._texts:
            certain = min(certain, _beginning(whole, text))
        if self._broken:
            longest = max(map(len, self._broken))
            tail = whole[-_STRETCH * longest :]
            joined = tail.translate(None, _LINE_ENDS)
            if len(joined) < len(tail):
                certain = min(certain, self._broken_beginning(tail, joined) + len(whole) - len(tail))
        return certain

    def _broken_beginning(self, tail: bytes, joined: bytes) -> int:
        found, places = len(tail), _places(tail)
        for text in self._broken:
            at = _beginning(joined, text)
            while at < len(joined):
                length = len(joined) - at
                if _may_be_broken(places, at, length) and len(tail) - places[at] < _STRETCH * len(text):
                    found = min(found, places[at])
                    break
                at = at + 1 + _beginning(joined[at + 1 :], text)
        return found


def _places(data: bytes) -> list[int]:
    """Where each byte stands that is no line end."""
    return [place for place, byte in enumerate(data) if byte not in _LINE_ENDS]


def _may_be_broken(places: list[int], at: int, length: int) -> bool:
    """Whether enough stands together before the first line end."""
    return length >= _UNBROKEN and places[at + _UNBROKEN - 1] - places[at] == _UNBROKEN - 1


def _beginning(data: bytes, text: bytes) -> int:
    """The first place from which all of the rest of the data is the beginning of the text, and not all of it."""
    head = text[:4]
    at = data.find(head, max(0, len(data) - len(text) + 1))
    while at >= 0:
        if text.startswith(data[at:]):
            return at
        at = data.find(head, at + 1)
    for length in range(min(len(head), len(text)) - 1, 0, -1):
        if data.endswith(text[:length]):
            return len(data) - length
    return len(data)


def masked(data: bytes, texts: Sequence[bytes], broken: Sequence[bytes] = ()) -> bytes:
    """The data without these texts."""
    masker = Masker(texts, broken)
    return masker.feed(data) + masker.end()
