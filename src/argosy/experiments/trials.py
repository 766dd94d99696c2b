"""Trials: the values that each run of a sweep gets, by grid or by chance; files of trials.

It knows spaces and seeds, not runs. The same seed gives the same trials.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from argosy.errors import InvalidFile, UsageError
from argosy.experiments.spaces import MOST_VALUES, Interval, Listed, Space, number_text, text_of
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse

Trial = dict[str, str]
DEFAULT_TRIALS = 20


def read_trials(data: bytes, file: str) -> list[Trial]:
    """The trials of a file: a CSV table with names in its first line, or a YAML or JSON list of mappings.

    Raises InvalidFile.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidFile(f"{file} is no text") from None
    found = _of_csv(text, file) if file.lower().endswith(".csv") else _of_list(text, file)
    if not found:
        raise InvalidFile(f"{file} holds no trials", hint="a CSV table with names in its first line, or a list")
    return found


def _of_csv(text: str, file: str) -> list[Trial]:
    rows = [row for row in csv.reader(io.StringIO(text), strict=True, skipinitialspace=True) if row]
    names = rows[0] if rows else []
    if len(set(names)) != len(names) or "" in names:
        raise InvalidFile(f"{file}: the first line names each column once")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise InvalidFile(f"{file}: row {number} has {len(row)} values, and there are {len(names)} names")
    # An empty cell leaves the parameter as it is.
    return [{name: value for name, value in zip(names, row, strict=True) if value} for row in rows[1:]]


def _of_list(text: str, file: str) -> list[Trial]:
    parsed = parse(text, file)
    errors = [one for one in parsed.diagnostics if one.severity == "error"]
    if errors:
        raise InvalidFile(f"{file}: {errors[0].message}", diagnostics=tuple(parsed.diagnostics))
    found: object = plain(parsed.documents[0]) if len(parsed.documents) == 1 else None
    items = cast("list[object]", found) if isinstance(found, list) else None
    if items is None or not all(isinstance(one, dict) for one in items):
        raise InvalidFile(f"{file} is no list of trials", hint="write a list of mappings from names to values")
    return [{str(name): text_of(value) for name, value in cast("dict[object, object]", one).items()} for one in items]


def grid(spaces: Mapping[str, Space], rows: Sequence[Trial]) -> Iterator[Trial]:
    """Every combination of the values with every row, the last name changing fastest."""
    lists = [one.values for one in spaces.values() if isinstance(one, Listed)]
    for row in rows or [{}]:
        for values in itertools.product(*lists):
            yield row | dict(zip(spaces, values, strict=True))


def grid_size(spaces: Mapping[str, Space], rows: Sequence[Trial]) -> int:
    """How many trials the grid has. Raises UsageError for a space without steps."""
    size = len(rows) or 1
    for name, space in spaces.items():
        if isinstance(space, Interval):
            raise UsageError(
                f"{name} is a space without steps, which has no grid", hint="use --optimizer random, or linspace[...]"
            )
        size *= len(space.values)
    return size


def chosen_of_grid(
    spaces: Mapping[str, Space], rows: Sequence[Trial], most: int | None, seed: int
) -> tuple[list[Trial], int]:
    """The trials of the grid, or `most` of them by chance in the grid's order; and how many are left out.

    Raises UsageError when there are too many.
    """
    size = grid_size(spaces, rows)
    count = size if most is None else min(most, size)
    if count > MOST_VALUES:
        raise UsageError(f"This is a grid of {size} trials", hint=f"--max-trials takes some of them, to {MOST_VALUES}")
    kept = set(random.Random(seed).sample(range(size), count)) if count < size else None
    if kept is None:
        return list(grid(spaces, rows)), 0
    return [_at(spaces, rows, place) for place in sorted(kept)], size - count


def _at(spaces: Mapping[str, Space], rows: Sequence[Trial], place: int) -> Trial:
    """One trial of the grid by its place, without making those before it."""
    values: list[tuple[str, str]] = []
    for name, space in reversed(list(spaces.items())):
        listed = space.values if isinstance(space, Listed) else ()
        place, index = divmod(place, len(listed))
        values.append((name, listed[index]))
    return (rows[place] if rows else {}) | dict(reversed(values))


def drawn(spaces: Mapping[str, Space], rows: Sequence[Trial], count: int, seed: int) -> list[Trial]:
    """Trials by chance. One that was drawn already is drawn again, as long as there may be another."""
    source = random.Random(seed)
    found: list[Trial] = []
    known: set[tuple[tuple[str, str], ...]] = set()
    for _ in range(count * 20):
        if len(found) == count:
            break
        row = source.choice(rows) if rows else {}
        trial = row | {name: draw(space, source) for name, space in spaces.items()}
        key = tuple(trial.items())
        if key not in known:
            known.add(key)
            found.append(trial)
    return found


def draw(space: Space, source: random.Random) -> str:
    """One value by chance."""
    if isinstance(space, Listed):
        return source.choice(space.values)
    if space.log:
        number = math.exp(source.uniform(math.log(space.low), math.log(space.high)))
    elif space.whole:
        return str(source.randint(int(space.low), int(space.high)))
    else:
        number = source.uniform(space.low, space.high)
    return value_text(space, number)


def value_text(space: Interval, number: float) -> str:
    """A number of the space as the text that a parameter is."""
    number = min(max(number, space.low), space.high)
    return str(round(number)) if space.whole else number_text(number) if abs(number) >= 1e15 else repr(number)
