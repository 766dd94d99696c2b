"""Values as Go would write them: `%v`, and JSON as Go's encoder makes it.

It knows numbers, texts, lists and maps, not the languages that hold them. Source: Go's fmt, strconv and encoding/json.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from typing import ClassVar, cast

from argosy.errors import ExpressionError

MAX_NESTING = 100

quote_json = encode_basestring


class Spoken:
    """A value of our own that has a text form: dates, durations, versions.

    methods: what may be called on it, by name: the kinds of the arguments, and what is done.
    """

    __slots__ = ()

    type_name = "value"
    methods: ClassVar[Mapping[str, tuple[str, Callable[..., object]]]] = {}

    def text(self) -> str:
        """As Go's `%v` shows it."""
        return self.type_name

    def json(self) -> object:
        """The plain value that stands for it in JSON."""
        return self.text()


def float_digits(value: float) -> tuple[str, str, int]:
    """The sign, the shortest digits that give back the value, and the decimal point's place after the first digits."""
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    place = len(text) + int(exponent)
    text = text.rstrip("0") or "0"
    return ("-" if sign else "", text, place if text != "0" else 1)


def _with_exponent(sign: str, digits: str, exponent: int, pad: int) -> str:
    fraction = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):0{pad}d}"


def _without_exponent(sign: str, digits: str, place: int) -> str:
    if place <= 0:
        return f"{sign}0.{'0' * -place}{digits}"
    if place >= len(digits):
        return f"{sign}{digits}{'0' * (place - len(digits))}"
    return f"{sign}{digits[:place]}.{digits[place:]}"


def float_text(value: float) -> str:
    """A float as `%v` writes it: with an exponent below 1e-4 and from 1e6 on, which Helm's users know too well."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, place = float_digits(value)
    if place < -3 or place > 6:
        return _with_exponent(sign, digits, place - 1, 2)
    return _without_exponent(sign, digits, place)


def _float_json(value: float) -> str:
    if not math.isfinite(value):
        raise ExpressionError(f"{float_text(value)} cannot be written as JSON")
    sign, digits, place = float_digits(value)
    if value != 0 and (place - 1 < -6 or place - 1 >= 21):
        return _with_exponent(sign, digits, place - 1, 1)
    return _without_exponent(sign, digits, place)


def text_of(value: object) -> str:
    """Any value as `%v` writes it: lists as `[a b]`, maps as `map[k:v]` with sorted keys. Raises ExpressionError."""
    return _text(value, 0)


def _text(value: object, depth: int) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(value)
    if depth > MAX_NESTING:
        raise ExpressionError(f"a value is nested deeper than {MAX_NESTING} levels")
    if isinstance(value, bytes):
        return f"[{' '.join(map(str, value))}]"
    if isinstance(value, Spoken):
        return value.text()
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        inner = [f"{_text(key, depth + 1)}:{_text(pairs[key], depth + 1)}" for key in sorted_keys(pairs)]
        return f"map[{' '.join(inner)}]"
    if isinstance(value, Sequence):
        items = cast("Sequence[object]", value)
        return f"[{' '.join(_text(item, depth + 1) for item in items)}]"
    raise ExpressionError(f"{kind_of(value)} has no text form")


def sorted_keys(pairs: Mapping[object, object]) -> list[object]:
    """The keys as Go prints them: numbers first, by value, then texts."""

    def rank(key: object) -> tuple[int, float, str]:
        if isinstance(key, bool | int | float):
            return (0, key, "")
        return (1, 0, key if isinstance(key, str) else repr(key))

    return sorted(pairs, key=rank)


_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def json_text(value: object, *, escape_html: bool = True) -> str:
    """Compact JSON with sorted keys, as Go's encoder writes it. Raises ExpressionError for what JSON cannot hold."""
    return _json(value, "", "", escape_html, 0)


def indented_json(value: object, *, escape_html: bool = True) -> str:
    """JSON over several lines, two blanks for a level. Raises ExpressionError."""
    return _json(value, "\n", "  ", escape_html, 0)


def _json_string(value: str, escape_html: bool) -> str:
    quoted = quote_json(re.sub("[\ud800-\udfff]", "\ufffd", value))
    return quoted.translate(_HTML) if escape_html else quoted


def _json(value: object, newline: str, indent: str, escape_html: bool, depth: int) -> str:
    if isinstance(value, str):
        return _json_string(value, escape_html)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_json(value)
    if isinstance(value, bytes):
        return f'"{base64.b64encode(value).decode()}"'
    if isinstance(value, Spoken):
        return _json(value.json(), newline, indent, escape_html, depth)
    if depth > MAX_NESTING:
        raise ExpressionError(f"a value is nested deeper than {MAX_NESTING} levels")
    if isinstance(value, Mapping):
        return _json_map(cast("Mapping[object, object]", value), newline, indent, escape_html, depth)
    if isinstance(value, Sequence):
        items = cast("Sequence[object]", value)
        parts = [_json(item, newline, indent, escape_html, depth + 1) for item in items]
        return _bracket("[", "]", parts, newline, indent, depth)
    raise ExpressionError(f"{kind_of(value)} cannot be written as JSON")


def _json_map(pairs: Mapping[object, object], newline: str, indent: str, escape_html: bool, depth: int) -> str:
    named = {key if isinstance(key, str) else text_of(key): item for key, item in pairs.items()}
    colon = ": " if newline else ":"
    parts = [
        _json_string(key, escape_html) + colon + _json(named[key], newline, indent, escape_html, depth + 1)
        for key in sorted(named)
    ]
    return _bracket("{", "}", parts, newline, indent, depth)


def _bracket(opening: str, closing: str, parts: list[str], newline: str, indent: str, depth: int) -> str:
    if not parts or not newline:
        return opening + ",".join(parts) + closing
    inner = newline + indent * (depth + 1)
    return opening + inner + f",{inner}".join(parts) + newline + indent * depth + closing


def kind_of(value: object) -> str:
    """What expr-lang's type() calls the value."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return "map"
    if isinstance(value, Sequence):
        return "array"
    return value.type_name if isinstance(value, Spoken) else type(value).__name__
