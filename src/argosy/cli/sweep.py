"""The options of a sweep, and which values on a command line are meant as many.

It knows spellings; what a sweep is made of is the project's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from argosy.cli.options import pairs
from argosy.errors import NotFound, UsageError
from argosy.model.inputs import Search, Signature

if TYPE_CHECKING:
    from argosy.project.sweeping import SweepWanted

Command = TypeVar("Command", bound=Callable[..., Any])
# A list given to one of these is its value.
_TAKE_LISTS = ("list", "text", "artifact")
# Guild's names of optimizers.
_GUILD = {"gp": "bayesian", "forest": "bayesian", "gbrt": "bayesian"}


class SweepWords(msgspec.Struct, frozen=True, kw_only=True):
    """The options as given."""

    sweep: tuple[str, ...] = ()
    optimizer: str | None = None
    maximize: str = ""
    minimize: str = ""
    max_trials: int | None = None
    random_seed: int | None = None
    optimize: bool = False
    fail_on_trial_error: bool = False

    def named(self) -> str:
        """One of the options that were given, "" when none was."""
        given = {
            "--optimizer": self.optimizer,
            "--optimize": self.optimize,
            "--maximize": self.maximize,
            "--minimize": self.minimize,
            "--max-trials": self.max_trials,
            "--random-seed": self.random_seed is not None,
            "--fail-on-trial-error": self.fail_on_trial_error,
        }
        return next((name for name, value in given.items() if value), "")


def sweep_options(command: Command) -> Command:
    """The options of a sweep; the command gets them as `sweep`, a SweepWords."""

    @wraps(command)
    def collected(**given: Any) -> Any:
        mine = {name: given.pop(name) for name in SweepWords.__struct_fields__}
        return command(sweep=SweepWords(**mine), **given)

    optimizers = click.Choice(["grid", "random", "bayesian", *_GUILD])
    options = (
        click.option("--sweep", multiple=True, metavar="NAME=VALUES", help="Try these values, as in lr=[0.1,0.01]."),
        click.option("--optimizer", type=optimizers, help="How values are chosen.  [default: as the spaces suggest]"),
        click.option("--optimize", is_flag=True, help="Of Guild: search as the operation says, else bayesian."),
        click.option("--maximize", default="", metavar="METRIC", help="Look for the greatest value of this metric."),
        click.option("--minimize", default="", metavar="METRIC", help="Look for the least value of this metric."),
        click.option("--max-trials", type=click.IntRange(1, 10_000), help="How many trials there are at most."),
        click.option("--random-seed", type=click.IntRange(min=0), help="Choose the same values again."),
        click.option("--fail-on-trial-error", is_flag=True, help="Begin no other trial once one has failed."),
    )
    found: Any = collected
    for option in reversed(options):
        found = option(found)
    return found


def sweep_of(
    words: SweepWords,
    given: Mapping[str, str],
    files: tuple[str, ...],
    takes: Signature,
    single_values: Collection[str] = (),
) -> tuple[dict[str, str], SweepWanted | None]:
    """The values that are one, and what is swept over: None for an ordinary run. given: NAME=VALUE.

    single_values: the names whose values are one, whatever they look like.

    Raises UsageError, InvalidFile, NotFound.
    """
    if words.maximize and words.minimize:
        raise UsageError("A sweep has one objective: --maximize or --minimize")
    spaces = dict(pairs(words.sweep, "what a parameter sweeps over"))
    single: dict[str, str] = {}
    for name, text in given.items():
        if name in spaces:
            raise UsageError(f"{name} is given as one value and as many", hint="leave one of them out")
        if name not in single_values and _sweeps(name, text, takes):
            spaces[name] = text
        else:
            single[name] = text
    for one in takes.inputs:
        given_names = {*given, *spaces}
        if one.default_sweeps and one.default is not None and given_names.isdisjoint((one.name, *one.aliases)):
            spaces[one.name] = one.default
    if not spaces and not files:
        if option := words.named():
            hint = "give a parameter several values, as in lr=[0.1,0.01]"
            raise UsageError(f"{option} is for a sweep, and nothing is swept over", hint=hint)
        return single, None
    return single, _wanted(words, spaces, files, takes.search or Search())


def _wanted(words: SweepWords, spaces: dict[str, str], files: tuple[str, ...], search: Search) -> SweepWanted:
    """search: what the file says, where the options say nothing."""
    from argosy.project.sweeping import SweepWanted

    method: Any = words.optimizer and _GUILD.get(words.optimizer, words.optimizer)
    if words.optimize and not method:
        method = search.method or "bayesian"
    objective, maximize = words.maximize or words.minimize, bool(words.maximize)
    if not objective:
        objective, maximize = search.objective, search.maximize
        # What a file says is the best is no wish for a search.
        method = method or (_by_chance(spaces) if objective else None)
    return SweepWanted(
        spaces=spaces,
        rows=tuple(row for file in files for row in _rows(file)),
        method=method,
        objective=objective,
        direction="maximize" if maximize else "minimize",
        max_trials=words.max_trials if words.max_trials is not None or method in (None, "grid") else search.most,
        seed=words.random_seed,
        fail_fast=words.fail_on_trial_error,
    )


def _by_chance(spaces: Mapping[str, str]) -> str | None:
    """The method for spaces without steps; None where there are none."""
    from argosy.experiments.spaces import Interval, read_space

    return "random" if any(isinstance(read_space(text), Interval) for text in spaces.values()) else None


def _sweeps(name: str, text: str, takes: Signature) -> bool:
    from argosy.experiments.spaces import read_space

    one = takes.find(name)
    if one is not None and one.type in _TAKE_LISTS:
        return False
    return read_space(text) is not None


def _rows(file: str) -> list[dict[str, str]]:
    from argosy.experiments.trials import read_trials

    try:
        return read_trials(Path(file).read_bytes(), file)
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"There is no file {file}", hint="@FILE names a file of trials") from None
