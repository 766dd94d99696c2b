"""A body that calls other templates: how many of its calls may be active, its daemons, its end.

It knows that there are calls, not the order in which steps or tasks follow one another.
Source: Argo docs: parallelism.md, walk-through/daemon-containers.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from argosy.errors import ExpressionError
from argosy.model.manifest import CallFields, Template
from argosy.model.status import Node, NodeType, Phase
from argosy.plan import outputs
from argosy.plan.calls import PlannedCall
from argosy.plan.execution import Execution, Owner
from argosy.plan.leaf import USERS_DONE
from argosy.plan.references import References
from argosy.plan.scope import Scope

FAILED_FAST = "template has failed or errored children and failFast enabled"


class CallingBody:
    """What steps and dags have in common."""

    # The name under which a body's calls are referred to.
    prefix = ""
    node_type = NodeType.STEPS

    def __init__(
        self, execution: Execution, name: str, names: Mapping[str, object], owner: Owner, deadline: float
    ) -> None:
        self.run = execution.run
        self.owner = owner
        self.name = name
        self.resolved = execution.resolved
        self.references = References(f"{self.prefix}.")
        self.scope = execution.scope.under(self.references, names)
        self.deadline = deadline
        self.depth = execution.depth
        self.exit_handler = execution.exit_handler
        self.node = owner.make_node(self.node_type, Phase.RUNNING)
        self.over = False
        self.failed_fast = False
        self._daemons: list[Node] = []
        self._limit = self.resolved.template.parallelism
        self._active = 0
        self._waiting: deque[Execution] = deque()

    def start(self) -> None:
        """Make the first calls."""

    # -- the boundary of its children

    def admit(self, execution: Execution) -> None:
        """Let it go on when there is room for one more active child; never, if the body has failed fast."""
        if self.failed_fast:
            return
        if self._limit is not None and self._active >= self._limit:
            self._waiting.append(execution)
            return
        self._active += 1
        execution.admitted()

    def leave(self, node: Node) -> None:
        """A child has come to its end, or is a daemon that runs."""
        self._active -= 1
        if self.resolved.template.fail_fast and node.phase.unsuccessful and not _is_hook(node):
            self.failed_fast = True
            self._waiting.clear()
        if self.failed_fast:
            if self._active == 0 and not self.over:
                self.stop_fast()
        elif self._waiting and (self._limit is None or self._active < self._limit):
            self._active += 1
            self._waiting.popleft().admitted()

    def stop_fast(self) -> None:
        """A child has failed, and none is active any more."""
        self.finish(Phase.FAILED, FAILED_FAST)

    # -- what its calls need

    def wants_result(self, call: str) -> bool:
        """True when something in the template refers to the standard output of a call."""
        return call in self.resolved.results_wanted

    def refer(self, references: References, planned: PlannedCall, node: Node) -> None:
        """Let `references` offer what a call gave; of one that is tried again, what its last attempt gave."""
        references.settle(planned.name, self.run.last_attempt(node) or node, None, self._declared(planned, node))

    def _declared(self, planned: PlannedCall, node: Node) -> Template | None:
        """The template of a call that did not run: its outputs have defaults, or are absent."""
        if node.phase is not Phase.SKIPPED and node.phase is not Phase.OMITTED:
            return None
        try:
            return self.run.templates.resolve(planned.call, self.resolved.scope).template
        except ExpressionError:
            return None

    def with_own(self, scope: Scope, planned: PlannedCall, node: Node) -> Scope:
        """A scope in which a call's hooks also see how the call itself stands."""
        own = References(f"{self.prefix}.")
        self.refer(own, planned, node)
        return scope.under(own)

    def rest(self, name: str, display_name: str, phase: Phase, message: str, call: CallFields) -> Node:
        """A node that comes to rest without anything being run."""
        node = self.run.new_node(name, display_name, NodeType.SKIPPED, phase, boundary_id=self.node.id, message=message)
        node.template_name = call.template
        node.template_scope = self.resolved.scope.label
        node.template_ref = call.template_ref
        return node

    def add_daemon(self, node: Node) -> None:
        """A daemon that runs until this body has come to its end."""
        self._daemons.append(node)

    # -- its end

    def finish(self, phase: Phase, message: str = "") -> None:
        """Come to an end; outputs are only looked for after success."""
        if self.over:
            return
        self.over = True
        self._dismiss_daemons()
        refusal = ""
        if phase is Phase.SUCCEEDED:
            try:
                self.node.outputs = outputs.of_body(self.resolved.template, self.scope)
            except ExpressionError as problem:
                phase, message, refusal = Phase.ERROR, problem.message, problem.message
        self.run.mark(self.node, phase, message)
        self.owner.ended(self.node, refusal)

    def refuse(self, message: str) -> None:
        """End in error, because the template cannot be carried out as it is written."""
        self.over = True
        self.run.mark(self.node, Phase.ERROR, message)
        self.owner.ended(self.node, message)

    def _dismiss_daemons(self) -> None:
        for daemon in self._daemons:
            leaf = self.run.leaves.get((self.run.last_attempt(daemon) or daemon).id)
            if leaf is not None:
                leaf.dismiss()
            elif (retries := self.run.backoffs.get(daemon.id)) is not None:
                retries.kill(USERS_DONE)


def _is_hook(node: Node) -> bool:
    return node.node_flag is not None and node.node_flag.hooked
