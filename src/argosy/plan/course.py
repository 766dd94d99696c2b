"""The course of a run as a whole: its locks, its entrypoint, its hooks, its exit handler, its end.

It knows the workflow's own fields, not how a template is executed. Source: Argo docs: lifecyclehook.md,
walk-through/exit-handlers.md, synchronization.md; operate.
"""

from __future__ import annotations

import json

from argosy.errors import ExpressionError
from argosy.model import events
from argosy.model.manifest import Arguments, LifecycleHook
from argosy.model.status import Node, NodeFlag, Phase, timestamp
from argosy.plan import metrics
from argosy.plan.calls import resolved_arguments
from argosy.plan.conditions import expr_bool
from argosy.plan.execution import Execution
from argosy.plan.locks import LockWait
from argosy.plan.names import pod_name
from argosy.plan.run import RunState
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute


class Course:
    """What happens around the entrypoint."""

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._spec = run.workflow.spec
        self._entry = _Entry(self)
        self._exit = _Exit(self)
        self._locks: LockWait | None = None
        self._waiting_hooks = {name: hook for name, hook in self._spec.hooks.items() if name != "exit"}
        self._open_hooks = 0

    # -- the beginning

    def begin(self) -> None:
        """Take the workflow's locks, then begin."""
        run = self._run
        run.started_at = run.now
        if self._spec.synchronization is None:
            self._enter()
            return
        try:
            wanted = substitute(self._spec.synchronization, run.names)
        except ExpressionError as problem:
            self._finish(Phase.ERROR, problem.message)
            return
        run.message = "Waiting for locks"
        self._locks = LockWait(run, "", self)
        self._locks.begin(wanted, self._deadline(), "Workflow exceeded its deadline while it waited for locks")

    def locks_waited_for(self, name: str) -> None:
        self._run.message = f"Waiting for {name} lock"

    def locks_granted(self) -> None:
        self._run.message = ""
        self._enter()

    def locks_failed(self, phase: Phase, message: str) -> None:
        self._finish(Phase.FAILED, message)

    def _deadline(self) -> float:
        limit = self._spec.active_deadline_seconds
        return self._run.started_at + limit if limit is not None else 0.0

    def _enter(self) -> None:
        run = self._run
        run.phase = Phase.RUNNING
        if self._waiting_hooks:
            run.watch(None, self._observe)
        self._execute(run.identity.name, LifecycleHook(template=self._spec.entrypoint), self._arguments(), self._entry)

    def _arguments(self) -> Arguments | None:
        given, names = self._spec.arguments, self._run.names
        if given is None:
            return None
        parameters = tuple(
            type(one)(name=one.name, value=str(names[f"workflow.parameters.{one.name}"])) for one in given.parameters
        )
        return Arguments(parameters=parameters, artifacts=given.artifacts)

    def _execute(self, name: str, holder: LifecycleHook, arguments: Arguments | None, caller: _Caller) -> None:
        run = self._run
        is_entry = caller is self._entry
        Execution(
            run,
            caller,
            name=name,
            display_name=name,
            holder=holder,
            templates=run.templates.local,
            arguments=arguments,
            deadline=self._deadline() if is_entry else 0.0,
            exit_handler=caller is self._exit,
            flag=None if is_entry else NodeFlag(hooked=True),
        ).begin()

    # -- hooks

    def _observe(self) -> None:
        run, root = self._run, self._entry.node
        if not self._waiting_hooks or root is None or run.phase is not Phase.RUNNING:
            return
        run.names.set("status", str(_run_phase(root)))
        for key, hook in list(self._waiting_hooks.items()):
            name = f"{run.identity.name}.hooks.{key}"
            try:
                if not hook.expression:
                    raise ExpressionError(f"Expression required for hook {name}")
                if not expr_bool(hook.expression, run.names):
                    continue
                arguments = resolved_arguments(hook.arguments or Arguments(), run.names, strict=False)
            except ExpressionError as problem:
                self._waiting_hooks.clear()
                self._entry.trouble = self._entry.trouble or problem.message
                return
            del self._waiting_hooks[key]
            self._open_hooks += 1
            self._execute(name, hook, arguments, _Hook(self, root))

    def hook_settled(self, node: Node) -> None:
        """A hook of the workflow has come to its end."""
        if node.phase.fulfilled:
            self._open_hooks -= 1
            self.end_if_done()

    def link(self, parent: Node, child: Node) -> None:
        self._run.link(parent, child)

    # -- the end

    def entry_settled(self, node: Node) -> None:
        """The entrypoint has come to its end."""
        run = self._run
        run.names.set("status", str(_run_phase(node)))
        run.names.set("failures", self._failures())
        # Hooks may wait for the final status: they see it once before the end.
        self._observe()
        self.end_if_done()

    def end_if_done(self) -> None:
        """Run the exit handler, and then end, when nothing else is open."""
        entry, run = self._entry, self._run
        root = entry.node
        if root is None or not entry.over or self._open_hooks or run.phase.fulfilled or self._exit.begun:
            return
        if entry.refusal:
            self._finish(Phase.ERROR, f"error in entry template execution: {entry.refusal}")
            return
        if entry.trouble:
            run.mark(root, Phase.ERROR, entry.trouble)
            run.names.set("status", str(Phase.ERROR))
        self._exit.begun = True
        hook = self._exit_hook()
        if hook is None or run.shutdown == "Terminate" or not self._begin_exit(hook):
            self.conclude()

    def _exit_hook(self) -> LifecycleHook | None:
        if "exit" in self._spec.hooks:
            return self._spec.hooks["exit"]
        if self._spec.on_exit:
            return LifecycleHook(template=self._spec.on_exit, arguments=self._arguments())
        return None

    def _begin_exit(self, hook: LifecycleHook) -> bool:
        """Begin the exit handler; False if its condition does not hold."""
        run = self._run
        try:
            if hook.expression and not expr_bool(hook.expression, run.names):
                return False
            arguments = resolved_arguments(hook.arguments or Arguments(), run.names, strict=False)
        except ExpressionError as problem:
            self._finish(Phase.ERROR, f"error in exit template execution: {problem.message}")
            return True
        self._execute(f"{run.identity.name}.onExit", hook, arguments, self._exit)
        return True

    def conclude(self) -> None:
        """End as the entrypoint did; after a success, as the exit handler did."""
        root, handler, run = self._entry.node, self._exit.node, self._run
        assert root is not None
        if self._exit.refusal:
            self._finish(Phase.ERROR, f"error in exit template execution: {self._exit.refusal}")
            return
        phase = _run_phase(root)
        message = "" if phase is Phase.SUCCEEDED else root.message
        if phase is Phase.SUCCEEDED and handler is not None and handler.phase.unsuccessful:
            phase, message = handler.phase, handler.message
        elif root.phase.unsuccessful and run.shutdown:
            message = f"Stopped with strategy '{run.shutdown}'"
        self._finish(phase, message)

    def _finish(self, phase: Phase, message: str) -> None:
        run = self._run
        for leaf in list(run.leaves.values()):
            leaf.dismiss()
        run.names.set("status", str(phase))
        root = self._entry.node
        if self._spec.metrics is not None and root is not None:
            run.measured.extend(metrics.measure(self._spec.metrics, root, Scope(run.names), run.now))
        run.phase, run.message, run.finished_at = phase, message, run.now
        if self._locks is not None:
            self._locks.release()

    def _failures(self) -> str:
        """The nodes that failed, as JSON in JSON's quotes, as Argo gives them."""
        run = self._run
        failed = [
            {
                "displayName": node.display_name,
                "message": node.message,
                "templateName": node.template_name,
                "phase": str(node.phase),
                "podName": pod_name(run.identity.name, node.id, node.template_name),
                "finishedAt": timestamp(node.finished_at) if node.finished_at else None,
            }
            for node in run.nodes.values()
            if node.phase.unsuccessful
        ]
        return json.dumps(json.dumps(failed or None, separators=(",", ":"), ensure_ascii=False), ensure_ascii=False)

    # -- what people ask for

    def resume(self, fact: events.Resumed) -> None:
        """A person resumes one node, or all that is suspended."""
        run = self._run
        if fact.node:
            suspension = run.suspensions.get(fact.node)
            if suspension is not None:
                suspension.resumed(fact)
            return
        run.suspended = False
        for suspension in list(run.suspensions.values()):
            suspension.resumed(fact)
        run.release_leaves()

    def stop(self, fact: events.StopRequested) -> None:
        """A person asks for the end. After Stop exit handlers still run, after Terminate nothing does."""
        run = self._run
        if run.shutdown == "Terminate" or run.shutdown == fact.strategy:
            return
        run.shutdown = fact.strategy
        run.suspended = False
        stopped = f"Stopped with strategy '{fact.strategy}'"
        for leaf in list(run.leaves.values()):
            if not self._is_exempt(leaf.execution):
                leaf.shut_down(fact.message or f"workflow shutdown with strategy: {fact.strategy}")
        for suspension in list(run.suspensions.values()):
            if not self._is_exempt(suspension.execution):
                suspension.kill(fact.message or stopped)
        for retries in list(run.backoffs.values()):
            if not self._is_exempt(retries.execution):
                retries.kill(stopped)
        for wait in list(run.waiting_locks.values()):
            if not self._is_exempt(wait.user):
                wait.fail(Phase.FAILED, stopped)
        run.release_leaves()

    def _is_exempt(self, execution: object) -> bool:
        return self._run.shutdown == "Stop" and isinstance(execution, Execution) and execution.exit_handler


class _Caller:
    """Who is told of an execution that the run itself asked for."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.node: Node | None = None
        self.refusal = ""

    def names(self, *, inline: bool) -> dict[str, object]:
        return {}

    def has_node(self, node: Node) -> None:
        self.node = node

    def refused(self, node: Node, message: str) -> None:
        self.refusal = message

    def settled(self, node: Node) -> None:
        """It has come to its end, or is a daemon that is ready."""


class _Entry(_Caller):
    over = False
    # Why a hook of the workflow could not be carried out as it is written.
    trouble = ""

    def settled(self, node: Node) -> None:
        # An entrypoint that is a daemon has nobody to serve: as in Argo, the run waits for its end.
        if node.phase.fulfilled and not self.over:
            self.over = True
            self.course.entry_settled(node)


class _Exit(_Caller):
    begun = False

    def settled(self, node: Node) -> None:
        if node.phase.fulfilled:
            self.course.conclude()


class _Hook(_Caller):
    def __init__(self, course: Course, root: Node) -> None:
        super().__init__(course)
        self._root = root

    def has_node(self, node: Node) -> None:
        super().has_node(node)
        self.course.link(self._root, node)

    def settled(self, node: Node) -> None:
        self.course.hook_settled(node)


def _run_phase(root: Node) -> Phase:
    """The phase of a run whose entrypoint stands so."""
    return Phase.SUCCEEDED if root.phase in (Phase.SKIPPED, Phase.OMITTED) else root.phase
