"""The functions of expr-lang that take a predicate: filter, map, all, reduce and their like.

It knows lists, and that there is a predicate, not how one is computed. Source: expr-lang's language definition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key

from argosy.errors import ExpressionError
from argosy.expressions import operations
from argosy.expressions.budget import Budget


class Loop:
    """A list and its predicate."""

    __slots__ = ("budget", "given", "items")

    def __init__(self, items: Sequence[object], budget: Budget, given: bool) -> None:
        self.items = items
        self.budget = budget
        self.given = given

    def value(self, index: int, acc: object = None) -> object:
        """The predicate's value for one element."""
        raise ExpressionError("there is no predicate")

    def holds(self, index: int) -> bool:
        """The predicate's value, which must be a boolean."""
        return operations.boolean(self.value(index), "a predicate")

    def accepted(self) -> list[object]:
        """The elements for which it holds."""
        return [item for index, item in enumerate(self.items) if self.holds(index)]

    def first(self, indexes: range) -> int:
        """The first of these indexes for which it holds, or -1."""
        return next((index for index in indexes if self.holds(index)), -1)


def _count(loop: Loop, more: list[object]) -> object:
    return sum(1 for index in range(len(loop.items)) if loop.holds(index))


def _sum(loop: Loop, more: list[object]) -> object:
    total: object = 0
    for index in range(len(loop.items)):
        total = operations.BINARY["+"](loop.budget, total, loop.value(index))
    return total


def _find(loop: Loop, more: list[object]) -> object:
    index = loop.first(range(len(loop.items)))
    return loop.items[index] if index >= 0 else None


def _find_last(loop: Loop, more: list[object]) -> object:
    index = loop.first(range(len(loop.items) - 1, -1, -1))
    return loop.items[index] if index >= 0 else None


def _group_by(loop: Loop, more: list[object]) -> object:
    groups: dict[object, list[object]] = {}
    for index, item in enumerate(loop.items):
        key = loop.value(index)
        if isinstance(key, list | dict | tuple):
            raise ExpressionError("groupBy(): an array or a map cannot be a key")
        groups.setdefault(key, []).append(item)
    return groups


def _sort_by(loop: Loop, more: list[object]) -> object:
    keys = [loop.value(index) for index in range(len(loop.items))]
    order = sorted_indexes(loop.budget, keys, descending("sortBy", more))
    return [loop.items[index] for index in order]


def _reduce(loop: Loop, more: list[object]) -> object:
    if more:
        acc, start = more[0], 0
    elif loop.items:
        acc, start = loop.items[0], 1
    else:
        raise ExpressionError("reduce(): an empty array needs an initial value")
    for index in range(start, len(loop.items)):
        acc = loop.value(index, acc)
    return acc


def descending(name: str, more: Sequence[object]) -> bool:
    """Whether the order asked for is `desc`. Raises ExpressionError when it is neither that nor `asc`."""
    if more and more[0] not in ("asc", "desc"):
        raise ExpressionError(f"{name}(): the order must be asc or desc")
    return bool(more) and more[0] == "desc"


def sorted_indexes(budget: Budget, keys: Sequence[object], reverse: bool) -> list[int]:
    """The indexes of `keys` in ascending order of the keys, equal ones as they stand. Raises ExpressionError."""

    def compare(first: int, second: int) -> int:
        budget.spend(1)
        left, right = (keys[second], keys[first]) if reverse else (keys[first], keys[second])
        return -1 if operations.less(left, right) else 1 if operations.less(right, left) else 0

    if len(keys) == 1:
        return [0]
    return sorted(range(len(keys)), key=cmp_to_key(compare))


TESTS: dict[str, Callable[[Loop, list[object]], object]] = {
    "all": lambda loop, more: all(loop.holds(index) for index in range(len(loop.items))),
    "none": lambda loop, more: not any(loop.holds(index) for index in range(len(loop.items))),
    "any": lambda loop, more: any(loop.holds(index) for index in range(len(loop.items))),
    "one": lambda loop, more: _count(loop, more) == 1,
    "filter": lambda loop, more: loop.accepted(),
    "map": lambda loop, more: [loop.value(index) for index in range(len(loop.items))],
    "count": _count,
    "sum": _sum,
    "find": _find,
    "findIndex": lambda loop, more: loop.first(range(len(loop.items))),
    "findLast": _find_last,
    "findLastIndex": lambda loop, more: loop.first(range(len(loop.items) - 1, -1, -1)),
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "reduce": _reduce,
}
