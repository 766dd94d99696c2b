"""Drawings of a run as SVG: its graph, its timeline, the curves of its metrics.

It knows shapes; every text goes through `escaped`, and colours come from the page's style sheet, by class.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import msgspec

from argosy.experiments.layout import layered
from argosy.model.status import SYMBOLS

MOST_NODES = 400
MOST_BARS = 300
MOST_POINTS = 600
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 160, 28, 50, 12
_LETTERS = 20


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A node to be drawn. junction: a dot, for a group of steps. Times are seconds since the epoch, 0.0 while unset."""

    id: str
    name: str
    phase: str
    message: str = ""
    followers: Sequence[str] = ()
    junction: bool = False
    leaf: bool = True
    started_at: float = 0.0
    finished_at: float = 0.0


def escaped(text: str) -> str:
    """The text for HTML and SVG: nothing of it is markup, and it has no letters that XML refuses."""
    kept = "".join(
        letter if letter >= " " or letter in "\n\t" else "�" for letter in text if not "\ud800" <= letter <= "\udfff"
    )
    return html.escape(kept, quote=True)


def css_class(phase: str) -> str:
    """The class of a phase; a word that is none has none."""
    return phase.lower() if phase in SYMBOLS else "pending"


def graph(shapes: Sequence[Shape]) -> str:
    """The nodes as boxes from left to right, those that follow one another joined by lines."""
    drawn = shapes[:MOST_NODES]
    places = layered([one.id for one in drawn], {one.id: one.followers for one in drawn})
    spots = {id: (layer * (_WIDTH + _GAP_X) + 10, row * (_HEIGHT + _GAP_Y) + 10) for id, (layer, row) in places.items()}
    width = max((x for x, _ in spots.values()), default=0) + _WIDTH + 10
    height = max((y for _, y in spots.values()), default=0) + _HEIGHT + 10
    lines: list[str] = []
    boxes: list[str] = []
    by_id = {one.id: one for one in drawn}
    for one in drawn:
        for follower in one.followers:
            if follower in spots:
                lines.append(_line(one, by_id[follower], spots))
        boxes.append(_box(one, *spots[one.id]))
    return (
        f'<svg class="graph" role="img" aria-label="graph of the steps" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">{"".join(lines)}{"".join(boxes)}</svg>'
    )


def _line(one: Shape, follower: Shape, spots: dict[str, tuple[int, int]]) -> str:
    x, y = spots[one.id]
    to_x, to_y = spots[follower.id]
    start = x + (_WIDTH // 2 + 5 if one.junction else _WIDTH)
    end = to_x + (_WIDTH // 2 - 5 if follower.junction else 0)
    y, to_y = y + _HEIGHT // 2, to_y + _HEIGHT // 2
    middle = (start + end) / 2
    return f'<path class="edge" d="M{start} {y}C{middle:g} {y} {middle:g} {to_y} {end} {to_y}"/>'


def _box(one: Shape, x: int, y: int) -> str:
    title = escaped(f"{one.name}: {one.phase}{f', {one.message}' if one.message else ''}")
    if one.junction:
        return (
            f'<g><title>{title}</title><circle class="edge" cx="{x + _WIDTH // 2}" cy="{y + _HEIGHT // 2}" r="4"/></g>'
        )
    name = one.name if len(one.name) <= _LETTERS else f"{one.name[: _LETTERS - 1]}…"
    kind = css_class(one.phase) + ("" if one.leaf else " group")
    return (
        f'<g class="node {kind}"><title>{title}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<text x="{x + 8}" y="{y + 18}">{SYMBOLS.get(one.phase, "·")} {escaped(name)}</text></g>'
    )


def timeline(shapes: Sequence[Shape], now: float) -> str:
    """Bars of when each step ran, one below the other. now: the end of those that still run."""
    bars = sorted((one for one in shapes if one.leaf and one.started_at), key=lambda one: one.started_at)[:MOST_BARS]
    if not bars:
        return ""
    begin = bars[0].started_at
    span = max(max((one.finished_at or now) for one in bars) - begin, 1e-3)
    left, width, row = 190, 700, 20
    parts: list[str] = []
    for mark in range(5):
        x = left + width * mark / 4
        parts.append(f'<line class="grid" x1="{x:g}" y1="14" x2="{x:g}" y2="{20 + row * len(bars)}"/>')
        parts.append(f'<text class="small" x="{x:g}" y="10">{escaped(_seconds(span * mark / 4))}</text>')
    for number, one in enumerate(bars):
        y = 20 + number * row
        x = left + (one.started_at - begin) / span * width
        took = max(0.0, (one.finished_at or now) - one.started_at)
        length = max(2.0, took / span * width)
        name = one.name if len(one.name) <= 26 else f"{one.name[:25]}…"
        title = escaped(f"{one.name}: {one.phase}, {_seconds(took)}")
        parts.append(
            f'<g class="node {css_class(one.phase)}"><title>{title}</title>'
            f'<text x="0" y="{y + 13}">{SYMBOLS.get(one.phase, "·")} {escaped(name)}</text>'
            f'<rect x="{x:.1f}" y="{y + 2}" width="{length:.1f}" height="{row - 6}" rx="2"/></g>'
        )
    height = 24 + row * len(bars)
    return (
        f'<svg class="timeline" role="img" aria-label="timeline of the steps" width="{left + width + 60}"'
        f' height="{height}" viewBox="0 0 {left + width + 60} {height}">{"".join(parts)}</svg>'
    )


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.3g}s"
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02d}s" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def chart(steps: Sequence[float], values: Sequence[float], label: str) -> str:
    """A curve with its ends written at the axes; a gap where a value is no number."""
    finite = [(x, y) for x, y in zip(steps, values, strict=True) if math.isfinite(x) and math.isfinite(y)]
    if len(finite) < 2:
        return ""
    low_x, high_x = min(x for x, _ in finite), max(x for x, _ in finite)
    low_y, high_y = min(y for _, y in finite), max(y for _, y in finite)
    width, height, left, top = 300, 120, 62, 8
    parts: list[str] = []
    pen = "M"
    for x, y in _thinned(list(zip(steps, values, strict=True))):
        if not (math.isfinite(x) and math.isfinite(y)):
            pen = "M"
            continue
        at_x = left + _share(x, low_x, high_x) * width
        at_y = top + (1 - _share(y, low_y, high_y)) * height
        parts.append(f"{pen}{at_x:.1f} {at_y:.1f}")
        pen = "L"
    right, bottom = left + width, top + height
    return (
        f'<svg class="chart" role="img" aria-label="{escaped(label)}" width="{right + 10}" height="{bottom + 22}"'
        f' viewBox="0 0 {right + 10} {bottom + 22}"><path class="grid" d="M{left} {top}V{bottom}H{right}"/>'
        f'<path class="curve" d="{"".join(parts)}"/>'
        f'<text class="small end" x="{left - 4}" y="{top + 8}">{high_y:.4g}</text>'
        f'<text class="small end" x="{left - 4}" y="{bottom}">{low_y:.4g}</text>'
        f'<text class="small" x="{left}" y="{bottom + 14}">{low_x:g}</text>'
        f'<text class="small end" x="{right}" y="{bottom + 14}">{high_x:g}</text></svg>'
    )


def _share(value: float, low: float, high: float) -> float:
    span = high / 2 - low / 2
    return (value / 2 - low / 2) / span if span > 0 else 0.5


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most about MOST_POINTS, with the least and the greatest of each stretch kept."""
    if len(points) <= MOST_POINTS:
        return points
    stretch = math.ceil(len(points) / (MOST_POINTS / 2))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), stretch):
        piece = [point for point in points[start : start + stretch] if math.isfinite(point[1])]
        if piece:
            ends = (min(piece, key=lambda point: point[1]), max(piece, key=lambda point: point[1]))
            kept.extend(sorted(ends))
    return kept
