"""Spaces of values: no text breaks their reader, and every value that is chosen is one of the space."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.experiments.spaces import Interval, Listed, read_space
from argosy.experiments.trials import chosen_of_grid, draw, grid

_TEXTS = st.text(alphabet="[]{}:,.*-+e0123456789 abruniformlogspacel'\"\n#&!|", max_size=30)
_WRAPPED = st.builds(
    lambda name, inside: f"{name}[{inside}]",
    st.sampled_from(["", "range", "linspace", "logspace", "geomspace", "uniform", "loguniform"]),
    _TEXTS,
)


@given(_TEXTS | _WRAPPED)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        space = read_space(text)
    except UsageError:
        return
    if isinstance(space, Listed):
        assert space.values
    elif isinstance(space, Interval):
        assert space.low < space.high


@given(
    st.floats(min_value=-1e9, max_value=1e9),
    st.floats(min_value=1e-3, max_value=1e9),
    st.booleans(),
    st.integers(0, 1 << 32),
)
def test_what_is_drawn_is_in_the_space(low: float, width: float, log: bool, seed: int) -> None:
    low = abs(low) + 1e-6 if log else low
    space = Interval(low=low, high=low + width, log=log)
    value = float(draw(space, random.Random(seed)))
    assert space.low <= value <= space.high


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 40), st.integers(0, 1 << 32))
def test_a_part_of_a_grid_is_of_the_grid_and_has_nothing_twice(sizes: list[int], most: int, seed: int) -> None:
    spaces = {f"p{place}": Listed(values=tuple(map(str, range(size)))) for place, size in enumerate(sizes)}
    whole = [tuple(one.items()) for one in grid(spaces, [])]
    some, left = chosen_of_grid(spaces, [], most, seed)
    keys = [tuple(one.items()) for one in some]
    assert len(keys) + left == len(whole)
    assert len(set(keys)) == len(keys) == min(most, len(whole))
    assert set(keys) <= set(whole)
