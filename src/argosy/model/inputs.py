"""What a run takes, whatever it was written in: inputs with types, defaults and choices.

It knows what an input is, not which format said so nor what a value is used for; `input_values` checks values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

# string: one line. text: several lines. path: of a file or folder; existing-path: of one that is there.
# file, dataset, volume, model, artifact: a name or reference of data. list: a list that is one value.
InputType = Literal[
    "string",
    "text",
    "int",
    "float",
    "number",
    "boolean",
    "path",
    "existing-path",
    "file",
    "dataset",
    "volume",
    "model",
    "artifact",
    "list",
]
# As Onepanel has them: public, protected and internal ones are in its form, the last in no other; private ones are in
# none. hidden: of a kind that no form shows.
Visibility = Literal["public", "protected", "internal", "private", "hidden"]
NOT_ASKED_FOR: tuple[Visibility, ...] = ("private", "hidden")


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the values that an input may have. label: what people read. aliases: other words for the same value."""

    value: str
    label: str = ""
    hint: str = ""
    aliases: tuple[str, ...] = ()


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a run takes.

    default: as text, None for none. choices: all allowed values, unless open_choices, where they are suggestions.
    minimum, maximum: of numbers, both allowed. aliases: other names that users may give it. default_sweeps: the
    default is a list or a space that stands for many trials. path: which part of the file said so, for the source
    map; place: the same as people read it, FILE:LINE. comes_from: where the value is when nobody gives one and there
    is no default, in words.
    """

    name: str
    type: InputType = "string"
    default: str | None = None
    choices: tuple[Choice, ...] = ()
    open_choices: bool = False
    hint: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    visibility: Visibility = "public"
    display_name: str = ""
    aliases: tuple[str, ...] = ()
    default_sweeps: bool = False
    path: tuple[str | int, ...] = ()
    place: str = ""
    comes_from: str = ""

    @property
    def label(self) -> str:
        """What people call it."""
        return self.display_name or self.name


class Search(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How values are looked for where a person does not say.

    method: grid, random or bayesian, once a search is asked for. objective: a metric's name, "" for none. maximize: its
    greatest value is the best. most: how many trials a search has; a grid has all of its own.
    """

    method: Literal["", "grid", "random", "bayesian"] = ""
    objective: str = ""
    maximize: bool = False
    most: int | None = None


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a run takes, and how users of its format give it.

    as_options: they write `--NAME VALUE` too. lists_sweep: a list or a space means many trials wherever it is given,
    not only as NAME=VALUE. rest: the input that takes all words after FILE as one text, as a shell quotes them.
    search: what the file says of trials.
    """

    inputs: tuple[Input, ...] = ()
    as_options: bool = False
    lists_sweep: bool = False
    rest: str = ""
    search: Search | None = None

    def find(self, name: str) -> Input | None:
        """The input of that name or alias."""
        return next((one for one in self.inputs if one.name == name or name in one.aliases), None)


def names_of(inputs: Iterable[Input]) -> list[str]:
    """Every name that a user may give: those of inputs, then their aliases."""
    found = list(inputs)
    return [one.name for one in found] + [alias for one in found for alias in one.aliases]
