"""The plan of a run: told facts, it decides what to do next. Told the same facts again, it decides the same.

It knows no clock, process or disk. The driver makes a fact durable, applies it, and carries out the actions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from argosy.errors import ExpressionError
from argosy.model import events
from argosy.model.events import Fact
from argosy.model.manifest import Arguments, KeySelector, LifecycleHook, Outputs, Workflow
from argosy.model.status import Node, NodeFlag, Phase, timestamp
from argosy.plan import metrics
from argosy.plan.actions import AcquireLocks, Action, Kill, ReadCache, ReleaseLocks, Start
from argosy.plan.calls import resolved_arguments
from argosy.plan.execution import Asked, Execution
from argosy.plan.metrics import Measured
from argosy.plan.retries import expr_bool
from argosy.plan.run import Carried, RunState
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute
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
        self._root: Node | None = None
        self._exit_started = False
        self._hooks = {name: hook for name, hook in workflow.spec.hooks.items() if name != "exit"}
        self._hooks_running = 0
        self._holds_locks = False

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
        return self._run.wake_at

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
                self._begin()
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
                self._locks_answered(fact.node, "", "")
            case events.LocksRefused():
                self._locks_answered(fact.node, fact.waiting_for, fact.error)
            case events.CacheRead():
                run.withdraw(ReadCache, fact.node)
                answered = run.waiting_cache.pop(fact.node, None)
                if answered is not None:
                    answered(fact.hit, fact.outputs, fact.error)
            case events.Resumed():
                self._resume(fact)
            case events.Suspended():
                run.suspended = True
            case events.StopRequested():
                self._stop(fact)
            case events.TimePassed():
                pass
        run.settle()

    def _locks_answered(self, node: str, waiting_for: str, error: str) -> None:
        answered = self._run.waiting_locks.get(node)
        if answered is not None:
            answered(waiting_for, error)

    # -- the beginning

    def _begin(self) -> None:
        run = self._run
        run.started_at = run.now
        synchronization = self.workflow.spec.synchronization
        if synchronization is None:
            self._enter()
            return
        try:
            wanted = substitute(synchronization, run.names)
        except ExpressionError as problem:
            self._finish(Phase.ERROR, problem.message)
            return
        run.waiting_locks[run.identity.name] = self._workflow_locks_answered
        run.message = "Waiting for locks"
        run.decide(AcquireLocks(node=run.identity.name, synchronization=wanted))

    def _workflow_locks_answered(self, waiting_for: str, error: str) -> None:
        run = self._run
        if error:
            self._finish(Phase.ERROR, error)
        elif waiting_for:
            run.message = f"Waiting for {waiting_for} lock"
        else:
            run.waiting_locks.pop(run.identity.name, None)
            self._holds_locks = True
            run.message = ""
            self._enter()

    def _enter(self) -> None:
        run, spec = self._run, self.workflow.spec
        run.phase = Phase.RUNNING
        if self._hooks:
            run.observers.append(self._observe)
        deadline = run.now + spec.active_deadline_seconds if spec.active_deadline_seconds is not None else 0.0
        arguments = spec.arguments
        if arguments is not None:
            arguments = Arguments(
                parameters=tuple(
                    type(one)(name=one.name, value=str(run.names[f"workflow.parameters.{one.name}"]))
                    for one in arguments.parameters
                ),
                artifacts=arguments.artifacts,
            )
        self._execute(
            run.identity.name,
            LifecycleHook(template=spec.entrypoint),
            arguments,
            self._root_settled,
            deadline=deadline,
        )

    def _execute(
        self,
        name: str,
        holder: LifecycleHook,
        arguments: Arguments | None,
        on_settled: Callable[[Node], None],
        *,
        deadline: float = 0.0,
        exit_handler: bool = False,
        hooked: bool = False,
    ) -> None:
        run = self._run
        asked = Asked(
            name=name,
            display_name=name,
            holder=holder,
            templates=run.templates.local,
            arguments=arguments,
            deadline=deadline,
            exit_handler=exit_handler,
            flag=NodeFlag(hooked=True) if hooked else None,
            on_settled=on_settled,
        )
        Execution(run, asked).begin()

    # -- hooks of the workflow

    def _observe(self) -> None:
        run = self._run
        if not self._hooks or run.phase is not Phase.RUNNING:
            return
        for key, hook in list(self._hooks.items()):
            name = f"{run.identity.name}.hooks.{key}"
            try:
                if not hook.expression:
                    raise ExpressionError(f"Expression required for hook {name}")
                if not expr_bool(hook.expression, run.names):
                    continue
                arguments = resolved_arguments(hook.arguments or Arguments(), run.names, strict=False)
            except ExpressionError as problem:
                self._hooks.clear()
                self._finish(Phase.ERROR, problem.message)
                return
            del self._hooks[key]
            self._hooks_running += 1
            self._execute(name, hook, arguments, self._hook_settled, hooked=True)
            root = run.nodes.get(run.identity.name)
            if root is not None:
                run.link(root, run.id_of(name))

    def _hook_settled(self, node: Node) -> None:
        if node.phase.fulfilled:
            self._hooks_running -= 1
            self._end_if_done()

    # -- the end

    def _root_settled(self, node: Node) -> None:
        if node.phase.fulfilled and self._root is None:
            self._root = node
            run = self._run
            run.names.set("status", str(_run_phase(node)))
            run.names.set("failures", self._failures())
            # Hooks may wait for the final status: they see it once before the end.
            self._observe()
            self._end_if_done()

    def _end_if_done(self) -> None:
        run, root = self._run, self._root
        if root is None or self._hooks_running or run.phase.fulfilled:
            return
        if not self._exit_started:
            self._exit_started = True
            hook = self._exit_hook()
            if hook is not None and run.shutdown != "Terminate" and self._run_exit(hook):
                return
        self._conclude(root, None)

    def _exit_hook(self) -> LifecycleHook | None:
        spec = self.workflow.spec
        if "exit" in spec.hooks:
            return spec.hooks["exit"]
        return LifecycleHook(template=spec.on_exit, arguments=spec.arguments) if spec.on_exit else None

    def _run_exit(self, hook: LifecycleHook) -> bool:
        """Begin the exit handler; False if its condition does not hold."""
        run = self._run
        try:
            if hook.expression and not expr_bool(hook.expression, run.names):
                return False
            arguments = resolved_arguments(hook.arguments or Arguments(), run.names, strict=False)
        except ExpressionError as problem:
            self._finish(Phase.ERROR, problem.message)
            return True
        self._execute(
            f"{run.identity.name}.onExit", hook, arguments, self._exit_settled, exit_handler=True, hooked=True
        )
        return True

    def _exit_settled(self, node: Node) -> None:
        if node.phase.fulfilled and self._root is not None:
            self._conclude(self._root, node)

    def _conclude(self, root: Node, exit_node: Node | None) -> None:
        phase, message = _run_phase(root), root.message
        if exit_node is not None and phase is Phase.SUCCEEDED and exit_node.phase.unsuccessful:
            phase, message = exit_node.phase, exit_node.message
        if self._run.shutdown and not message:
            message = f"Stopped with strategy '{self._run.shutdown}'"
        self._finish(phase, message)

    def _finish(self, phase: Phase, message: str) -> None:
        run = self._run
        for leaf in list(run.leaves.values()):
            leaf.dismiss()
        if self.workflow.spec.metrics is not None and run.started_at:
            root = self._root or run.nodes.get(run.identity.name)
            if root is not None:
                run.measured.extend(metrics.measure(self.workflow.spec.metrics, root, Scope(run.names), run.now))
        run.names.set("status", str(phase))
        run.phase, run.message, run.finished_at = phase, message, run.now
        if self._holds_locks:
            run.decide(ReleaseLocks(node=run.identity.name))

    def _failures(self) -> str:
        """The failed leaves as JSON in JSON's quotes, as Argo gives them."""
        failed = [
            {
                "displayName": node.display_name,
                "message": node.message,
                "templateName": node.template_name,
                "phase": str(node.phase),
                "podName": node.id,
                "finishedAt": timestamp(node.finished_at) if node.finished_at else None,
            }
            for node in self._run.nodes.values()
            if node.phase.unsuccessful
        ]
        return json.dumps(json.dumps(failed, separators=(",", ":")))

    # -- what people ask for

    def _resume(self, fact: events.Resumed) -> None:
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

    def _stop(self, fact: events.StopRequested) -> None:
        run = self._run
        if run.shutdown == "Terminate" or run.shutdown == fact.strategy:
            return
        run.shutdown = fact.strategy
        run.suspended = False
        reason = fact.message or f"workflow shutdown with strategy: {fact.strategy}"
        exempt = fact.strategy == "Stop"
        for leaf in list(run.leaves.values()):
            if not (exempt and leaf.execution.exit_handler):
                leaf.kill(reason)
        for suspension in list(run.suspensions.values()):
            if not (exempt and suspension.execution.exit_handler):
                suspension.kill(reason)
        for retries in list(run.backoffs.values()):
            retries.kill(f"Stopped with strategy '{fact.strategy}'")
        for node, answered in list(run.waiting_locks.items()):
            run.withdraw(AcquireLocks, node)
            answered("", reason)
        run.queued_leaves.clear()


def _run_phase(root: Node) -> Phase:
    """The phase of a run whose entrypoint ended so."""
    return Phase.SUCCEEDED if root.phase in (Phase.SKIPPED, Phase.OMITTED) else root.phase
