"""A workflow's manifest as a picture: its tasks in layers, templates with tasks of their own as boxes around them.

It knows manifests and SVG; nothing is read from anywhere, and every text is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any

# In pixels: a character of the labels, and the room around things.
CHARACTER = 6.7
LINE = 15.0
PAD = 10.0
GAP_X, GAP_Y = 18.0, 28.0
# What is deeper is drawn as one box with its name.
DEEPEST = 8
LONGEST_LABEL = 34
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_OUTCOMES = re.compile(r"\.(?:Succeeded|Failed|Errored|Skipped|Omitted|Daemoned|AnySucceeded|AllFailed)\b")
STYLE = (
    "text{font:12px ui-monospace,monospace;fill:#24292f}.n{fill:#57606a;font-size:10px}"
    ".s{fill:#eef4ff;stroke:#4a77c4}.g{fill:#fff;stroke:#b6bec9}.a{fill:#f6f8fa;stroke:#8c959f;stroke-dasharray:3 3}"
    ".e{fill:none;stroke:#6e7781}.i{stroke-dasharray:5 3}"
)

Manifest = Mapping[str, Any]


@dataclass
class Box:
    """A task. notes: what stands below its label. inner: boxes with their places in it, edges: pairs of them."""

    label: str
    look: str
    notes: list[str] = field(default_factory=list[str])
    conditional: bool = False
    inner: list[tuple[Box, float, float]] = field(default_factory=list[Any])
    edges: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    width: float = 0.0
    height: float = 0.0

    @property
    def head(self) -> float:
        """The height of the label and the notes."""
        return PAD + LINE * (1 + len(self.notes))


def svg_of(manifest: Manifest) -> str:
    """The picture of a Workflow or WorkflowTemplate, as SVG."""
    spec = manifest.get("spec", {})
    templates = {one["name"]: one for one in spec.get("templates", [])}
    metadata = manifest.get("metadata", {})
    name = metadata.get("name") or str(metadata.get("generateName", "workflow")).rstrip("-")
    whole = _box(name, {"template": spec.get("entrypoint", "")}, templates, ())
    if handler := spec.get("onExit"):
        at_exit = _box("on exit", {"template": handler}, templates, ())
        whole = _stacked([whole, at_exit])
    width, height = whole.width + 2, whole.height + 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><style>{STYLE}</style>{"".join(_drawn(whole, 1, 1))}</svg>'
    )


def _stacked(boxes: Sequence[Box]) -> Box:
    """Boxes above one another, with nothing around them."""
    made = Box("", "")
    y = 0.0
    for one in boxes:
        made.inner.append((one, 0.0, y))
        y += one.height + PAD
        made.width = max(made.width, one.width)
    made.height = y - PAD
    return made


def _box(label: str, call: Manifest, templates: Mapping[str, Manifest], path: tuple[str, ...]) -> Box:
    """The box of a task. path: the templates that it stands in."""
    name = _called(call)
    notes = list(_notes(call, label, name))
    template = call.get("inline") or templates.get(name, {})
    calls = _calls(template)
    if not calls or name in path or len(path) >= DEEPEST:
        again = bool(calls) and name in path
        return _sized(Box(label, "a" if again else "s", [*notes, "again"] if again else notes, "when" in call))
    made = Box(label, "g", notes, "when" in call)
    boxes = [_box(one["name"], one, templates, (*path, name)) for one in calls]
    made.edges = list(_edges(calls, template))
    return _laid_out(made, boxes)


def _called(call: Manifest) -> str:
    reference = call.get("templateRef")
    return f"{reference['name']}/{reference['template']}" if reference else str(call.get("template", ""))


def _notes(call: Manifest, label: str, name: str) -> Iterator[str]:
    if call.get("templateRef") or (name and name != label and call.get("name")):
        yield name
    if "withParam" in call or "withItems" in call or "withSequence" in call:
        yield "for each"
    if "when" in call:
        yield "if"


def _calls(template: Manifest) -> list[Manifest]:
    """The tasks of a DAG, or the steps of all groups."""
    if "dag" in template:
        return list(template["dag"].get("tasks", []))
    return [one for group in template.get("steps", []) for one in group]


def _edges(calls: Sequence[Manifest], template: Manifest) -> Iterator[tuple[int, int]]:
    """Which call comes before which, by their places in the list."""
    if "dag" not in template:
        yield from _edges_of_groups(template["steps"])
        return
    places = {one["name"]: index for index, one in enumerate(calls)}
    for index, one in enumerate(calls):
        said = _OUTCOMES.sub("", str(one.get("depends", "")))
        before = dict.fromkeys([*_NAME.findall(said), *one.get("dependencies", [])])
        yield from ((places[name], index) for name in before if name in places and places[name] != index)


def _edges_of_groups(groups: Sequence[Sequence[Manifest]]) -> Iterator[tuple[int, int]]:
    first = 0
    for group, following in pairwise(groups):
        second = first + len(group)
        yield from ((one, second + other) for one in range(len(group)) for other in range(len(following)))
        first = second


def _sized(box: Box) -> Box:
    texts = [_short(box.label), *map(_short, box.notes)]
    box.width = max(len(one) for one in texts) * CHARACTER + 2 * PAD
    box.height = box.head + PAD / 2
    return box


def _laid_out(box: Box, inner: Sequence[Box]) -> Box:
    """The box with the others in it, in rows: each below all that come before it."""
    rows = _rows(len(inner), box.edges)
    widths = [sum(inner[one].width for one in row) + GAP_X * (len(row) - 1) for row in rows]
    own = _sized(box)
    box.width = max(own.width, max(widths) + 2 * PAD)
    places: dict[int, tuple[float, float]] = {}
    y = box.head + PAD / 2
    for row, width in zip(rows, widths, strict=True):
        x = (box.width - width) / 2
        for one in row:
            places[one] = (x, y)
            x += inner[one].width + GAP_X
        y += max(inner[one].height for one in row) + GAP_Y
    box.height = y - GAP_Y + PAD
    box.inner = [(one, *places[index]) for index, one in enumerate(inner)]
    return box


def _rows(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The layers; within each, what has its predecessors further left stands further left."""
    before: dict[int, list[int]] = {index: [] for index in range(count)}
    for one, other in edges:
        before[other].append(one)
    layer: dict[int, int] = {}
    for _ in range(count):
        for index in range(count):
            layer[index] = 1 + max((layer.get(one, 0) for one in before[index]), default=-1)
        if all(layer[one] < layer[other] for one, other in edges):
            break
    rows: list[list[int]] = [[] for _ in range(min(count, max(layer.values()) + 1))]
    for index in range(count):
        rows[min(layer[index], len(rows) - 1)].append(index)
    rows = [row for row in rows if row]
    where: dict[int, float] = {}
    for row in rows:
        row.sort(key=lambda one: sum(where.get(each, 0.0) for each in before[one]) / max(1, len(before[one])))
        where.update({one: place - len(row) / 2 for place, one in enumerate(row)})
    return rows


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _drawn(box: Box, x: float, y: float) -> Iterator[str]:
    if box.look:
        look = f"{box.look} i" if box.conditional and box.look != "a" else box.look
        size = f'width="{box.width:.1f}" height="{box.height:.1f}"'
        yield f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" {size} rx="5"><title>{escape(box.label)}</title></rect>'
        yield _text(box.label, x + PAD, y + PAD + 5)
        for index, note in enumerate(box.notes):
            yield _text(note, x + PAD, y + PAD + 5 + LINE * (index + 1), "n")
    for one, other in box.edges:
        yield _edge(box.inner[one], box.inner[other], x, y)
    for one, left, top in box.inner:
        yield from _drawn(one, x + left, y + top)


def _text(text: str, x: float, y: float, look: str = "") -> str:
    kind = f' class="{look}"' if look else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}">{escape(_short(text))}</text>'


def _edge(one: tuple[Box, float, float], other: tuple[Box, float, float], x: float, y: float) -> str:
    x1, y1 = x + one[1] + one[0].width / 2, y + one[2] + one[0].height
    x2, y2 = x + other[1] + other[0].width / 2, y + other[2]
    half = (y2 - y1) / 2
    return (
        f'<path class="e" d="M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + half:.1f} {x2:.1f} {y2 - half:.1f} {x2:.1f} {y2:.1f}"/>'
    )
