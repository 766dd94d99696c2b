"""dstack's amounts as Kubernetes writes them: GB is 1000^3 bytes, GiB is 1024^3.

It knows spellings, not what any machine has. Source: dstack 0.0.14, whose own reader refused 1.5GB, 1TB and 16.
"""

from __future__ import annotations

import re

_MEMORY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGTP])(i)?)?(B)?\s*", re.IGNORECASE)


def memory(text: str) -> str | None:
    """The quantity that an amount of memory is: `16GB` is 16G, `16GiB` 16Gi, `16` sixteen bytes; None if it is none."""
    found = _MEMORY.fullmatch(text)
    if found is None:
        return None
    number, unit, binary, _ = found.groups()
    if not unit:
        return number
    if binary:
        return f"{number}{unit.upper()}i"
    return f"{number}{'k' if unit.upper() == 'K' else unit.upper()}"


def whole(text: str) -> int | None:
    """The whole number that a text is; None for anything else, and for less than nothing."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
