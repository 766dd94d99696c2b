"""sprig's functions on emptiness, defaults and JSON. It knows values, not the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.builtin.conversion import from_json
from argosy.expressions.formatting import indented_json, json_text
from argosy.expressions.operations import equal
from argosy.expressions.signatures import Function, plain


def is_empty(value: object) -> bool:
    """Whether it is nil, zero, false, or without length."""
    if isinstance(value, bool | int | float | str | bytes | list | tuple | dict):
        return not value
    return value is None


def _json_or_nil(budget: Budget, text: str) -> object:
    try:
        return from_json(budget, text)
    except ExpressionError:
        budget.spend(0)
        return None


def _writer(write: Callable[..., str], **options: bool) -> Callable[..., object]:
    def run(budget: Budget, value: object) -> str:
        budget.measure(value)
        return write(value, **options)

    return run


def _ternary(then: object, otherwise: object, condition: bool) -> object:
    return then if condition else otherwise


def _fail(message: str) -> object:
    raise ExpressionError(message)


_TO_JSON = _writer(json_text)
_TO_PRETTY = _writer(indented_json)
_TO_RAW = _writer(json_text, escape_html=False)

FUNCTIONS = (
    Function(
        "default", "*|*+", plain(lambda default, *given: given[0] if given and not is_empty(given[0]) else default)
    ),
    Function("empty", "*", plain(is_empty)),
    Function("coalesce", "|*+", plain(lambda *values: next((value for value in values if not is_empty(value)), None))),
    Function("all", "|*+", plain(lambda *values: not any(map(is_empty, values)))),
    Function("any", "|*+", plain(lambda *values: not all(map(is_empty, values)))),
    Function("ternary", "**b", plain(_ternary)),
    Function("fail", "s", plain(_fail)),
    Function("deepEqual", "**", plain(equal)),
    Function("fromJson", "s", _json_or_nil),
    Function("mustFromJson", "s", from_json),
    Function("toJson", "*", _TO_JSON),
    Function("mustToJson", "*", _TO_JSON),
    Function("toPrettyJson", "*", _TO_PRETTY),
    Function("mustToPrettyJson", "*", _TO_PRETTY),
    Function("toRawJson", "*", _TO_RAW),
    Function("mustToRawJson", "*", _TO_RAW),
)
