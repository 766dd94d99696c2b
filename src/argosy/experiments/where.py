"""The language of `--where`: conditions on runs, read into a tree.

    loss < 0.3 and (label = tuned or lr in (0.1, 0.01)) and not marked

It knows words and their order, not what a name stands for; `argosy.experiments.columns` does. What is quoted is never a
name; a name with blanks is written between backquotes.
"""

from __future__ import annotations

import re
from typing import Literal, NoReturn

import msgspec

from argosy.errors import UsageError

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "contains"]
Aggregate = Literal["last", "first", "min", "max", "mean", "count"]
AGGREGATES = ("last", "first", "min", "max", "mean", "count")
LONGEST = 4096
DEEPEST = 100
_WORDS = ("and", "or", "not", "in", "contains", "ago")
_OPERATORS: dict[str, Operator] = {
    "=": "=",
    "==": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_TOKEN = re.compile(
    r"""\s*(?:(?P<symbol>==|!=|<>|<=|>=|[=<>()\[\],])
    |"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|`(?P<quoted>[^`]+)`
    |(?P<word>[^\s=<>!()\[\],"'`]+))""",
    re.VERBOSE,
)


class Place(msgspec.Struct, frozen=True):
    """Where in the text something stands, in characters."""

    start: int
    end: int


class WhereError(UsageError):
    """A condition or a column that is not understood. excerpt: the text, and below it marks at the place."""

    id = "where"

    def __init__(self, message: str, text: str, place: Place, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        shown = "".join(letter if letter.isprintable() else " " for letter in text)
        self.excerpt = f"{shown}\n{' ' * place.start}{'^' * max(1, place.end - place.start)}"


class Name(msgspec.Struct, frozen=True):
    """A column: a bare name, `param:NAME`, `metric:NAME`, `label:KEY`, STEP#METRIC; perhaps in a function."""

    text: str
    place: Place
    aggregate: Aggregate = "last"


class Value(msgspec.Struct, frozen=True):
    """A value. quoted: a text whatever it looks like. ago: a time that long ago."""

    text: str
    place: Place
    quoted: bool = False
    ago: bool = False


class Compare(msgspec.Struct, frozen=True):
    name: Name
    operator: Operator
    value: Value


class In(msgspec.Struct, frozen=True):
    name: Name
    values: tuple[Value, ...]


class Has(msgspec.Struct, frozen=True):
    """The run has it at all; of a yes or no: it is yes."""

    name: Name


class Not(msgspec.Struct, frozen=True):
    part: Condition


class Both(msgspec.Struct, frozen=True):
    parts: tuple[Condition, ...]


class Either(msgspec.Struct, frozen=True):
    parts: tuple[Condition, ...]


Condition = Compare | In | Has | Not | Both | Either


class _Token(msgspec.Struct, frozen=True):
    kind: Literal["symbol", "text", "name", "word", "end"]
    text: str
    place: Place


def parse(text: str) -> Condition:
    """The condition that a text is. Raises WhereError with the place of what is wrong."""
    parser = _Parser(text)
    if parser.at_end():
        parser.fail("a condition is missing", hint="as in loss < 0.3 and label = tuned")
    found = parser.either(0)
    if not parser.at_end():
        hint = "join conditions with and, or" if parser.token.kind in ("word", "name", "text") else ""
        parser.fail(f"{parser.token.text!r} is not expected here", hint=hint)
    return found


def parse_name(text: str) -> Name:
    """The column that a text is, as in `loss`, `min(train#loss)`. Raises WhereError."""
    parser = _Parser(text)
    found = parser.name()
    if not parser.at_end():
        parser.fail(f"{parser.token.text!r} is not expected here", hint="a column is one name")
    return found


class _Parser:
    """Recursive descent; depth is bounded."""

    def __init__(self, text: str) -> None:
        self._text = text
        if len(text) > LONGEST:
            raise UsageError(f"the condition has {len(text)} characters; at most {LONGEST} are read")
        self._tokens = self._read(text)
        self._next = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._next]

    def _read(self, text: str) -> list[_Token]:
        tokens: list[_Token] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                start = position + len(text[position:]) - len(text[position:].lstrip())
                what = "this text has no end" if text[start] in "\"'`" else f"{text[start]!r} is not expected here"
                raise WhereError(what, text, Place(start, len(text) if text[start] in "\"'`" else start + 1))
            position = match.end()
            kind = match.lastgroup
            place = Place(match.start(kind or 0), position)
            value = match[kind or 0]
            if kind in ("double", "single"):
                tokens.append(_Token("text", re.sub(r"\\(.)", r"\1", value), Place(place.start - 1, position)))
            elif kind == "quoted":
                tokens.append(_Token("name", value, Place(place.start - 1, position)))
            else:
                tokens.append(_Token("symbol" if kind == "symbol" else "word", value, place))
        tokens.append(_Token("end", "", Place(len(text), len(text) + 1)))
        return tokens

    def at_end(self) -> bool:
        return self.token.kind == "end"

    def fail(self, message: str, *, hint: str = "") -> NoReturn:
        raise WhereError(message, self._text, self.token.place, hint=hint)

    def _is(self, word: str) -> bool:
        return self.token.kind == "word" and self.token.text.lower() == word

    def _is_symbol(self, *symbols: str) -> bool:
        return self.token.kind == "symbol" and self.token.text in symbols

    def _take(self) -> _Token:
        token = self.token
        self._next += 1
        return token

    def either(self, depth: int) -> Condition:
        parts = [self._both(depth)]
        while self._is("or"):
            self._take()
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._is("and"):
            self._take()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > DEEPEST:
            self.fail("this is nested too deeply")
        if self._is("not"):
            self._take()
            return Not(self._one(depth + 1))
        if self._is_symbol("("):
            self._take()
            found = self.either(depth + 1)
            if not self._is_symbol(")"):
                self.fail("a ) is missing")
            self._take()
            return found
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self.name()
        if self.token.kind == "symbol" and self.token.text in _OPERATORS:
            operator = _OPERATORS[self._take().text]
            return Compare(name, operator, self._value())
        if self._is("contains"):
            self._take()
            return Compare(name, "contains", self._value())
        if self._is("in"):
            self._take()
            return In(name, self._values())
        if self._is("not"):
            self._take()
            if self._is("contains"):
                self._take()
                return Not(Compare(name, "contains", self._value()))
            if not self._is("in"):
                self.fail("in or contains is missing after not")
            self._take()
            return Not(In(name, self._values()))
        return Has(name)

    def name(self) -> Name:
        """A column."""
        token = self.token
        if token.kind == "text":
            self.fail("a name is missing here; what is quoted is a value", hint="names are written without quotes")
        if token.kind not in ("word", "name") or (token.kind == "word" and token.text.lower() in _WORDS):
            self.fail("a name is missing here", hint="as in loss < 0.3")
        self._take()
        if token.kind == "word" and self._is_symbol("(") and token.text.lower() in AGGREGATES:
            self._take()
            inner = self.name()
            if not self._is_symbol(")"):
                self.fail("a ) is missing")
            self._take()
            aggregate = msgspec.convert(token.text.lower(), Aggregate)
            return Name(inner.text, Place(token.place.start, self._tokens[self._next - 1].place.end), aggregate)
        return Name(token.text, token.place)

    def _value(self) -> Value:
        token = self.token
        if token.kind not in ("word", "text", "name"):
            self.fail("a value is missing here", hint='texts with blanks are quoted, as in "a b"')
        self._take()
        if token.kind == "word" and self._is("ago"):
            end = self._take().place.end
            return Value(token.text, Place(token.place.start, end), ago=True)
        return Value(token.text, token.place, quoted=token.kind != "word")

    def _values(self) -> tuple[Value, ...]:
        if not self._is_symbol("(", "["):
            self.fail("a list is missing after in", hint="as in lr in (0.1, 0.01)")
        closing = ")" if self._take().text == "(" else "]"
        found = [self._value()]
        while self._is_symbol(","):
            self._take()
            found.append(self._value())
        if not self._is_symbol(closing):
            self.fail(f"a {closing} is missing")
        self._take()
        return tuple(found)
