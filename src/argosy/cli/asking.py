"""Asking for inputs on a terminal, one after the other.

It knows prompts; what a value may be is the project's word.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from argosy.cli.console import Console, visible
from argosy.errors import UsageError
from argosy.model.inputs import NOT_ASKED_FOR, Input, Signature
from argosy.project.arguments import accepted_value

_MOST_CHOICES = 20


def ask(console: Console, takes: Signature, given: Iterable[str]) -> dict[str, str]:
    """Values for the inputs that are not given yet and are not left at their default.

    Raises UsageError without a terminal, click.Abort when it is left by Ctrl-C or the end of input.
    """
    if not sys.stdin.isatty() or not console.err_is_terminal:
        raise UsageError("--ask needs a terminal to ask on", hint="give the values as NAME=VALUE")
    names = set(given)
    found: dict[str, str] = {}
    for one in takes.inputs:
        if one.type == "artifact" or one.visibility in NOT_ASKED_FOR or not names.isdisjoint((one.name, *one.aliases)):
            continue
        text = _asked(console, one)
        if text is not None:
            found[one.name] = text
    return found


def _asked(console: Console, one: Input) -> str | None:
    """The value; None for the default, or for none where none is needed."""
    if one.hint:
        console.say(one.hint)
    for number, choice in enumerate(one.choices[:_MOST_CHOICES], 1):
        label = f"  {choice.label}" if choice.label and choice.label != choice.value else ""
        console.say(f"  {number}) {choice.value}{label}")
    while True:
        shown = f" [{visible(one.default)}]" if one.default is not None else "" if one.required else " (may be empty)"
        text: str = click.prompt(
            f"{visible(one.label)}{shown}", default="", show_default=False, prompt_suffix=": ", err=True
        )
        if not text and (one.default is not None or not one.required):
            return None
        try:
            return accepted_value(one, _chosen(one, text))
        except UsageError as problem:
            console.trouble(problem.message, problem.hint)


def _chosen(one: Input, text: str) -> str:
    """What a number from the list of choices means; the text itself if it is a choice or no such number."""
    if any(text == choice.value for choice in one.choices) or not text.isdecimal():
        return text
    place = int(text) - 1
    return one.choices[place].value if 0 <= place < min(len(one.choices), _MOST_CHOICES) else text
