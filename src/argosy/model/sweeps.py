"""What a run keeps that tries many values of its parameters, and how a trial says whose it is.

It knows neither how values are chosen nor how a trial is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Method = Literal["grid", "random", "bayesian"]
Direction = Literal["maximize", "minimize"]

# Labels of a trial: the name of the run that it belongs to, and its number from 1.
SWEEP = "argosy.dev/sweep"
TRIAL = "argosy.dev/trial"


class TrialOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What each trial is run with, as it was asked for."""

    runtime: str = ""
    gpus: str = ""
    ignore_resources: bool = False
    labels: Mapping[str, str] = {}
    cache: bool | None = None
    refresh: tuple[str, ...] = ()


class Sweep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run sweeps over. spaces: by parameter, as they were written. objective: a metric's name, or "".

    trials: how many there are. left_out: how many more a grid has. seed: of all that is left to chance.
    """

    method: Method
    spaces: dict[str, str]
    trials: int
    left_out: int = 0
    objective: str = ""
    direction: Direction = "minimize"
    seed: int = 0
    options: TrialOptions = TrialOptions()


def trial_name(sweep: str, number: int) -> str:
    """The name of a trial: the same whoever makes it, so that none is made twice."""
    return f"{sweep}-{number}"
