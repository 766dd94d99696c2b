"""What is wrong with a file, and where: a value that every reader and every check reports with.

It knows neither how a diagnostic is drawn nor which rules exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Literal

import msgspec

from argosy.syntax.span import Span

Severity = Literal["error", "warning", "note"]
_LONGEST_WORD = 80
# Comparing words costs time; nobody reads a hint from beyond here.
_MOST_CANDIDATES = 2000


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True):
    """One finding.

    rule: its id (docs/errors.md). message: what is wrong. why: the reason behind the rule. hint: what to do.
    related: other places that belong to it, each with a word on what is there.
    """

    rule: str
    severity: Severity
    message: str
    span: Span | None = None
    why: str = ""
    hint: str = ""
    related: tuple[tuple[Span, str], ...] = ()


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a person most likely meant, or None when none is near.

    Near is: the same but for case, `-` and `_`; or at most a third of the letters changed, two swapped letters
    counting once.
    """
    if not word or len(word) > _LONGEST_WORD:
        return None
    folded = _fold(word)
    best: tuple[int, str] | None = None
    for candidate in islice(candidates, _MOST_CANDIDATES):
        allowed = max(1, max(len(word), len(candidate)) // 3)
        if best is not None:
            allowed = min(allowed, best[0] - 1)
        if abs(len(word) - len(candidate)) > allowed + 1:
            continue
        distance = 0 if _fold(candidate) == folded else _distance(word.lower(), candidate.lower(), allowed)
        if distance <= allowed and distance < len(word):
            best = (distance, candidate)
            if distance == 0:
                break
    return best[1] if best is not None else None


def _fold(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _distance(left: str, right: str, most: int) -> int:
    """Edits between two words, a swap of neighbours counting one; anything above `most` once that is sure."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        below = [i]
        for j, other in enumerate(right, 1):
            cost = min(row[j] + 1, below[j - 1] + 1, row[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            below.append(cost)
        if min(below) > most + 1:
            return most + 1
        before, row = row, below
    return row[-1]
