"""Functions of the languages: what arguments they take, and the one place that checks it.

It knows no function by name.
"""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.formatting import kind_of
from argosy.expressions.moments import Duration, Moment, Zone
from argosy.expressions.operations import whole

# What a letter of a signature accepts, and how messages call it. `i` also takes a float, cut to an int.
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "s": ((str,), "string"),
    "n": ((int, float), "number"),
    "a": ((list, tuple), "array"),
    "m": ((dict,), "map"),
    "b": ((bool,), "bool"),
    "t": ((Moment,), "time.Time"),
    "d": ((Duration,), "time.Duration"),
    "z": ((Zone,), "timezone"),
    "i": ((int, float), "int"),
    "*": ((object,), "any"),
}


class Function(msgspec.Struct, frozen=True):
    """A function of a language.

    name: as it is called. kinds: a letter for each argument (s string, i int, n number, a array, m map, b bool,
    t time, d duration, z zone, * anything); those after `|` may be left out; a last `+` repeats the letter before it,
    at least none. call: takes the budget and the arguments.
    """

    name: str
    kinds: str
    call: Callable[..., object]

    def apply(self, budget: Budget, arguments: Sequence[object]) -> object:
        """The result, paid for. Raises ExpressionError."""
        checked = check(self.name, self.kinds, arguments)
        budget.spend(10)
        try:
            result = self.call(budget, *checked)
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as problem:
            raise ExpressionError(f"{self.name}(): {problem}") from None
        budget.reserve_value(result)
        return result


def plain(call: Callable[..., object]) -> Callable[..., object]:
    """A function that needs no budget, as one that is handed it."""
    return lambda budget, *arguments: call(*arguments)


def check(name: str, kinds: str, arguments: Sequence[object]) -> list[object]:
    """The arguments, each of the kind wanted. Raises ExpressionError that names function and argument."""
    needed, _, optional = kinds.partition("|")
    repeated = ""
    letters = needed + optional
    least = len(needed)
    if letters.endswith("+"):
        repeated, letters = letters[-2], letters[:-2]
        least = min(least, len(letters))
    if len(arguments) < least or (len(arguments) > len(letters) and not repeated):
        wanted = (
            str(least)
            if least == len(letters) and not repeated
            else f"at least {least}"
            if repeated
            else (f"{least} to {len(letters)}")
        )
        raise ExpressionError(f"invalid number of arguments for {name}() (expected {wanted}, got {len(arguments)})")
    return [
        _one(name, index, letters[index] if index < len(letters) else repeated, value)
        for index, value in enumerate(arguments)
    ]


def _one(name: str, index: int, letter: str, value: object) -> object:
    accepted, wanted = _KINDS[letter]
    if letter == "*":
        return value
    if isinstance(value, accepted) and (letter == "b" or not isinstance(value, bool)):
        return whole(value) if letter == "i" and isinstance(value, float) else value
    hint = ""
    if letter == "s" and value is not None:
        hint = "string(...) turns a value into text"
    elif letter in "in" and isinstance(value, str):
        hint = "asInt(...) or asFloat(...) turns a text into a number"
    raise ExpressionError(f"{name}(): argument {index + 1} must be of kind {wanted}, not {kind_of(value)}", hint=hint)
