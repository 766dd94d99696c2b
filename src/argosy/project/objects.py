"""The catalog and the runs as steps reach them: from any thread, each with a connection of its own.

It knows kinds of objects; what a step does with them is the resource template's matter.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import NotFound
from argosy.model.manifest import ConfigMap, Secret, Workflow
from argosy.project.catalog_face import Documents, open_catalog
from argosy.project.home import Home

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.record.database import Database
    from argosy.runners.local.context import Objects

WORKFLOW = "Workflow"
_SUBMITTING = threading.Lock()


class _Metadata(msgspec.Struct, frozen=True):
    labels: dict[str, str] = {}


class _Labelled(msgspec.Struct, frozen=True):
    """Of an object, what selectors look at."""

    metadata: _Metadata = _Metadata()


class SharedDocuments:
    """The documents of the catalog, to be asked from any thread."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._threads = threading.local()

    @property
    def _mine(self) -> Documents:
        found: Documents | None = getattr(self._threads, "documents", None)
        if found is None:
            from argosy.record.database import Database

            database = Database.open(self._home.record)
            found = Documents(open_catalog(database))
            self._threads.documents, self._threads.database = found, database
        return found

    def close(self) -> None:
        """Let go of the record in this thread; the others do when they end."""
        database: Database | None = getattr(self._threads, "database", None)
        if database is not None:
            del self._threads.documents, self._threads.database
            database.close()

    def config_map(self, name: str) -> ConfigMap | None:
        return self._mine.config_map(name)

    def secret(self, name: str) -> Secret | None:
        """The Secret with its values. Raises EnvironmentTrouble when it cannot be opened."""
        return self._mine.opened_secret(name)

    def secret_version(self, name: str) -> int | None:
        return self._mine.secret_version(name)

    def claim_exists(self, name: str) -> bool:
        return self._mine.claim_exists(name)


def objects_of(home: Home, folder: Path) -> Objects:
    """What a resource template may create, read, change and delete."""
    from argosy.runners.local.context import Objects

    def project() -> Project:
        from argosy.project.project import Project

        return Project(home, folder)

    def get(kind: str, name: str) -> bytes | None:
        with _closing(project()) as mine:
            return _run_as_json(mine, name) if kind == WORKFLOW else _opened(mine, kind, name)

    def put(kind: str, name: str, data: bytes, must_be_new: bool) -> None:
        with _closing(project()) as mine:
            if kind == WORKFLOW:
                _submit(mine, name, data)
            elif must_be_new:
                mine.catalog.create(kind, name, data)
            else:
                mine.catalog.apply(kind, name, data)

    def delete(kind: str, name: str) -> bool:
        with _closing(project()) as mine:
            try:
                if kind == WORKFLOW:
                    from argosy.project.housekeeping import delete_run

                    delete_run(mine, mine.find(name))
                else:
                    mine.catalog.delete(kind, name)
            except NotFound:
                return False
            return True

    def go_on(name: str, again: bool) -> None:
        with _closing(project()) as mine:
            _go_on(mine, name, again)

    def end(name: str, owner: str) -> str:
        with _closing(project()) as mine:
            return _end(mine, name, owner)

    def labels(kind: str) -> dict[str, dict[str, str]]:
        with _closing(project()) as mine:
            return _labels(mine, kind)

    return Objects(get=get, put=put, delete=delete, go_on=go_on, end=end, labels=labels)


class _closing:
    """A project for one call."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def __enter__(self) -> Project:
        return self._project

    def __exit__(self, *_: object) -> None:
        self._project.close()


def _run_as_json(project: Project, name: str) -> bytes | None:
    from argosy.project.views import view

    summary = project.queries.named(name)
    if summary is None:
        return None
    return msgspec.json.encode(view(project, summary).document())


def _labels(project: Project, kind: str) -> dict[str, dict[str, str]]:
    if kind == WORKFLOW:
        return {one.name: one.labels for one in project.queries.runs()}
    found = ((one.name, msgspec.json.decode(one.manifest, type=_Labelled)) for one in project.catalog.list(kind))
    return {name: one.metadata.labels for name, one in found}


def _opened(project: Project, kind: str, name: str) -> bytes | None:
    try:
        return project.catalog.opened(kind, name)
    except NotFound:
        return None


def _submit(project: Project, name: str, data: bytes) -> None:
    """Put a run of the workflow into the record, driven by a process of its own. Raises UsageError if it is there."""
    from argosy.project.driving import detach
    from argosy.project.submission import Wanted
    from argosy.project.sweeping import submit_trial, sweep_of_trial

    workflow = msgspec.json.decode(data, type=Workflow, strict=False)
    found = sweep_of_trial(project, workflow)
    if found is None:
        submitted = project.submit(workflow, Wanted(name=name), data.decode())
    else:
        # One trial after the other: each is to know of those that were begun before it.
        with _SUBMITTING:
            submitted = submit_trial(project, *found, workflow)
    detach(project, submitted.name)


def _go_on(project: Project, name: str, again: bool) -> None:
    """Have the run driven by a process of its own, if it is not over. again: a failed one is retried."""
    from argosy.project.driving import detach

    summary = project.queries.named(name)
    if summary is None or summary.driven:
        return
    if summary.finished:
        if not again or summary.phase == "Succeeded":
            return
        from argosy.project.rerunning import retry
        from argosy.project.views import view

        retry(project, view(project, summary))
    detach(project, name)


def _end(project: Project, name: str, owner: str) -> str:
    """Ask the run to end as its owner was asked to; as `Objects.end` says."""
    from argosy.errors import UsageError
    from argosy.model.events import StopRequested
    from argosy.project.requests import TERMINATE, end

    whose, summary = project.queries.named(owner), project.queries.named(name)
    asked = [one for _, one in project.queries.events(whose.id) if isinstance(one, StopRequested)] if whose else []
    if not asked:
        return ""
    if summary is None or summary.finished:
        return "over"
    strategy = TERMINATE if any(one.strategy == TERMINATE for one in asked) else asked[0].strategy
    facts = [*(one for _, one in project.queries.events(summary.id)), *project.journal.pending_requests(summary.id)]
    known = [one.strategy for one in facts if isinstance(one, StopRequested)]
    if strategy not in known and TERMINATE not in known:
        try:
            end(project, summary, strategy, f"{owner} was ended")
        except UsageError:
            # It ended in between.
            return "over"
    if not summary.driven:
        _go_on(project, name, again=False)
    return "ending"
