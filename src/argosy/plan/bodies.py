"""Which body does the work of which kind of template.

It knows the kinds, not what each does.
"""

from __future__ import annotations

from collections.abc import Mapping

from argosy.plan.calling import CallingBody
from argosy.plan.dag import DagBody
from argosy.plan.execution import Execution, Owner
from argosy.plan.leaf import Leaf
from argosy.plan.steps import StepsBody
from argosy.plan.suspension import Suspension

_BODIES: dict[str, type[CallingBody | Suspension]] = {"steps": StepsBody, "dag": DagBody, "suspend": Suspension}


def body_of(
    execution: Execution, name: str, names: Mapping[str, object], owner: Owner, deadline: float
) -> CallingBody | Suspension | Leaf:
    """The body of an execution's template, working under the node `name`, not yet started.

    names: what only this attempt sees. deadline: by when it must have ended, in seconds since the epoch, or 0.0.
    """
    return _BODIES.get(execution.resolved.kind, Leaf)(execution, name, names, owner, deadline)
