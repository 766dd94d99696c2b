"""The data that a manifest names, put in by what it is: each named input gets the digest that its name means now.

It knows where in a manifest data is named; a function that it is handed finds what a name means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import msgspec

from argosy.catalog.uses import Use
from argosy.errors import InvalidFile
from argosy.expressions import tags
from argosy.model.manifest import Artifact, ArtifactFields, CallFields, NamedData, Outputs, Part, Template

P = TypeVar("P", bound=Part)
# What a name means: asked for as `asked`. None when there is no such data, and it need not be.
Find = Callable[["Question"], Use | None]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be found. asked: the name with its parameters put in. place: TEMPLATE/ARTIFACT.

    digest: what the same name meant when it was looked up before, or "".
    """

    named: NamedData
    asked: str
    place: str
    optional: bool
    digest: str


def resolve(document: P, find: Find, parameters: Mapping[str, str]) -> tuple[P, list[Use]]:
    """The document with a digest for each named input, and what was found; the very same object if it names none.

    parameters: of the workflow, which names may use. Raises what `find` raises, InvalidFile for a name that only the
    run itself could tell.
    """
    resolution = _Resolution(find, {f"workflow.parameters.{name}": value for name, value in parameters.items()})
    return cast(P, resolution.of(document, "")), resolution.uses


def asked_of(ref: str, scope: Mapping[str, object]) -> str:
    """A name with the workflow's parameters put in; what they do not tell stays."""
    return tags.substitute_text(ref, scope, allow_unresolved=True) if "{{" in ref else ref


class _Resolution:
    """One call of `resolve`."""

    def __init__(self, find: Find, scope: Mapping[str, object]) -> None:
        self._find = find
        self._scope = scope
        self.uses: list[Use] = []

    def of(self, value: object, place: str) -> object:
        if isinstance(value, Outputs):
            return value
        if isinstance(value, ArtifactFields) and value.named is not None:
            return self._artifact(value, value.named, place)
        if isinstance(value, Part):
            return self._part(value, _below(value, place))
        if isinstance(value, tuple):
            items = cast("tuple[object, ...]", value)
            made = tuple(self.of(one, place) for one in items)
            return items if all(a is b for a, b in zip(items, made, strict=True)) else made
        if isinstance(value, dict):
            pairs = cast("dict[str, object]", value)
            changed = {key: self.of(one, place) for key, one in pairs.items()}
            return pairs if all(changed[key] is one for key, one in pairs.items()) else changed
        return value

    def _part(self, value: Part, place: str) -> Part:
        changed: dict[str, object] = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            if isinstance(before, Part | tuple | dict):
                after = self.of(cast(object, before), place)
                if after is not before:
                    changed[name] = after
        return msgspec.structs.replace(value, **changed) if changed else value

    def _artifact(self, artifact: ArtifactFields, named: NamedData, place: str) -> ArtifactFields:
        name = artifact.name if isinstance(artifact, Artifact) else "artifact"
        where = self._unused(f"{place or 'arguments'}/{name}")
        asked = asked_of(named.ref, self._scope)
        if "{{" in asked:
            raise InvalidFile(
                f"{where} names the {named.kind} {named.ref}, which only the run itself can tell",
                hint="data is looked up before a run starts: use {{workflow.parameters.NAME}} alone in a name",
            )
        known = artifact.digest if named.asked == asked else ""
        question = Question(named=named, asked=asked, place=where, optional=artifact.optional, digest=known)
        found = self._find(question)
        if found is None:
            return msgspec.structs.replace(artifact, named=None, digest="")
        self.uses.append(found)
        told = msgspec.structs.replace(named, asked=asked, found=found.found)
        return msgspec.structs.replace(artifact, named=told, digest=found.digest)

    def _unused(self, place: str) -> str:
        taken = {one.place for one in self.uses}
        number, found = 2, place
        while found in taken:
            found, number = f"{place}#{number}", number + 1
        return found


def _below(value: Part, place: str) -> str:
    """The place of what is inside this part: its template, and the step or task that passes it."""
    if isinstance(value, Template):
        return value.name or place
    if isinstance(value, CallFields):
        name = getattr(value, "name", "")
        return f"{place}/{name}" if name else place
    return place
