"""expr-lang's functions on texts. It knows texts, not the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.signatures import Function, plain

SPACE = " \t\n\v\f\r\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


def split(budget: Budget, text: str, separator: str, limit: int = -1, *, keep: bool = False) -> list[str]:
    """The pieces between separators, at most `limit` if that is not negative; `keep` leaves each its separator."""
    if limit == 0:
        return []
    pieces_at_most = len(text) + 1 if not separator else text.count(separator) + 1
    budget.reserve_list(pieces_at_most if limit < 0 else min(pieces_at_most, limit))
    if not separator:
        pieces = list(text) if limit < 0 or limit >= len(text) else [*text[: limit - 1], text[limit - 1 :]]
    else:
        pieces = text.split(separator, limit - 1 if limit > 0 else -1)
    return [*(piece + separator for piece in pieces[:-1]), pieces[-1]] if keep and separator else pieces


def _split_after(budget: Budget, text: str, separator: str, limit: int = -1) -> list[str]:
    return split(budget, text, separator, limit, keep=True)


def replace(budget: Budget, text: str, old: str, new: str, count: int = -1) -> str:
    """The text with `old` replaced, everywhere or at the first `count` places."""
    places = text.count(old) if count < 0 else min(count, text.count(old))
    budget.reserve(2 * (len(text) + places * max(len(new) - len(old), 0)))
    return text.replace(old, new, count)


def repeat(budget: Budget, text: str, count: int) -> str:
    """The text `count` times. Raises ExpressionError."""
    if count < 0:
        raise ExpressionError(f"repeat(): the count must not be negative, it is {count}")
    budget.reserve(2 * len(text) * count)
    return text * count


def join(budget: Budget, items: list[object], separator: str = "") -> str:
    """The texts of a list in one. Raises ExpressionError when one is no text."""
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        raise ExpressionError("join(): every element must be a string", hint="map(items, string(#)) makes them so")
    budget.reserve(2 * (sum(map(len, texts)) + len(separator) * len(texts)))
    return separator.join(texts)


def _index(find: Callable[[str, str], int]) -> Callable[..., object]:
    def run(budget: Budget, text: str, part: str) -> int:
        budget.spend(len(text) >> 6)
        place = find(text, part)
        return place if place < 0 or text.isascii() else len(text[:place].encode("utf-8", "replace"))

    return run


FUNCTIONS = (
    Function("trim", "s|s", plain(lambda text, characters=SPACE: text.strip(characters) if characters else text)),
    Function("trimPrefix", "s|s", plain(lambda text, prefix=" ": text.removeprefix(prefix))),
    Function("trimSuffix", "s|s", plain(lambda text, suffix=" ": text.removesuffix(suffix))),
    Function("upper", "s", plain(str.upper)),
    Function("lower", "s", plain(str.lower)),
    Function("split", "ss|i", split),
    Function("splitAfter", "ss|i", _split_after),
    Function("replace", "sss|i", replace),
    Function("repeat", "si", repeat),
    Function("join", "a|s", join),
    Function("indexOf", "ss", _index(str.find)),
    Function("lastIndexOf", "ss", _index(str.rfind)),
    Function("hasPrefix", "ss", plain(str.startswith)),
    Function("hasSuffix", "ss", plain(str.endswith)),
)
