"""The tokens of a `when` condition, read as govaluate reads them.

It knows characters and which token may follow which, not what a condition means.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import msgspec

from argosy.errors import ExpressionError
from argosy.expressions import layouts

OPERATORS = frozenset(
    [
        "==",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "=~",
        "!~",
        "&&",
        "||",
        "?",
        ":",
        "??",
        ",",
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "&",
        "|",
        "^",
        ">>",
        "<<",
    ]
)
PREFIXES = frozenset("-!~")

_QUOTE_HINT = "wrap the affected text in quotes"


class Token(msgspec.Struct, frozen=True):
    """One token. kind: literal, operator, prefix, `(` or `)`. constant: a literal's value (float, str or bool)."""

    kind: str
    value: str
    position: int
    constant: object = None

    @property
    def shown(self) -> str:
        """As it is called in messages."""
        return self.value


def problem(text: str, message: str, position: int | None = None, hint: str = "") -> ExpressionError:
    """An error that shows the condition."""
    shown = text if len(text) <= 200 else text[:197] + "..."
    return ExpressionError(f"Invalid 'when' expression '{shown}': {message}", position=position, hint=hint)


def tokens_of(text: str) -> list[Token]:
    """All tokens, in order, each allowed where it stands. Raises ExpressionError."""
    reader = _Reader(text)
    tokens: list[Token] = []
    while (token := reader.next(tokens[-1] if tokens else None)) is not None:
        _check_order(text, tokens[-1] if tokens else None, token)
        tokens.append(token)
    opened = sum((token.kind == "(") - (token.kind == ")") for token in tokens)
    if opened:
        raise problem(text, "unbalanced parentheses")
    if tokens and tokens[-1].kind in ("operator", "prefix", "("):
        raise problem(text, "unexpected end of expression", len(text))
    return tokens


def _ends_value(token: Token | None) -> bool:
    return token is not None and token.kind in ("literal", ")")


def _check_order(text: str, before: Token | None, token: Token) -> None:
    wants_operator = _ends_value(before)
    is_operator = token.kind in ("operator", ")")
    if wants_operator == is_operator and not (
        before is not None and before.kind == "prefix" and token.kind == "prefix"
    ):
        if before is not None and before.kind == "prefix" and isinstance(token.constant, str):
            raise problem(text, f"'{before.value}' cannot stand before the text '{token.shown}'", before.position)
        return
    after = f" after '{before.shown}'" if before is not None else " at the start"
    raise problem(text, f"unexpected '{token.shown}'{after}", token.position, _QUOTE_HINT)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0

    def next(self, before: Token | None) -> Token | None:
        """The next token, or None at the end."""
        while self.offset < len(self.text) and self.text[self.offset].isspace():
            self.offset += 1
        if self.offset >= len(self.text):
            return None
        start, character = self.offset, self.text[self.offset]
        if character.isdecimal() or character == ".":
            return self.number(start)
        if character == ",":
            self.offset += 1
            return Token("operator", ",", start)
        if character == "[":
            return self.bracketed(start)
        if character.isalpha():
            return self.word(start)
        if character in "'\"":
            return self.quoted(start)
        if character in "()":
            self.offset += 1
            return Token(character, character, start)
        return self.symbol(start, before)

    def number(self, start: int) -> Token:
        """Digits and dots, or 0x and hexadecimal digits; always a float."""
        hexadecimal = re.compile(r"0x([0-9a-fA-F]*)").match(self.text, start)
        if hexadecimal is not None:
            self.offset = hexadecimal.end()
            digits = hexadecimal.group(1)
            if not digits or len(digits) > 16:
                raise problem(self.text, f"'{hexadecimal.group()}' is not a number", start)
            return Token("literal", hexadecimal.group(), start, float(int(digits, 16)))
        end = start
        while end < len(self.text) and (self.text[end].isdecimal() or self.text[end] == "."):
            end += 1
        self.offset = end
        written = self.text[start:end]
        try:
            return Token("literal", written, start, float(written))
        except ValueError:
            raise problem(self.text, f"'{written}' is not a number", start, _QUOTE_HINT) from None

    def word(self, start: int) -> Token:
        """A bare word: a string, unless it is true, false or in."""
        word = self.read(start, lambda character: character.isalnum() or character in "_.")
        if word in ("true", "false"):
            return Token("literal", word, start, word == "true")
        if word in ("in", "IN"):
            return Token("operator", "in", start)
        if "." in word:
            raise problem(self.text, f"'{word}' reads a field, which no value here has", start, _QUOTE_HINT)
        return Token("literal", word, start, word)

    def read(self, start: int, wanted: Callable[[str], bool]) -> str:
        """Characters for which `wanted` holds; a backslash takes the next character as it is."""
        found: list[str] = []
        end = start
        while end < len(self.text):
            character = self.text[end]
            if character == "\\":
                found.append(self.text[end + 1 : end + 2])
                end += 2
                continue
            if not wanted(character):
                break
            found.append(character)
            end += 1
        self.offset = min(end, len(self.text))
        return "".join(found)

    def bracketed(self, start: int) -> Token:
        """`[any text]`, a string."""
        value = self.read(start + 1, lambda character: character != "]")
        if self.text[self.offset : self.offset + 1] != "]":
            raise problem(self.text, "this bracket is never closed", start)
        self.offset += 1
        return Token("literal", value, start, value)

    def quoted(self, start: int) -> Token:
        """Text in quotes, either kind closing the other; a text that reads as a time becomes one (seconds)."""
        value = self.read(start + 1, lambda character: character not in "'\"")
        if self.offset >= len(self.text):
            raise problem(self.text, "unclosed string literal", start)
        self.offset += 1
        time = seconds_of(value)
        return Token("literal", value, start, value if time is None else time)

    def symbol(self, start: int, before: Token | None) -> Token:
        """An operator: all the characters up to a letter, digit, quote, bracket or blank."""
        end = start
        while end < len(self.text):
            character = self.text[end]
            if character.isspace() or character.isalnum() or character in "()[]'\"":
                break
            end += 1
        self.offset = end
        symbol = self.text[start:end]
        if not _ends_value(before) and symbol in PREFIXES:
            return Token("prefix", symbol, start)
        if symbol in OPERATORS:
            return Token("operator", symbol, start)
        raise problem(self.text, f"Invalid token: '{symbol}'", start, _QUOTE_HINT)


_TIMELIKE = re.compile(r"\d{4}-\d\d-\d\d.*|\d\d?:\d\d[AP]M|[A-Z][a-z]{2} [A-Z][a-z]{2} .*")
_LAYOUTS = (
    layouts.ANSIC,
    layouts.UNIX_DATE,
    layouts.RUBY_DATE,
    layouts.KITCHEN,
    layouts.RFC3339,
    "2006-01-02",
    "2006-01-02 15:04",
    "2006-01-02 15:04:05",
    "2006-01-02 15:04:05-07:00",
    "2006-01-02T15Z0700",
    "2006-01-02T15:04Z0700",
    "2006-01-02T15:04:05Z0700",
)


def seconds_of(text: str) -> float | None:
    """The moment a quoted text names, in whole seconds since 1970, or None. A text without a zone is in UTC."""
    if len(text) > 100 or _TIMELIKE.fullmatch(text) is None:
        return None
    for layout in _LAYOUTS:
        try:
            civil, _ = layouts.read(text, layout, datetime.UTC)
        except ExpressionError:
            continue
        return float(civil.timestamp() // 1)
    return None
