"""Documents of files into the catalog, and what else a file may hold beside the workflow that is run.

It knows kinds; how an object is kept is the record's matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from argosy.errors import InvalidFile, UsageError
from argosy.model.manifest import Document, Secret, Workflow
from argosy.project import naming

if TYPE_CHECKING:
    from argosy.project.project import Project


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a document."""

    kind: str
    name: str
    outcome: Literal["created", "configured", "unchanged"]


def short_values(documents: Iterable[Document]) -> list[tuple[str, list[str]]]:
    """The Secrets that have values too short to be hidden well, each with their keys."""
    from argosy.runners.local.environment import secret_bytes
    from argosy.secrets.vault import short_keys

    found = [(one.metadata.name, short_keys(secret_bytes(one))) for one in documents if isinstance(one, Secret)]
    return [(name, keys) for name, keys in found if keys]


def apply(project: Project, documents: Iterable[Document]) -> list[Applied]:
    """Put the documents into the catalog, all or none. Raises UsageError for a Workflow, InvalidFile without a name."""
    done: list[Applied] = []
    with project.journal.database.write():
        for document in documents:
            if isinstance(document, Workflow):
                raise UsageError(
                    "A Workflow is not kept in the catalog",
                    hint="run it with argosy run FILE, or keep it as a template with argosy templates create FILE",
                )
            metadata = document.metadata
            name = metadata.name or (naming.generated(metadata.generate_name) if metadata.generate_name else "")
            if not name:
                raise InvalidFile(f"A {document.kind} has no name", hint="give it metadata.name")
            outcome = project.catalog.apply(document.kind, name, msgspec.json.encode(document))
            done.append(Applied(kind=document.kind, name=name, outcome=outcome))
    return done
