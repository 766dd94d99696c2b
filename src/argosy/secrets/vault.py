"""Secrets as a person keeps them: set, listed without their values, deleted.

It knows names, keys and values; that they are sealed is the catalog's and `sealing`'s matter.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from argosy.errors import NotFound, UsageError
from argosy.record.catalog import Catalog, CatalogObject

KIND = "Secret"
# A shorter value may be part of ordinary words, which a mask would then hide, and is soon guessed.
SHORT_CHARACTERS = 6
_NAME = re.compile(r"[A-Za-z0-9][-._A-Za-z0-9]{0,252}")
_KEY = re.compile(r"[-._A-Za-z0-9]{1,253}")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A Secret without its values. version: grows with every change. Times are seconds since the epoch."""

    name: str
    keys: tuple[str, ...]
    version: int
    created_at: float
    updated_at: float


class Vault:
    """The Secrets of a home; those of `argosy apply` and those that were set are the same."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def list(self) -> list[Kept]:
        """All Secrets by name. Needs no key."""
        return [_kept(one) for one in self._catalog.list(KIND)]

    def version(self, name: str) -> int | None:
        """What stands for a Secret's values in records and cache keys; None if there is no such Secret."""
        try:
            return self._catalog.get(KIND, name).resource_version
        except NotFound:
            return None

    def values(self, name: str) -> dict[str, bytes]:
        """The values by key. Raises NotFound, EnvironmentTrouble when they cannot be opened."""
        document = _decoded(self._catalog.opened(KIND, name))
        plain = {key: text.encode() for key, text in _field(document, "stringData").items()}
        return {key: base64.b64decode(text) for key, text in _field(document, "data").items()} | plain

    def set(self, name: str, values: Mapping[str, bytes]) -> str:
        """Put these keys into a Secret, beside those it has; "created", "configured" or "unchanged".

        Raises UsageError for a name or a key that none can have, EnvironmentTrouble when there is no key to seal with.
        """
        _check(_NAME, name, "a Secret", "letters, digits, '-', '_' and '.'")
        for key in values:
            _check(_KEY, key, "a key of a Secret", "letters, digits, '-', '_' and '.'")
        document = self._document(name)
        encoded = {key: base64.b64encode(value).decode() for key, value in values.items()}
        plain = {key: text for key, text in _field(document, "stringData").items() if key not in values}
        document["data"] = _field(document, "data") | encoded
        document["stringData"] = plain
        return self._catalog.apply(KIND, name, msgspec.json.encode(document))

    def delete(self, name: str, keys: Iterable[str] = ()) -> None:
        """Remove a Secret, or only these keys of it. Raises NotFound."""
        doomed = tuple(keys)
        if not doomed:
            self._catalog.delete(KIND, name)
            return
        document = _decoded(self._catalog.opened(KIND, name))
        fields = [_field(document, "data"), _field(document, "stringData")]
        for key in doomed:
            # A key may be in both.
            if not [field for field in fields if field.pop(key, None) is not None]:
                known = ", ".join(_kept(self._catalog.get(KIND, name)).keys)
                raise NotFound(f"The Secret {name} has no key {key!r}", hint=f"it has {known}")
        self._catalog.apply(KIND, name, msgspec.json.encode(document))

    def _document(self, name: str) -> dict[str, Any]:
        try:
            return _decoded(self._catalog.opened(KIND, name))
        except NotFound:
            return {"apiVersion": "v1", "kind": KIND, "metadata": {"name": name}, "type": "Opaque"}


def short_keys(values: Mapping[str, bytes]) -> list[str]:
    """The keys whose values are so short that hiding them may hide ordinary words."""
    return [key for key, value in values.items() if len(value.strip()) < SHORT_CHARACTERS]


def _kept(found: CatalogObject) -> Kept:
    document = _decoded(found.manifest)
    keys = dict.fromkeys((*_field(document, "data"), *_field(document, "stringData")))
    return Kept(
        name=found.name,
        keys=tuple(keys),
        version=found.resource_version,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def _decoded(manifest: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.json.decode(manifest))


def _field(document: dict[str, Any], name: str) -> dict[str, str]:
    """One of the two fields with values, by key; the document's own."""
    found: dict[str, str] = document.get(name) or {}
    return found


def _check(rule: re.Pattern[str], text: str, what: str, letters: str) -> None:
    if rule.fullmatch(text) is None:
        raise UsageError(f"{text!r} is no name of {what}", hint=f"use {letters}")
