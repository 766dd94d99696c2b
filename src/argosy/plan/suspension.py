"""A suspend template: a node that waits for a time to pass, or for a person.

It knows what a person may supply, not how they do it. Source: Argo docs: walk-through/suspending.md,
intermediate-inputs.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from argosy.errors import ExpressionError
from argosy.model.events import Resumed
from argosy.model.manifest import Inputs, Outputs, Parameter
from argosy.model.status import Phase
from argosy.plan import durations
from argosy.plan.execution import DEADLINE, Execution, Owner
from argosy.plan.run import Timer
from argosy.plan.substitution import substitute_text


class Suspension:
    """One wait."""

    __slots__ = ("_timers", "deadline", "execution", "names", "node", "owner", "run")

    def __init__(
        self, execution: Execution, name: str, names: Mapping[str, object], owner: Owner, deadline: float
    ) -> None:
        self.run = execution.run
        self.execution = execution
        self.names = names
        self.owner = owner
        self.deadline = deadline
        self.node = owner.make_node(execution.resolved.node_type, Phase.RUNNING)
        self._timers: list[Timer] = []

    def start(self) -> None:
        """Wait."""
        run = self.run
        if run.carried and (carried := run.carried.get(self.node.name)) is not None:
            self.node.started_at, self.node.outputs = carried.started_at, carried.outputs
            self.node.finished_at = carried.finished_at
            self._end(Phase(carried.phase), carried.message)
            return
        if self.execution.stopped:
            self._end(Phase.FAILED, f"Stopped with strategy '{self.execution.stopped}'")
            return
        suspend = self.execution.resolved.template.suspend
        try:
            text = (
                substitute_text(suspend.duration, self.execution.scope.under(self.names)) if suspend is not None else ""
            )
            duration = durations.seconds(text) if text else None
        except ExpressionError as problem:
            self._end(Phase.ERROR, problem.message, problem.message)
            return
        run.suspensions[self.node.id] = self
        if duration is not None:
            self._timers.append(run.at(run.now + duration, lambda: self.resumed(Resumed(at=run.now))))
        if self.deadline:
            self._timers.append(run.at(self.deadline, lambda: self.kill(DEADLINE)))

    def resumed(self, event: Resumed) -> None:
        """The wait is over. An output that nobody supplied takes its default, or is an error."""
        template = self.execution.resolved.template
        if template.outputs is not None and event.phase == "Succeeded":
            supplied = {one.name: one.value for one in event.parameters}
            defaults = {one.name: one.default for one in (template.inputs or Inputs()).parameters}
            found = tuple(
                _supplied(one, supplied.get(one.name), defaults.get(one.name)) for one in template.outputs.parameters
            )
            self.node.outputs = Outputs(parameters=found)
            missing = [one.name for one in found if one.value is None]
            if missing:
                message = f"output parameter {', '.join(missing)} was not supplied and has no default"
                self._end(Phase.ERROR, message, message)
                return
        self._end(Phase(event.phase), event.message)

    def kill(self, reason: str) -> None:
        """End the wait in failure."""
        self._end(Phase.FAILED, reason)

    def _end(self, phase: Phase, message: str, refusal: str = "") -> None:
        for timer in self._timers:
            timer.cancel()
        self.run.suspensions.pop(self.node.id, None)
        self.run.mark(self.node, phase, message)
        self.owner.ended(self.node, refusal)


def _supplied(declared: Parameter, value: str | None, input_default: str | None) -> Parameter:
    """An output as it was supplied; else its own default, or that of the input of the same name."""
    source = declared.value_from
    for other in (source.default if source is not None else None, declared.value, declared.default, input_default):
        value = other if value is None else value
    return msgspec.structs.replace(declared, value=value, value_from=None)
