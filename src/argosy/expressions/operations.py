"""The operators of expr-lang on values.

It knows numbers of 64 bits, texts, lists, maps and our own dates, not trees or scopes. Source: expr-lang's language
definition; where that is silent, its runtime.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from argosy.errors import ExpressionError
from argosy.expressions import regexes
from argosy.expressions.budget import Budget
from argosy.expressions.formatting import Spoken, kind_of
from argosy.expressions.moments import Duration, Moment

Values = Sequence[object]


def wrapped(value: int) -> int:
    """The value as a signed number of 64 bits."""
    return value if -(1 << 63) <= value < 1 << 63 else (value + (1 << 63)) % (1 << 64) - (1 << 63)


def is_number(value: object) -> bool:
    """Whether it is an int or a float; a boolean is neither."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_list(value: object) -> bool:
    """Whether it is an array of the language."""
    return isinstance(value, list | tuple)


def equal(left: Any, right: Any) -> bool:
    """`==`: numbers by value, lists element by element, anything else only within its own kind."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(left) and is_number(right):
        return left == right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        ours, theirs = cast(Values, left), cast(Values, right)
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if isinstance(left, dict) and isinstance(right, dict):
        first, second = cast("dict[object, object]", left), cast("dict[object, object]", right)
        return len(first) == len(second) and all(
            key in second and equal(value, second[key]) for key, value in first.items()
        )
    return bool(left == right) if type(left) is type(right) else False  # pyright: ignore[reportUnknownArgumentType]


def mismatch(operator: str, left: object, right: object) -> ExpressionError:
    """The error for operands that do not go together."""
    hint = ""
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        hint = "turn the other side into text with string(...), or the text into a number with asInt(...)"
    elif isinstance(left, str) != isinstance(right, str) and (is_number(left) or is_number(right)):
        hint = "turn the text into a number with asInt(...) or asFloat(...)"
    return ExpressionError(f"invalid operation: {kind_of(left)} {operator} {kind_of(right)}", hint=hint)


def _sign(operator: str, left: object, right: object) -> int | None:
    """Below zero, zero or above as left is smaller, equal or larger; None if not comparable at all (NaN)."""
    if is_number(left) and is_number(right):
        first, second = cast(float, left), cast(float, right)
        return None if first != first or second != second else (first > second) - (first < second)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, Moment) and isinstance(right, Moment):
        return (left.instant > right.instant) - (left.instant < right.instant)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return (left.nanoseconds > right.nanoseconds) - (left.nanoseconds < right.nanoseconds)
    raise mismatch(operator, left, right)


def less(left: object, right: object) -> bool:
    """`<`, also for sorting. Raises ExpressionError."""
    sign = _sign("<", left, right)
    return sign is not None and sign < 0


def _compared(operator: str, accept: Callable[[int], bool]) -> Callable[[Budget, object, object], object]:
    def compare(budget: Budget, left: object, right: object) -> object:
        sign = _sign(operator, left, right)
        return sign is not None and accept(sign)

    return compare


def _add(budget: Budget, left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        budget.reserve(2 * (len(left) + len(right)))
        return left + right
    if is_number(left) and is_number(right):
        total = cast("int | float", left) + cast("int | float", right)
        return wrapped(total) if isinstance(total, int) else total
    if isinstance(left, Moment) and isinstance(right, Duration):
        return left.plus(right)
    if isinstance(left, Duration) and isinstance(right, Moment):
        return right.plus(left)
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrapped(left.nanoseconds + right.nanoseconds))
    raise mismatch("+", left, right)


def _subtract(budget: Budget, left: object, right: object) -> object:
    if is_number(left) and is_number(right):
        total = cast("int | float", left) - cast("int | float", right)
        return wrapped(total) if isinstance(total, int) else total
    if isinstance(left, Moment) and isinstance(right, Moment):
        return left.since(right)
    if isinstance(left, Moment) and isinstance(right, Duration):
        return left.plus(Duration(-right.nanoseconds))
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(wrapped(left.nanoseconds - right.nanoseconds))
    raise mismatch("-", left, right)


def _multiply(budget: Budget, left: object, right: object) -> object:
    if is_number(left) and is_number(right):
        total = cast("int | float", left) * cast("int | float", right)
        return wrapped(total) if isinstance(total, int) else total
    if isinstance(right, Duration) and is_number(left):
        left, right = right, left
    if isinstance(left, Duration) and is_number(right):
        return Duration.of_float(left.nanoseconds * cast(float, right))
    raise mismatch("*", left, right)


def _divide(budget: Budget, left: object, right: object) -> object:
    if not (is_number(left) and is_number(right)):
        raise mismatch("/", left, right)
    first, second = float(cast(float, left)), float(cast(float, right))
    if second != 0:
        return first / second
    if first == 0 or first != first:
        return math.nan
    return math.copysign(math.inf, first) * math.copysign(1, second)


def _modulo(budget: Budget, left: object, right: object) -> object:
    if not (isinstance(left, int) and isinstance(right, int)) or isinstance(left, bool) or isinstance(right, bool):
        raise mismatch("%", left, right)
    if right == 0:
        raise ExpressionError("integer divide by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def power(left: object, right: object) -> float:
    """`**`, always a float. Raises ExpressionError."""
    if not (is_number(left) and is_number(right)):
        raise mismatch("**", left, right)
    first, second = float(cast(float, left)), float(cast(float, right))
    try:
        return math.pow(first, second)
    except OverflowError:
        return -math.inf if first < 0 and second % 2 == 1 else math.inf
    except ValueError:
        return math.inf if first == 0 else math.nan


def _power(budget: Budget, left: object, right: object) -> object:
    return power(left, right)


def whole(value: object, wanted: str = "an int") -> int:
    """An int, or a float cut to one. Raises ExpressionError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value) and abs(value) < 1 << 63:
        return int(value)
    raise ExpressionError(f"{wanted} is expected, not {kind_of(value)}")


def _range(budget: Budget, left: object, right: object) -> object:
    first, last = whole(left), whole(right)
    budget.reserve_list(last - first + 1)
    return list(range(first, last + 1))


def contains(budget: Budget, needle: object, pile: object) -> bool:
    """`in`: an element of a list, a key of a map. Raises ExpressionError for anything else."""
    if pile is None:
        return False
    if isinstance(pile, list | tuple):
        values = cast(Values, pile)
        budget.measure(values)
        return any(equal(value, needle) for value in values)
    if isinstance(pile, Mapping):
        return isinstance(needle, str | int | float | None) and needle in pile
    hint = "for a part of a text, say: text contains part" if isinstance(pile, str) else ""
    raise ExpressionError(f'operator "in" not defined on {kind_of(pile)}', hint=hint)


def _in(budget: Budget, left: object, right: object) -> object:
    return contains(budget, left, right)


def _equal(budget: Budget, left: object, right: object) -> bool:
    budget.measure(left)
    return equal(left, right)


def _textual(operator: str, test: Callable[[str, str], bool]) -> Callable[[Budget, object, object], object]:
    def apply(budget: Budget, left: object, right: object) -> object:
        if left is None or right is None:
            return False
        if not (isinstance(left, str) and isinstance(right, str)):
            raise mismatch(operator, left, right)
        budget.spend((len(left) + len(right)) >> 6)
        return test(left, right)

    return apply


_match = _textual("matches", lambda left, right: regexes.matches(right, left))


def _matches(budget: Budget, left: object, right: object) -> object:
    budget.spend(40)  # a pattern may have to be compiled
    return _match(budget, left, right)


BINARY: dict[str, Callable[[Budget, object, object], object]] = {
    "==": _equal,
    "!=": lambda budget, left, right: not _equal(budget, left, right),
    "<": _compared("<", lambda sign: sign < 0),
    "<=": _compared("<=", lambda sign: sign <= 0),
    ">": _compared(">", lambda sign: sign > 0),
    ">=": _compared(">=", lambda sign: sign >= 0),
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
    "**": _power,
    "..": _range,
    "in": _in,
    "matches": _matches,
    "contains": _textual("contains", lambda left, right: right in left),
    "startsWith": _textual("startsWith", lambda left, right: left.startswith(right)),
    "endsWith": _textual("endsWith", lambda left, right: left.endswith(right)),
}


def boolean(value: object, where: str) -> bool:
    """A boolean; nil counts as false. Raises ExpressionError."""
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise ExpressionError(f"{where} needs a bool, not {kind_of(value)}")


def negate(value: object) -> object:
    """Unary minus. Raises ExpressionError."""
    if not is_number(value):
        raise ExpressionError(f"invalid operation: -{kind_of(value)}")
    negative = -cast("int | float", value)
    return wrapped(negative) if isinstance(negative, int) else negative


def fetch(base: object, key: object) -> object:
    """`base[key]`: an element, a value or nil, a byte of a text. Raises ExpressionError."""
    if isinstance(base, dict):
        pairs = cast("dict[object, object]", base)
        return pairs.get(key) if isinstance(key, str | int | float | None) else None
    if is_number(key) and (is_list(base) or isinstance(base, str | bytes)):
        values = base.encode("utf-8", "replace") if isinstance(base, str) else cast(Values, base)
        index = whole(key)
        index = index + len(values) if index < 0 else index
        if not 0 <= index < len(values):
            raise ExpressionError(f"index out of range: {index} (array length is {len(values)})")
        return values[index]
    if isinstance(base, Spoken):
        raise ExpressionError(f"a {base.type_name} has no field {key}", hint=f"a method is called: .{key}()")
    shown = f"'{key}'" if isinstance(key, str) else kind_of(key)
    hint = "use ?. where a part may be nil" if base is None else ""
    raise ExpressionError(f"cannot fetch {shown} from {kind_of(base)}", hint=hint)


def cut(base: object, start: object, stop: object) -> object:
    """`base[start:stop]`; texts are cut at bytes, as in Go. Raises ExpressionError."""
    if not is_list(base) and not isinstance(base, str | bytes):
        raise ExpressionError(f"cannot slice {kind_of(base)}")
    plain = isinstance(base, str) and not base.isascii()
    values = base.encode("utf-8", "replace") if isinstance(base, str) and plain else cast("Values | bytes", base)
    first = 0 if start is None else whole(start)
    last = len(values) if stop is None else whole(stop)
    first = max(first + len(values), 0) if first < 0 else first
    last = max(last + len(values), 0) if last < 0 else min(last, len(values))
    piece = values[min(first, last) : last]
    return piece.decode("utf-8", "replace") if plain and isinstance(piece, bytes) else piece
