"""A run as other programs read it: an Argo Workflow object with `status`.

It knows the plan's nodes, not where a run is kept. Source: Argo docs: fields.md (WorkflowStatus).
"""

from __future__ import annotations

from typing import Any

import msgspec

from argosy.model.manifest import Outputs, Workflow
from argosy.model.status import Node, Phase, as_status, timestamp
from argosy.plan.plan import Plan
from argosy.plan.run import LEAF_TYPES


def status_of(plan: Plan) -> dict[str, Any]:
    """What stands under `status`."""
    status: dict[str, Any] = {"phase": str(plan.phase), "startedAt": None, "finishedAt": None}
    if plan.started_at:
        status["startedAt"] = timestamp(plan.started_at)
    if plan.finished_at:
        status["finishedAt"] = timestamp(plan.finished_at)
    if plan.message:
        status["message"] = plan.message
    status["progress"] = progress_of(plan)
    status["conditions"] = [
        {"type": "Completed", "status": "True" if plan.finished else "False"},
        {"type": "PodRunning", "status": "True" if plan.running() else "False"},
    ]
    if plan.outputs != Outputs():
        status["outputs"] = msgspec.to_builtins(plan.outputs)
    status["nodes"] = {id: _shown(node) for id, node in plan.nodes.items()}
    if plan.nodes:
        next(iter(status["nodes"].values()))["progress"] = progress_of(plan)
    return status


def _shown(node: Node) -> dict[str, object]:
    """A node with its progress: a leaf is one of one when it has succeeded."""
    shown = as_status(node)
    if node.type in LEAF_TYPES:
        shown["progress"] = "1/1" if node.phase is Phase.SUCCEEDED else "0/1"
    return shown


def workflow_of(workflow: Workflow, status: dict[str, Any]) -> dict[str, Any]:
    """The whole object, with `status`."""
    found: dict[str, Any] = msgspec.to_builtins(workflow)
    found["apiVersion"] = workflow.api_version or "argoproj.io/v1alpha1"
    found["status"] = status
    return found


def progress_of(plan: Plan) -> str:
    """How many of the leaves known so far have succeeded: "3/10"."""
    return plan.progress
