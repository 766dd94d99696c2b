"""The tokens of an expr-lang expression.

It knows characters, not grammar. Source: expr-lang's language definition, version 1.17.8.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from argosy.errors import ExpressionError

MAX_LENGTH = 100_000


class Token(msgspec.Struct, frozen=True):
    """One token. kind: name, number, string, bytes, operator, bracket, end. value: the word, or what a text says."""

    kind: str
    value: str
    position: int


_WORD_OPERATORS = frozenset(
    ["not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else"]
)


@cache
def _token() -> re.Pattern[str]:
    return re.compile(
        r"""
        (?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<open>/\*)
      | (?P<bytes>[bB](?=['"]))
      | (?P<string>['"`])
      | (?P<number>0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*
          |(?:[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]*)?)
      | (?P<name>[^\W\d][\w$]*|\$[\w$]*)
      | (?P<operator>\?[.?]?|\|\|?|::?|\.\.?|\#|[&!=*<>][&=*]?|[,;%+^/-])
      | (?P<bracket>[()\[\]{}])
        """,
        re.VERBOSE | re.DOTALL,
    )


def tokens_of(text: str) -> list[Token]:
    """All tokens and a last one of kind `end`. Raises ExpressionError with the position."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    tokens: list[Token] = []
    offset = 0
    match = _token().match
    while offset < len(text):
        found = match(text, offset)
        if found is None:
            raise ExpressionError(f"unrecognized character {text[offset]!r}", position=offset)
        kind = str(found.lastgroup)
        if kind == "open":
            raise ExpressionError("unclosed comment", position=offset)
        if kind in ("string", "bytes"):
            token, offset = _quoted(text, offset, kind)
            tokens.append(token)
            continue
        if kind != "space":
            tokens.append(_plain(text, found, kind))
        offset = found.end()
    tokens.append(Token("end", "", len(text)))
    return tokens


def _plain(text: str, found: re.Match[str], kind: str) -> Token:
    value = found.group()
    if kind == "number" and re.match(r"[\w$]", text[found.end() : found.end() + 1]):
        raise ExpressionError(f"bad number syntax: '{value}{text[found.end()]}'", position=found.start())
    if kind == "name" and value in _WORD_OPERATORS:
        kind = "operator"
    return Token(kind, value, found.start())


def _quoted(text: str, start: int, kind: str) -> tuple[Token, int]:
    opening = start + (kind == "bytes")
    quote = text[opening]
    if quote == "`":
        return _raw(text, start)
    parts: list[str] = []
    offset = opening + 1
    while True:
        end = re.compile(_PLAIN_RUN[quote]).match(text, offset)
        assert end is not None
        parts.append(end.group())
        offset = end.end()
        character = text[offset : offset + 1]
        if character == quote:
            break
        if character != "\\":
            raise ExpressionError("literal not terminated", position=start)
        value, offset = _escape(text, offset, quote, kind)
        parts.append(value)
    content = "".join(parts)
    if kind == "string":  # two halves of a pair, written as two escapes, are one character
        content = content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Token(kind, content, start), offset + 1


_PLAIN_RUN = {"'": r"[^'\\\n]*", '"': r'[^"\\\n]*'}
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_CODED = r"x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})"


def _escape(text: str, offset: int, quote: str, kind: str) -> tuple[str, int]:
    """The character that the escape at `offset` stands for, and where the text goes on."""
    letter = text[offset + 1 : offset + 2]
    if letter == quote and letter:
        return quote, offset + 2
    if letter in _LETTERS:
        return _LETTERS[letter], offset + 2
    found = re.compile(_CODED).match(text, offset + 1)
    if found is None or (kind == "bytes" and letter in "uU"):
        raise ExpressionError("invalid char escape", position=offset)
    octal = found.group(5)
    code = int(octal, 8) if octal else int(found.group(1) or found.group(2) or found.group(3) or found.group(4), 16)
    if code > 0x10FFFF or (octal and code > 0xFF):
        raise ExpressionError("invalid char escape", position=offset)
    if kind == "bytes":  # a lone byte travels as the surrogate that the parser turns back
        return (chr(code) if code < 0x80 else chr(0xDC00 + code)), found.end()
    return chr(code), found.end()


def _raw(text: str, start: int) -> tuple[Token, int]:
    """Text between backticks; two in a row stand for one."""
    parts: list[str] = []
    offset = start + 1
    while True:
        end = text.find("`", offset)
        if end < 0:
            raise ExpressionError("literal not terminated", position=start)
        parts.append(text[offset:end])
        if text[end + 1 : end + 2] != "`":
            return Token("string", "".join(parts), start), end + 1
        parts.append("`")
        offset = end + 2
