"""The options of verbs that make runs which may use outcomes of earlier ones: --cache and --refresh.

It knows how they are spelled, not what is reused.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from argosy.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])
EVERY_STEP = "*"


def reuse_options(command: Command) -> Command:
    """--cache, --no-cache and --refresh [STEP]."""
    command = click.option(
        "--refresh",
        multiple=True,
        is_flag=False,
        flag_value=EVERY_STEP,
        metavar="[STEP]",
        help="Run every step, or STEP, whatever the cache has, and keep the new outcomes.",
    )(command)
    return click.option(
        "--cache/--no-cache",
        default=None,
        help="Use the outputs of earlier steps that were the same in everything that decides them.",
    )(command)


def read_refresh(
    file: str | None, words: tuple[str, ...], cache: bool | None, refresh: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """FILE, the words after it, and the steps to refresh, where --refresh stood before FILE or before a NAME=VALUE.

    Raises UsageError for --refresh with --no-cache.
    """
    steps: list[str] = []
    for one in refresh:
        if "=" in one:
            words, one = (*words, one), EVERY_STEP
        elif one != EVERY_STEP and (one == "-" or Path(one).is_file()):
            words = (file, *words) if file is not None else words
            file, one = one, EVERY_STEP
        steps.append(one)
    if steps and cache is False:
        raise UsageError("--refresh keeps outcomes in the cache, and --no-cache does without it", hint="leave one out")
    return file, words, tuple(steps)
