"""sprig's functions on lists. It knows lists, not the languages that call it; no list it is given is changed."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.builtin.collections import uniq
from argosy.expressions.operations import equal
from argosy.expressions.signatures import Function, plain
from argosy.expressions.sprig.defaults import is_empty
from argosy.expressions.sprig.numbers import as_int
from argosy.expressions.sprig.strings import text_value, texts_of


def _within(budget: Budget, value: object, items: list[object]) -> bool:
    budget.measure(value)
    budget.measure(items)
    return any(equal(value, item) for item in items)


def _without(budget: Budget, items: list[object], *omitted: object) -> list[object]:
    return [item for item in items if not _within(budget, item, list(omitted))]


def _has(budget: Budget, value: object, items: object) -> bool:
    if items is None:
        return False
    if not isinstance(items, list | tuple):
        raise ExpressionError("has(): the second argument must be an array")
    return _within(budget, value, list(items))


def _slice(items: list[object], *bounds: object) -> object:
    if not items:
        return None
    start = as_int(bounds[0]) if bounds else 0
    stop = as_int(bounds[1]) if len(bounds) > 1 else len(items)
    if not 0 <= start <= stop <= len(items):
        raise ExpressionError(f"slice(): {start} to {stop} is not within {len(items)} elements")
    return list(items[start:stop])


def _chunk(size: int, items: list[object]) -> list[list[object]]:
    if size < 1:
        raise ExpressionError(f"chunk(): the size must be positive, it is {size}")
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def _concat(budget: Budget, *lists: list[object]) -> list[object]:
    budget.reserve_list(sum(map(len, lists)))
    return [item for items in lists for item in items]


def _sort_alpha(budget: Budget, value: object) -> list[str]:
    budget.measure(value)
    return sorted(texts_of(value)) if isinstance(value, list) else [text_value(value)]


def _both(name: str, kinds: str, call: object) -> tuple[Function, Function]:
    """A function and its `must` form, which in sprig differs only in how it fails."""
    assert callable(call)
    return Function(name, kinds, call), Function(f"must{name[0].upper()}{name[1:]}", kinds, call)


FUNCTIONS = (
    Function("list", "|*+", plain(lambda *values: list(values))),
    Function("tuple", "|*+", plain(lambda *values: list(values))),
    *_both("append", "a*", plain(lambda items, value: [*items, value])),
    *_both("push", "a*", plain(lambda items, value: [*items, value])),
    *_both("prepend", "a*", plain(lambda items, value: [value, *items])),
    *_both("first", "a", plain(lambda items: items[0] if items else None)),
    *_both("last", "a", plain(lambda items: items[-1] if items else None)),
    *_both("rest", "a", plain(lambda items: list(items[1:]) if items else None)),
    *_both("initial", "a", plain(lambda items: list(items[:-1]) if items else None)),
    *_both("reverse", "a", plain(lambda items: list(reversed(items)))),
    *_both("uniq", "a", uniq),
    *_both("without", "a|*+", _without),
    *_both("has", "**", _has),
    *_both("compact", "a", plain(lambda items: [item for item in items if not is_empty(item)])),
    *_both("slice", "a|**", plain(_slice)),
    *_both("chunk", "ia", plain(_chunk)),
    Function("concat", "|a+", _concat),
    Function(
        "sortAlpha",
        "*",
        _sort_alpha,
    ),
)
