"""Keeping house: runs deleted, what nobody needs pruned, the record and the store verified.

It knows what may go and what must stay; removing bytes is the store's and the record's matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.artifacts.places import discard, forget_in_memory
from argosy.errors import ArgosyError
from argosy.model.manifest import Artifact, Workflow
from argosy.model.status import Node, Phase
from argosy.project.views import manifest_of, nodes_of
from argosy.record.reuse import Reuse

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary

_DIGEST = re.compile(rb'"digest":"([^"\\]+)"')
# What of an attempt goes when its pod would: its logs and its record stay.
_OF_POD = ("work", "tmp", "containers", "volumes")
COMPLETION, DELETION = "OnWorkflowCompletion", "OnWorkflowDeletion"


class Pruned(msgspec.Struct, kw_only=True):
    """What was removed, or would be. runs: names. folders: of steps, or of runs that are no more."""

    runs: list[str] = []
    folders: list[str] = []
    artifacts: list[str] = []
    freed_bytes: int = 0
    troubles: list[str] = []


class Checkup(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. lost: what a run or a name points to and the store lacks, as "RUN: DIGEST"."""

    objects: int
    size_bytes: int
    missing: tuple[str, ...]
    corrupt: tuple[str, ...]
    leftover: tuple[str, ...]
    quarantined: tuple[str, ...]
    lost: tuple[str, ...]
    damaged_runs: tuple[str, ...]
    record: str

    @property
    def sound(self) -> bool:
        return not (self.missing or self.corrupt or self.lost or self.damaged_runs) and self.record == "ok"


def delete_run(project: Project, summary: RunSummary) -> list[str]:
    """Remove a run with its files, and artifacts that are to go with it; what could not be removed.

    Its artifacts in the store go with the next prune, and the trials of a sweep with the sweep. Raises LeaseHeld when
    the run is driven, UsageError when one of its trials is.
    """
    from argosy.project.sweeping import trials_to_delete

    if trials := trials_to_delete(project, summary):
        return [trouble for one in (*trials, summary) for trouble in _delete_one(project, one)]
    return _delete_one(project, summary)


def _delete_one(project: Project, summary: RunSummary) -> list[str]:
    troubles = _delete_artifacts(project, summary, DELETION)
    project.journal.delete_run(summary.id)
    discard(project.home.run(summary.uid))
    forget_in_memory(summary.uid)
    return troubles


def _delete_artifacts(project: Project, summary: RunSummary, strategy: str) -> list[str]:
    """Remove what outputs with this artifactGC strategy left at locations outside the store."""
    doomed = [one for one in _outputs_with(project, summary, strategy) if _is_located(one)]
    if not doomed:
        return []
    from argosy.artifacts.repositories import driver_of, resolve
    from argosy.project.driving import context_of
    from argosy.runners.local.fetching import transfer_context

    workflow = manifest_of(project, summary.id)
    run = context_of(project, summary, workflow)
    troubles: list[str] = []
    for artifact in doomed:
        try:
            whole = resolve(artifact, run.repository)
            driver_of(whole, run.repository).delete(whole, transfer_context(run))
        except ArgosyError as error:
            troubles.append(f"{summary.name}: the artifact {artifact.name} stays: {error.message}")
    return troubles


def _is_located(artifact: Artifact) -> bool:
    from argosy.artifacts.locations import location_kind

    return location_kind(artifact) not in (None, "raw", "http", "git")


def _outputs_with(project: Project, summary: RunSummary, strategy: str) -> list[Artifact]:
    """The output artifacts of a run that is over whose artifactGC is of this strategy (Argo docs: artifactgc)."""
    kept = project.queries.status_document(summary.id)
    if kept is None or b'"artifacts"' not in kept:
        return []
    workflow = manifest_of(project, summary.id)
    return [
        artifact
        for node in nodes_of(msgspec.json.decode(kept)).values()
        for artifact in (node.outputs.artifacts if node.outputs is not None else ())
        if _strategy(artifact, workflow) == strategy
    ]


def _strategy(artifact: Artifact, workflow: Workflow) -> str:
    if artifact.artifact_gc is not None and artifact.artifact_gc.strategy:
        return artifact.artifact_gc.strategy
    return workflow.spec.artifact_gc.strategy if workflow.spec.artifact_gc is not None else ""


def prune(project: Project, *, now: float, older_than_seconds: float | None = None, dry_run: bool = False) -> Pruned:
    """Remove what the workflows' own rules (ttlStrategy, podGC, artifactGC) and the caller's age let go.

    Then what nothing reaches any more: folders of deleted runs, objects of the store.
    """
    pruned = Pruned()
    released: set[str] = set()
    staying: list[RunSummary] = []
    for summary in project.queries.runs():
        if not summary.finished:
            staying.append(summary)
            continue
        workflow = manifest_of(project, summary.id)
        if is_due(workflow, summary, now, older_than_seconds):
            pruned.runs.append(summary.name)
            if not dry_run:
                pruned.troubles += delete_run(project, summary)
            continue
        staying.append(summary)
        _prune_folders(project, workflow, summary, pruned, dry_run)
        released |= _prune_artifacts(project, summary, pruned, dry_run)
    _prune_orphans(project, staying, pruned, dry_run)
    if not dry_run:
        keep = (wanted_digests(project) - released) | {digest for _, digest in project.names.kept()}
        Reuse(project.journal.database).prune()
        pruned.freed_bytes += project.store.prune(keep)
    return pruned


def is_due(workflow: Workflow, summary: RunSummary, now: float, older_than_seconds: float | None) -> bool:
    """Whether a finished run has outlived its ttlStrategy, or the age given."""
    age = now - summary.finished_at
    limits = [] if older_than_seconds is None else [older_than_seconds]
    ttl = workflow.spec.ttl_strategy
    if ttl is not None:
        succeeded = summary.phase == Phase.SUCCEEDED
        own = ttl.seconds_after_success if succeeded else ttl.seconds_after_failure
        chosen = own if own is not None else ttl.seconds_after_completion
        if chosen is not None:
            limits.append(float(chosen))
    return any(age >= limit for limit in limits)


def _prune_folders(project: Project, workflow: Workflow, summary: RunSummary, pruned: Pruned, dry_run: bool) -> None:
    """Remove the working folders of steps whose pods podGC would have deleted."""
    strategy = workflow.spec.pod_gc.strategy if workflow.spec.pod_gc is not None else ""
    if not strategy or (strategy == "OnWorkflowSuccess" and summary.phase != Phase.SUCCEEDED):
        return
    kept = project.queries.status_document(summary.id)
    nodes = nodes_of(msgspec.json.decode(kept)) if kept is not None else {}
    steps = project.home.run(summary.uid) / "steps"
    for attempt in sorted(steps.iterdir()) if steps.is_dir() else ():
        node: Node | None = nodes.get(attempt.name) or nodes.get(attempt.name.rpartition(".")[0])
        if strategy == "OnPodSuccess" and (node is None or node.phase is not Phase.SUCCEEDED):
            continue
        for name in _OF_POD:
            if (attempt / name).is_dir():
                _remove(attempt / name, pruned, dry_run)


def _prune_artifacts(project: Project, summary: RunSummary, pruned: Pruned, dry_run: bool) -> set[str]:
    """The digests that a finished run lets go, what they left elsewhere being removed."""
    doomed = _outputs_with(project, summary, COMPLETION)
    pruned.artifacts += [f"{summary.name}: {one.name}" for one in doomed]
    if doomed and not dry_run:
        pruned.troubles += _delete_artifacts(project, summary, COMPLETION)
    return {one.digest for one in doomed if one.digest}


def _prune_orphans(project: Project, staying: Iterable[RunSummary], pruned: Pruned, dry_run: bool) -> None:
    """Remove folders of runs that are not in the record."""
    folder = project.home.folder / "runs"
    known = {summary.uid for summary in staying}
    doomed = set(pruned.runs)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in known and not (dry_run and doomed):
            _remove(path, pruned, dry_run)


def _remove(path: Path, pruned: Pruned, dry_run: bool) -> None:
    pruned.folders.append(str(path))
    pruned.freed_bytes += sum(one.lstat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())
    if not dry_run:
        discard(path)


def wanted_digests(project: Project) -> set[str]:
    """The digest of every artifact that the record names."""
    found: set[str] = set()
    for _, digests in _digests_by_run(project):
        found |= digests
    for (outputs,) in project.journal.database.rows("SELECT outputs FROM memos"):
        found |= _digests_in(outputs)
    return found


def _digests_by_run(project: Project) -> Iterable[tuple[str, set[str]]]:
    database = project.journal.database
    for run_id, name in database.rows("SELECT id, name FROM runs ORDER BY id"):
        found: set[str] = set()
        for row in database.rows("SELECT manifest, options, status FROM generations WHERE run = ?", (run_id,)):
            for column in row:
                found |= _digests_in(column)
        after = (0, 0)
        while piece := database.rows(
            "SELECT generation, seq, body FROM facts WHERE run = ? AND (generation, seq) > (?, ?)"
            " ORDER BY generation, seq LIMIT 2000",
            (run_id, *after),
        ):
            for _, _, body in piece:
                found |= _digests_in(body)
            after = (piece[-1][0], piece[-1][1])
        yield name, found


def _digests_in(data: bytes | None) -> set[str]:
    return {found.decode() for found in _DIGEST.findall(data)} if data else set()


def check(project: Project, *, read_data: bool) -> Checkup:
    """Look at every fact of the record and every object of the store; with read_data also at the objects' content."""
    report = project.store.check(read_data)
    damaged = [error.message for error in project.queries.damage()]
    lost = [
        f"{name}: {digest}"
        for name, digests in _digests_by_run(project)
        for digest in sorted(digests)
        if not project.store.has(digest)
    ]
    lost += [f"{name}: {digest}" for name, digest in project.names.kept() if not project.store.has(digest)]
    found = project.journal.database.rows("PRAGMA integrity_check")
    return Checkup(
        objects=report.objects,
        size_bytes=report.size_bytes,
        missing=report.missing,
        corrupt=report.corrupt,
        leftover=report.leftover,
        quarantined=report.quarantined,
        lost=tuple(lost),
        damaged_runs=tuple(damaged),
        record="; ".join(str(row[0]) for row in found),
    )
