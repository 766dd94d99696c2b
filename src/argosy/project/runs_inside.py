"""Runs of a workflow that are part of another's run: one that runs `download` first is a run of `download` too.

It knows which step of such a run is which workflow's; what a name means is asked for elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from argosy.catalog.contents import Part
from argosy.errors import NotFound
from argosy.model.status import NodeType, Phase

if TYPE_CHECKING:
    from argosy.catalog.names import Version
    from argosy.model.manifest import DAGTask, Workflow
    from argosy.project.project import Project
    from argosy.project.views import RunView

# On a workflow: its own name, by which its latest run is found, where that is not its metadata's.
WORKFLOW = "argosy.dev/workflow"
# On a workflow: those that it runs first as tasks of its own, separated by commas.
RUNS_TOO = "argosy.dev/runs-workflows"


def inside(workflow: Workflow) -> list[str]:
    """The names of other workflows that its runs are runs of as well."""
    return [one for one in workflow.metadata.annotations.get(RUNS_TOO, "").split(",") if one]


def latest_run(project: Project, names: list[str]) -> tuple[int, str] | None:
    """The number and name of the latest run of any of these workflows that succeeded; None if there is none.

    A run that failed later on counts for what it ran first and did succeed.
    """
    latest = project.uses.latest_run(names)
    newest = latest[0] if latest is not None else 0
    for name in names:
        for run_id in project.uses.runs_of(name, after=newest):
            found = _succeeded_inside(project, run_id, name)
            if found is not None:
                latest, newest = (run_id, found), run_id
                break
    return latest


def _succeeded_inside(project: Project, run_id: int, workflow: str) -> str | None:
    """The name of a run if the task that is this workflow's has succeeded in it."""
    from argosy.project.views import manifest_of, view

    if _task(manifest_of(project, run_id), workflow) is None:
        return None
    row = project.journal.database.row("SELECT name, uid FROM runs WHERE id = ?", (run_id,))
    if row is None:
        return None
    run = view(project, project.find(row[1]))
    steps = _steps(run.workflow, workflow)
    ended = {one.display_name for one in run.nodes.values() if one.phase is Phase.SUCCEEDED}
    return str(row[0]) if steps and steps <= ended else None


def parts_of(run: RunView, workflow: str, parts: list[Part]) -> list[Part]:
    """Of what a run left, what is this workflow's: all of it, unless it is one of those that were run first."""
    steps = _steps(run.workflow, workflow)
    if not steps:
        return parts
    nodes = {id for id, one in run.nodes.items() if one.type is NodeType.POD and one.display_name in steps}
    return [one for one in parts if one.node in nodes]


def behind_tag(project: Project, asked: str) -> tuple[Version, list[Part]] | None:
    """What WORKFLOW:TAG means where only TAG is one: what that workflow left in the run that TAG points to.

    None where there is no such tag, or it is of something else.
    """
    from argosy.project.views import view

    name, colon, tag = asked.partition(":")
    if not (name and colon and tag) or not project.names.exists("tag", tag):
        return None
    version = project.names.version("tag", tag)
    try:
        run = view(project, project.find(version.origin.run)) if version.origin.run else None
    except NotFound:
        return None
    if run is None or name not in (run.workflow.metadata.annotations.get(WORKFLOW, ""), *inside(run.workflow)):
        return None
    kept = msgspec.convert(version.details.get("artifacts", []), list[Part])
    parts = parts_of(run, name, kept)
    return (version, parts) if parts else None


def _steps(workflow: Workflow, name: str) -> set[str]:
    """The step of a workflow that was run first, and those before it, whose outputs it passed on."""
    task = _task(workflow, name)
    return {task.name, *task.dependencies} if task is not None else set()


def _task(workflow: Workflow, name: str) -> DAGTask | None:
    """The task that a workflow which was run first is."""
    first = inside(workflow)
    if name not in first:
        return None
    entry = next((one for one in workflow.spec.templates if one.name == workflow.spec.entrypoint), None)
    tasks = entry.dag.tasks if entry is not None and entry.dag is not None else ()
    return tasks[first.index(name)] if len(tasks) > first.index(name) else None
