"""Argosy: machine learning workflows, on one machine and on Argo.

What programs import from here is loaded when it is asked for: the command line needs none of it.
"""

from __future__ import annotations

# As from typing, which this program's smallest part, the supervisor, has no other need of.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from argosy.api.cluster import Argo
    from argosy.api.run import Run, RunFailed
    from argosy.api.runners import ArgoRunner, LocalRunner
    from argosy.api.running import Local, run
    from argosy.dsl.conditions import not_, when
    from argosy.dsl.decorators import bash, container, resource, step, template
    from argosy.dsl.for_loops import for_loop
    from argosy.dsl.job_values import WorkflowParam
    from argosy.dsl.jobs import Run_with
    from argosy.dsl.options import Retry, Secret, run_with, secret
    from argosy.dsl.shapes import Dir
    from argosy.dsl.sketch import BaseJob, ContainerJob, ResourceJob
    from argosy.dsl.steps import Step
    from argosy.dsl.trouble import TraceError
    from argosy.dsl.while_loops import while_loop
    from argosy.dsl.workflows import Workflow, workflow

__all__ = [
    "Argo",
    "ArgoRunner",
    "BaseJob",
    "ContainerJob",
    "Dir",
    "Local",
    "LocalRunner",
    "Path",
    "ResourceJob",
    "Retry",
    "Run",
    "RunFailed",
    "Run_with",
    "Secret",
    "Step",
    "TraceError",
    "Workflow",
    "WorkflowParam",
    "bash",
    "container",
    "for_loop",
    "not_",
    "resource",
    "run",
    "run_with",
    "secret",
    "step",
    "template",
    "when",
    "while_loop",
    "workflow",
]

_ROOMS = {
    "pathlib": ("Path",),
    "argosy.api.cluster": ("Argo",),
    "argosy.api.run": ("Run", "RunFailed"),
    "argosy.api.runners": ("ArgoRunner", "LocalRunner"),
    "argosy.api.running": ("Local", "run"),
    "argosy.dsl.conditions": ("not_", "when"),
    "argosy.dsl.for_loops": ("for_loop",),
    "argosy.dsl.while_loops": ("while_loop",),
    "argosy.dsl.jobs": ("Run_with",),
    "argosy.dsl.options": ("Retry", "Secret", "run_with", "secret"),
    "argosy.dsl.shapes": ("Dir",),
    "argosy.dsl.job_values": ("WorkflowParam",),
    "argosy.dsl.sketch": ("BaseJob", "ContainerJob", "ResourceJob"),
    "argosy.dsl.decorators": ("bash", "container", "resource", "step", "template"),
    "argosy.dsl.steps": ("Step",),
    "argosy.dsl.trouble": ("TraceError",),
    "argosy.dsl.workflows": ("Workflow", "workflow"),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    room = _HOMES.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(room), name)
    globals()[name] = value
    return value
