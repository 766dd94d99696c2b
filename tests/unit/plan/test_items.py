"""Loops give the items that Argo gives."""

import pytest

from argosy.errors import ExpressionError
from argosy.model.manifest import Sequence
from argosy.plan import items


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        (Sequence(count=3), ["0", "1", "2"]),
        (Sequence(count="2", start="5"), ["5", "6"]),
        (Sequence(start=2, end=0), ["2", "1", "0"]),
        (Sequence(count=0), []),
        (Sequence(count=2, format="host%02d.x"), ["host00.x", "host01.x"]),
        (Sequence(start=255, end=255, format="%x%%"), ["ff%"]),
    ],
)
def test_sequences(sequence: Sequence, expected: list[str]) -> None:
    assert items.from_sequence(sequence) == expected


@pytest.mark.parametrize("sequence", [Sequence(), Sequence(count="many"), Sequence(count=10**9)])
def test_sequences_that_cannot_be(sequence: Sequence) -> None:
    with pytest.raises(ExpressionError):
        items.from_sequence(sequence)


def test_param_must_be_a_list() -> None:
    assert items.from_param('[1, "a", {"k": true}]') == [1, "a", {"k": True}]
    for text in ("", "{}", "[1,"):
        with pytest.raises(ExpressionError, match="withParam value could not be parsed as a JSON list"):
            items.from_param(text)


def test_names_of_a_mapping_item() -> None:
    assert items.layer({"os": "debian", "v": 9, "l": [1]}) == {
        "item": '{"l":[1],"os":"debian","v":9}',
        "item.os": "debian",
        "item.v": "9",
        "item.l": "[1]",
    }
    assert items.layer(True) == {"item": "true"}
