"""The few steps that control flow itself needs. Each is told its working folder and its environment as they are.

It knows where a step's files lie, and no types.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from argosy.dsl.layout import FOLDER

Raw = Callable[[Path, Mapping[str, str]], int]


class Builtin:
    """A step that is called with its folder and its environment, and gives its exit code."""

    def __init__(self, run: Raw) -> None:
        self.run = run


@Builtin
def keep(folder: Path, environment: Mapping[str, str]) -> int:
    """Gives the files that it is given: a template of this step says where they are kept."""
    given, gives = folder / FOLDER / "in", folder / FOLDER / "out"
    gives.mkdir(parents=True, exist_ok=True)
    for one in given.iterdir() if given.is_dir() else ():
        if one.is_dir():
            shutil.copytree(one, gives / one.name, copy_function=_linked)
        else:
            _linked(str(one), str(gives / one.name))
    return 0


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@Builtin
def nothing(folder: Path, environment: Mapping[str, str]) -> int:
    """Does nothing: a template with outputs needs a task."""
    return 0


@Builtin
def limit(folder: Path, environment: Mapping[str, str]) -> int:
    """Fails: a loop went on after as many iterations as it may have."""
    print(
        "the loop's condition still holds after max_iterations; on_limit='stop' would take the last state",
        file=sys.stderr,
    )
    return 1
