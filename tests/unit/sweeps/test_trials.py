"""Trials: grids, chance, files."""

from __future__ import annotations

import random

import pytest

from argosy.errors import InvalidFile, UsageError
from argosy.experiments.spaces import Interval, Listed
from argosy.experiments.trials import chosen_of_grid, draw, drawn, grid, read_trials

AB = {"a": Listed(values=("1", "2")), "b": Listed(values=("x", "y", "z"))}


def test_the_grid_is_every_combination() -> None:
    found = list(grid(AB, []))
    assert len(found) == 6
    assert found[:2] == [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}]


def test_the_grid_with_rows_of_a_file() -> None:
    found = list(grid({"a": AB["a"]}, [{"c": "7"}, {"c": "8"}]))
    assert found == [{"c": c, "a": a} for c in ("7", "8") for a in ("1", "2")]


@pytest.mark.parametrize("rows", [[], [{"c": "7"}, {"c": "8"}]])
def test_a_part_of_the_grid_is_the_grids_own(rows: list[dict[str, str]]) -> None:
    whole = list(grid(AB, rows))
    some, left = chosen_of_grid(AB, rows, 4, seed=3)
    assert left == len(whole) - 4
    places = [whole.index(one) for one in some]
    assert places == sorted(set(places))
    assert chosen_of_grid(AB, rows, 4, seed=3) == (some, left)
    assert chosen_of_grid(AB, rows, 100, seed=3) == (whole, 0)


def test_a_grid_too_great() -> None:
    wide = {name: Listed(values=tuple(str(n) for n in range(1000))) for name in "abc"}
    with pytest.raises(UsageError, match="1000000000 trials"):
        chosen_of_grid(wide, [], None, seed=0)
    assert len(chosen_of_grid(wide, [], 5, seed=0)[0]) == 5


def test_a_space_without_steps_has_no_grid() -> None:
    with pytest.raises(UsageError, match="lr is a space without steps"):
        chosen_of_grid({"lr": Interval(low=0, high=1)}, [], None, seed=0)


def test_the_same_seed_draws_the_same() -> None:
    spaces = {"lr": Interval(low=1e-4, high=1e-1, log=True), "n": Interval(low=1, high=8, whole=True), **AB}
    found = drawn(spaces, [], 20, seed=5)
    assert found == drawn(spaces, [], 20, seed=5)
    assert found != drawn(spaces, [], 20, seed=6)
    assert all(1e-4 <= float(one["lr"]) <= 1e-1 and 1 <= int(one["n"]) <= 8 for one in found)
    assert len({one["lr"] for one in found}) == 20


def test_nothing_is_drawn_twice() -> None:
    found = drawn(AB, [], 20, seed=1)
    assert sorted(tuple(one.items()) for one in found) == sorted(tuple(one.items()) for one in grid(AB, []))


def test_logarithmic_draws_reach_every_order_of_magnitude() -> None:
    source = random.Random(1)
    values = [float(draw(Interval(low=1e-6, high=1.0, log=True), source)) for _ in range(200)]
    assert sum(one < 1e-3 for one in values) > 50


def test_files_of_trials() -> None:
    assert read_trials(b"lr,net\n0.1,vgg\n0.2,\n", "t.csv") == [{"lr": "0.1", "net": "vgg"}, {"lr": "0.2"}]
    assert read_trials(b'[{"lr": 0.1, "deep": [1, 2]}]', "t.json") == [{"lr": "0.1", "deep": "[1,2]"}]
    assert read_trials(b"- {lr: 0.1, on: yes}\n- {lr: abc}\n", "t.yaml")[1] == {"lr": "abc"}


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("t.csv", b""),
        ("t.csv", b"a,a\n1,2\n"),
        ("t.csv", b"a,b\n1\n"),
        ("t.csv", b"\xff\xfe"),
        ("t.json", b"[1, 2]"),
        ("t.json", b"{"),
        ("t.yaml", b"a: 1\n"),
        ("t.yaml", b"[]"),
    ],
)
def test_files_that_hold_no_trials(file: str, data: bytes) -> None:
    with pytest.raises(InvalidFile, match=file):
        read_trials(data, file)
