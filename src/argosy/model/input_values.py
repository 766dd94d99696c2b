"""Whether a value may be given to an input, and the text that then stands for it.

It knows types, choices and limits. Whether a path leads to anything is for those who may look (`existing-path`).
"""

from __future__ import annotations

import math
import re

import msgspec

from argosy.model.inputs import Input

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0")
_MOST_NAMED = 12
_INT = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_NO_NUMBERS = ("nan", "inf", "+inf", "-inf", "infinity")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a value is refused. allowed: the words that would be taken, for a hint."""

    message: str
    allowed: tuple[str, ...] = ()


def canonical(given: Input, text: str) -> str:
    """The text that stands for a value: choices' aliases and words for true and false become one spelling."""
    for choice in given.choices:
        if text == choice.value or text in choice.aliases:
            return choice.value
    if given.type == "boolean":
        low = text.lower()
        return "true" if low in TRUE_WORDS else "false" if low in FALSE_WORDS else text
    return text


def problem_of(given: Input, text: str) -> Problem | None:
    """What is wrong with a value in its canonical text; None if nothing is."""
    if given.choices and any(text == one.value for one in given.choices):
        return None
    if given.choices and not given.open_choices:
        allowed = tuple(one.value for one in given.choices)
        return Problem(message=f"{given.name} is one of {listed(allowed)}, not {text!r}", allowed=allowed)
    if given.required and not text:
        return Problem(message=f"{given.name} needs a value, and an empty text is none")
    return _problem_of_type(given, text) or _problem_of_size(given, text)


def listed(words: tuple[str, ...]) -> str:
    """Words as people read them, not too many."""
    more = f", ... ({len(words)} in all)" if len(words) > _MOST_NAMED else ""
    return ", ".join(words[:_MOST_NAMED]) + more


def _problem_of_type(given: Input, text: str) -> Problem | None:
    match given.type:
        case "int":
            good, what = re.fullmatch(_INT, text) is not None, "a whole number"
        case "float" | "number":
            good, what = number_of(text) is not None, "a number"
        case "boolean":
            good, what = text in ("true", "false"), "true or false"
        case "path" | "existing-path" | "file" | "dataset" | "volume" | "model":
            good, what = bool(text) and "\0" not in text, f"the name of a {given.type.removeprefix('existing-')}"
        case "list":
            good, what = _is_list(text), "a list, as in [1,2]"
        case _:
            return None
    return None if good else Problem(message=f"{given.name} is {what}, not {text!r}")


def _problem_of_size(given: Input, text: str) -> Problem | None:
    if given.minimum is None and given.maximum is None:
        return None
    number = number_of(text)
    if number is None:
        return Problem(message=f"{given.name} is a number, not {text!r}")
    if given.minimum is not None and not number >= given.minimum:
        return Problem(message=f"{given.name} is at least {shown(given.minimum)}, not {text}")
    if given.maximum is not None and not number <= given.maximum:
        return Problem(message=f"{given.name} is at most {shown(given.maximum)}, not {text}")
    return None


def number_of(text: str) -> float | None:
    """The number that a text is; None if it is none."""
    if re.fullmatch(_NUMBER, text):
        return float(text)
    return float(text) if text.lower() in _NO_NUMBERS else None


def shown(number: float) -> str:
    """A number without a needless fraction."""
    whole = math.isfinite(number) and number == int(number) and abs(number) < 1e15
    return str(int(number)) if whole else repr(number)


def _is_list(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=list[object])
    except msgspec.DecodeError:
        return text.startswith("[") and text.endswith("]")
    return True
