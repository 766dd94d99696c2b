"""expr-lang's functions on arrays and maps. It knows lists and maps, not the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.formatting import kind_of
from argosy.expressions.operations import equal, fetch
from argosy.expressions.predicates import descending, sorted_indexes
from argosy.expressions.signatures import Function, plain

MAX_NESTING = 100


def _length(value: object) -> int:
    if isinstance(value, str | list | tuple | dict | bytes):
        return len(value)  # pyright: ignore[reportUnknownArgumentType] # only the length is looked at
    raise ExpressionError(f"len(): {kind_of(value)} has no length")


def _element(value: object, index: int) -> object:
    try:
        return fetch(value, index)
    except ExpressionError:
        return None


def _get(value: object, key: object) -> object:
    try:
        return fetch(value, key)
    except ExpressionError:
        return None


def _take(items: Sequence[object], count: int) -> object:
    if count < 0:
        raise ExpressionError(f"take(): the count must not be negative, it is {count}")
    return list(items[:count])


def _from_pairs(budget: Budget, pairs: Sequence[object]) -> object:
    made: dict[object, object] = {}
    budget.reserve_list(len(pairs))
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(cast("Sequence[object]", pair)) != 2:
            raise ExpressionError("fromPairs(): every element must be an array of a key and a value")
        key, value = cast("Sequence[object]", pair)
        if isinstance(key, list | dict | tuple):
            raise ExpressionError(f"fromPairs(): {kind_of(key)} cannot be a key")
        made[key] = value
    return made


def uniq(budget: Budget, items: Sequence[object]) -> list[object]:
    """The elements without those that equal an earlier one."""
    found: list[object] = []
    texts: set[str] = set()
    others: list[object] = []
    for item in items:
        if isinstance(item, str):
            if item in texts:
                continue
            texts.add(item)
        else:
            budget.spend(2 * len(others))
            budget.measure(item)
            if any(equal(item, other) for other in others):
                continue
            others.append(item)
        found.append(item)
    return found


def _concat(budget: Budget, *lists: list[object]) -> object:
    budget.reserve_list(sum(map(len, lists)))
    return [item for items in lists for item in items]


def flatten(budget: Budget, items: Sequence[object], depth: int = 0) -> list[object]:
    """All elements of lists within lists, in one. Raises ExpressionError when they are nested too deep."""
    if depth > MAX_NESTING:
        raise ExpressionError(f"flatten(): nested deeper than {MAX_NESTING} levels")
    found: list[object] = []
    budget.reserve_list(len(items))
    budget.spend(4 + len(items))
    for item in items:
        if isinstance(item, list | tuple):
            found.extend(flatten(budget, cast("Sequence[object]", item), depth + 1))
        else:
            found.append(item)
    return found


def _sort(budget: Budget, items: Sequence[object], *order: str) -> object:
    reverse = descending("sort", order)
    return [items[index] for index in sorted_indexes(budget, items, reverse)]


FUNCTIONS = (
    Function("len", "*", plain(_length)),
    Function("first", "*", plain(lambda value: _element(value, 0))),
    Function("last", "*", plain(lambda value: _element(value, -1))),
    Function("get", "**", plain(_get)),
    Function("take", "ai", plain(_take)),
    Function("keys", "m", plain(list)),
    Function("values", "m", plain(lambda pairs: list(pairs.values()))),
    Function("toPairs", "m", plain(lambda pairs: [list(pair) for pair in pairs.items()])),
    Function("fromPairs", "a", _from_pairs),
    Function("reverse", "a", plain(lambda items: list(reversed(items)))),
    Function("uniq", "a", uniq),
    Function("concat", "a|a+", _concat),
    Function("flatten", "a", flatten),
    Function("sort", "a|s", _sort),
)
