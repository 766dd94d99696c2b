"""Every content that a template of the catalog ever had, its labels, and whether it is archived.

It knows kinds and names, not what a manifest means; `argosy.record.catalog` keeps the latest one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from argosy.errors import NotFound
from argosy.record.database import Database

# What has versions; anything else is what it was last applied as.
VERSIONED = ("WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")


class ObjectVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One content of a template. created_at: when it was applied, in seconds since the epoch. manifest: JSON."""

    version: int
    created_at: float
    manifest: bytes


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a template by hand. archived_at: seconds since the epoch, None while it is in use."""

    labels: dict[str, str]
    archived_at: float | None


class ObjectVersions:
    """Versions of objects. A place is (kind, namespace, name)."""

    def __init__(self, database: Database, *, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def keep(self, place: tuple[str, str, str], manifest: bytes) -> None:
        """Make this content the next version; applying it also brings back what was archived."""
        if place[0] not in VERSIONED:
            return
        self._database.execute(
            "INSERT INTO object_versions (kind, namespace, name, version, created_at, manifest) VALUES (?, ?, ?,"
            " (SELECT coalesce(max(version), 0) + 1 FROM object_versions"
            "  WHERE kind = ? AND namespace = ? AND name = ?), ?, ?)",
            (*place, *place, self._now(), manifest),
        )
        self._database.execute(
            "UPDATE objects SET archived_at = NULL WHERE kind = ? AND namespace = ? AND name = ?", place
        )

    def forget(self, place: tuple[str, str, str]) -> None:
        """Remove every version."""
        self._database.execute("DELETE FROM object_versions WHERE kind = ? AND namespace = ? AND name = ?", place)

    def list(self, place: tuple[str, str, str]) -> list[ObjectVersion]:
        """Every version, the newest first."""
        return [
            ObjectVersion(version=version, created_at=created_at, manifest=manifest)
            for version, created_at, manifest in self._database.rows(
                "SELECT version, created_at, manifest FROM object_versions"
                " WHERE kind = ? AND namespace = ? AND name = ? ORDER BY version DESC",
                place,
            )
        ]

    def get(self, place: tuple[str, str, str], version: int) -> ObjectVersion:
        """One version. Raises NotFound with the latest there is."""
        row = self._database.row(
            "SELECT version, created_at, manifest FROM object_versions"
            " WHERE kind = ? AND namespace = ? AND name = ? AND version = ?",
            (*place, version),
        )
        if row is None:
            latest = self.latest(place)
            raise NotFound(
                f"{place[0]} {place[2]} has no version {version}",
                hint=f"the latest is {latest}" if latest else "put it there with argosy apply -f FILE",
            )
        return ObjectVersion(version=row[0], created_at=row[1], manifest=row[2])

    def latest(self, place: tuple[str, str, str]) -> int:
        """The number of the newest version, 0 for none."""
        return self._database.rows(
            "SELECT coalesce(max(version), 0) FROM object_versions WHERE kind = ? AND namespace = ? AND name = ?", place
        )[0][0]

    def standing(self, place: tuple[str, str, str]) -> Standing:
        """Labels put on by hand, and whether it is archived."""
        row = self._database.row(
            "SELECT labels, archived_at FROM objects WHERE kind = ? AND namespace = ? AND name = ?", place
        )
        labels, archived_at = row if row is not None else ("{}", None)
        return Standing(labels=msgspec.json.decode(labels, type=dict[str, str]), archived_at=archived_at)

    def label(self, place: tuple[str, str, str], labels: Mapping[str, str], without: tuple[str, ...] = ()) -> None:
        """Put labels on, over those of the same name; take others off. The versions stay as they are."""
        with self._database.write():
            merged = {
                key: value for key, value in (self.standing(place).labels | dict(labels)).items() if key not in without
            }
            self._database.execute(
                "UPDATE objects SET labels = ? WHERE kind = ? AND namespace = ? AND name = ?",
                (msgspec.json.encode(merged).decode(), *place),
            )

    def archive(self, place: tuple[str, str, str], archived: bool) -> None:
        """Take it out of use, or bring it back."""
        self._database.execute(
            "UPDATE objects SET archived_at = ? WHERE kind = ? AND namespace = ? AND name = ?",
            (self._now() if archived else None, *place),
        )
