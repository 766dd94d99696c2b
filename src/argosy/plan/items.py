"""The items of a loop: withItems, withParam, withSequence.

It knows lists and numbers, not the steps that loop. Source: Argo docs: walk-through/loops.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import cast

from argosy.errors import ExpressionError
from argosy.model import manifest
from argosy.plan.names import item_text

_MAX_ITEMS = 1_000_000
_VERB = r"%([-+ 0#]*)(\d*)([dxXobs v])|%%"


def from_param(text: str) -> list[object]:
    """The items of `withParam`, a JSON list after substitution. Raises ExpressionError."""
    try:
        found: object = json.loads(text)
    except ValueError as problem:
        raise ExpressionError(
            f"withParam value could not be parsed as a JSON list: {text.strip()}: {problem}"
        ) from None
    if not isinstance(found, list):
        raise ExpressionError(f"withParam value could not be parsed as a JSON list: {text.strip()}")
    return cast("list[object]", found)


def from_sequence(sequence: manifest.Sequence) -> list[str]:
    """The items of `withSequence`, strings, ascending or descending. Raises ExpressionError."""
    start = _number(sequence.start, "start") if sequence.start is not None else 0
    if sequence.count is not None:
        count = _number(sequence.count, "count")
        if count == 0:
            return []
        end = start + count - 1
    elif sequence.end is not None:
        end = _number(sequence.end, "end")
    else:
        raise ExpressionError("withSequence must have end or count")
    numbers = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    if len(numbers) > _MAX_ITEMS:
        raise ExpressionError(f"withSequence has {len(numbers)} items; at most {_MAX_ITEMS} are allowed")
    if not sequence.format:
        return [str(number) for number in numbers]
    return [_format(sequence.format, number) for number in numbers]


def layer(item: object) -> dict[str, object]:
    """The names that an item brings: `item`, and `item.<key>` when it is a mapping."""
    if isinstance(item, dict):
        pairs = cast("dict[str, object]", item)
        names: dict[str, object] = {f"item.{key}": item_text(value) for key, value in pairs.items()}
        names["item"] = item_text(pairs)
        return names
    return {"item": "" if item is None else item_text(item)}


def _number(value: int | str, name: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ExpressionError(f"withSequence {name} '{value}' is not a whole number") from None


def _format(pattern: str, number: int) -> str:
    """Go's Sprintf with one whole number."""

    def put(match: re.Match[str]) -> str:
        if match.group(0) == "%%":
            return "%"
        flags, width, verb = match.groups()
        return f"%{flags}{width}{'d' if verb in 'v' else verb}" % number

    return re.sub(_VERB, put, pattern)


def of(call: manifest.CallFields) -> Sequence[object] | None:
    """The items of a substituted call, or None when it does not loop. Raises ExpressionError."""
    if call.with_items:
        return call.with_items
    if call.with_param:
        return from_param(call.with_param)
    if call.with_sequence is not None:
        return from_sequence(call.with_sequence)
    return None


def loops(call: manifest.CallFields) -> bool:
    """True when the call has a loop that is not an empty `withItems`."""
    return bool(call.with_items or call.with_param) or call.with_sequence is not None
