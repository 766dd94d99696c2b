"""The catalog as other rooms ask it: documents as values, for checks, for the planner, for steps.

It knows how a kept manifest becomes a value again.
"""

from __future__ import annotations

import time
from typing import TypeVar

import msgspec

from argosy.errors import NotFound
from argosy.model.manifest import ConfigMap, KeySelector, Part, Secret, WorkflowTemplate
from argosy.record.catalog import Catalog
from argosy.record.database import Database

Kind = TypeVar("Kind", bound=Part)


def open_catalog(database: Database) -> Catalog:
    """The catalog in the record's file, which seals its Secrets. Raises EnvironmentTrouble when old ones cannot be."""
    from argosy.dialects.secret_text import without_values
    from argosy.secrets.sealing import Sealing

    catalog = Catalog(database, now=time.time, sealing=Sealing())
    catalog.seal_old(without_values)
    return catalog


class Documents:
    """The documents of the local catalog, by kind and name; an `argosy.checks.catalog.Catalog`.

    Namespaces tell nothing apart here: a name means the same object wherever it is asked from.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def workflow_template(self, name: str, cluster_scope: bool) -> WorkflowTemplate | None:
        """The template; of NAME@VERSION that version."""
        kind = "ClusterWorkflowTemplate" if cluster_scope else "WorkflowTemplate"
        plain, at, version = name.partition("@")
        if not at:
            return self._read(kind, name, WorkflowTemplate)
        if not version.isdecimal():
            return None
        try:
            found = self._catalog.versions.get(self._catalog.place_of(kind, plain), int(version))
        except NotFound:
            return None
        return msgspec.json.decode(found.manifest, type=WorkflowTemplate, strict=False)

    def template_version(self, name: str, cluster_scope: bool) -> int:
        """Which version of a template is meant by NAME or NAME@VERSION now; 0 if there is none."""
        kind = "ClusterWorkflowTemplate" if cluster_scope else "WorkflowTemplate"
        plain, at, version = name.partition("@")
        if at:
            return int(version) if version.isdecimal() else 0
        try:
            return self._catalog.versions.latest(self._catalog.place_of(kind, plain))
        except NotFound:
            return 0

    def config_map(self, name: str) -> ConfigMap | None:
        return self._read("ConfigMap", name, ConfigMap)

    def secret(self, name: str) -> Secret | None:
        """The Secret with its keys, and without its values: who checks need not hold the key."""
        return self._read("Secret", name, Secret)

    def opened_secret(self, name: str) -> Secret | None:
        """The Secret with its values. Raises EnvironmentTrouble when it cannot be opened."""
        try:
            found = self._catalog.opened("Secret", name)
        except NotFound:
            return None
        return msgspec.json.decode(found, type=Secret, strict=False)

    def secret_version(self, name: str) -> int | None:
        """What stands for a Secret's values in records; None if there is none."""
        try:
            return self._catalog.get("Secret", name).resource_version
        except NotFound:
            return None

    def claim_exists(self, name: str) -> bool:
        return self.json("PersistentVolumeClaim", name) is not None

    def config_map_value(self, selector: KeySelector) -> str | None:
        """The value of a ConfigMap's key, None when there is none."""
        found = self.config_map(selector.name)
        return found.data.get(selector.key) if found is not None else None

    def json(self, kind: str, name: str) -> bytes | None:
        """The object as JSON; a Secret without its values."""
        try:
            return self._catalog.get(kind, name).manifest
        except NotFound:
            return None

    def _read(self, kind: str, name: str, type: type[Kind]) -> Kind | None:
        found = self.json(kind, name)
        return msgspec.json.decode(found, type=type, strict=False) if found is not None else None
