"""The `when` field: govaluate on a text whose tags are already replaced.

It knows one small language and nothing of workflows. In it every bare word is a string, so `{{x}} == yes` needs no
quotes. Source: Argo docs: walk-through/conditionals.md; govaluate's manual and its planner.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import cast

from argosy.errors import ExpressionError
from argosy.expressions import regexes
from argosy.expressions.condition_tokens import Token, problem, tokens_of
from argosy.expressions.formatting import text_of

MAX_NESTING = 100
MAX_LENGTH = 100_000
_MAX_CACHED_TEXT = 1000

# A parsed part, to be computed when it is needed; short circuits leave parts uncomputed.
Part = Callable[[], object]

# From loosest to tightest. Each level groups from the left.
_LEVELS: tuple[tuple[str, ...], ...] = (
    (",",),
    ("?", ":", "??"),
    ("||",),
    ("&&",),
    ("==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"),
    ("^", "&", "|"),
    (">>", "<<"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)
_BINDING = {symbol: binding for binding, symbols in enumerate(_LEVELS) for symbol in symbols}
_HINT = "text with other characters than letters, digits and _ needs quotes around it"


def evaluate_when(text: str) -> bool:
    """Whether the condition holds; an empty one does. Raises ExpressionError, also for a result that is no boolean."""
    if not text:
        return True
    result = _evaluate(text)
    if not isinstance(result, bool):
        raise problem(text, f"a boolean is expected, not {_shown(result)}", hint=_HINT)
    return result


def check_when(text: str) -> None:
    """Refuse a condition that could not be parsed whatever its tags stand for. Raises ExpressionError."""
    from argosy.expressions.tags import references

    pieces: list[str] = []
    last = 0
    for tag in references(text):
        if tag.start < last:
            continue
        pieces += (text[last : tag.start], "x")
        last = tag.end
    plain = "".join(pieces) + text[last:]
    if plain.strip():
        _Planner(plain, tokens_of(plain)).plan()


def _evaluate(text: str) -> object:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"a 'when' has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    return _evaluate_cached(text) if len(text) <= _MAX_CACHED_TEXT else _planned(text)()


def _planned(text: str) -> Part:
    return _Planner(text, tokens_of(text)).plan()


@lru_cache(maxsize=1024)
def _evaluate_cached(text: str) -> object:
    return _planned(text)()


class _Planner:
    """Turns tokens into a part, by precedence."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.index = 0

    def plan(self) -> Part:
        """The whole condition."""
        part = self.level(0, 0)
        if self.index < len(self.tokens):
            token = self.tokens[self.index]
            raise problem(self.text, f"unexpected '{token.shown}'", token.position, _HINT)
        return part

    def binding(self) -> int:
        """How tightly the operator at hand binds; -1 if there is none."""
        if self.index < len(self.tokens) and self.tokens[self.index].kind == "operator":
            return _BINDING[self.tokens[self.index].value]
        return -1

    def level(self, least: int, depth: int) -> Part:
        """An operand and the operators that bind at least so tightly, grouped from the left."""
        left = self.value(depth)
        while (binding := self.binding()) >= least:
            operands: list[tuple[str, Part]] = []
            while self.binding() == binding:
                symbol = self.tokens[self.index].value
                self.index += 1
                operands.append((symbol, self.level(binding + 1, depth)))
            left = self.chain(left, operands)
        return left

    def chain(self, left: Part, operands: list[tuple[str, Part]]) -> Part:
        """`left` and what follows it, one after the other."""

        def compute() -> object:
            value = left()
            for symbol, right in operands:
                value = (
                    _SHORT[symbol](self.text, value, right)
                    if symbol in _SHORT
                    else _combine(self.text, symbol, value, right())
                )
            return value

        return compute

    def value(self, depth: int) -> Part:
        """A literal, something in parentheses, or a prefix with its operand."""
        if self.index >= len(self.tokens):
            raise problem(self.text, "unexpected end of expression", len(self.text))
        if depth > MAX_NESTING:
            raise problem(self.text, f"nested deeper than {MAX_NESTING} levels")
        token = self.tokens[self.index]
        self.index += 1
        if token.kind == "prefix":
            operand = self.value(depth + 1)
            return lambda: _prefixed(self.text, token.value, operand())
        if token.kind == "(":
            part = self.level(0, depth + 1)
            if self.index >= len(self.tokens) or self.tokens[self.index].kind != ")":
                raise problem(self.text, "this parenthesis is never closed", token.position)
            self.index += 1
            return part
        if token.kind != "literal":
            raise problem(self.text, f"unexpected '{token.shown}'", token.position, _HINT)
        return self.literal(token)

    def literal(self, token: Token) -> Part:
        """A number, text, time or boolean; as the pattern of =~ it must compile at once."""
        before = self.tokens[self.index - 2] if self.index > 1 else None
        if before is not None and before.value in ("=~", "!~") and isinstance(token.constant, str):
            regexes.compiled(token.constant)
        return lambda: token.constant


def _shown(value: object) -> str:
    text = text_of(value)
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


def _mistyped(text: str, symbol: str, value: object, wanted: str) -> ExpressionError:
    return problem(text, f"{_shown(value)} cannot be used with '{symbol}': it is not {wanted}", hint=_HINT)


def _number(text: str, symbol: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, float):
        raise _mistyped(text, symbol, value, "a number")
    return value


def _boolean(text: str, symbol: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _mistyped(text, symbol, value, "a boolean")
    return value


def _and(text: str, left: object, right: Part) -> object:
    return _boolean(text, "&&", left) and _boolean(text, "&&", right())


def _or(text: str, left: object, right: Part) -> object:
    return _boolean(text, "||", left) or _boolean(text, "||", right())


def _then(text: str, left: object, right: Part) -> object:
    return right() if _boolean(text, "?", left) else None


def _otherwise(text: str, left: object, right: Part) -> object:
    return right() if left is None else left


_SHORT: dict[str, Callable[[str, object, Part], object]] = {
    "&&": _and,
    "||": _or,
    "?": _then,
    ":": _otherwise,
    "??": _otherwise,
}


def _prefixed(text: str, symbol: str, value: object) -> object:
    if symbol == "!":
        return not _boolean(text, "!", value)
    number = _number(text, symbol, value)
    return -number if symbol == "-" else float(~_whole(text, symbol, number))


def _combine(text: str, symbol: str, left: object, right: object) -> object:
    if symbol == "==":
        return _equal(left, right)
    if symbol == "!=":
        return not _equal(left, right)
    if symbol in _ORDER:
        return _ordered(text, symbol, left, right)
    if symbol == "in":
        if not isinstance(right, list):
            raise _mistyped(text, "in", right, "a list of at least two, as in (a, b)")
        return any(_equal(left, item) for item in cast("list[object]", right))
    if symbol == ",":
        return [*cast("list[object]", left), right] if isinstance(left, list) else [left, right]
    if symbol in ("=~", "!~"):
        return _matched(text, symbol, left, right)
    if symbol == "+" and (isinstance(left, str) or isinstance(right, str)):
        return text_of(left) + text_of(right)
    return _arithmetic(text, symbol, _number(text, symbol, left), _number(text, symbol, right))


def _equal(left: object, right: object) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        ours, theirs = cast("list[object]", left), cast("list[object]", right)
        return len(ours) == len(theirs) and all(map(_equal, ours, theirs))
    if isinstance(left, list) or isinstance(right, list):
        return False
    return type(left) is type(right) and left == right


_ORDER: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def _ordered(text: str, symbol: str, left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[symbol]((left > right) - (left < right))
    if isinstance(left, float) and isinstance(right, float):
        return not (math.isnan(left) or math.isnan(right)) and _ORDER[symbol]((left > right) - (left < right))
    raise problem(
        text,
        f"{_shown(left)} {symbol} {_shown(right)}: two numbers or two strings can be compared, nothing else",
        hint="quote both sides to compare them as text",
    )


def _matched(text: str, symbol: str, left: object, right: object) -> bool:
    if not isinstance(left, str):
        raise _mistyped(text, symbol, left, "a string")
    if not isinstance(right, str):
        raise _mistyped(text, symbol, right, "a regular expression")
    return regexes.matches(right, left) is (symbol == "=~")


def _whole(text: str, symbol: str, value: float) -> int:
    if not math.isfinite(value) or abs(value) >= 1 << 63:
        raise _mistyped(text, symbol, value, "a whole number of 64 bits")
    return int(value)


def _arithmetic(text: str, symbol: str, left: float, right: float) -> float:
    if symbol in ("+", "-", "*"):
        return left + right if symbol == "+" else left - right if symbol == "-" else left * right
    if symbol == "/":
        return left / right if right else math.copysign(math.inf, left) if left else math.nan
    if symbol == "%":
        return math.fmod(left, right) if right and math.isfinite(left) else math.nan
    if symbol == "**":
        return _power(left, right)
    first, second = _whole(text, symbol, left), _whole(text, symbol, right)
    if symbol in ("<<", ">>"):
        if second < 0:
            raise _mistyped(text, symbol, right, "a positive number")
        if second > 63:
            return 0.0
        return float((first << second) & ((1 << 64) - 1) if symbol == "<<" else (first & ((1 << 64) - 1)) >> second)
    return float(first & second if symbol == "&" else first | second if symbol == "|" else first ^ second)


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.inf if left == 0 else math.nan
