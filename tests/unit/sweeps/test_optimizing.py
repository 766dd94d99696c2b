"""What a Bayesian search asks for next."""

from __future__ import annotations

import sys

import pytest

from argosy.errors import EnvironmentTrouble
from argosy.experiments.optimizing import Tried, check_optuna, suggest
from argosy.experiments.spaces import Interval, Listed, Space

SPACES: dict[str, Space] = {
    "x": Interval(low=-10, high=10),
    "n": Interval(low=1, high=4, whole=True),
    "net": Listed(values=("vgg", "resnet")),
}


def _loss(values: dict[str, str]) -> float:
    return (float(values["x"]) - 3) ** 2 + int(values["n"]) + (5 if values["net"] == "vgg" else 0)


def _searched(count: int, seed: int = 1) -> list[Tried]:
    tried: list[Tried] = []
    for number in range(1, count + 1):
        values = suggest(SPACES, tried, number=number, direction="minimize", seed=seed)
        tried.append(Tried(number=number, values=values, state="done", value=_loss(dict(values))))
    return tried


def test_a_search_comes_nearer() -> None:
    tried = _searched(40)
    early, late = tried[:10], tried[-10:]
    assert sum(one.value or 0 for one in late) < sum(one.value or 0 for one in early) / 2
    assert all(-10 <= float(one.values["x"]) <= 10 and one.values["n"] in "1234" for one in tried)


def test_the_same_past_and_seed_ask_for_the_same() -> None:
    tried = _searched(12)
    again = [suggest(SPACES, tried, number=13, direction="minimize", seed=1) for _ in range(2)]
    assert again[0] == again[1]


def test_two_that_run_at_once_are_not_the_same() -> None:
    first = suggest(SPACES, [], number=1, direction="minimize", seed=1)
    second = suggest(SPACES, [Tried(number=1, values=first, state="running")], number=2, direction="minimize", seed=1)
    assert first != second


@pytest.mark.parametrize(
    "odd",
    [
        Tried(number=1, values={"x": "1", "n": "2", "net": "vgg"}, state="failed"),
        Tried(number=1, values={"x": "1", "n": "2", "net": "vgg"}, state="done", value=None),
        Tried(number=1, values={"x": "1", "n": "2", "net": "vgg"}, state="done", value=float("nan")),
        Tried(number=1, values={"x": "900", "n": "2", "net": "alexnet"}, state="done", value=1.0),
        Tried(number=1, values={}, state="running"),
    ],
)
def test_trials_that_say_nothing_are_no_trouble(odd: Tried) -> None:
    found = suggest(SPACES, [odd], number=2, direction="maximize", seed=1)
    assert set(found) == set(SPACES)


def test_without_optuna_it_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(EnvironmentTrouble) as caught:
        check_optuna()
    assert "pip install 'argosy[optuna]'" in caught.value.hint


def test_the_first_trial_takes_initial_values() -> None:
    spaces: dict[str, Space] = {"x": Interval(low=0, high=9, initial=2.5)}
    assert suggest(spaces, [], number=1, direction="minimize", seed=1) == {"x": "2.5"}
