"""Where the tags of a text are.

It knows braces, quotes and JSON's escapes, not names or values. In JSON a tag lies within one string. A simple tag may
hold further simple tags. An expression ends at the first `}}` at which its own quotes and braces are closed, so that
`{{={a: {b: 1}}}}` is one tag; if there is no such place, at the first `}}`. `{{` without an end is text.
"""

from __future__ import annotations

import json
import re

import msgspec

MAX_NESTING = 20
MAX_ENDS = 64

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`""", re.DOTALL)
_BRACE = re.compile(r"""['"`{}]""")
_MARK = re.compile(r"\{\{|\}\}")


class RawTag(msgspec.Struct, frozen=True):
    """A tag as it stands. text: its inside, unescaped, trimmed, without `=`. inner: its pieces if tags are within."""

    raw: str
    text: str
    expression: bool
    start: int
    inner: tuple[str | RawTag, ...] = ()


Piece = str | RawTag


def scan(text: str, in_json: bool) -> tuple[Piece, ...]:
    """The text as plain pieces and tags, in order; their raw forms joined give the text again."""
    pieces: list[Piece] = []
    offset = 0
    while True:
        start = text.find("{{", offset)
        if start < 0:
            break
        limit = _string_end(text, start) if in_json else len(text)
        tag = _tag_at(text, start, limit, in_json, 0)
        if tag is None:
            offset_after = start + 2
            pieces.append(text[offset:offset_after])
            offset = offset_after
            continue
        pieces.append(text[offset:start])
        pieces.append(tag)
        offset = start + len(tag.raw)
    pieces.append(text[offset:])
    return tuple(piece for piece in pieces if piece != "")


def _string_end(text: str, start: int) -> int:
    """Where the JSON string that holds `start` ends."""
    offset = start
    while (quote := text.find('"', offset)) >= 0:
        slashes = quote
        while slashes > start and text[slashes - 1] == "\\":
            slashes -= 1
        if (quote - slashes) % 2 == 0:
            return quote
        offset = quote + 1
    return len(text)


def _tag_at(text: str, start: int, limit: int, in_json: bool, depth: int) -> RawTag | None:
    if text.startswith("=", start + 2, limit):
        return _expression_at(text, start, limit, in_json)
    inner: list[Piece] = []
    offset = start + 2
    while True:
        mark = _MARK.search(text, offset, limit)
        if mark is None:
            return None
        if mark.group() == "}}":
            break
        if depth >= MAX_NESTING:
            return None
        within = _tag_at(text, mark.start(), limit, in_json, depth + 1)
        if within is None or within.expression:
            return None
        if text[offset : mark.start()]:
            inner.append(_plain(text[offset : mark.start()], in_json))
        inner.append(within)
        offset = mark.start() + len(within.raw)
    if inner and text[offset : mark.start()]:
        inner.append(_plain(text[offset : mark.start()], in_json))
    content = _plain(text[start + 2 : mark.start()], in_json).strip()
    return RawTag(text[start : mark.end()], content, False, start, tuple(inner))


def _expression_at(text: str, start: int, limit: int, in_json: bool) -> RawTag | None:
    first = end = text.find("}}", start, limit)
    if first < 0:
        return None
    for _ in range(MAX_ENDS):
        content = _plain(text[start + 3 : end], in_json)
        if _is_closed(content):
            return RawTag(text[start : end + 2], content.strip(), True, start)
        end = text.find("}}", end + 1, limit)
        if end < 0:
            break
    return RawTag(text[start : first + 2], _plain(text[start + 3 : first], in_json).strip(), True, start)


def _is_closed(content: str) -> bool:
    """Whether every quote and brace that is opened is closed again."""
    offset, open_braces = 0, 0
    while found := _BRACE.search(content, offset):
        mark = found.group()
        if mark in "{}":
            open_braces += 1 if mark == "{" else -1
            offset = found.end()
            continue
        quoted = _QUOTED.match(content, found.start())
        if quoted is None:
            return False
        offset = quoted.end()
    return open_braces <= 0


def _plain(text: str, in_json: bool) -> str:
    """A piece of a JSON string as the text it stands for; as it is, when it is no such piece."""
    if not in_json or "\\" not in text:
        return text
    try:
        return json.loads(f'"{text}"', strict=False)
    except ValueError:
        return text
