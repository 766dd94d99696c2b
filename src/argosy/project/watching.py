"""A run looked at while another process drives it: each look takes in the facts since the last one.

It knows the plan as a reader of facts; nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from argosy.model.status import Node
from argosy.project.views import manifest_of, new_plan, options_of, view

if TYPE_CHECKING:
    from argosy.plan.plan import Plan
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary


class Watch:
    """One run, watched."""

    def __init__(self, project: Project, summary: RunSummary) -> None:
        self._project = project
        self.summary = summary
        self._plan: Plan | None = None
        self._seen = 0
        self.nodes: Mapping[str, Node] = {}

    @property
    def suspended(self) -> bool:
        """Whether the run waits for a person."""
        plan = self._plan
        return plan is not None and (plan.suspended or (bool(plan.waiting()) and not plan.running()))

    def look(self) -> bool:
        """Take in what is new; whether the run is over. Raises NotFound when it was deleted."""
        before = self.summary.generation
        self.summary = self._project.find(self.summary.uid)
        if self.summary.finished:
            self.nodes = view(self._project, self.summary, exact=True).nodes
            return True
        if self._plan is None or self.summary.generation != before:
            self._seen = 0
            run_id = self.summary.id
            workflow, options = manifest_of(self._project, run_id), options_of(self._project, run_id)
            self._plan = new_plan(self._project, self.summary, workflow, options)
        for number, fact in self._project.queries.events(self.summary.id, self._seen):
            self._plan.apply(fact)
            self._seen = number
        self.nodes = self._plan.nodes
        return False
