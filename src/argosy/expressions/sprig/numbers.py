"""sprig's functions on numbers, and its lenient way of reading numbers. It does not know the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Callable

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.builtin.conversion import to_float
from argosy.expressions.operations import power, wrapped
from argosy.expressions.signatures import Function, plain

_WHOLE = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)(?:\.0+)?")
_SMALL, _LARGE = -(1 << 63), (1 << 63) - 1


def as_int(value: object) -> int:
    """A whole number of 64 bits; what is none counts as 0. Raises ExpressionError never."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return wrapped(value)
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and abs(value) < 1 << 63 else _SMALL
    found = _WHOLE.fullmatch(value) if isinstance(value, str) and len(value) < 80 else None
    if found is None:
        return 0
    digits = found.group(2)
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    number = int(digits, 8) if octal else int(digits, 0)
    number = -number if found.group(1) == "-" else number
    return number if _SMALL <= number <= _LARGE else 0


def as_float(value: object) -> float:
    """A float; what is none counts as 0."""
    if isinstance(value, bool):
        return float(value)
    try:
        return to_float(value)
    except ExpressionError:
        return 0.0


def _multiplied(*values: object) -> int:
    total = 1
    for value in values:
        total = wrapped(total * as_int(value))
    return total


def _divided(left: object, right: object) -> int:
    first, second = as_int(left), as_int(right)
    if second == 0:
        raise ExpressionError("div(): integer divide by zero")
    size = abs(first) // abs(second)
    return wrapped(-size if (first < 0) != (second < 0) else size)


def _rest(left: object, right: object) -> int:
    first, second = as_int(left), as_int(right)
    if second == 0:
        raise ExpressionError("mod(): integer divide by zero")
    rest = abs(first) % abs(second)
    return -rest if first < 0 else rest


_EXACT = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_UP)
_PLACES = decimal.Decimal(1).scaleb(-16)


def _exact(name: str, combine: Callable[[decimal.Decimal, decimal.Decimal], decimal.Decimal]) -> Callable[..., object]:
    """A function on decimals, one after the other, so that 0.1 + 0.2 is 0.3."""

    def run(*values: object) -> float:
        numbers = [as_float(value) for value in values]
        if not all(map(math.isfinite, numbers)):
            raise ExpressionError(f"{name}(): a finite number is expected")
        total = decimal.Decimal(repr(numbers[0]))
        for number in numbers[1:]:
            total = combine(total, decimal.Decimal(repr(number)))
        return float(total)

    return plain(run)


def _quotient(left: decimal.Decimal, right: decimal.Decimal) -> decimal.Decimal:
    if not right:
        raise ExpressionError("divf(): division by zero")
    quotient = _EXACT.divide(left, right)
    return quotient.quantize(_PLACES, context=_EXACT) if quotient.adjusted() < 40 else quotient


def _rounded(value: object, places: int, on: float = 0.5) -> float:
    scale = power(10, places)
    digit = scale * as_float(value)
    if not math.isfinite(digit) or scale == 0:
        return as_float(value)
    _, whole = math.modf(digit)
    return (math.ceil(digit) if digit - whole >= on else math.floor(digit)) / scale


def until_step(budget: Budget, start: int, stop: int, step: int) -> list[int]:
    """Numbers from `start` up to but without `stop`; none when the step leads away from it."""
    if step == 0 or (stop < start) != (step < 0):
        return []
    numbers = range(start, stop, step)
    budget.reserve_list(len(numbers))
    return list(numbers)


def _until(budget: Budget, count: int) -> list[int]:
    return until_step(budget, 0, count, -1 if count < 0 else 1)


def _seq(budget: Budget, *numbers: int) -> str:
    if len(numbers) not in (1, 2, 3):
        return ""
    start, end = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1])
    towards = -1 if end < start else 1
    step = numbers[1] if len(numbers) == 3 else towards
    if len(numbers) == 3 and end < start and step > 0:
        return ""
    return " ".join(map(str, until_step(budget, start, end + towards, step)))


def _whole_or_same(step: Callable[[float], float]) -> Callable[..., object]:
    def run(value: object) -> float:
        number = as_float(value)
        return float(step(number)) if math.isfinite(number) else number

    return plain(run)


FUNCTIONS = (
    Function("atoi", "s", plain(lambda text: int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else 0)),
    Function("int64", "*", plain(as_int)),
    Function("int", "*", plain(as_int)),
    Function("float64", "*", plain(as_float)),
    Function("add1", "*", plain(lambda value: wrapped(as_int(value) + 1))),
    Function("add", "|*+", plain(lambda *values: wrapped(sum(map(as_int, values))))),
    Function("sub", "**", plain(lambda left, right: wrapped(as_int(left) - as_int(right)))),
    Function("div", "**", plain(_divided)),
    Function("mod", "**", plain(_rest)),
    Function("mul", "*|*+", plain(_multiplied)),
    Function("add1f", "*", plain(lambda value: float(_EXACT.add(decimal.Decimal(repr(as_float(value))), 1)))),
    Function("addf", "*|*+", _exact("addf", _EXACT.add)),
    Function("subf", "*|*+", _exact("subf", _EXACT.subtract)),
    Function("divf", "*|*+", _exact("divf", _quotient)),
    Function("mulf", "*|*+", _exact("mulf", _EXACT.multiply)),
    Function("biggest", "*|*+", plain(lambda *values: max(map(as_int, values)))),
    Function("max", "*|*+", plain(lambda *values: max(map(as_int, values)))),
    Function("min", "*|*+", plain(lambda *values: min(map(as_int, values)))),
    Function("maxf", "*|*+", plain(lambda *values: max(map(as_float, values)))),
    Function("minf", "*|*+", plain(lambda *values: min(map(as_float, values)))),
    Function("ceil", "*", _whole_or_same(math.ceil)),
    Function("floor", "*", _whole_or_same(math.floor)),
    Function("round", "*i|n", plain(_rounded)),
    Function("until", "i", _until),
    Function("untilStep", "iii", until_step),
    Function("seq", "|i+", _seq),
)
