"""A body that calls other templates, and one call of it: its node, its hooks, its exit handler.

It knows calls and how many may be active, not the order in which steps or tasks follow one another.
Source: Argo docs: lifecyclehook.md, walk-through/exit-handlers.md, parallelism.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Arguments, CallFields, LifecycleHook
from argosy.model.status import Node, NodeFlag, NodeType, Phase
from argosy.plan import outputs
from argosy.plan.calls import PlannedCall, resolved_arguments, without_absent
from argosy.plan.execution import Asked, Execution, Owner
from argosy.plan.references import References
from argosy.plan.retries import expr_bool
from argosy.plan.scope import Scope

FAILED_FAST = "template has failed or errored children and failFast enabled"


class CallingBody:
    """What steps and dags have in common."""

    # The name under which a body's calls are referred to.
    prefix = ""
    node_type = NodeType.STEPS

    def __init__(self, execution: Execution, name: str, scope: Scope, owner: Owner) -> None:
        self.execution = execution
        self.run = execution.run
        self.owner = owner
        self.name = name
        self.resolved = execution.resolved
        self.references = References(f"{self.prefix}.")
        self.scope = scope.under(self.references)
        self.deadline = execution.deadline
        self.depth = execution.depth
        self.exit_handler = execution.exit_handler
        self.node = owner.make_node(self.node_type, Phase.RUNNING)
        self.daemons: list[Node] = []
        self.failed_fast = False
        self.over = False
        self._limit = self.resolved.template.parallelism
        self._active = 0
        self._waiting: deque[Callable[[], None]] = deque()

    # -- the boundary of its children

    def admit(self, go: Callable[[], None]) -> None:
        """Call `go` when there is room for one more active child; never, if the body has failed fast."""
        if self.failed_fast:
            return
        if self._limit is not None and self._active >= self._limit:
            self._waiting.append(go)
            return
        self._active += 1
        go()

    def leave(self, node: Node) -> None:
        """A child has come to its end."""
        self._active -= 1
        if self.resolved.template.fail_fast and node.phase.unsuccessful and not self._forgiven(node):
            self.failed_fast = True
            self._waiting.clear()
        if self.failed_fast:
            if self._active == 0 and not self.over:
                self._stop_fast()
        elif self._waiting and (self._limit is None or self._active < self._limit):
            self._active += 1
            self._waiting.popleft()()

    def _forgiven(self, node: Node) -> bool:
        return node.node_flag is not None and node.node_flag.hooked

    def _stop_fast(self) -> None:
        self.finish(Phase.FAILED, FAILED_FAST)

    # -- its end

    def finish(self, phase: Phase, message: str = "") -> None:
        """Come to an end; outputs are only looked for after success."""
        if self.over:
            return
        self.over = True
        self._dismiss_daemons()
        if phase is Phase.SUCCEEDED:
            try:
                self.node.outputs = outputs.of_body(self.resolved.template, self.scope)
            except ExpressionError as problem:
                phase, message = Phase.ERROR, problem.message
        self.node.phase, self.node.message = phase, message
        self.node.finished_at = self.run.now
        self.owner.ended(self.node)

    def _dismiss_daemons(self) -> None:
        for node in self.daemons:
            for one in (node, *(self.run.nodes[child] for child in node.children)):
                leaf = self.run.leaves.get(one.id)
                if leaf is not None:
                    leaf.dismiss()

    def wants_result(self, call: str) -> bool:
        """True when something in the template refers to the standard output of a call."""
        return call in self.resolved.results_wanted

    def rest(self, name: str, display_name: str, phase: Phase, message: str, kind: NodeType, call: CallFields) -> Node:
        """A node that comes to rest without anything being run."""
        node = self.run.new_node(
            name, display_name, kind, phase, boundary_id=self.node.id, message=message, template_name=call.template
        )
        node.template_scope = self.resolved.scope.label
        node.template_ref = call.template_ref
        return node


class CalledOnce:
    """One call of a template by a body; of a loop, one iteration."""

    __slots__ = (
        "_done",
        "_hooks_running",
        "_hooks_waiting",
        "_observing",
        "body",
        "call",
        "name",
        "node",
        "on_done",
        "planned",
        "scope",
    )

    def __init__(
        self, body: CallingBody, planned: PlannedCall, name: str, scope: Scope, on_done: Callable[[CalledOnce], None]
    ) -> None:
        self.body = body
        self.planned = planned
        self.name = name
        self.scope = scope
        self.on_done = on_done
        self.node: Node | None = None
        self._hooks_waiting = {key: hook for key, hook in planned.hooks.items() if key != "exit"}
        self._hooks_running = 0
        self._observing = False
        self._done = False

    def start(self, call: CallFields, display_name: str, names: Mapping[str, object]) -> None:
        """Run the template. call: with its tags replaced. names: an item of a loop."""
        body = self.body
        self.call = call
        asked = Asked(
            name=self.name,
            display_name=display_name,
            holder=call
            if self.planned.call.inline is None
            else msgspec.structs.replace(call, inline=self.planned.call.inline),
            templates=body.resolved.scope,
            arguments=call.arguments,
            names={f"{body.prefix}.name": self.planned.name, **names},
            boundary=body,  # pyright: ignore[reportArgumentType]
            wants_result=body.wants_result(self.planned.name),
            on_settled=self._settled,
            on_node=self._has_node if self._hooks_waiting else None,
        )
        Execution(body.run, asked).begin()

    # -- hooks

    def _has_node(self, node: Node) -> None:
        self.node = node
        self._observing = True
        self.body.run.observers.append(self._observe)

    def _observe(self) -> None:
        node = self.node
        if node is None or node.phase is Phase.PENDING or not self._hooks_waiting:
            return
        try:
            self._trigger_hooks(node)
        except ExpressionError as problem:
            self._stop_observing()
            self._hooks_waiting.clear()
            node.phase, node.message = Phase.ERROR, problem.message
            self._settled(node)

    def _trigger_hooks(self, node: Node) -> None:
        scope = self._with_status(node)
        for key, hook in list(self._hooks_waiting.items()):
            if not hook.expression:
                raise ExpressionError(f"Expression required for hook {node.name}.hooks.{key}")
            if expr_bool(hook.expression, scope):
                del self._hooks_waiting[key]
                self._hooks_running += 1
                self._run_hook(hook, f"{node.name}.hooks.{key}", scope, exit_handler=False)

    def _with_status(self, node: Node) -> Scope:
        own = References(f"{self.body.prefix}.")
        own.settle(self.planned.name, node)
        return self.scope.under(own)

    def _run_hook(self, hook: LifecycleHook, name: str, scope: Scope, *, exit_handler: bool) -> None:
        node, run = self.node, self.body.run
        assert node is not None
        arguments = hook.arguments or Arguments()
        arguments = resolved_arguments(without_absent(arguments, scope), scope, strict=False)
        asked = Asked(
            name=name,
            display_name=f"{node.display_name}{name[len(node.name) :]}",
            holder=hook,
            templates=self.body.resolved.scope,
            arguments=arguments,
            boundary=self.body,  # pyright: ignore[reportArgumentType]
            flag=NodeFlag(hooked=True),
            exit_handler=exit_handler,
            on_settled=self._hook_settled,
            on_node=lambda hooked: run.link(node, hooked.id),
        )
        Execution(run, asked).begin()

    def _hook_settled(self, node: Node) -> None:
        if node.phase.fulfilled:
            self._hooks_running -= 1
            self._finish_if_done()

    def _stop_observing(self) -> None:
        if self._observing:
            self._observing = False
            self.body.run.observers.remove(self._observe)

    # -- the end

    def rested(self, node: Node) -> None:
        """The call came to rest without running anything."""
        self.node = node
        self._hooks_waiting.clear()
        self._finish_if_done()

    def group_settled(self, node: Node) -> None:
        """The iterations of a loop have all come to rest: the loop as a whole has its own exit handler."""
        self.call = self.planned.call
        if self._hooks_waiting:
            self._has_node(node)
        self._settled(node)

    def _settled(self, node: Node) -> None:
        self.node = node
        if node.daemoned and not node.phase.fulfilled:
            self.body.daemons.append(node)
            self._finish_if_done()
            return
        if self._done:
            return
        if self._observing:
            self._observe()
            self._stop_observing()
            self._hooks_waiting.clear()
        exit_hook = self._exit_hook()
        if exit_hook is not None and node.phase.completed and self.body.run.shutdown != "Terminate":
            self._run_exit_hook(exit_hook, node)
        self._finish_if_done()

    def _exit_hook(self) -> LifecycleHook | None:
        given = self.planned.hooks.get("exit")
        if given is not None:
            return given
        if self.call.on_exit:
            return LifecycleHook(template=self.call.on_exit, arguments=self.body.run.workflow.spec.arguments)
        return None

    def _run_exit_hook(self, hook: LifecycleHook, node: Node) -> None:
        scope = self._with_status(node)
        try:
            if hook.expression and not expr_bool(hook.expression, scope):
                return
            self._hooks_running += 1
            self._run_hook(hook, f"{node.name}.onExit", scope, exit_handler=True)
        except ExpressionError as problem:
            self._hooks_running = max(0, self._hooks_running - 1)
            node.phase, node.message = Phase.ERROR, problem.message

    def _finish_if_done(self) -> None:
        node = self.node
        if self._done or self._hooks_running or node is None or not node.fulfilled:
            return
        self._done = True
        self.on_done(self)
