"""expr-lang's functions on numbers. It knows numbers of 64 bits, not the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.formatting import kind_of
from argosy.expressions.operations import is_number, wrapped
from argosy.expressions.signatures import Function, plain

MAX_NESTING = 100


def round_half_away(value: float) -> float:
    """The nearest whole number; halves go away from zero."""
    if not math.isfinite(value):
        return value
    whole = math.trunc(value)
    return float(whole + (1 if value > 0 else -1)) if abs(value - whole) >= 0.5 else float(whole)


def _float_step(step: Callable[[float], float]) -> Callable[..., object]:
    return plain(lambda value: float(step(value)) if math.isfinite(value) else float(value))


def numbers_in(budget: Budget, name: str, values: Sequence[object], depth: int = 0) -> Iterator[float]:
    """All numbers in lists within lists. Raises ExpressionError for anything else."""
    if depth > MAX_NESTING:
        raise ExpressionError(f"{name}(): nested deeper than {MAX_NESTING} levels")
    for value in values:
        budget.spend(1)
        if isinstance(value, list | tuple):
            yield from numbers_in(budget, name, cast("Sequence[object]", value), depth + 1)
        elif is_number(value):
            yield cast(float, value)
        else:
            raise ExpressionError(f"{name}(): a number is expected, not {kind_of(value)}")


def _extreme(name: str, pick: Callable[..., float]) -> Callable[..., object]:
    def run(budget: Budget, *values: object) -> object:
        return pick(numbers_in(budget, name, values), default=None)

    return run


def _mean(budget: Budget, *values: object) -> float:
    numbers = list(numbers_in(budget, "mean", values))
    return math.fsum(numbers) / len(numbers) if numbers else 0.0


def _median(budget: Budget, *values: object) -> float:
    numbers = sorted(numbers_in(budget, "median", values))
    if not numbers:
        return 0.0
    middle = len(numbers) // 2
    return float(numbers[middle]) if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def _shift(name: str, run: Callable[[int, int], int]) -> Callable[..., object]:
    def shift(budget: Budget, value: int, count: int) -> int:
        if count < 0:
            raise ExpressionError(f"{name}(): negative shift count {count}")
        return wrapped(run(value, min(count, 64)))

    return shift


FUNCTIONS = (
    Function("abs", "n", plain(lambda value: wrapped(abs(value)) if isinstance(value, int) else abs(value))),
    Function("ceil", "n", _float_step(math.ceil)),
    Function("floor", "n", _float_step(math.floor)),
    Function("round", "n", _float_step(round_half_away)),
    Function("max", "*|*+", _extreme("max", max)),
    Function("min", "*|*+", _extreme("min", min)),
    Function("mean", "*|*+", _mean),
    Function("median", "*|*+", _median),
    Function("bitand", "ii", plain(lambda left, right: left & right)),
    Function("bitor", "ii", plain(lambda left, right: left | right)),
    Function("bitxor", "ii", plain(lambda left, right: left ^ right)),
    Function("bitnand", "ii", plain(lambda left, right: left & ~right)),
    Function("bitnot", "i", plain(lambda value: ~value)),
    Function("bitshl", "ii", _shift("bitshl", lambda value, count: value << count)),
    Function("bitshr", "ii", _shift("bitshr", lambda value, count: value >> count)),
    Function("bitushr", "ii", _shift("bitushr", lambda value, count: (value & ((1 << 64) - 1)) >> count)),
)
