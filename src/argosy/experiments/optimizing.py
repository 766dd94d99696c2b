"""The next values to try, from what was tried before: Bayesian search by Optuna.

Nothing is kept between two questions: a study is made anew from the trials that the record has, so that a crash loses
nothing. It knows spaces and results, not runs.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from argosy.errors import EnvironmentTrouble
from argosy.experiments.spaces import Listed, Space
from argosy.experiments.trials import Trial, value_text
from argosy.model.input_values import number_of
from argosy.model.sweeps import Direction

# So many trials are by chance before anything is concluded from them.
BY_CHANCE = 10


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that was made. value: of its objective; None while it runs, or when it has none."""

    number: int
    values: Mapping[str, str]
    state: Literal["running", "done", "failed"]
    value: float | None = None


def check_optuna() -> None:
    """Raises EnvironmentTrouble when Optuna is not installed."""
    _optuna()


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise EnvironmentTrouble(
            "Optuna, which a Bayesian sweep asks for values, is not installed",
            hint="pip install 'argosy[optuna]', or use --optimizer random",
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def suggest(
    spaces: Mapping[str, Space], tried: Sequence[Tried], *, number: int, direction: Direction, seed: int
) -> Trial:
    """The values of trial `number`. Raises EnvironmentTrouble without Optuna.

    The first trial takes the initial values of spaces that have one. Trials that run are avoided, failed ones ignored.
    """
    optuna = _optuna()
    # Each trial has a chance of its own, whatever came before it.
    chance = random.Random(f"{seed}/{number}").randrange(1 << 32)
    sampler = optuna.samplers.TPESampler(seed=chance, constant_liar=True, n_startup_trials=BY_CHANCE)
    study = optuna.create_study(direction=direction, sampler=sampler)
    distributions = {name: _distribution(optuna, space) for name, space in spaces.items()}
    for one in sorted(tried, key=lambda one: one.number):
        study.add_trial(_frozen(optuna, spaces, distributions, one))
    initial = _initial(spaces)
    if initial and number == 1:
        study.enqueue_trial(initial)
    asked = study.ask(distributions)
    return {name: _text(space, asked.params[name]) for name, space in spaces.items()}


def _distribution(optuna: Any, space: Space) -> Any:
    if isinstance(space, Listed):
        return optuna.distributions.CategoricalDistribution(tuple(dict.fromkeys(space.values)))
    if space.whole:
        return optuna.distributions.IntDistribution(int(space.low), int(space.high), log=space.log)
    return optuna.distributions.FloatDistribution(space.low, space.high, log=space.log)


def _initial(spaces: Mapping[str, Space]) -> dict[str, float | int]:
    return {
        name: int(space.initial) if space.whole else space.initial
        for name, space in spaces.items()
        if not isinstance(space, Listed) and space.initial is not None
    }


def _frozen(optuna: Any, spaces: Mapping[str, Space], distributions: Mapping[str, Any], one: Tried) -> Any:
    states = optuna.trial.TrialState
    params: dict[str, Any] = {}
    for name, space in spaces.items():
        value = _param(space, one.values.get(name))
        if value is not None:
            params[name] = value
    whole = len(params) == len(spaces)
    done = one.state == "done" and one.value is not None and one.value == one.value and whole
    state = states.COMPLETE if done else states.RUNNING if one.state == "running" and whole else states.FAIL
    return optuna.trial.create_trial(
        state=state,
        params=params,
        distributions={name: distributions[name] for name in params},
        value=one.value if done else None,
    )


def _param(space: Space, text: str | None) -> Any:
    """A recorded value as Optuna has it, None for one that is not of the space."""
    if text is None:
        return None
    if isinstance(space, Listed):
        return text if text in space.values else None
    number = number_of(text)
    if number is None or not space.low <= number <= space.high:
        return None
    return round(number) if space.whole else number


def _text(space: Space, value: Any) -> str:
    return str(value) if isinstance(space, Listed) else value_text(space, float(value))
