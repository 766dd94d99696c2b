"""Keys of outcomes: equal for equal parts, whatever order they came in, and only for those."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from argosy.runners.local.reuse_key import hashes_of, key_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
PARTS = st.dictionaries(st.text(), VALUES, max_size=6)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON is: True is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


@given(PARTS, PARTS)
def test_keys_are_equal_exactly_when_parts_are(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (key_of(one) == key_of(other)) == same(one, other)


@given(PARTS, st.randoms())
def test_the_order_of_parts_does_not_matter(parts: dict[str, Any], random: Any) -> None:
    names = list(parts)
    random.shuffle(names)
    assert key_of({name: parts[name] for name in names}) == key_of(parts)


@given(PARTS.filter(bool), st.data(), VALUES)
def test_one_other_part_is_another_key_and_shows_which(parts: dict[str, Any], data: Any, value: Any) -> None:
    name = data.draw(st.sampled_from(sorted(parts)))
    changed = {**parts, name: value}
    before, after = hashes_of(parts), hashes_of(changed)
    differing = {one for one in before if before[one] != after[one]}
    assert differing == (set() if same(parts[name], value) else {name})
    assert (key_of(parts) == key_of(changed)) == (not differing)


@given(PARTS, st.text(), VALUES)
def test_a_part_more_is_another_key(parts: dict[str, Any], name: str, value: Any) -> None:
    if name not in parts:
        assert key_of({**parts, name: value}) != key_of(parts)
