"""The catalog as other rooms ask it: documents as values, for checks, for the planner, for steps.

It knows how a kept manifest becomes a value again.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from argosy.errors import NotFound
from argosy.model.manifest import ConfigMap, KeySelector, Part, Secret, WorkflowTemplate
from argosy.record.catalog import Catalog

Kind = TypeVar("Kind", bound=Part)


class Documents:
    """The documents of the local catalog, by kind and name; an `argosy.checks.catalog.Catalog`.

    Namespaces tell nothing apart here: a name means the same object wherever it is asked from.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def workflow_template(self, name: str, cluster_scope: bool) -> WorkflowTemplate | None:
        return self._read("ClusterWorkflowTemplate" if cluster_scope else "WorkflowTemplate", name, WorkflowTemplate)

    def config_map(self, name: str) -> ConfigMap | None:
        return self._read("ConfigMap", name, ConfigMap)

    def secret(self, name: str) -> Secret | None:
        return self._read("Secret", name, Secret)

    def claim_exists(self, name: str) -> bool:
        return self.json("PersistentVolumeClaim", name) is not None

    def config_map_value(self, selector: KeySelector) -> str | None:
        """The value of a ConfigMap's key, None when there is none."""
        found = self.config_map(selector.name)
        return found.data.get(selector.key) if found is not None else None

    def json(self, kind: str, name: str) -> bytes | None:
        """The object as JSON."""
        try:
            return self._catalog.get(kind, name).manifest
        except NotFound:
            return None

    def _read(self, kind: str, name: str, type: type[Kind]) -> Kind | None:
        found = self.json(kind, name)
        return msgspec.json.decode(found, type=type, strict=False) if found is not None else None
