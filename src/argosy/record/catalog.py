"""The local catalog: templates, ConfigMaps, Secrets and claims as `argosy apply` left them, as Kubernetes keeps them.

It knows kinds and names, not what a manifest means. Secrets lie in the same file, which only its owner can read.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from argosy.errors import NotFound, UsageError
from argosy.model.manifest import KINDS
from argosy.record.database import Database, Row

DEFAULT_NAMESPACE = "default"
# What `immutable: true` protects (Kubernetes: ConfigMap and Secret).
_PROTECTED = ("data", "binaryData", "stringData", "immutable")


class CatalogObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the catalog. resource_version grows with every change of anything in the catalog.

    created_at, updated_at: seconds since the epoch. manifest: JSON, as applied.
    """

    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: int
    created_at: float
    updated_at: float
    manifest: bytes


_COLUMNS = "kind, namespace, name, uid, resource_version, created_at, updated_at, manifest"


class Catalog:
    """Keeps objects by kind and name. Unknown kinds raise UsageError."""

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def apply(
        self, kind: str, name: str, manifest: bytes, *, namespace: str = DEFAULT_NAMESPACE
    ) -> Literal["created", "configured", "unchanged"]:
        """Put the object there, new or in place of the one of that name. Raises UsageError for an immutable one."""
        with self._database.write():
            present = self._row(kind, name, namespace)
            if present is None:
                self._insert(kind, name, manifest, namespace)
                return "created"
            old, new = msgspec.json.decode(_object(present).manifest), msgspec.json.decode(manifest)
            if old == new:
                return "unchanged"
            _refuse_immutable(kind, name, old, new)
            self._database.execute(
                "UPDATE objects SET manifest = ?, resource_version = ?, updated_at = ?"
                " WHERE kind = ? AND namespace = ? AND name = ?",
                (manifest, self._next_version(), self._now(), *_place(kind, namespace, name)),
            )
        return "configured"

    def create(self, kind: str, name: str, manifest: bytes, *, namespace: str = DEFAULT_NAMESPACE) -> None:
        """Put a new object there. Raises UsageError when there is one of that name."""
        with self._database.write():
            if self._row(kind, name, namespace) is not None:
                raise UsageError(f"{kind} {name} already exists", hint="argosy apply replaces it")
            self._insert(kind, name, manifest, namespace)

    def _insert(self, kind: str, name: str, manifest: bytes, namespace: str) -> None:
        msgspec.json.decode(manifest)
        now = self._now()
        self._database.execute(
            f"INSERT INTO objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*_place(kind, namespace, name), str(uuid.uuid4()), self._next_version(), now, now, manifest),
        )

    def get(self, kind: str, name: str, *, namespace: str = DEFAULT_NAMESPACE) -> CatalogObject:
        """The object. Raises NotFound with names that look alike."""
        found = self._row(kind, name, namespace)
        if found is None:
            raise self._no_such_object(kind, name)
        return _object(found)

    def list(self, kind: str, *, namespace: str | None = None) -> list[CatalogObject]:
        """Every object of a kind, by name; of one namespace or of all."""
        _check_kind(kind)
        return [
            _object(row)
            for row in self._database.rows(
                f"SELECT {_COLUMNS} FROM objects WHERE kind = ?1 AND (?2 IS NULL OR namespace = ?2)"
                " ORDER BY name, namespace",
                (kind, namespace),
            )
        ]

    def delete(self, kind: str, name: str, *, namespace: str = DEFAULT_NAMESPACE) -> None:
        """Remove the object. Raises NotFound."""
        with self._database.write():
            if self._row(kind, name, namespace) is None:
                raise self._no_such_object(kind, name)
            self._database.execute(
                "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?", _place(kind, namespace, name)
            )
            self._next_version()

    def version(self) -> int:
        """A number that grows with every change of the catalog, deletions too: unchanged means nothing to read."""
        return self._database.rows("SELECT value FROM counters WHERE name = 'resource_version'")[0][0]

    def _next_version(self) -> int:
        return self._database.rows(
            "UPDATE counters SET value = value + 1 WHERE name = 'resource_version' RETURNING value"
        )[0][0]

    def _row(self, kind: str, name: str, namespace: str) -> Row | None:
        return self._database.row(
            f"SELECT {_COLUMNS} FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
            _place(kind, namespace, name),
        )

    def _no_such_object(self, kind: str, name: str) -> NotFound:
        import difflib  # only for this error

        alike = difflib.get_close_matches(name, [known.name for known in self.list(kind)], n=3, cutoff=0.6)
        hint = f"did you mean {' or '.join(alike)}?" if alike else "put it there with argosy apply -f FILE"
        return NotFound(f"There is no {kind} named {name!r}", hint=hint)


def _object(row: Row) -> CatalogObject:
    kind, namespace, name, uid, resource_version, created_at, updated_at, manifest = row
    return CatalogObject(
        kind=kind,
        namespace=namespace,
        name=name,
        uid=uid,
        resource_version=resource_version,
        created_at=created_at,
        updated_at=updated_at,
        manifest=manifest,
    )


def _place(kind: str, namespace: str, name: str) -> tuple[str, str, str]:
    """Where an object is kept: a ClusterWorkflowTemplate is in no namespace."""
    _check_kind(kind)
    return kind, "" if kind == "ClusterWorkflowTemplate" else namespace, name


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UsageError(f"The catalog keeps no {kind}", hint=f"it keeps {', '.join(KINDS)}")


def _refuse_immutable(kind: str, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    if old.get("immutable") is True and any(old.get(part) != new.get(part) for part in _PROTECTED):
        raise UsageError(
            f"{kind} {name} is immutable", hint=f"remove it with argosy delete {kind.lower()}/{name}, then apply again"
        )
