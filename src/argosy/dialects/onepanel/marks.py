"""How a workflow says that it was written for Onepanel.

It knows the annotation, not what follows from it.
"""

from __future__ import annotations

from argosy.model.manifest import Workflow

# On a workflow: that it was written for Onepanel.
DIALECT = "argosy.dev/dialect"
ONEPANEL = "onepanel"


def is_onepanel(workflow: Workflow) -> bool:
    """Whether the workflow was written for Onepanel."""
    more = workflow.spec.workflow_metadata
    annotations = dict(workflow.metadata.annotations) | (dict(more.annotations) if more else {})
    return annotations.get(DIALECT) == ONEPANEL
