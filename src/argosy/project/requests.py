"""What people ask of a run that goes on: stop, terminate, suspend, resume.

It knows who is asked: the process that drives the run, through the record.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import UsageError
from argosy.model.events import Resumed, StopRequested, Suspended
from argosy.model.manifest import Parameter, Workflow
from argosy.model.status import Node, NodeType, Phase
from argosy.project.views import find_node, manifest_of, view

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary

STOP, TERMINATE = "Stop", "Terminate"


class Resumption(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a resumption. asked: a request was made. needs_driver: nobody drives the run."""

    asked: bool
    needs_driver: bool


def end(project: Project, summary: RunSummary, strategy: str, message: str = "") -> None:
    """Ask for the run's end. Raises UsageError when it is over."""
    project.journal.request(summary.id, StopRequested(at=time.time(), strategy=strategy, message=message))


def suspend(project: Project, summary: RunSummary) -> None:
    """Ask that nothing new be started. Raises UsageError when the run is over."""
    project.journal.request(summary.id, Suspended(at=time.time()))


def end_node(project: Project, summary: RunSummary, step: str, phase: Phase, message: str) -> Node:
    """End one suspended step with a phase of one's own; the step. Raises UsageError when it does not wait."""
    node = _waiting_node(project, summary, step)
    project.journal.request(summary.id, Resumed(at=time.time(), node=node.id, phase=str(phase), message=message))
    return node


def resume(project: Project, summary: RunSummary, step: str, parameters: dict[str, str]) -> Resumption:
    """Let a suspended run, or one suspended step of it, go on. parameters: what the step's outputs were waiting for.

    Raises UsageError when the run is over, LeaseHeld when it is not suspended and another process drives it.
    """
    if summary.finished:
        raise UsageError(
            f"Run {summary.name} is over: {summary.phase}",
            hint=f"argosy retry {summary.name} runs again what failed, argosy resubmit {summary.name} all of it",
        )
    now = time.time()
    given = tuple(Parameter(name=name, value=value) for name, value in parameters.items())
    if step or given:
        node = _waiting_node(project, summary, step)
        _check_supplied(_declared(manifest_of(project, summary.id), node), node, parameters)
        project.journal.request(summary.id, Resumed(at=now, node=node.id, parameters=given))
        return Resumption(asked=True, needs_driver=not summary.driven)
    suspended = view(project, summary).suspended
    if suspended:
        project.journal.request(summary.id, Resumed(at=now))
    else:
        project.journal.refuse_driven(summary.id)
    return Resumption(asked=suspended, needs_driver=not summary.driven)


def _waiting_node(project: Project, summary: RunSummary, step: str) -> Node:
    run = view(project, summary)
    waiting = [one for one in run.nodes.values() if one.type is NodeType.SUSPEND and one.phase is Phase.RUNNING]
    if not step:
        if len(waiting) == 1:
            return waiting[0]
        names = ", ".join(one.display_name for one in waiting)
        what = f"the steps {names} of it wait" if waiting else "no step of it waits for values"
        raise UsageError(f"Run {summary.name}: {what}", hint="name one with --step")
    node = find_node(run, step)
    if node not in waiting:
        raise UsageError(f"{node.name} does not wait: it is {node.type} and {node.phase}")
    return node


def _declared(workflow: Workflow, node: Node) -> tuple[str, ...]:
    """The outputs that the step's template declares, as far as it is one of the workflow's own."""
    template = next((one for one in workflow.spec.templates if one.name == node.template_name), None)
    if template is None or template.outputs is None:
        return ()
    return tuple(one.name for one in template.outputs.parameters)


def _check_supplied(declared: tuple[str, ...], node: Node, parameters: dict[str, str]) -> None:
    """Raises UsageError for a value that the step does not wait for."""
    from argosy.syntax.diagnostics import did_you_mean

    for name in parameters:
        if declared and name not in declared:
            near = did_you_mean(name, declared)
            hint = f"did you mean {near}?" if near else f"it waits for {', '.join(declared)}"
            raise UsageError(f"The step {node.display_name} does not wait for {name!r}", hint=hint)
