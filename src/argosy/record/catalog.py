"""The local catalog: templates, ConfigMaps, Secrets and claims as `argosy apply` left them, as Kubernetes keeps them.

It knows kinds and names, not what a manifest means. Secrets lie in the same file, their values sealed by what is
handed in; in the clear they are refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from argosy.errors import NotFound, UsageError
from argosy.model.manifest import KINDS
from argosy.record.database import Database, Row
from argosy.record.object_versions import ObjectVersions

DEFAULT_NAMESPACE = "default"
# What `immutable: true` protects (Kubernetes: ConfigMap and Secret).
_PROTECTED = ("data", "binaryData", "stringData", "immutable")
SECRET = "Secret"


class CatalogObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the catalog. resource_version grows with every change of anything in the catalog.

    created_at, updated_at: seconds since the epoch. manifest: JSON, as applied; of a Secret without its values.
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


class Sealing(Protocol):
    """Makes manifests of Secrets unreadable, and readable again. place: the name and version, to be bound in."""

    def seal(self, place: str, manifest: bytes) -> bytes: ...

    def open(self, place: str, kept: bytes) -> bytes: ...


class Catalog:
    """Keeps objects by kind and name. Unknown kinds raise UsageError."""

    def __init__(self, database: Database, *, now: Callable[[], float], sealing: Sealing | None = None) -> None:
        """sealing: without one, a Secret with values can be neither put here nor opened."""
        self._database = database
        self._now = now
        self._sealing = sealing
        self.versions = ObjectVersions(database, now=now)

    def apply(
        self, kind: str, name: str, manifest: bytes, *, namespace: str = DEFAULT_NAMESPACE
    ) -> Literal["created", "configured", "unchanged"]:
        """Put the object there, new or in place of the one of that name. Raises UsageError for an immutable one."""
        with self._database.write():
            present = self._row(kind, name, namespace)
            if present is None:
                self._insert(kind, name, manifest, namespace)
                return "created"
            old, new = msgspec.json.decode(self._opened(_object(present))), msgspec.json.decode(manifest)
            if old == new:
                return "unchanged"
            _refuse_immutable(kind, name, old, new)
            version = self._next_version()
            self._database.execute(
                "UPDATE objects SET manifest = ?, resource_version = ?, updated_at = ?"
                " WHERE kind = ? AND namespace = ? AND name = ?",
                (self._kept(kind, name, version, manifest), version, self._now(), *_place(kind, namespace, name)),
            )
            self.versions.keep(_place(kind, namespace, name), manifest)
        return "configured"

    def create(self, kind: str, name: str, manifest: bytes, *, namespace: str = DEFAULT_NAMESPACE) -> None:
        """Put a new object there. Raises UsageError when there is one of that name."""
        with self._database.write():
            if self._row(kind, name, namespace) is not None:
                raise UsageError(f"{kind} {name} already exists", hint="argosy apply replaces it")
            self._insert(kind, name, manifest, namespace)

    def _insert(self, kind: str, name: str, manifest: bytes, namespace: str) -> None:
        msgspec.json.decode(manifest)
        now, version = self._now(), self._next_version()
        kept = self._kept(kind, name, version, manifest)
        self._database.execute(
            f"INSERT INTO objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*_place(kind, namespace, name), str(uuid.uuid4()), version, now, now, kept),
        )
        self.versions.keep(_place(kind, namespace, name), manifest)

    def _kept(self, kind: str, name: str, version: int, manifest: bytes) -> bytes:
        """The manifest as it is kept."""
        if kind != SECRET:
            return manifest
        if self._sealing is not None:
            return self._sealing.seal(_sealed_place(name, version), manifest)
        document = msgspec.json.decode(manifest)
        if document.get("data") or document.get("stringData"):
            raise UsageError(f"The Secret {name} cannot be kept in the clear", hint="argosy apply seals it")
        return manifest

    def _opened(self, found: CatalogObject) -> bytes:
        if found.kind != SECRET or self._sealing is None:
            return found.manifest
        return self._sealing.open(_sealed_place(found.name, found.resource_version), found.manifest)

    def opened(self, kind: str, name: str, *, namespace: str = DEFAULT_NAMESPACE) -> bytes:
        """The manifest of the object, that of a Secret with its values.

        Raises NotFound, EnvironmentTrouble when a Secret cannot be opened.
        """
        return self._opened(self.get(kind, name, namespace=namespace))

    def seal_old(self, without_values: Callable[[str], str]) -> bool:
        """Seal what an earlier format kept in the clear, and leave no trace of it in the file; whether there was any.

        without_values: gives the text of a file without the values of the Secrets that stand in it. Safe to be killed:
        what was not done is done the next time.
        """
        asking = "SELECT value FROM counters WHERE name = 'clear_secrets'"
        if self._sealing is None or self._database.row(asking) is None:
            return False
        with self._database.write():
            # Another process may have done it while this one waited for its turn.
            state = self._database.row(asking)
            for found in self.list(SECRET) if state == (_IN_CLEAR,) else ():
                kept = self._kept(SECRET, found.name, found.resource_version, found.manifest)
                self._database.execute(
                    "UPDATE objects SET manifest = ? WHERE kind = ? AND namespace = ? AND name = ?",
                    (kept, *_place(SECRET, found.namespace, found.name)),
                )
            for run, generation, source in self._database.rows(
                "SELECT run, generation, source FROM generations WHERE instr(source, 'Secret') > 0"
            ):
                self._database.execute(
                    "UPDATE generations SET source = ? WHERE run = ? AND generation = ?",
                    (without_values(source), run, generation),
                )
            self._database.execute("UPDATE counters SET value = ? WHERE name = 'clear_secrets'", (_SEALED,))
        # Freed pages and the log still hold the old text.
        self._database.execute("VACUUM")
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._database.execute("DELETE FROM counters WHERE name = 'clear_secrets'")
        return True

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
                f"SELECT {_COLUMNS} FROM objects WHERE kind = ? AND (? IS NULL OR namespace = ?)"
                " ORDER BY name, namespace",
                (kind, namespace, namespace),
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
            self.versions.forget(_place(kind, namespace, name))
            self._next_version()

    def place_of(self, kind: str, name: str, *, namespace: str = DEFAULT_NAMESPACE) -> tuple[str, str, str]:
        """Where the object is kept, for `versions`. Raises NotFound with names that look alike."""
        if self._row(kind, name, namespace) is None:
            raise self._no_such_object(kind, name)
        return _place(kind, namespace, name)

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
        hint = (
            f"did you mean {' or '.join(alike)}?" if alike else _HOW.get(kind, "put it there with argosy apply -f FILE")
        )
        return NotFound(f"There is no {kind} named {name!r}", hint=hint)


_TEMPLATES = "argosy templates list shows them; argosy templates create FILE makes one"
_HOW: dict[str, str] = {"WorkflowTemplate": _TEMPLATES, "CronWorkflow": _TEMPLATES}


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


# The counter clear_secrets: there are some, or they are sealed and the file is to be rewritten.
_IN_CLEAR, _SEALED = 1, 2


def _sealed_place(name: str, version: int) -> str:
    return f"{name}@{version}"


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
