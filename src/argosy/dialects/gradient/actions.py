"""The library of actions: what each takes, and the template that a job which uses it becomes.

An action is data: a file of this folder's `library/`, or of a project's own `.argosy/actions/NAME@VERSION.yaml`.
It knows how such a file is read, not what a job gives to an action.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from argosy.dialects.gradient.notes import Notes
from argosy.errors import InvalidFile
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.nodes import Mapping
from argosy.syntax.parse import parse

LIBRARY = Path(__file__).parent / "library"
ENDING = ".yaml"
# registry: the name of a secret for pulling an image. name: of something in the catalog. output-path: a folder in an
# output, the only one of the job unless it is said. command: a list, or one text as a shell would split it.
FieldType = Literal[
    "string",
    "strings",
    "command",
    "secret",
    "string-or-secret",
    "choice",
    "registry",
    "name",
    "git-url",
    "s3-url",
    "output-path",
]
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9_.-]*")
_KINDS = ("container", "script", "data")


class Field(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that an action takes in `with`.

    env: `$NAME` in it stands for a variable of the job's `env`. from_env: the variable that stands for it when it is
    not given. default: what it is otherwise.
    """

    type: str = "string"
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    env: bool = False
    from_env: str = ""
    description: str = ""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output that an action knows by name. value: of an output string that the action itself tells."""

    type: str
    required: bool = False
    value: str = ""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """closed: it has no use for other inputs, and gives no other strings, than those it names."""

    template: dict[str, Any]
    description: str = ""
    with_: dict[str, Field] = msgspec.field(default={}, name="with")
    inputs: dict[str, Slot] = {}
    outputs: dict[str, Slot] = {}
    closed: bool = False


class Library:
    """The actions that there are. own: the folder of a project's, which go before those of the same name here."""

    def __init__(self, own: Path | None = None) -> None:
        self._folders = [folder for folder in (own, LIBRARY) if folder is not None]
        self._read: dict[str, Action] = {}

    def names(self) -> list[str]:
        """The names of all actions, with their versions."""
        found = {
            one.name.removesuffix(ENDING)
            for folder in self._folders
            if folder.is_dir()
            for one in folder.iterdir()
            if one.name.endswith(ENDING)
        }
        return sorted(found)

    def hint(self, name: str) -> str:
        """What may have been meant by the name of an action that there is none of."""
        names = self.names()
        plain, at, _ = name.partition("@")
        versions = [one for one in names if one.partition("@")[0] == plain]
        if versions:
            return f"write `{versions[0]}`" if not at else f"there is {', '.join(versions)}"
        near = did_you_mean(plain, [one.partition("@")[0] for one in names])
        if near:
            return f"did you mean `{next(one for one in names if one.partition('@')[0] == near)}`?"
        return f"there are {', '.join(names)}; a project's own are in .argosy/actions/NAME@VERSION.yaml"

    def find(self, name: str) -> Action | None:
        """The action of that name; None when there is none. Raises InvalidFile for one that is not written right."""
        if name in self._read:
            return self._read[name]
        if not _NAME.fullmatch(name):
            return None
        for folder in self._folders:
            path = folder / f"{name}{ENDING}"
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise InvalidFile(f"{path} cannot be read: {error.strerror or error}") from error
            self._read[name] = read_action(data, str(path))
            return self._read[name]
        return None


def read_action(data: bytes | str, file: str) -> Action:
    """The action that a file describes. Raises InvalidFile with what is wrong at its place."""
    parsed = parse(data, file)
    notes = Notes(parsed.source)
    notes.found += parsed.diagnostics
    action: Action | None = None
    if parsed.documents:
        node = parsed.documents[0]
        action = notes.read(node, Action)
        if action is not None and isinstance(node, Mapping):
            _check(action, node, notes)
    errors = [one for one in notes.found if one.severity == "error"]
    if errors:
        raise InvalidFile(f"{file}: {errors[0].message}", diagnostics=tuple(notes.found), hint=errors[0].hint)
    if action is None:
        raise InvalidFile(f"{file} describes no action", hint="an action has `with` and `template`")
    return action


def _check(action: Action, node: Mapping, notes: Notes) -> None:
    kinds = [one for one in _KINDS if one in action.template]
    if len(kinds) != 1:
        place = node.key_place("template")
        notes.report(
            "field-type", "the template of an action has exactly one kind", place, hint=f"one of {', '.join(_KINDS)}"
        )
    for name, field in action.with_.items():
        if field.type not in FIELD_TYPES:
            near = did_you_mean(field.type, FIELD_TYPES)
            place = _place_of(node, "with", name, "type")
            hint = f"did you mean `{near}`?" if near else f"the types are {', '.join(FIELD_TYPES)}"
            notes.report("field-type", f"`with.{name}`: there is no type `{field.type}`", place, hint=hint)
        elif field.type == "choice" and not field.choices:
            place = _place_of(node, "with", name, "type")
            notes.report("field-missing", f"`with.{name}` lacks `choices`", place, hint="add `choices: [...]`")


def _place_of(node: Mapping, *path: str) -> int:
    """Where the innermost part of a path stands that is there."""
    current: object = node
    place = node.place
    for word in path:
        if not isinstance(current, Mapping) or word not in current.values:
            break
        place = current.key_place(word)
        current = current.values[word]
    return place
