"""Metrics in what a step prints: lines such as `loss: 0.31`, or whatever patterns say.

It knows lines and patterns, not where a log is kept. Patterns of users are matched by RE2, in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from argosy.errors import ExpressionError
from argosy.expressions.regexes import Pattern, compiled
from argosy.model.metric_rules import MetricPattern
from argosy.record.experiments import Series

STEP = "step"
# What a log is searched for at most, from its end.
MOST_BYTES = 32 << 20
# A step that prints more different names than this prints something else.
MOST_NAMES = 1000
LONGEST_NAME = 200
_BLOCK_BYTES = 1 << 20
_LARGEST_STEP = 2**62
_VALUE = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:[nN]a[nN]|NAN|[iI]nf(?:inity)?|INF)"
_ALIASES = {"\\key": r"[^\s:=]+", "\\value": f"(?:{_VALUE})", "\\step": r"\d+"}
# The name's length is bounded, so that no line costs more than its length.
_DEFAULT = rb"(?m)^[ \t]*([^\s]{1,%d}?):[ \t]+(%b)(?:[ \t]+\(?step:?[ \t]*(\d{1,18})\)?)?[ \t]*$" % (
    LONGEST_NAME,
    _VALUE.encode(),
)

# One value found: name, value, step number or None.
Found = tuple[str, float, int | None]


class OutputMetrics:
    """Reads metrics out of one step's lines, in order."""

    def __init__(self, patterns: Sequence[MetricPattern] | None) -> None:
        """patterns: None for the usual lines. Raises ExpressionError for a pattern that is none."""
        self._matchers = None if patterns is None else [_Matcher(one) for one in patterns]
        self._values: dict[str, tuple[list[int], list[float]]] = {}
        self._step: int | None = None
        self.too_many = False

    def read(self, lines: Iterable[bytes]) -> None:
        """Take in lines, or pieces of long ones."""
        if self._matchers == []:
            return
        for block in _blocks(lines):
            found = self._usual(block) if self._matchers is None else self._by_patterns(block, self._matchers)
            for name, value, step in found:
                self._take(name, value, step)

    def _usual(self, block: bytes) -> Iterator[Found]:
        for match in re.finditer(_DEFAULT, block):
            key, value, step = match.groups()
            name = key.decode("utf-8", "replace")
            if re.search(r"[^\W\d_]", name):
                yield name, float(value), int(step) if step else None

    def _by_patterns(self, block: bytes, matchers: Sequence[_Matcher]) -> Iterator[Found]:
        for line in block.decode("utf-8", "replace").split("\n"):
            for matcher in matchers:
                yield from matcher.find(line)

    def _take(self, name: str, value: float, step: int | None) -> None:
        if name == STEP:
            # A number that is no step number, such as nan, leaves things as they are.
            if abs(value) < _LARGEST_STEP:
                self._step = int(value)
            return
        if step is not None:
            self._step = min(step, _LARGEST_STEP)
        if name not in self._values:
            if len(self._values) >= MOST_NAMES:
                self.too_many = True
                return
            self._values[name] = ([], [])
        steps, values = self._values[name]
        steps.append(len(values) if self._step is None else self._step)
        values.append(value)

    def series(self, at: float) -> list[Series]:
        """What was found. at: when the output ended; its lines carry no times."""
        return [
            Series(name=name, source="output", steps=steps, values=values, at=at)
            for name, (steps, values) in self._values.items()
        ]


class _Matcher:
    """One pattern, ready for use."""

    def __init__(self, given: MetricPattern) -> None:
        text = given.pattern
        for alias, meaning in _ALIASES.items():
            text = text.replace(alias, meaning)
        self._pattern: Pattern = compiled(text)
        self._name = given.name
        self._names = list(self._pattern.groupindex)
        groups = self._pattern.groups
        if self._names:
            return
        if self._name and groups > 1:
            raise ExpressionError(f"'{given.pattern}' has {groups} groups, and the metric {self._name} has one value")
        if not self._name and groups not in (2, 3):
            raise ExpressionError(
                f"'{given.pattern}' says of no group what it is",
                hint=r"two groups are a name and a value, as in ^(\key): (\value)$; or name them: (?P<loss>\value)",
            )

    def find(self, line: str) -> Iterator[Found]:
        for match in self._pattern.finditer(line):
            if self._names:
                step = _whole(match.group(STEP)) if STEP in self._names else None
                if step is not None:
                    yield STEP, float(step), None
                for name in self._names:
                    value = None if name == STEP else _number(match.group(name))
                    if value is not None:
                        yield name, value, None
                continue
            groups = match.groups()
            if self._name:
                value = _number(groups[0] if groups else match.group(0))
                if value is not None:
                    yield self._name, value, None
                continue
            name, value = (groups[0] or "").strip(), _number(groups[1])
            if name and len(name) <= LONGEST_NAME and value is not None:
                yield name, value, _whole(groups[2]) if len(groups) > 2 else None


def check_patterns(patterns: Iterable[MetricPattern]) -> None:
    """Raises ExpressionError for a pattern that cannot be used."""
    for one in patterns:
        _Matcher(one)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None or len(text) > 400 else float(text)
    except ValueError:
        return None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines put together to blocks of whole lines. A progress bar's carriage return ends a line too."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size > _BLOCK_BYTES and line.endswith(b"\n"):
            yield b"".join(block).replace(b"\r", b"\n")
            block, size = [], 0
    if block:
        yield b"".join(block).replace(b"\r", b"\n")
