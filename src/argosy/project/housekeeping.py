"""Keeping house: runs deleted, what nobody needs pruned, the record and the store verified.

It knows what may go and what must stay; removing bytes is the store's and the record's matter.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary


def delete_run(project: Project, summary: RunSummary) -> None:
    """Remove a run with its files; its artifacts go with the next prune. Raises LeaseHeld when it is driven."""
    project.journal.delete_run(summary.id)
    shutil.rmtree(project.home.run(summary.uid), ignore_errors=True)
