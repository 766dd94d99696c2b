"""Where a check looks for documents that another document refers to by name.

It knows the question only; the answers come from a project's catalog, or from the other documents of the same call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import msgspec

from argosy.model.manifest import ConfigMap, Document, Secret, WorkflowTemplate


class Catalog(Protocol):
    """Documents by name; None for one that is not there."""

    def workflow_template(self, name: str, cluster_scope: bool) -> WorkflowTemplate | None:
        """The WorkflowTemplate, or with cluster_scope the ClusterWorkflowTemplate, of that name."""
        ...

    def config_map(self, name: str) -> ConfigMap | None:
        """The ConfigMap of that name."""
        ...

    def secret(self, name: str) -> Secret | None:
        """The Secret of that name."""
        ...


class DocumentCatalog:
    """A catalog of documents at hand; what it lacks it asks of `fallback`."""

    def __init__(self, documents: Iterable[Document] = (), fallback: Catalog | None = None) -> None:
        self._templates: dict[tuple[str, bool], WorkflowTemplate] = {}
        self._config_maps: dict[str, ConfigMap] = {}
        self._secrets: dict[str, Secret] = {}
        self._fallback = fallback
        for document in documents:
            if isinstance(document, WorkflowTemplate):
                cluster_scope = document.kind == "ClusterWorkflowTemplate"
                self._templates[(document.metadata.name, cluster_scope)] = document
            elif isinstance(document, ConfigMap):
                self._config_maps[document.metadata.name] = document
            elif isinstance(document, Secret):
                self._secrets[document.metadata.name] = document

    def workflow_template(self, name: str, cluster_scope: bool) -> WorkflowTemplate | None:
        """The template of that name among the documents, else from the fallback."""
        found = self._templates.get((name, cluster_scope))
        if found is None and self._fallback is not None:
            return self._fallback.workflow_template(name, cluster_scope)
        return found

    def config_map(self, name: str) -> ConfigMap | None:
        """The ConfigMap of that name among the documents, else from the fallback."""
        found = self._config_maps.get(name)
        if found is None and self._fallback is not None:
            return self._fallback.config_map(name)
        return found

    def secret(self, name: str) -> Secret | None:
        """The Secret of that name among the documents, else from the fallback."""
        found = self._secrets.get(name)
        if found is None and self._fallback is not None:
            return self._fallback.secret(name)
        return found


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How strict a check is.

    missing_references: what a reference to a document that the catalog lacks is: an error before a run, a warning
    in lint. require_arguments: whether each argument of the workflow needs a value already (before a run), or may
    get it later (lint).
    """

    missing_references: Literal["error", "warning"] = "warning"
    require_arguments: bool = False


BEFORE_RUN = Options(missing_references="error", require_arguments=True)
