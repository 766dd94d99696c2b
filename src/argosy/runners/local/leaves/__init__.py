"""Leaves that are no containers: http, data and resource templates, carried out by the driver itself.

It knows which they are and how an error ends one; not when one may start.
"""

from __future__ import annotations

from collections.abc import Callable

from argosy.artifacts.troubles import raise_if_full
from argosy.errors import ArgosyError
from argosy.model.events import AttemptExited
from argosy.model.manifest import Template
from argosy.model.status import Phase
from argosy.plan.actions import Start
from argosy.runners.local.context import RunContext


def runs_here(template: Template) -> bool:
    """Whether a template is carried out by `run`, without a process of its own."""
    return template.http is not None or template.data is not None or template.resource is not None


def run(start: Start, context: RunContext, cancelled: Callable[[], bool]) -> AttemptExited:
    """Carry a leaf out, in the calling thread, and say how it ended; `at` is the caller's to set.

    cancelled: asked often; once true the leaf ends Failed. Nothing is raised for what the manifest, a server or the
    machine does wrong: it is Failed with the message, as in Argo, where these leaves end by an exit code. But a
    full disk raises EnvironmentTrouble: the leaf is begun again when there is room.
    """
    try:
        return _run(start, context, cancelled)
    except ArgosyError as problem:
        raise_if_full(problem)
        message = f"{problem.message} {problem.hint}".strip()
        return AttemptExited(at=0.0, node=start.node, phase=Phase.FAILED, message=message)
    except OSError as problem:
        raise_if_full(problem)
        message = f"cannot write the step's files: {problem.strerror or problem}"
        return AttemptExited(at=0.0, node=start.node, phase=Phase.ERROR, message=message)
    except Exception as problem:
        # The thread that this runs in must not take the driver, and with it every other step, down.
        message = f"a mistake in argosy itself: {type(problem).__name__}: {problem}"
        return AttemptExited(at=0.0, node=start.node, phase=Phase.ERROR, message=message)


def _run(start: Start, context: RunContext, cancelled: Callable[[], bool]) -> AttemptExited:
    # One kind needs TLS, another object stores: a run pays for the kinds that it has.
    if start.template.http is not None:
        from argosy.runners.local.leaves.http import run_http

        return run_http(start, context, cancelled)
    if start.template.data is not None:
        from argosy.runners.local.leaves.data import run_data

        return run_data(start, context, cancelled)
    from argosy.runners.local.leaves.resource import run_resource
    from argosy.runners.local.leaves.secret_objects import run_without_values

    return run_without_values(run_resource, start, context, cancelled)
