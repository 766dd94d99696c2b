"""The text of a step: what Guild would be called with, as an operation, values of flags and options.

It knows the spelling of Guild's command line, not which operations there are.
"""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from argosy.syntax.diagnostics import Severity, did_you_mean

# Options that may stand in the text of a step: the attribute that each means, and whether a value follows.
_OPTIONS: dict[str, tuple[str, bool]] = {
    "--label": ("label", True),
    "-l": ("label", True),
    "--tag": ("tags", True),
    "-t": ("tags", True),
    "--max-trials": ("max_trials", True),
    "-m": ("max_trials", True),
    "--trials": ("max_trials", True),
    "--random-seed": ("random_seed", True),
    "--gpus": ("gpus", True),
    "--no-gpus": ("no_gpus", False),
    "--stop-after": ("stop_after", True),
    "--force-flags": ("force_flags", False),
    "--needed": ("needed", False),
    "--fail-on-trial-error": ("fail_on_trial_error", False),
    "--minimize": ("minimize", True),
    "-N": ("minimize", True),
    "--maximize": ("maximize", True),
    "-X": ("maximize", True),
    "--optimize": ("optimize", False),
    "-O": ("optimize", False),
    "--optimizer": ("optimizer", True),
    "-o": ("optimizer", True),
    "--opt-flag": ("opt_flags", True),
    "-F": ("opt_flags", True),
    "--batch-label": ("batch_label", True),
    "--batch-tag": ("batch_tags", True),
    "--remote": ("remote", True),
    "-r": ("remote", True),
}
# Attributes that options set in vain.
WITHOUT_EFFECT = (
    "needed",
    "label",
    "optimize",
    "optimizer",
    "opt_flags",
    "minimize",
    "maximize",
    "remote",
    "batch_label",
    "batch_tags",
)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a step's text."""

    message: str
    hint: str = ""
    severity: Severity = "error"


class StepText(msgspec.Struct, frozen=True, kw_only=True):
    """A step's text. names: neither flags nor options. files: of trials. whole: it could be read to its end."""

    names: tuple[str, ...] = ()
    flags: dict[str, Any] = {}
    options: dict[str, Any] = {}
    files: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    whole: bool = True


def read_step(text: str) -> StepText:
    """The parts of a step's text."""
    if not text.strip():
        return _none("invalid step: it must define `run`", "write `run: OPERATION`")
    try:
        words = shlex.split(text)
    except ValueError as problem:
        return _none(f"the step cannot be split into words: {str(problem).lower()}", "close every quote")
    names: list[str] = []
    files: list[str] = []
    flags: dict[str, Any] = {}
    options: dict[str, Any] = {}
    problems: list[Problem] = []
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if word.startswith("-"):
            problem = _option(word, words, options)
            problems += [problem] if problem is not None else []
        elif word.startswith("@"):
            files.append(word[1:])
        elif equals and name:
            flags[name] = value
        else:
            names.append(word)
    return StepText(names=tuple(names), flags=flags, options=options, files=tuple(files), problems=tuple(problems))


def _none(message: str, hint: str) -> StepText:
    return StepText(problems=(Problem(message=message, hint=hint),), whole=False)


def _option(word: str, rest: list[str], options: dict[str, Any]) -> Problem | None:
    name, equals, value = word.partition("=")
    if name in ("-y", "--yes"):
        return None
    if name not in _OPTIONS:
        near = did_you_mean(name, _OPTIONS)
        hint = f"did you mean `{near}`?" if near else ""
        return Problem(message=f"the option {name} of a step is not read", hint=hint, severity="warning")
    attribute, takes = _OPTIONS[name]
    given: Any = True
    if takes:
        given = value if equals else rest.pop(0) if rest else ""
    if attribute in ("max_trials", "random_seed"):
        if not str(given).isdigit():
            return Problem(message=f"{name} takes a whole number, not {given!r}")
        given = int(given)
    options[attribute] = (*options.get(attribute, ()), given) if attribute == "tags" else given
    return None
