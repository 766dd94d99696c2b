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
        self._takers: dict[type[Fact], Callable[..., None]] = {
            events.RunStarted: self._begin,
            events.AttemptStarted: self._started,
            events.AttemptReady: self._ready,
            events.AttemptExited: self._exited,
            events.LocksGranted: self._granted,
            events.LocksRefused: self._refused,
            events.CacheRead: self._cache_read,
            events.Resumed: self._course.resume,
            events.Suspended: self._suspend,
            events.StopRequested: self._course.stop,
            events.TimePassed: self._nothing,
        }

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
    def is_aborted(self) -> bool:
        """Whether a person asked for the end at once."""
        return self._run.shutdown == "Terminate"

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

    @property
    def reused(self) -> int:
        """How many nodes have an earlier outcome instead of being run."""
        return self._run.reused

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
        run = self._run
        if run.phase.fulfilled:
            return
        run.advance(fact.at)
        self._takers[type(fact)](fact)
        run.settle()

    def _begin(self, fact: events.RunStarted) -> None:
        self._course.begin()

    def _nothing(self, fact: events.TimePassed) -> None:
        """What was due has been done when the time was taken in."""

    def _started(self, fact: events.AttemptStarted) -> None:
        if (leaf := self._run.leaves.get(fact.node)) is not None:
            leaf.started()

    def _ready(self, fact: events.AttemptReady) -> None:
        if (leaf := self._run.leaves.get(fact.node)) is not None:
            leaf.ready(fact)

    def _exited(self, fact: events.AttemptExited) -> None:
        self._run.withdraw(Kill, fact.node)
        if (leaf := self._run.leaves.get(fact.node)) is not None:
            leaf.exited(fact)

    def _granted(self, fact: events.LocksGranted) -> None:
        self._run.withdraw(AcquireLocks, fact.node)
        if (wait := self._run.waiting_locks.get(fact.node)) is not None:
            wait.answered("", "")

    def _refused(self, fact: events.LocksRefused) -> None:
        if (wait := self._run.waiting_locks.get(fact.node)) is not None:
            wait.answered(fact.waiting_for, fact.error)

    def _cache_read(self, fact: events.CacheRead) -> None:
        self._run.withdraw(ReadCache, fact.node)
        answered = self._run.waiting_cache.pop(fact.node, None)
        if answered is not None:
            answered(fact.hit, fact.outputs, fact.error)
        elif (leaf := self._run.leaves.get(fact.node)) is not None:
            leaf.looked_up(fact)

    def _suspend(self, fact: events.Suspended) -> None:
        self._run.suspended = True
