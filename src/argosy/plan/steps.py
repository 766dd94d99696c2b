"""A steps template: groups of calls, one group after the other, the calls of a group side by side.

It knows groups, not how one call runs. Source: Argo docs: walk-through/steps.md, loops.md, conditionals.md;
executeSteps, executeStepGroup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import CallFields
from argosy.model.status import Node, NodeType, Phase
from argosy.plan.called import NO_ITEM, Called
from argosy.plan.calling import FAILED_FAST, CallingBody
from argosy.plan.calls import PlannedCall, tolerates
from argosy.plan.execution import Execution, Owner
from argosy.plan.names import item_name


class _Ready(msgspec.Struct, frozen=True, gc=False):
    """A call that may begin: with its tags replaced; or that will not, with a message; or cannot, with an error."""

    step: StepCall
    name: str
    call: CallFields | None = None
    message: str = ""
    error: str = ""


class StepCall(Called):
    """One step, or one iteration of it."""

    __slots__ = ()

    body: StepsBody

    def hang(self, node: Node) -> None:
        self.body.run.link(self.body.group, node)

    def done(self) -> None:
        self.body.step_done(self)


class StepsBody(CallingBody):
    """The groups of one execution of a steps template."""

    prefix = "steps"
    node_type = NodeType.STEPS

    group: Node

    def __init__(
        self, execution: Execution, name: str, names: Mapping[str, object], owner: Owner, deadline: float
    ) -> None:
        super().__init__(execution, name, names, owner, deadline)
        self._index = -1
        self._open = 0
        self._before: list[Node] = [self.node]
        self._called: list[StepCall] = []
        self._loops: dict[str, None] = {}
        self._trouble = ""

    def start(self) -> None:
        """Begin with the first group."""
        self._next_group()

    def _next_group(self) -> None:
        self._index += 1
        groups = self.resolved.groups
        if self._index >= len(groups):
            self.node.outbound_nodes = [node.id for node in self._before if node is not self.node]
            self.finish(Phase.SUCCEEDED)
            return
        label = f"[{self._index}]"
        self.group = self.run.new_node(
            f"{self.name}{label}", label, NodeType.STEP_GROUP, Phase.RUNNING, boundary_id=self.node.id
        )
        self.group.template_scope = self.resolved.scope.label
        for node in self._before:
            self.run.link(node, self.group)
        self._called, self._loops, self._trouble = [], {}, ""
        # One more is open while the group is being filled, so that it cannot end before its last call was made.
        self._open = 1
        try:
            # All are made ready before the first begins: one that cannot be made ready fails the group as a whole.
            ready = [one for planned in groups[self._index] for one in self._made_ready(planned)]
        except ExpressionError as problem:
            self._trouble, ready = f"failed to resolve references: {problem.message}", []
        for one in ready:
            if self._trouble:
                break
            self._begin(one)
        self._closed_one()

    # -- one call

    def _made_ready(self, planned: PlannedCall) -> Iterator[_Ready]:
        if not planned.loops:
            yield self._ready(self._step(planned, planned.name), planned.name)
            return
        found = planned.items(self.scope)
        if not found:
            yield _Ready(self._step(planned, planned.name), planned.name, message="Skipped, empty params")
            return
        self._loops[planned.name] = None
        for index, item in enumerate(found):
            name = item_name(planned.name, index, item)
            yield self._ready(self._step(planned, name, item), name)

    def _step(self, planned: PlannedCall, name: str, item: object = NO_ITEM) -> StepCall:
        return StepCall(self, planned, f"{self.group.name}.{name}", item)

    def _ready(self, step: StepCall, name: str) -> _Ready:
        planned = step.planned
        if planned.call.when:
            from argosy.expressions.condition import evaluate_when

            condition = planned.when_text(step.scope)
            try:
                if not evaluate_when(condition):
                    return _Ready(step, name, message=f"when '{condition}' evaluated false")
            except ExpressionError as problem:
                return _Ready(step, name, error=problem.message)
        return _Ready(step, name, call=planned.resolved(step.scope) if planned.tagged else planned.plain)

    def _begin(self, ready: _Ready) -> None:
        called = ready.step
        self._open += 1
        self._called.append(called)
        if ready.error:
            self._trouble = ready.error
            called.rest(ready.name, Phase.ERROR, ready.error)
        elif ready.call is None:
            called.rest(ready.name, Phase.SKIPPED, ready.message)
        else:
            called.start(ready.call, ready.name)
            self._note_trouble(called)

    def _note_trouble(self, called: StepCall) -> None:
        if called.trouble and not self._trouble:
            self._trouble = f"step group deemed errored due to child {called.name} error: {called.trouble}"

    def step_done(self, called: StepCall) -> None:
        """A call of the group has come to rest, or its daemon is ready."""
        assert called.node is not None
        self._note_trouble(called)
        if called.planned.name not in self._loops:
            self.refer(self.references, called.planned, called.node)
        self._closed_one()

    # -- the group

    def _closed_one(self) -> None:
        self._open -= 1
        if self._open == 0:
            self.run.later(self._group_done)

    def _group_done(self) -> None:
        if self.over:
            return
        group, run = self.group, self.run
        nodes = [called.node for called in self._called if called.node is not None]
        for name in self._loops:
            iterations = [one.node for one in self._called if one.planned.name == name and one.node is not None]
            self.references.settle(name, group, iterations)
        phase, message = self._group_phase()
        run.mark(group, phase, message)
        outbound = [run.nodes[one] for node in nodes for one in run.outbound(node)]
        self._before = outbound or [group]
        self._called = []
        if phase is Phase.SUCCEEDED:
            self._next_group()
        else:
            self.node.outbound_nodes = [node.id for node in self._before]
            self.finish(Phase.FAILED, message)

    def _group_phase(self) -> tuple[Phase, str]:
        if self._trouble:
            return Phase.ERROR, self._trouble
        for called in self._called:
            node = called.node
            if node is None or not node.phase.unsuccessful:
                continue
            if not tolerates(called.planned.call.continue_on, node.phase):
                return Phase.FAILED, f"child '{node.id}' failed"
        return Phase.SUCCEEDED, ""

    def stop_fast(self) -> None:
        """A child has failed, and none is active any more."""
        self.run.mark(self.group, Phase.FAILED, FAILED_FAST)
        super().stop_fast()
