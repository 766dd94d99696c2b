"""A suspend template: a node that waits for a time to pass, or for a person.

It knows what a person may supply, not how they do it. Source: Argo docs: walk-through/suspending.md,
intermediate-inputs.md.
"""

from __future__ import annotations

import msgspec

from argosy.errors import ExpressionError
from argosy.model.events import Resumed
from argosy.model.manifest import Outputs, Parameter
from argosy.model.status import Phase
from argosy.plan import durations
from argosy.plan.execution import Execution, Owner
from argosy.plan.leaf import DEADLINE
from argosy.plan.run import Timer
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute_text


class Suspension:
    """One wait."""

    def __init__(self, execution: Execution, name: str, scope: Scope, owner: Owner) -> None:
        self.run = execution.run
        self.execution = execution
        self.scope = scope
        self.owner = owner
        self.node = owner.make_node(execution.resolved.node_type, Phase.RUNNING)
        self._timers: list[Timer] = []

    def start(self) -> None:
        """Wait."""
        run = self.run
        carried = run.carried.get(self.node.name)
        if carried is not None:
            self.node.started_at, self.node.outputs = carried.started_at, carried.outputs
            self._end(Phase(carried.phase), carried.message)
            return
        if run.shutdown and not self.execution.exit_handler:
            self._end(Phase.FAILED, f"workflow shutdown with strategy: {run.shutdown}")
            return
        run.suspensions[self.node.id] = self
        suspend = self.execution.resolved.template.suspend
        try:
            text = substitute_text(suspend.duration, self.scope) if suspend is not None else ""
            duration = durations.seconds(text) if text else None
        except ExpressionError as problem:
            self._end(Phase.ERROR, problem.message)
            return
        if duration is not None:
            self._timers.append(run.at(run.now + duration, lambda: self.resumed(Resumed(at=run.now))))
        if self.execution.deadline:
            self._timers.append(run.at(self.execution.deadline, lambda: self.kill(DEADLINE)))

    def resumed(self, event: Resumed) -> None:
        """The wait is over. An output that nobody supplied takes its default, or is an error."""
        declared = self.execution.resolved.template.outputs
        supplied = {one.name: one.value for one in event.parameters}
        if declared is not None and event.phase == "Succeeded":
            missing: list[str] = []
            self.node.outputs = Outputs(
                parameters=tuple(_supplied(one, supplied.get(one.name), missing) for one in declared.parameters)
            )
            if missing:
                names = ", ".join(missing)
                self._end(Phase.ERROR, f"output parameter {names} was not supplied and has no default")
                return
        self._end(Phase(event.phase), event.message)

    def kill(self, reason: str) -> None:
        """End the wait in failure."""
        self._end(Phase.FAILED, reason)

    def _end(self, phase: Phase, message: str) -> None:
        for timer in self._timers:
            timer.cancel()
        self.run.suspensions.pop(self.node.id, None)
        self.node.phase, self.node.message = phase, message
        self.node.finished_at = self.run.now
        self.owner.ended(self.node)


def _supplied(declared: Parameter, value: str | None, missing: list[str]) -> Parameter:
    if value is None and declared.value_from is not None:
        value = declared.value_from.default
    if value is None:
        value = declared.value if declared.value is not None else declared.default
    if value is None:
        missing.append(declared.name)
    return msgspec.structs.replace(declared, value=value, value_from=None)
