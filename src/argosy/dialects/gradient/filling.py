"""An action's template with a job's values in it.

It knows `{{with.NAME}}` and `{{job}}`; every other tag is the manifest's own and stays.
"""

from __future__ import annotations

import re
from typing import Any, cast

from argosy.dialects.gradient.given import Tag, Values
from argosy.errors import InvalidFile
from argosy.model.manifest import KeySelector

_PLACE = re.compile(r"\{\{\s*(with\.[\w.-]+|job)\s*\}\}")
_OPENING = "{{='{{'}}"
_ABSENT = object()


def as_text(text: str) -> str:
    """A person's text in a manifest, where `{{` would begin a tag."""
    return text.replace("{{", _OPENING)


def filled(template: dict[str, Any], values: Values, job: str) -> dict[str, Any]:
    """The template with values for its places; what a value that was not given stands for is left out.

    Raises InvalidFile when a place takes no value of this kind.
    """
    return _Filling(values, job).mapping(template)


class _Filling:
    """One call of `filled`."""

    def __init__(self, values: Values, job: str) -> None:
        self._values, self._job = values, job

    def mapping(self, node: dict[str, Any]) -> dict[str, Any]:
        text = node.get("value")
        if isinstance(text, str) and isinstance(secret := self._whole(text), KeySelector) and "name" in node:
            # A variable: it is given the secret by name.
            rest = {key: self.of(one) for key, one in node.items() if key != "value"}
            return {**rest, "valueFrom": {"secretKeyRef": _selector(secret)}}
        made = {key: self.of(one) for key, one in node.items()}
        return {key: one for key, one in made.items() if one is not _ABSENT}

    def of(self, node: Any) -> Any:
        if isinstance(node, dict):
            return self.mapping(cast("dict[str, Any]", node))
        if isinstance(node, list):
            made: list[Any] = []
            for item in cast("list[Any]", node):
                one = self.of(item)
                # A list in a list's place: its items.
                made += one if isinstance(one, list) and isinstance(item, str) else [] if one is _ABSENT else [one]
            return made
        return self._text(node) if isinstance(node, str) else node

    def _whole(self, text: str) -> Any:
        found = _PLACE.fullmatch(text.strip())
        if found is None:
            return None
        if found[1] == "job":
            return self._job
        return self._values.get(found[1].removeprefix("with."), _ABSENT)

    def _text(self, text: str) -> Any:
        whole = self._whole(text)
        if whole is not None:
            return _form(whole)
        return _PLACE.sub(lambda found: self._part(found[1]), text)

    def _part(self, name: str) -> str:
        value = self._job if name == "job" else self._values.get(name.removeprefix("with."), "")
        if isinstance(value, Tag):
            return value.text
        if isinstance(value, str):
            return as_text(value)
        what = "a secret" if isinstance(value, KeySelector) else "a list"
        raise InvalidFile(
            f"the template of an action has {{{{{name}}}}} inside a text, and that is {what}",
            hint="let it be the whole value",
        )


def _form(value: Any) -> Any:
    if isinstance(value, Tag):
        return value.text
    if isinstance(value, KeySelector):
        return _selector(value)
    if isinstance(value, tuple):
        return [as_text(one) for one in cast("tuple[str, ...]", value)]
    return as_text(value) if isinstance(value, str) else value


def _selector(secret: KeySelector) -> dict[str, str]:
    return {"name": secret.name, "key": secret.key}
