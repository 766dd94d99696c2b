"""Lengths of time as Argo writes them: Go's `1h2m3.5s`, or a bare number of seconds.

It knows no clock. Source: Argo docs: fields.md (Backoff, timeout), Go's time.ParseDuration.
"""

from __future__ import annotations

import re

from argosy.errors import ExpressionError

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)"
_WHOLE = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+"


def seconds(text: str) -> float:
    """The seconds that `text` says. Raises ExpressionError."""
    text = text.strip()
    if re.fullmatch(r"\d+", text):
        return float(text)
    if text in ("0", "+0", "-0"):
        return 0.0
    if not re.fullmatch(_WHOLE, text):
        raise ExpressionError(f"'{text}' is not a duration", hint="write it like 30s, 5m or 1h30m")
    total = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    return -total if text.startswith("-") else total


def in_words(amount: float) -> str:
    """A length of time for people: the two largest units."""
    whole = int(amount)
    parts: list[str] = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}{'s' if count != 1 else ''}")
    return " ".join(parts[:2]) or "0 seconds"
