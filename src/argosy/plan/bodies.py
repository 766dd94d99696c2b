"""Which body does the work of which kind of template.

It knows the kinds, not what each does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from argosy.plan.leaf import Leaf

if TYPE_CHECKING:
    from argosy.plan.calling import CallingBody
    from argosy.plan.execution import Execution, Owner
    from argosy.plan.suspension import Suspension


def body_of(
    execution: Execution, name: str, names: Mapping[str, object], owner: Owner, deadline: float
) -> CallingBody | Suspension | Leaf:
    """The body of an execution's template, working under the node `name`, not yet started.

    names: what only this attempt sees. deadline: by when it must have ended, in seconds since the epoch, or 0.0.
    """
    return _kind_of_body(execution.resolved.kind)(execution, name, names, owner, deadline)


def _kind_of_body(kind: str) -> type[CallingBody | Suspension | Leaf]:
    match kind:
        case "steps":
            from argosy.plan.steps import StepsBody

            return StepsBody
        case "dag":
            from argosy.plan.dag import DagBody

            return DagBody
        case "suspend":
            from argosy.plan.suspension import Suspension

            return Suspension
        case _:
            return Leaf
