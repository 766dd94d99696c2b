"""Lists and spaces of values, as people write them: `[0.1,0.01]`, `range[1:10:2]`, `loguniform[1e-4:1e-1]`.

It knows texts and numbers, not parameters nor runs. What is in a list is never evaluated: YAML scalars and lists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import cast

import msgspec

from argosy.errors import UsageError
from argosy.model.input_values import number_of
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse

MOST_VALUES = 10_000
_DIGITS = 12
_CALL = re.compile(r"([A-Za-z_]+)\[(.*)\]", re.DOTALL)
_REPEATED = re.compile(r"(\[.*\])\s*\*\s*([0-9]{1,5})", re.DOTALL)
_NUMBER = r"\s*([-+.0-9eE]+)\s*"
_INTERVAL = re.compile(rf"\[{_NUMBER}:{_NUMBER}(?::{_NUMBER})?\]")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Values one after the other, as texts."""

    values: tuple[str, ...]


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """All numbers from low to high, both included. log: evenly spread by order of magnitude. whole: no fractions.

    initial: where a search begins, None for anywhere.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    initial: float | None = None


Space = Listed | Interval


def read_space(text: str, *, fractions: bool = False, surely: bool = False) -> Space | None:
    """The list or space that a text is; None for any other text. Raises UsageError for one that is written wrongly.

    fractions: the ends of an interval are no sign that only whole numbers are meant. surely: a text that is none is
    an error too.
    """
    word = text.strip()
    try:
        found = _read(word, fractions)
    except _Wrong as wrong:
        raise UsageError(f"{word!r}: {wrong}", hint=_HINT) from None
    if found is None and surely:
        raise UsageError(f"{word!r} is neither a list nor a space of values", hint=_HINT)
    return found


_HINT = "as in [1,2,3], range[1:10:2], linspace[0:1:5], uniform[0:1.0], loguniform[1e-4:1e-1]"


class _Wrong(Exception):
    pass


def _read(word: str, fractions: bool) -> Space | None:
    if call := _CALL.fullmatch(word):
        return _called(call[1], call[2], fractions)
    if repeated := _REPEATED.fullmatch(word):
        values = _list_of(repeated[1])
        count = int(repeated[2])
        _check_count(len(values) * count)
        return Listed(values=values * count)
    if not (word.startswith("[") and word.endswith("]")):
        return None
    if interval := _INTERVAL.fullmatch(word):
        return _interval([part for part in interval.groups() if part is not None], log=False, fractions=fractions)
    return Listed(values=_list_of(word))


def _called(name: str, inside: str, fractions: bool) -> Space | None:
    parts = [part.strip() for part in inside.split(":")]
    if name in ("uniform", "loguniform"):
        return _interval(parts, log=name == "loguniform", fractions=fractions)
    if name in _SEQUENCES:
        least, most, make = _SEQUENCES[name]
        if not least <= len(parts) <= most:
            raise _Wrong(f"{name} takes {least} to {most} numbers, parted by colons")
        return Listed(values=make([_number(part) for part in parts], parts))
    near = did_you_mean(name, (*_SEQUENCES, "uniform", "loguniform"))
    if near and ":" in inside:
        raise _Wrong(f"there is no {name}; did you mean {near}?")
    return None


def _number(part: str) -> float:
    found = number_of(part)
    if found is None or not math.isfinite(found):
        raise _Wrong(f"{part!r} is no number")
    return found


def _interval(parts: list[str], *, log: bool, fractions: bool) -> Interval:
    if len(parts) not in (2, 3):
        raise _Wrong("a space is LOW:HIGH, or LOW:HIGH:INITIAL")
    numbers = [_number(part) for part in parts]
    low, high = numbers[0], numbers[1]
    if low >= high:
        raise _Wrong(f"{parts[0]} is not below {parts[1]}")
    if log and low <= 0:
        raise _Wrong("a logarithmic space begins above 0")
    initial = numbers[2] if len(numbers) == 3 else None
    if initial is not None and not low <= initial <= high:
        raise _Wrong(f"{parts[2]} is not between {parts[0]} and {parts[1]}")
    whole = not fractions and all(re.fullmatch(r"[+-]?[0-9]+", part) for part in parts)
    return Interval(low=low, high=high, log=log, whole=whole, initial=initial)


# -- lists


def _list_of(word: str) -> tuple[str, ...]:
    parsed = parse(word, "list")
    if any(one.severity == "error" for one in parsed.diagnostics) or len(parsed.documents) != 1:
        raise _Wrong("this is no list")
    found: object = plain(parsed.documents[0])
    if not isinstance(found, list):
        raise _Wrong("this is no list")
    values = cast("list[object]", found)
    if not values:
        raise _Wrong("there is nothing in this list")
    _check_count(len(values))
    written = [part.strip() for part in word[1:-1].split(",")]
    # Numbers stay as they are written: 1e-3 is not to become 0.001.
    return tuple(
        text if len(written) == len(values) and number_of(text) is not None else text_of(value)
        for text, value in zip(written if len(written) == len(values) else [""] * len(values), values, strict=True)
    )


def text_of(value: object) -> str:
    """A value of a list or a file as the text that a parameter is: JSON for what is not a text."""
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def _check_count(count: int) -> None:
    if not 0 < count <= MOST_VALUES:
        raise _Wrong(f"{count} values, and there may be 1 to {MOST_VALUES}")


def number_text(number: float) -> str:
    """A computed number as short as it can be told, whole ones without a fraction."""
    short = float(f"{number:.{_DIGITS}g}")
    return str(int(short)) if short == int(short) and abs(short) < 1e15 else repr(short)


def _texts(numbers: list[float], *, whole: bool) -> tuple[str, ...]:
    return tuple(number_text(one) if whole else repr(float(f"{one:.{_DIGITS}g}")) for one in numbers)


def _range(numbers: list[float], parts: list[str]) -> tuple[str, ...]:
    start, end = numbers[0], numbers[1]
    step = numbers[2] if len(numbers) == 3 else 1.0
    if step == 0 or (end - start) / step < 0:
        raise _Wrong(f"steps of {number_text(step)} do not lead from {parts[0]} to {parts[1]}")
    count = math.floor((end - start) / step + 1e-9) + 1
    _check_count(count)
    whole = all(one == int(one) for one in (start, step))
    return _texts([start + place * step for place in range(count)], whole=whole)


def _count_of(numbers: list[float], place: int) -> int:
    count = numbers[place] if len(numbers) > place else 5.0
    if count != int(count) or count < 1:
        raise _Wrong(f"{number_text(count)} is no number of values")
    _check_count(int(count))
    return int(count)


def _line(start: float, end: float, count: int) -> list[float]:
    return [start if count == 1 else start + (end - start) * place / (count - 1) for place in range(count)]


def _linspace(numbers: list[float], parts: list[str]) -> tuple[str, ...]:
    return _texts(_line(numbers[0], numbers[1], _count_of(numbers, 2)), whole=False)


def _logspace(numbers: list[float], parts: list[str]) -> tuple[str, ...]:
    base = numbers[3] if len(numbers) == 4 else 10.0
    if base <= 0:
        raise _Wrong("the base of logspace is above 0")
    try:
        return _texts([base**one for one in _line(numbers[0], numbers[1], _count_of(numbers, 2))], whole=False)
    except OverflowError:
        raise _Wrong("these numbers are too great") from None


def _geomspace(numbers: list[float], parts: list[str]) -> tuple[str, ...]:
    start, end = numbers[0], numbers[1]
    if start <= 0 or end <= 0:
        raise _Wrong("geomspace is between numbers above 0")
    return _texts([math.exp(one) for one in _line(math.log(start), math.log(end), _count_of(numbers, 2))], whole=False)


# By name: how few and how many numbers it takes, and what makes its values. range ends at its end, included.
_SEQUENCES: dict[str, tuple[int, int, Callable[[list[float], list[str]], tuple[str, ...]]]] = {
    "range": (2, 3, _range),
    "linspace": (2, 3, _linspace),
    "logspace": (2, 4, _logspace),
    "geomspace": (2, 3, _geomspace),
}
