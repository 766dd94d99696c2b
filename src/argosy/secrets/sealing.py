"""The values of a Secret's manifest, sealed so that only the holder of the key can read or exchange them.

It knows manifests as JSON and the cipher (AES-256-GCM, NIST SP 800-38D), not where either is kept.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any, cast

import msgspec

from argosy.errors import EnvironmentTrouble

if TYPE_CHECKING:
    from argosy.secrets.keys import Key

SEALED = "sealed"
_FIELDS = ("data", "stringData")
_NONCE_BYTES = 12
# kubectl keeps the whole manifest there, values too.
_COPY = "kubectl.kubernetes.io/last-applied-configuration"


class Sealing:
    """Seals and opens manifests of Secrets; the key is looked for when it is first needed."""

    def __init__(self) -> None:
        self._key: Key | None = None

    def seal(self, place: str, manifest: bytes) -> bytes:
        """The manifest with empty values, and these sealed beside them. place: name and version, which are bound in.

        Raises EnvironmentTrouble when there is no key and none can be made.
        """
        document = cast("dict[str, Any]", msgspec.json.decode(manifest))
        values = {field: document[field] for field in _FIELDS if document.get(field)}
        for field in values:
            document[field] = dict.fromkeys(document[field], "")
        metadata: dict[str, Any] = document.get("metadata") or {}
        annotations: dict[str, str] = metadata.get("annotations") or {}
        annotations.pop(_COPY, None)
        if values:
            from argosy.secrets.keys import make_key

            key = self._key = self._key or make_key()
            nonce = os.urandom(_NONCE_BYTES)
            data = _cipher(key).encrypt(nonce, msgspec.json.encode(values), place.encode())
            document[SEALED] = {"key": key.id, "values": base64.b64encode(nonce + data).decode()}
        return msgspec.json.encode(document)

    def open(self, place: str, kept: bytes) -> bytes:
        """The manifest with its values. Raises EnvironmentTrouble when the key is not here or does not fit."""
        document = cast("dict[str, Any]", msgspec.json.decode(kept))
        sealed = document.pop(SEALED, None)
        if sealed is None:
            return kept
        from argosy.secrets.keys import find_key

        name = place.partition("@")[0]
        key = self._key = self._key or find_key()
        if key is None or key.id != sealed["key"]:
            raise EnvironmentTrouble(
                f"The Secret {name} cannot be opened: the key that it was sealed with is not here.",
                hint=f"argosy doctor tells where the key is looked for; argosy secrets delete {name}, then set it anew",
            )
        document |= msgspec.json.decode(_opened(key, name, place, sealed["values"]))
        return msgspec.json.encode(document)


def _opened(key: Key, name: str, place: str, text: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    data = base64.b64decode(text)
    try:
        return _cipher(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode())
    except InvalidTag:
        raise EnvironmentTrouble(
            f"The Secret {name} was altered in the record, or is not the one that was put there.",
            hint=f"argosy secrets delete {name}, then set it anew",
        ) from None


def _cipher(key: Key) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key.data)
