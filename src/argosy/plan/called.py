"""One call of a template by a body: its node, its exit handler, its hooks, and when all of these are done.

It knows one step or task, not its neighbours. Source: Argo docs: lifecyclehook.md, walk-through/exit-handlers.md.
"""

from __future__ import annotations

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Arguments, CallFields, LifecycleHook
from argosy.model.status import Node, NodeFlag, Phase
from argosy.plan import items
from argosy.plan.calling import CallingBody
from argosy.plan.calls import PlannedCall, resolved_arguments, without_absent
from argosy.plan.conditions import expr_bool, reads_only
from argosy.plan.execution import Execution
from argosy.plan.scope import Scope

# Stands for the item of a call that does not loop; None may be an item.
NO_ITEM = object()


class Called:
    """One call; of a loop, one iteration. What becomes of it is told to the body by `done`."""

    __slots__ = ("_done", "_item", "_open_hooks", "_waiting_hooks", "body", "name", "node", "planned", "trouble")

    def __init__(self, body: CallingBody, planned: PlannedCall, name: str, item: object = NO_ITEM) -> None:
        self.body = body
        self.planned = planned
        self.name = name
        self._item = item
        self.node: Node | None = None
        # Why the call, or one of its hooks, could not be carried out as it is written.
        self.trouble = ""
        self._done = False
        self._open_hooks = 0
        self._waiting_hooks: _WaitingHooks | None = None

    # Whether hooks also look at a call that came to rest without running: in Argo those of tasks do, of steps not.
    hooks_at_rest = False

    def hang(self, node: Node) -> None:
        """Put the call's node in its place in the graph."""

    def done(self) -> None:
        """The call and its hooks have come to rest, or its daemon is ready."""

    @property
    def has_hooks(self) -> bool:
        """True when hooks watch the node of this call."""
        return self.planned.watched

    @property
    def scope(self) -> Scope:
        """What the fields of the call see: its item, and all that the body sees."""
        return self.body.scope.under(self.names(inline=True))

    def names(self, *, inline: bool) -> dict[str, object]:
        """What the called template sees of the call. inline: it is written in place, and sees what the call sees."""
        names = items.layer(self._item) if inline and self._item is not NO_ITEM else {}
        names[f"{self.body.prefix}.name"] = self.planned.name
        return names

    # -- what begins it

    def start(self, call: CallFields, display_name: str) -> None:
        """Run the template. call: with its tags replaced."""
        body, planned = self.body, self.planned
        if planned.call.inline is not None:
            call = msgspec.structs.replace(call, inline=planned.call.inline)
        Execution(
            body.run,
            self,
            name=self.name,
            display_name=display_name,
            holder=call,
            templates=body.resolved.scope,
            arguments=call.arguments,
            boundary=body,
            wants_result=body.wants_result(planned.name),
        ).begin()

    def rest(self, display_name: str, phase: Phase, message: str) -> None:
        """Come to rest without running anything."""
        node = self.body.rest(self.name, display_name, phase, message, self.planned.call)
        if self.hooks_at_rest:
            self.has_node(node)
            self.body.run.later(self.settled, node)
        else:
            self.node = node
            self.hang(node)
            self.body.run.later(self._done_if_all_rest)

    # -- what becomes of it

    def has_node(self, node: Node) -> None:
        """Its node exists."""
        self.node = node
        self.hang(node)
        if self.has_hooks:
            self._waiting_hooks = _WaitingHooks(self, node)

    def refused(self, node: Node, message: str) -> None:
        """The planner could not carry it out."""
        self.trouble = self.trouble or message

    def settled(self, node: Node) -> None:
        """Its node has come to its end, or is a daemon that is ready."""
        self.node = node
        if self._done:
            return
        if node.daemoned and not node.phase.fulfilled:
            self.body.add_daemon(node)
        else:
            if self._waiting_hooks is not None:
                self._waiting_hooks.close()
            self._run_exit_hook(node)
        self._done_if_all_rest()

    def _done_if_all_rest(self) -> None:
        node = self.node
        if not self._done and not self._open_hooks and node is not None and node.fulfilled:
            self._done = True
            self.done()

    # -- hooks

    def _run_exit_hook(self, node: Node) -> None:
        hook = self.planned.hooks.get("exit")
        if hook is None and self.planned.call.on_exit:
            hook = LifecycleHook(template=self.planned.call.on_exit, arguments=self.body.run.workflow.spec.arguments)
        if hook is None or not node.phase.completed or self.body.run.shutdown == "Terminate":
            return
        try:
            scope = self.body.with_own(self.scope, self.planned, node)
            if not hook.expression or expr_bool(hook.expression, scope):
                self.run_hook(hook, f"{node.name}.onExit", scope, exit_handler=True)
        except ExpressionError as problem:
            self.trouble = self.trouble or problem.message

    def run_hook(self, hook: LifecycleHook, name: str, scope: Scope, *, exit_handler: bool) -> None:
        """Begin a hook of this call. Raises ExpressionError."""
        node, body = self.node, self.body
        assert node is not None
        arguments = hook.arguments or Arguments()
        arguments = resolved_arguments(without_absent(arguments, scope), scope, strict=False)
        self._open_hooks += 1
        Execution(
            body.run,
            _HookCall(self),
            name=name,
            display_name=f"{node.display_name}{name[len(node.name) :]}",
            holder=hook,
            templates=body.resolved.scope,
            arguments=arguments,
            boundary=body,
            flag=NodeFlag(hooked=True),
            exit_handler=exit_handler,
        ).begin()

    def hook_settled(self, node: Node) -> None:
        """A hook has come to its end."""
        if node.phase.fulfilled:
            self._open_hooks -= 1
            self._done_if_all_rest()


class _HookCall:
    """The call of one hook."""

    __slots__ = ("_called",)

    def __init__(self, called: Called) -> None:
        self._called = called

    def names(self, *, inline: bool) -> dict[str, object]:
        return {}

    def has_node(self, node: Node) -> None:
        if self._called.node is not None:
            self._called.body.run.link(self._called.node, node)

    def refused(self, node: Node, message: str) -> None:
        self._called.trouble = self._called.trouble or message

    def settled(self, node: Node) -> None:
        self._called.hook_settled(node)


class _WaitingHooks:
    """The hooks of a call whose conditions have not held yet."""

    __slots__ = ("_called", "_node", "_open", "_waiting", "_watched")

    def __init__(self, called: Called, node: Node) -> None:
        self._called = called
        self._node = node
        self._waiting = {key: hook for key, hook in called.planned.hooks.items() if key != "exit"}
        own = f"{called.body.prefix}.{called.planned.name}."
        # Most conditions look at the call's own node only: they are asked when that changes, not after each fact.
        local = all(reads_only(hook.expression, own) for hook in self._waiting.values())
        self._watched = node if local else None
        self._open = True
        called.body.run.watch(self._watched, self._observe)

    def close(self) -> None:
        """Ask the conditions one last time."""
        if self._open:
            self._observe()
            self._stop()

    def _stop(self) -> None:
        if self._open:
            self._open = False
            self._called.body.run.unwatch(self._watched, self._observe)

    def _observe(self) -> None:
        node, called = self._node, self._called
        if called.body.over:
            # Only the hooks of a daemon may still be waiting then.
            self._stop()
            return
        if not self._open or not self._waiting or node.phase is Phase.PENDING:
            return
        try:
            scope = called.body.with_own(called.scope, called.planned, node)
            for key, hook in list(self._waiting.items()):
                name = f"{node.name}.hooks.{key}"
                if not hook.expression:
                    raise ExpressionError(f"Expression required for hook {name}")
                if expr_bool(hook.expression, scope):
                    del self._waiting[key]
                    called.run_hook(hook, name, scope, exit_handler=False)
        except ExpressionError as problem:
            self._waiting.clear()
            called.trouble = called.trouble or problem.message
