"""A steps template: groups of calls, one group after the other, the calls of a group side by side.

It knows groups, not how one call runs. Source: Argo docs: walk-through/steps.md, loops.md, conditionals.md;
executeSteps, executeStepGroup.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from argosy.errors import ExpressionError
from argosy.expressions.condition import evaluate_when
from argosy.model.manifest import CallFields, Template
from argosy.model.status import Node, NodeType, Phase
from argosy.plan import items
from argosy.plan.calling import FAILED_FAST, CalledOnce, CallingBody
from argosy.plan.calls import PlannedCall, tolerates
from argosy.plan.execution import Execution, Owner
from argosy.plan.names import item_name
from argosy.plan.scope import Scope


class _Ready(msgspec.Struct, frozen=True):
    """A call that may begin: with its tags replaced; or that will not, with a message; or cannot, with an error."""

    planned: PlannedCall
    name: str
    scope: Scope
    layer: dict[str, object]
    call: CallFields | None = None
    message: str = ""
    error: str = ""


class StepsBody(CallingBody):
    """The groups of one execution of a steps template."""

    prefix = "steps"
    node_type = NodeType.STEPS

    def __init__(self, execution: Execution, name: str, scope: Scope, owner: Owner) -> None:
        super().__init__(execution, name, scope, owner)
        self._index = -1
        self._open = 0
        self._before: list[Node] = [self.node]
        self._called: list[CalledOnce] = []
        self._loops: set[str] = set()
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
            self.run.link(node, self.group.id)
        self._called, self._loops, self._trouble = [], set(), ""
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

    def _made_ready(self, planned: PlannedCall) -> Iterator[_Ready]:
        if not planned.loops:
            yield self._ready(planned, planned.name, self.scope.under({"steps.name": planned.name}), {})
            return
        try:
            found = items.of(planned.looping(self.scope)) or ()
        except ExpressionError:
            if not self._false_without_items(planned):
                raise
            found = ()
        if not found:
            yield _Ready(planned, planned.name, self.scope, {}, message="Skipped, empty params")
            return
        self._loops.add(planned.name)
        own = {"steps.name": planned.name}
        for index, item in enumerate(found):
            layer = items.layer(item)
            yield self._ready(planned, item_name(planned.name, index, item), self.scope.under(layer, own), layer)

    def _false_without_items(self, planned: PlannedCall) -> bool:
        """True when a call's condition is false whatever its items are."""
        try:
            return bool(planned.call.when) and not evaluate_when(planned.condition(self.scope))
        except ExpressionError:
            return False

    def _ready(self, planned: PlannedCall, name: str, scope: Scope, layer: dict[str, object]) -> _Ready:
        if planned.call.when:
            condition = planned.condition(scope)
            try:
                if not evaluate_when(condition):
                    return _Ready(planned, name, scope, layer, message=f"when '{condition}' evaluated false")
            except ExpressionError as problem:
                return _Ready(planned, name, scope, layer, error=problem.message)
        return _Ready(planned, name, scope, layer, call=planned.resolved(scope))

    def _begin(self, ready: _Ready) -> None:
        if ready.error:
            self._trouble = ready.error
            self._rest(ready, Phase.ERROR, ready.error)
        elif ready.call is None:
            self._rest(ready, Phase.SKIPPED, ready.message)
        else:
            called = CalledOnce(self, ready.planned, f"{self.group.name}.{ready.name}", ready.scope, self._done)
            self._add(called)
            called.start(ready.call, ready.name, ready.layer)

    def _rest(self, ready: _Ready, phase: Phase, message: str) -> None:
        called = CalledOnce(self, ready.planned, f"{self.group.name}.{ready.name}", ready.scope, self._done)
        self._add(called)
        node = self.rest(called.name, ready.name, phase, message, NodeType.SKIPPED, ready.planned.call)
        self.run.later(lambda: called.rested(node))

    def _add(self, called: CalledOnce) -> None:
        self._open += 1
        self._called.append(called)
        self.run.link(self.group, self.run.id_of(called.name))

    def _done(self, called: CalledOnce) -> None:
        node = called.node
        assert node is not None
        if called.planned.name not in self._loops:
            self.references.settle(called.planned.name, node, None, self._declared(called.planned, node))
        self._closed_one()

    def _declared(self, planned: PlannedCall, node: Node) -> Template | None:
        """The template of a call that did not run: its outputs have defaults, or are absent."""
        if node.phase not in (Phase.SKIPPED, Phase.OMITTED):
            return None
        try:
            return self.run.templates.resolve(planned.call, self.resolved.scope).template
        except ExpressionError:
            return None

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
        group.phase, group.message, group.finished_at = phase, message, run.now
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
            if (
                node is not None
                and node.phase.unsuccessful
                and not tolerates(called.planned.call.continue_on, node.phase)
            ):
                return Phase.FAILED, f"child '{node.id}' failed"
        return Phase.SUCCEEDED, ""

    def _stop_fast(self) -> None:
        self.group.phase, self.group.finished_at = Phase.FAILED, self.run.now
        self.group.message = FAILED_FAST
        super()._stop_fast()
