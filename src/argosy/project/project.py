"""A project: its home folder opened, and what can be asked of it.

It knows which room does what. Opening costs little: the record and the store are opened when first needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import NotFound
from argosy.project.catalog_face import Documents, open_catalog
from argosy.project.configuration import Configuration, read_configuration
from argosy.project.home import Home, find_home, project_folder

if TYPE_CHECKING:
    from argosy.artifacts.repositories import Repository
    from argosy.artifacts.store import Store
    from argosy.catalog.names import Names
    from argosy.catalog.uses import Uses
    from argosy.checks.finding import Finding
    from argosy.model.manifest import Workflow
    from argosy.project.objects import SharedDocuments
    from argosy.project.submission import Prepared, RunOptions, Wanted
    from argosy.project.views import RunView
    from argosy.record.catalog import Catalog
    from argosy.record.journal import Journal
    from argosy.record.queries import Queries, RunSummary
    from argosy.secrets.vault import Vault

NAMES_TRIED = 20


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was put into the record. renamed_from: the name of the file that another run had already."""

    run_id: int
    name: str
    options: RunOptions
    findings: tuple[Finding, ...]
    renamed_from: str = ""


class Project:
    """A project around a folder. One thread."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self.folder = folder

    @classmethod
    def open(cls, home: Path | None, *, folder: Path) -> Project:
        """The project around `folder`. home: where runs are kept, None for ARGOSY_HOME or the nearest .argosy."""
        return cls(find_home(home, folder), project_folder(folder))

    # -- its parts

    @cached_property
    def configuration(self) -> Configuration:
        """argosy.toml. Raises InvalidFile."""
        return read_configuration(self.folder)

    @cached_property
    def journal(self) -> Journal:
        """The writer of the record, which is made when it is not there. Raises RecordTrouble."""
        from argosy.record.journal import Journal

        self.home.make()
        return Journal.open(self.home.record, now=time.time)

    @cached_property
    def queries(self) -> Queries:
        """The readers of the record. Raises NotFound when there is none yet, RecordTrouble."""
        from argosy.record.queries import Queries

        if "journal" not in self.__dict__ and not self.home.record.exists():
            raise NotFound(
                f"There are no runs yet: {self.home.folder} holds no record", hint="start one with argosy run FILE"
            )
        return Queries(self.journal.database, now=time.time)

    @cached_property
    def catalog(self) -> Catalog:
        """The local catalog."""
        return open_catalog(self.journal.database)

    @cached_property
    def vault(self) -> Vault:
        """The Secrets of the catalog, as a person keeps them."""
        from argosy.secrets.vault import Vault

        return Vault(self.catalog)

    @cached_property
    def documents(self) -> Documents:
        """The documents of the catalog."""
        return Documents(self.catalog)

    @property
    def documents_if_any(self) -> Documents | None:
        """The documents of the catalog; None, and nothing made, when there is no record."""
        return self.documents if self.home.record.exists() else None

    @cached_property
    def names(self) -> Names:
        """Named data: datasets, models, tags, workflows."""
        from argosy.catalog.names import Names

        return Names(self.journal.database, now=time.time)

    @cached_property
    def uses(self) -> Uses:
        """Which run took which data by name."""
        from argosy.catalog.uses import Uses

        return Uses(self.journal.database, now=time.time)

    @cached_property
    def shared_documents(self) -> SharedDocuments:
        """The documents of the catalog for any thread."""
        from argosy.project.objects import SharedDocuments

        return SharedDocuments(self.home)

    @cached_property
    def store(self) -> Store:
        """The store of artifacts, which is made when it is not there."""
        from argosy.artifacts.store import Store

        self.home.make()
        return Store.open(self.home.store)

    def repository_of(self, workflow: Workflow) -> Repository:
        """Where artifacts of the workflow go that do not say. Raises TransferRefused."""
        from argosy.artifacts.repositories import Repository, read_repository, repository_folder

        root = repository_folder(self.home.folder)
        reference = workflow.spec.artifact_repository_ref
        given = self.configuration.repository
        if reference is None and given:
            ((kind, fields),) = given.items()
            return Repository(root=root, kind=kind, fields=fields)
        name = reference.config_map if reference is not None and reference.config_map else "artifact-repositories"
        found = self.documents.config_map(name)
        return read_repository({name: found} if found is not None else {}, reference, root)

    # -- runs

    def find(self, name: str) -> RunSummary:
        """The run of that name, of a name that begins so, or @latest. Raises NotFound, UsageError."""
        return self.queries.find(name)

    def view(self, name: str) -> RunView:
        """The run as it is now, with exact times."""
        from argosy.project.views import view

        return view(self, self.find(name), exact=True)

    def submit(self, workflow: Workflow, wanted: Wanted, source: str = "") -> Submitted:
        """Put a run of the workflow into the record.

        A name that the file gives and another run has is made new with a suffix. Raises Refused, UsageError,
        EnvironmentTrouble.
        """
        from argosy.project.submission import prepare

        prepared = prepare(workflow, wanted, self.documents, self.configuration)
        renamed_from = ""
        if not wanted.name and workflow.metadata.name and self._is_taken(prepared.identity.name):
            from argosy.project.naming import generated

            renamed_from = prepared.identity.name
            prepared = self._renamed(workflow, wanted, generated(f"{renamed_from}-"))
        elif not wanted.name and not workflow.metadata.name:
            prepared = self.with_free_name(
                prepared, lambda: prepare(workflow, wanted, self.documents, self.configuration)
            )
        submitted = self.submitted(prepared, source, workflow_name=workflow.metadata.name)
        return msgspec.structs.replace(submitted, renamed_from=renamed_from)

    def _renamed(self, workflow: Workflow, wanted: Wanted, name: str) -> Prepared:
        from argosy.project.submission import prepare

        return prepare(workflow, msgspec.structs.replace(wanted, name=name), self.documents, self.configuration)

    def with_free_name(self, prepared: Prepared, again: Callable[[], Prepared]) -> Prepared:
        """A run whose made-up name no other run has. again: prepares it anew, with another name."""
        for _ in range(NAMES_TRIED):
            if not self._is_taken(prepared.identity.name):
                break
            prepared = again()
        return prepared

    def _is_taken(self, name: str) -> bool:
        return self.journal.database.row("SELECT 1 FROM runs WHERE name = ?", (name,)) is not None

    def submitted(self, prepared: Prepared, source: str, *, workflow_name: str = "") -> Submitted:
        """Put a prepared run into the record, with the data that it names as it is now.

        workflow_name: by which its latest run is found, where nothing else tells. Raises UsageError when its name is
        taken, NotFound for data that is not there.
        """
        from argosy.project.hosting import settled
        from argosy.project.operations import names_of
        from argosy.project.resolving import with_data, with_workflow_name
        from argosy.project.runs_inside import inside
        from argosy.record.journal import NewRun

        prepared = settled(self, with_workflow_name(with_data(self, prepared), workflow_name))
        identity, options = prepared.identity, prepared.options
        new = NewRun(
            name=identity.name,
            uid=identity.uid,
            namespace=identity.namespace,
            created_at=identity.created_at,
            manifest=msgspec.json.encode(prepared.workflow),
            source=source,
            options=msgspec.json.encode(options),
        )
        with self.journal.database.write():
            run_id = self.journal.create_run(new)
            names = [options.workflow_name, *inside(prepared.workflow), *names_of(prepared.workflow)]
            self.uses.name_workflow(run_id, names)
            if options.data:
                self.uses.record(identity.uid, identity.name, options.data)
        return Submitted(run_id=run_id, name=identity.name, options=options, findings=prepared.findings)

    def close(self) -> None:
        """Let go of the record. May be called twice."""
        if "shared_documents" in self.__dict__:
            self.shared_documents.close()
        if "journal" in self.__dict__:
            self.journal.close()
