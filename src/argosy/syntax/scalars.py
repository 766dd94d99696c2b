"""What a plain word of YAML is, as Argo reads it, and how a number is written back as text.

Argo reads manifests with sigs.k8s.io/yaml: YAML 1.1 words for booleans, Go's integer literals, no base 60, dates
stay text; then everything passes through JSON (docs/decisions/yaml.md). It knows no places and no fields.
"""

from __future__ import annotations

import math
import re

from argosy.syntax.nodes import ScalarValue

_WORDS: dict[str, ScalarValue] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_INTEGER = re.compile(r"([-+]?)0(?:[xX]([0-9a-fA-F]+)|[oO]?([0-7]+)|[bB]([01]+))", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
NUMBER_STARTS = frozenset("0123456789+-.")
# Go writes a float as an integer below this (encoding/json); beyond, it has an exponent.
_WHOLE_BELOW = 1e21
# Up to here every integer is a float64 of its own.
EXACT = 1 << 53
_INT64 = 1 << 63
_UINT64 = 1 << 64


def resolve(text: str) -> ScalarValue:
    """The value of an unquoted word. Infinities and NaN come back as floats; JSON cannot carry them."""
    return _number(text) if text[:1] in NUMBER_STARTS else _WORDS.get(text, text)


def _number(text: str) -> ScalarValue:
    if text in _WORDS:
        return _WORDS[text]
    digits = text if text[0] == "." else text.replace("_", "")
    if _DECIMAL.fullmatch(digits):
        return integer(digits)
    found = _INTEGER.fullmatch(digits)
    if found:
        return _with_base(found, text)
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if math.isinf(number) else whole(number)
    return text


def integer(digits: str) -> int | float:
    """A decimal. Beyond 64 bits Go falls back to a float, and to an integer again where a float overflows."""
    if len(digits) <= 21:
        number = int(digits)
        if -_INT64 <= number < (_INT64 if digits[0] in "+-" else _UINT64):
            return number
    number = float(digits)
    return int(digits) if math.isinf(number) else whole(number)


def _with_base(found: re.Match[str], text: str) -> ScalarValue:
    sign, hexadecimal, octal, binary = found.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(binary, 2)
    if not sign or number < _INT64:
        return -number if sign == "-" else number
    # Go reads no sign before what does not fit 64 bits.
    return text


def whole(number: float) -> int | float:
    """The number as an int if JSON would show it without a fraction."""
    if number.is_integer() and abs(number) < _WHOLE_BELOW and (number or math.copysign(1, number) > 0):
        return int(number)
    return number


def as_text(value: int | float | bool) -> str:
    """A number or boolean as Argo's AnyString shows it: never an exponent, and through a 64-bit float."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if -EXACT <= value <= EXACT:
            return str(value)
        try:
            value = float(value)
        except OverflowError:
            return str(value)
    return _fixed(value)


def _fixed(number: float) -> str:
    """The shortest digits that give this number again, without an exponent."""
    mantissa, _, exponent = repr(number).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    before, _, after = mantissa.lstrip("-").partition(".")
    digits = before + after
    point = len(before) + int(exponent or 0)
    if point <= 0:
        digits, point = "0" * (1 - point) + digits, 1
    digits = digits.ljust(point, "0")
    fraction = digits[point:].rstrip("0")
    return sign + (digits[:point].lstrip("0") or "0") + ("." + fraction if fraction else "")


def key_text(value: int | float | bool) -> str:
    """A number or boolean that stands as a key: JSON has only strings for keys."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return as_text(value)
