"""sprig's functions on regular expressions. It knows patterns and texts, not the languages that call it.

Go's way with empty matches holds: one that touches the match before it is none.
"""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from argosy.errors import ExpressionError
from argosy.expressions import regexes
from argosy.expressions.budget import Budget
from argosy.expressions.signatures import Function

_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


def _found(budget: Budget, pattern: str, text: str, limit: int = -1) -> Iterator[regexes.Match]:
    """The places where the pattern fits, at most `limit` if that is not negative."""
    budget.spend(40 + (len(text) >> 5))
    end, count = -1, 0
    try:
        for match in regexes.compiled(pattern).finditer(text):
            budget.spend(4)
            if count == limit:
                return
            if match.start() == match.end() == end:
                continue
            end, count = match.end(), count + 1
            yield match
    except UnicodeError:
        raise ExpressionError("a text that is not valid Unicode cannot be matched") from None


def _matches(budget: Budget, pattern: str, text: str) -> bool:
    budget.spend(40 + (len(text) >> 5))
    return regexes.matches(pattern, text)


def _find(budget: Budget, pattern: str, text: str) -> str:
    return next((match.group() or "" for match in _found(budget, pattern, text, 1)), "")


def _find_all(budget: Budget, pattern: str, text: str, limit: int) -> list[str]:
    return [match.group() or "" for match in _found(budget, pattern, text, limit)]


def _replaced(budget: Budget, pattern: str, text: str, put: Callable[[regexes.Match], str]) -> str:
    parts: list[str] = []
    last = 0
    for match in _found(budget, pattern, text):
        piece = put(match)
        budget.reserve(2 * len(piece))
        parts += (text[last : match.start()], piece)
        last = match.end()
    return "".join(parts) + text[last:]


def _replace_all(budget: Budget, pattern: str, text: str, replacement: str) -> str:
    program = regexes.compiled(pattern)

    def group(match: regexes.Match, name: str) -> str:
        if name.isdigit():
            return (match.group(int(name)) or "") if len(name) < 4 and int(name) <= program.groups else ""
        return (match.group(name) or "") if name in program.groupindex else ""

    def put(match: regexes.Match) -> str:
        return _REFERENCE.sub(
            lambda found: "$" if found.group() == "$$" else group(match, found.group(1) or found.group(2)), replacement
        )

    return _replaced(budget, pattern, text, put)


def _replace_literal(budget: Budget, pattern: str, text: str, replacement: str) -> str:
    return _replaced(budget, pattern, text, lambda match: replacement)


def _split(budget: Budget, pattern: str, text: str, limit: int) -> list[str]:
    if limit == 0:
        return []
    if pattern and not text:
        return [""]
    pieces: list[str] = []
    begin = end = 0
    for match in _found(budget, pattern, text, limit):
        if len(pieces) == limit - 1:
            break
        end = match.start()
        if match.end() != 0:
            pieces.append(text[begin:end])
        begin = match.end()
    if end != len(text):
        pieces.append(text[begin:])
    return pieces


def _both(name: str, kinds: str, call: Callable[..., object]) -> tuple[Function, Function]:
    return Function(name, kinds, call), Function(f"must{name[0].upper()}{name[1:]}", kinds, call)


FUNCTIONS = (
    *_both("regexMatch", "ss", _matches),
    *_both("regexFind", "ss", _find),
    *_both("regexFindAll", "ssi", _find_all),
    *_both("regexReplaceAll", "sss", _replace_all),
    *_both("regexReplaceAllLiteral", "sss", _replace_literal),
    *_both("regexSplit", "ssi", _split),
    Function("regexQuoteMeta", "s", lambda budget, text: _META.sub(lambda found: "\\" + found.group(), text)),
)
