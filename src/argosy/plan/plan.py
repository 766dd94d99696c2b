"""The plan of a run: told facts, it decides what to do next. Told the same facts again, it decides the same.

It knows no clock, process or disk. The driver makes a fact durable, applies it, and carries out the actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from argosy.model import events
from argosy.model.events import Fact
from argosy.model.manifest import KeySelector, Outputs, Workflow
from argosy.model.status import Node, Phase
from argosy.plan.actions import AcquireLocks, Action, Kill, ReadCache, Start
from argosy.plan.course import Course
from argosy.plan.metrics import Measured
from argosy.plan.run import Carried, RunState
from argosy.plan.templates import TemplateReader, Templates
from argosy.plan.workflow_names import RunIdentity

__all__ = ["Carried", "Plan", "RunIdentity"]


class Plan:
    """The decisions of one run. Not for several threads."""

    def __init__(
        self,
        workflow: Workflow,
        identity: RunIdentity,
        *,
        read_template: TemplateReader = lambda name, cluster: None,
        read_config_map: Callable[[KeySelector], str | None] = lambda reference: None,
        carried: Mapping[str, Carried] | None = None,
    ) -> None:
        """workflow: with any workflowTemplateRef already put in. Raises ExpressionError if a parameter has no value."""
        self.workflow = workflow
        templates = Templates(workflow, read_template)
        self._run = RunState(workflow, identity, templates, read_config_map, carried or {})
        self._course = Course(self._run)

    # -- what can be seen

    @property
    def nodes(self) -> Mapping[str, Node]:
        """All nodes by id. Not to be changed."""
        return self._run.nodes

    @property
    def phase(self) -> Phase:
        return self._run.phase

    @property
    def message(self) -> str:
        return self._run.message

    @property
    def started_at(self) -> float:
        return self._run.started_at

    @property
    def finished_at(self) -> float:
        return self._run.finished_at

    @property
    def outputs(self) -> Outputs:
        """The outputs of the workflow: those with a globalName."""
        return self._run.outputs

    @property
    def measured(self) -> Iterable[Measured]:
        """The values of metrics so far."""
        return self._run.measured

    @property
    def suspended(self) -> bool:
        return self._run.suspended

    @property
    def finished(self) -> bool:
        return self._run.phase.fulfilled

    @property
    def wake_at(self) -> float | None:
        """When TimePassed is to be applied next, in seconds since the epoch; None while no timer runs."""
        return None if self.finished else self._run.wake_at

    @property
    def progress(self) -> str:
        """How many of the leaves known so far have succeeded: "3/10"."""
        return f"{self._run.progress_done}/{self._run.progress_total}"

    def running(self) -> list[Start]:
        """The leaves whose attempts have begun and not ended: what a new driver adopts."""
        return [
            leaf.start_action
            for leaf in self._run.leaves.values()
            if leaf.node.phase is Phase.RUNNING and leaf.start_action is not None
        ]

    def waiting(self) -> list[str]:
        """The ids of the nodes that wait for a person."""
        return list(self._run.suspensions)

    def actions(self) -> list[Action]:
        """What has been decided since the last call. A Start stands until its AttemptStarted is applied."""
        actions = self._run.actions
        decided = list(actions.values())
        actions.clear()
        return decided

    # -- facts

    def apply(self, fact: Fact) -> None:
        """Take a fact in. A fact about something that is over changes nothing."""
        if self.finished:
            return
        run = self._run
        run.advance(fact.at)
        match fact:
            case events.RunStarted():
                self._course.begin()
            case events.AttemptStarted():
                if (leaf := run.leaves.get(fact.node)) is not None:
                    leaf.started()
            case events.AttemptReady():
                if (leaf := run.leaves.get(fact.node)) is not None:
                    leaf.ready(fact)
            case events.AttemptExited():
                run.withdraw(Kill, fact.node)
                if (leaf := run.leaves.get(fact.node)) is not None:
                    leaf.exited(fact)
            case events.LocksGranted():
                run.withdraw(AcquireLocks, fact.node)
                if (wait := run.waiting_locks.get(fact.node)) is not None:
                    wait.answered("", "")
            case events.LocksRefused():
                if (wait := run.waiting_locks.get(fact.node)) is not None:
                    wait.answered(fact.waiting_for, fact.error)
            case events.CacheRead():
                run.withdraw(ReadCache, fact.node)
                answered = run.waiting_cache.pop(fact.node, None)
                if answered is not None:
                    answered(fact.hit, fact.outputs, fact.error)
            case events.Resumed():
                self._course.resume(fact)
            case events.Suspended():
                run.suspended = True
            case events.StopRequested():
                self._course.stop(fact)
            case events.TimePassed():
                pass
        run.settle()
