"""Curves in text: a metric's history drawn with the dots of Braille letters.

It knows numbers and a grid of dots, nothing of runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# The bits of a Braille letter: two columns of four dots (Unicode, Braille Patterns).
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLANK = 0x2800


def curve(steps: Sequence[float], values: Sequence[float], *, width: int = 60, height: int = 8) -> list[str]:
    """Lines of `width` letters with the values over their steps, the greatest at the top. [] without two numbers."""
    points = [(x, y) for x, y in zip(steps, values, strict=True) if math.isfinite(x) and math.isfinite(y)]
    if len(points) < 2:
        return []
    low_x, high_x = min(x for x, _ in points), max(x for x, _ in points)
    low_y, high_y = min(y for _, y in points), max(y for _, y in points)
    columns, rows = width * 2, height * 4
    grid = [[_BLANK] * width for _ in range(height)]
    before: tuple[int, int] | None = None
    for x, y in points:
        here = (_scaled(x, low_x, high_x, columns - 1), rows - 1 - _scaled(y, low_y, high_y, rows - 1))
        for column, row in _between(before or here, here):
            grid[row // 4][column // 2] |= _DOTS[column % 2][row % 4]
        before = here
    return ["".join(map(chr, line)) for line in grid]


def _scaled(value: float, low: float, high: float, most: int) -> int:
    # Halves first: the difference of two great numbers may be infinite.
    span = high / 2 - low / 2
    return round((value / 2 - low / 2) / span * most) if span > 0 else most // 2


def _between(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots of a line."""
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (round(start[0] + (end[0] - start[0]) * i / length), round(start[1] + (end[1] - start[1]) * i / length))
        for i in range(length + 1)
    ]


def spark(values: Sequence[float], width: int = 24) -> str:
    """A history on one line of block letters."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    if len(finite) > width:
        finite = [finite[round(i * (len(finite) - 1) / (width - 1))] for i in range(width)]
    low, high = min(finite), max(finite)
    return "".join("▁▂▃▄▅▆▇█"[_scaled(value, low, high, 7)] for value in finite)
