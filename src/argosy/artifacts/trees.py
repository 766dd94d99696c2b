"""What names a stored thing, and how a folder is written as an object: a sorted list of its entries.

It knows the form of digests and trees (docs/record-format.md), not where objects are kept.
"""

from __future__ import annotations

import json
import os
import re
from typing import Literal, cast

import msgspec

from argosy.artifacts.troubles import StoreTrouble

Form = Literal["file", "exec", "tree"]
Kind = Literal["file", "link", "tree"]

_DIGEST = r"sha256:([0-9a-f]{64})(\.exec|\.tree)?"
_KINDS = ("file", "link", "tree")


class Digest(msgspec.Struct, frozen=True):
    """A parsed digest: `sha256:<hex>` is a file, with `.exec` an executable file, with `.tree` a folder."""

    hex: str
    form: Form = "file"

    def __str__(self) -> str:
        return f"sha256:{self.hex}" if self.form == "file" else f"sha256:{self.hex}.{self.form}"


class Entry(msgspec.Struct, frozen=True):
    """One name in a folder. digest: of the file or tree, or for a link its text. size: bytes, with all below."""

    name: str
    mode: int
    kind: Kind
    digest: str
    size: int


def hash_of(data: bytes) -> str:
    """The SHA-256 of bytes, in hex."""
    import hashlib  # loads OpenSSL, for which many a run has no use

    return hashlib.sha256(data).hexdigest()


def parse_digest(text: str) -> Digest:
    """Raises StoreTrouble when `text` is no digest of this store."""
    match = re.fullmatch(_DIGEST, text)
    if match is None:
        raise StoreTrouble(f"{text!r} is not a digest of this store.", hint="A digest reads sha256: and 64 hex digits.")
    return Digest(match[1], cast(Form, match[2][1:] if match[2] else "file"))


def encode_tree(entries: list[Entry]) -> bytes:
    """The one form of a tree: the same entries give the same bytes."""
    ordered = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    rows = [[e.name, e.mode, e.kind, e.digest, e.size] for e in ordered]
    return json.dumps(rows, separators=(",", ":")).encode("ascii")


def decode_tree(data: bytes) -> list[Entry]:
    """The entries of a tree. Raises ValueError when it is not a well-formed one."""
    rows: object = json.loads(data)
    if not isinstance(rows, list):
        raise ValueError("a tree is a list")
    return [_entry(row) for row in cast(list[object], rows)]


def _entry(row: object) -> Entry:
    match row:
        case [str(name), int(mode), str(kind), str(digest), int(size)] if kind in _KINDS:
            if not name or name in (".", "..") or "/" in name or "\0" in name:
                raise ValueError("a name in a tree is one path component")
            return Entry(name, mode & 0o777, kind, digest, size)
        case _:
            raise ValueError("an entry is (name, mode, kind, digest, size)")
