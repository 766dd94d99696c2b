"""Lists and spaces of values as people write them."""

from __future__ import annotations

import pytest

from argosy.errors import UsageError
from argosy.experiments.spaces import Interval, Listed, read_space


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[0.1,0.01]", ("0.1", "0.01")),
        ("[1e-3, 1e-4]", ("1e-3", "1e-4")),
        ("[1]", ("1",)),
        ("[vgg, resnet]", ("vgg", "resnet")),
        ('["a,b", "c"]', ("a,b", "c")),
        ("[true, false]", ("true", "false")),
        ("[[64, 32], [128]]", ("[64,32]", "[128]")),
        ("[1,2]*2", ("1", "2", "1", "2")),
        ("range[1:5]", ("1", "2", "3", "4", "5")),
        ("range[1:10:3]", ("1", "4", "7", "10")),
        ("range[1:2:0.25]", ("1.0", "1.25", "1.5", "1.75", "2.0")),
        ("range[3:1:-1]", ("3", "2", "1")),
        ("range[0:0.3:0.1]", ("0.0", "0.1", "0.2", "0.3")),
        ("linspace[0:1:5]", ("0.0", "0.25", "0.5", "0.75", "1.0")),
        ("linspace[0:1:1]", ("0.0",)),
        ("logspace[-2:0:3]", ("0.01", "0.1", "1.0")),
        ("logspace[0:3:4:2]", ("1.0", "2.0", "4.0", "8.0")),
        ("geomspace[1:1000:4]", ("1.0", "10.0", "100.0", "1000.0")),
    ],
)
def test_lists(text: str, values: tuple[str, ...]) -> None:
    assert read_space(text) == Listed(values=values)


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("uniform[0.0:1]", Interval(low=0, high=1)),
        ("uniform[1:10]", Interval(low=1, high=10, whole=True)),
        ("loguniform[1e-4:1e-1]", Interval(low=1e-4, high=1e-1, log=True)),
        ("uniform[-1.5:2:0.5]", Interval(low=-1.5, high=2, initial=0.5)),
        ("[-2.0:2.0]", Interval(low=-2, high=2)),
        ("[ 1 : 3 ]", Interval(low=1, high=3, whole=True)),
    ],
)
def test_intervals(text: str, space: Interval) -> None:
    assert read_space(text) == space


def test_whole_ends_of_a_number_with_fractions() -> None:
    assert read_space("uniform[0:1]", fractions=True) == Interval(low=0, high=1)


@pytest.mark.parametrize("text", ["", "3", "a b", "a[1]", "files[0].txt", "x=[1,2]", "1,2", "[1,2", "a:b", "{a: 1}"])
def test_other_texts_are_values(text: str) -> None:
    assert read_space(text) is None
    with pytest.raises(UsageError, match="neither a list nor a space"):
        read_space(text, surely=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "nothing in this list"),
        ("[1, {]", "no list"),
        ("range[1]", "range takes 2 to 3"),
        ("range[1:5:0]", "do not lead"),
        ("range[5:1]", "do not lead"),
        ("range[0:1e9]", "there may be"),
        ("range[a:b]", "'a' is no number"),
        ("linspace[0:1:0]", "no number of values"),
        ("logspace[0:1000:3]", "too great"),
        ("geomspace[0:1:3]", "above 0"),
        ("uniform[1:1]", "not below"),
        ("uniform[1]", "LOW:HIGH"),
        ("loguniform[0:1]", "above 0"),
        ("uniform[0:1:2]", "not between"),
        ("uniform[0:inf]", "no number"),
        ("logunifrom[1e-4:1]", "did you mean loguniform"),
        ("[1]*0", "there may be"),
    ],
)
def test_what_is_written_wrongly(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_space(text)
