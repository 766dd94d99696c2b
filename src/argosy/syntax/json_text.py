"""JSON to nodes with places, without recursion.

It knows JSON's spelling (RFC 8259) and nothing else; budgets and the tree are the builder's.
"""

from __future__ import annotations

import math
import re
from typing import NoReturn

from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, ScalarValue, Sequence
from argosy.syntax.scalars import integer, whole
from argosy.syntax.span import Source, pack
from argosy.syntax.tree import TreeBuilder, shortened

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
    (?P<mark>[\[\]{},:])
    |"(?P<simple>[^"\\\x00-\x1f]*+)"
    |"(?P<escaped>(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+)"
    |(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![0-9a-zA-Z_.+-])
    |(?P<word>true|false|null)(?![0-9a-zA-Z_])
    |(?P<end>\Z)
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, ScalarValue] = {"true": True, "false": False, "null": None}
_BLANKS = " \t\n\r"


def read_json(source: Source, limits: Limits, builder: TreeBuilder) -> None:
    """Feed one JSON document to the builder. Raises `tree.Stop` when it is wrong."""
    _Reader(source, limits, builder).read()


class _Reader:
    def __init__(self, source: Source, limits: Limits, builder: TreeBuilder) -> None:
        self.text = source.text
        self.limits = limits
        self.builder = builder
        # The closing mark of each opening that is open.
        self.open: list[str] = []

    def read(self) -> None:
        """`wanted` says what may come: a value, a key, or what stands behind a value; `!` where a closing may too."""
        self.builder.start_document()
        wanted = "value"
        offset = 0
        while wanted != "end":
            found = _TOKEN.match(self.text, offset)
            if found is None:
                self._unreadable(offset)
            offset = found.end()
            wanted = self._take(found, wanted)
        tail = _TOKEN.match(self.text, offset)
        if tail is None or tail.lastgroup != "end":
            self._fail("there is more text behind the end of the JSON document", offset)

    def _take(self, found: re.Match[str], wanted: str) -> str:
        kind = found.lastgroup
        if kind == "mark":
            return self._mark(found["mark"], found.start("mark"), wanted)
        if kind == "end":
            closing = f"`{self.open[-1]}`" if self.open else "a value"
            self._fail(f"the text ends where {closing} is expected", len(self.text))
        start, end = self._place(found)
        if wanted.startswith("key") and kind not in ("simple", "escaped"):
            self._fail("expected a key in double quotes", start)
        if not wanted.startswith(("key", "value")):
            self._fail(f"expected {self._expected(wanted)}", start)
        self.builder.check_length(end - start, pack(start, end))
        value = self._value(found, kind or "", start, end)
        self.builder.scalar(value, end - start, pack(start, end))
        return "colon" if wanted.startswith("key") else self._behind()

    def _place(self, found: re.Match[str]) -> tuple[int, int]:
        kind = found.lastgroup or ""
        quoted = kind in ("simple", "escaped")
        return found.start(kind) - quoted, found.end(kind) + quoted

    def _value(self, found: re.Match[str], kind: str, start: int, end: int) -> ScalarValue:
        if kind == "simple":
            return found["simple"]
        if kind == "escaped":
            text = _ESCAPE.sub(_unescaped, found["escaped"])
            if _has_surrogate(text):
                self._fail("half of a surrogate pair is no character", start)
            return text
        if kind == "word":
            return _WORDS[found["word"]]
        if end - start > self.limits.digits:
            self.builder.stop("file-limit", f"a number of {end - start} digits", pack(start, end))
        return self._number(found["number"], pack(start, end))

    def _number(self, text: str, place: int) -> ScalarValue:
        if text.lstrip("-").isdecimal():
            return integer(text)
        number = float(text)
        if math.isinf(number):
            self.builder.report("yaml-number", f"`{shortened(text)}` is too large a number", place)
        return whole(number)

    def _mark(self, mark: str, offset: int, wanted: str) -> str:
        if mark in "[{" and wanted.startswith("value"):
            place = pack(offset, offset + 1)
            self.open.append("]" if mark == "[" else "}")
            if mark == "[":
                self.builder.open(Sequence([], place))
                return "value!"
            self.builder.open(Mapping({}, [], place))
            return "key!"
        if mark == ":" and wanted == "colon":
            return "value"
        if mark == "," and wanted == "comma":
            return "value" if self.open[-1] == "]" else "key"
        if not self.open or mark != self.open[-1] or not (wanted == "comma" or wanted.endswith("!")):
            self._fail(f"expected {self._expected(wanted)}, found `{mark}`", offset)
        self.open.pop()
        self.builder.close(offset + 1)
        return self._behind()

    def _behind(self) -> str:
        return "comma" if self.open else "end"

    def _expected(self, wanted: str) -> str:
        if wanted == "colon":
            return "`:`"
        if wanted == "comma":
            return f"`,` or `{self.open[-1]}`"
        return "a key in double quotes" if wanted.startswith("key") else "a value"

    def _unreadable(self, offset: int) -> NoReturn:
        while offset < len(self.text) and self.text[offset] in _BLANKS:
            offset += 1
        if self.text[offset] == '"':
            self._fail("this string has no closing quote on its line, or a wrong escape", offset)
        word = re.match(r"[^\s,:\[\]{}]*", self.text[offset : offset + 200])
        self._fail(f"`{shortened(word[0] if word and word[0] else self.text[offset])}` is no JSON", offset)

    def _fail(self, message: str, offset: int) -> NoReturn:
        self.builder.stop("json-syntax", message, pack(offset, min(offset + 1, len(self.text))))


def _unescaped(found: re.Match[str]) -> str:
    high, low, single, letter = found.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if single:
        return chr(int(single, 16))
    return _ESCAPES.get(letter, letter)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False
