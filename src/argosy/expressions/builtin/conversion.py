"""expr-lang's functions that turn values of one kind into another. It knows values, not the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import base64
import json
import math
import re
from typing import cast

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.formatting import indented_json, kind_of, text_of
from argosy.expressions.operations import is_number
from argosy.expressions.signatures import Function, plain

_INT = r"[+-]?[0-9]{1,19}"
_FLOAT = r"(?i)[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity)|nan"


def to_int(value: object) -> int:
    """An int: a number cut, a text read. Raises ExpressionError."""
    if isinstance(value, str):
        if re.fullmatch(_INT, value) is None or not -(1 << 63) <= int(value) < 1 << 63:
            raise ExpressionError(f"invalid operation: int({_shown(value)})", hint="the text is not a whole number")
        return int(value)
    if is_number(value):
        number = cast(float, value)
        if not math.isfinite(number) or abs(number) >= 1 << 63:
            raise ExpressionError(f"invalid operation: int({text_of(number)})")
        return int(number)
    raise ExpressionError(f"invalid operation: int({kind_of(value)})")


def to_float(value: object) -> float:
    """A float, also from a text. Raises ExpressionError."""
    if isinstance(value, str):
        if re.fullmatch(_FLOAT, value) is None or (math.isinf(float(value)) and value.lstrip("+-")[:1] not in "iI"):
            raise ExpressionError(f"invalid operation: float({_shown(value)})", hint="the text is not a number")
        return float(value)
    if is_number(value):
        return float(cast(float, value))
    raise ExpressionError(f"invalid operation: float({kind_of(value)})")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _reject(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def from_json(budget: Budget, text: str) -> object:
    """The value of a JSON text; every number is a float, as in Go. Raises ExpressionError."""
    budget.reserve(4 * len(text))
    budget.spend(8 + (len(text) >> 4))
    budget.reserve_list(2 * (text.count(",") + text.count("[") + text.count("{")))
    try:
        return json.loads(text, parse_int=_json_number, parse_float=_json_number, parse_constant=_reject)
    except RecursionError:
        raise ExpressionError("the JSON is nested too deep") from None
    except ValueError as problem:
        raise ExpressionError(f"{_shown(text)} is not JSON: {problem}") from None


def _json_number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def decode_base64(text: str) -> str:
    """The text behind base64. Raises ExpressionError."""
    try:
        plain_bytes = base64.b64decode(text.replace("\n", "").replace("\r", "").encode("ascii"), validate=True)
    except ValueError:
        raise ExpressionError(f"{_shown(text)} is not base64") from None
    return plain_bytes.decode("utf-8", "replace")


def encode_base64(text: str) -> str:
    """The text in base64."""
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def to_text(budget: Budget, value: object) -> str:
    """The text of any value."""
    budget.measure(value)
    return text_of(value)


def _to_json(budget: Budget, value: object) -> str:
    budget.measure(value)
    return indented_json(value)


FUNCTIONS = (
    Function("int", "*", plain(to_int)),
    Function("float", "*", plain(to_float)),
    Function("string", "*", to_text),
    Function("type", "*", plain(kind_of)),
    Function("toJSON", "*", _to_json),
    Function("fromJSON", "s", from_json),
    Function("toBase64", "s", plain(encode_base64)),
    Function("fromBase64", "s", plain(decode_base64)),
)
