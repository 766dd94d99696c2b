"""What a guild.yml is read with besides its text: the project's files, and who can be asked about Python modules.

It knows questions; whoever reads the file answers them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

Found = Literal["", "file", "folder"]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A flag that a Python module has. default, switch: UNSET for none. split: it takes several words."""

    name: str
    default: Any = msgspec.UNSET
    type: str = ""
    choices: tuple[Any, ...] = ()
    description: str = ""
    required: bool = False
    arg_name: str = ""
    switch: Any = msgspec.UNSET
    split: bool = False


def _no_file(path: str) -> str | None:
    return None


def _nothing(path: str) -> Found:
    return ""


def _no_answer(module: str, words: Sequence[str]) -> list[Imported] | None:
    return None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The trials that a step asks for.

    spaces: lists, sequences and intervals, by flag. files: of trials, each with its text. most: how many there are at
    most. default_sweeps, fixed: texts of flags that are one value.
    """

    spaces: dict[str, str]
    files: tuple[tuple[str, str], ...] = ()
    most: int
    seed: int


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: the values of each trial. left_out: how many more combinations there are."""

    rows: tuple[dict[str, str], ...] = ()
    left_out: int = 0
    problem: str = ""


def _no_space(text: str) -> bool:
    return False


def _no_trials(asked: Asked) -> Trials:
    return Trials(problem="nobody knows trials here")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Paths are relative to the folder of the guild.yml.

    read: the text of a file, None if there is none. kind: what is at a path. ask: the flags of a module that parses
    its arguments, by running it up to there; None when nobody may. several: whether a text is a list, a sequence or a
    space of values. trials: those that a step asks for. folder: of the file, as an absolute path, "" where that is not
    known. root: the same below the project's folder.
    """

    read: Callable[[str], str | None] = _no_file
    kind: Callable[[str], Found] = _nothing
    ask: Callable[[str, Sequence[str]], list[Imported] | None] = _no_answer
    several: Callable[[str], bool] = _no_space
    trials: Callable[[Asked], Trials] = _no_trials
    # Whether there is anybody to ask.
    asks: bool = False
    folder: str = ""
    root: str = ""
