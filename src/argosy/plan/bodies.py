"""Which body does the work of which kind of template.

It knows the kinds, not what each does.
"""

from __future__ import annotations

from argosy.plan.dag import DagBody
from argosy.plan.execution import Execution, Owner
from argosy.plan.leaf import Leaf
from argosy.plan.scope import Scope
from argosy.plan.steps import StepsBody
from argosy.plan.suspension import Suspension


def body_of(execution: Execution, name: str, scope: Scope, owner: Owner) -> StepsBody | DagBody | Suspension | Leaf:
    """The body of an execution's template, working under the node `name`, not yet started."""
    match execution.resolved.kind:
        case "steps":
            return StepsBody(execution, name, scope, owner)
        case "dag":
            return DagBody(execution, name, scope, owner)
        case "suspend":
            return Suspension(execution, name, scope, owner)
        case _:
            return Leaf(execution, name, scope, owner)
