"""How data is named: `[NAMESPACE/]NAME[:VERSION|:TAG]`, and for a tag of a run's outputs `[NAMESPACE/]NAME[:TAG]`.

It knows the spelling only; whether there is such a thing is `names`' matter.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from argosy.errors import UsageError
from argosy.syntax.diagnostics import did_you_mean

Kind = Literal["dataset", "model", "tag", "workflow"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LATEST = "latest"

_WORD = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_NAME = rf"(?:({_WORD}(?:/{_WORD})*)/)?({_WORD})"
_SPELLING = "[NAMESPACE/]NAME[:VERSION|:TAG], of letters, digits, '.', '_' and '-'"


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed reference. version 0 and tag "" mean the latest version."""

    kind: Kind
    name: str
    namespace: str = ""
    version: int = 0
    tag: str = ""

    @property
    def whole_name(self) -> str:
        """The name with its namespace, without version or tag."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def parse_ref(kind: Kind, text: str) -> Ref:
    """The parts of a reference. Raises UsageError that says how one is spelled.

    A tag of outputs may be written as `NAME:TAG`, `TAG` or `:TAG`, all of it being its name, and with `@3` as what it
    pointed to at its third move.
    """
    if kind == "tag":
        return _tag_ref(text)
    whole, colon, point = text.partition(":")
    namespace, name = _name(kind, whole, text)
    if colon and not point:
        raise _misspelled(kind, text)
    if not point or point == LATEST:
        return Ref(kind=kind, namespace=namespace, name=name)
    if point.isascii() and point.isdigit():
        if int(point) == 0:
            raise UsageError(f"{text!r} names no version", hint="versions count from 1")
        return Ref(kind=kind, namespace=namespace, name=name, version=int(point))
    return Ref(kind=kind, namespace=namespace, name=name, tag=checked_tag(point))


def _tag_ref(text: str) -> Ref:
    whole, at, move = text.removeprefix(":").partition("@")
    if at and not (move.isascii() and move.isdigit() and int(move)):
        raise UsageError(f"{text!r} names no move of a tag", hint="write NAME:TAG@1 for the first thing it pointed to")
    before, colon, tag = whole.partition(":")
    namespace, name = _name("tag", before, text)
    if colon:
        if re.fullmatch(_WORD, tag) is None:
            raise _misspelled("tag", text)
        name = f"{name}:{tag}"
    return Ref(kind="tag", namespace=namespace, name=name, version=int(move) if at else 0)


def checked_tag(tag: str) -> str:
    """A tag of a version. Raises UsageError for one that could be taken for a version, or is misspelled."""
    if tag == LATEST or tag.isdigit():
        raise UsageError(f"A tag cannot be called {tag!r}: that names a version", hint="choose another word")
    if re.fullmatch(_WORD, tag) is None:
        raise UsageError(f"{tag!r} is no tag", hint="use letters, digits, '.', '_' and '-'")
    return tag


def checked_kind(text: str) -> Kind:
    """The kind that a word means. Raises UsageError with the one that was meant."""
    for kind in KINDS:
        if kind == text:
            return kind
    near = did_you_mean(text, KINDS)
    raise UsageError(f"There is no kind of data {text!r}", hint=f"did you mean {near}?" if near else ", ".join(KINDS))


def _name(kind: Kind, whole: str, text: str) -> tuple[str, str]:
    found = re.fullmatch(_NAME, whole)
    if found is None:
        raise _misspelled(kind, text)
    return found[1] or "", found[2]


def _misspelled(kind: Kind, text: str) -> UsageError:
    return UsageError(f"{text!r} does not name a {kind}", hint=f"write {_SPELLING}")
