"""What a run would do, without doing it: the plan, told that every step succeeds, or ends as one assumes.

It knows the plan and makes up facts; no process is started and nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from argosy.checks.texts import structs
from argosy.errors import UsageError
from argosy.model.events import (
    AttemptExited,
    AttemptReady,
    AttemptStarted,
    CacheRead,
    LocksGranted,
    Resumed,
    RunStarted,
    TimePassed,
)
from argosy.model.host_templates import ASSUMED, annotation
from argosy.model.manifest import CallFields, Outputs, Parameter, Template
from argosy.plan.actions import AcquireLocks, Kill, ReadCache, Start
from argosy.plan.plan import Plan

if TYPE_CHECKING:
    from argosy.plan.workflow_names import RunIdentity

# What stands for a value that only a real run can tell.
UNKNOWN = "unknown"
STEP_SECONDS = 1.0
# A workflow that calls itself until a coin says otherwise never ends on assumptions alone.
MOST_STEPS = 20_000
_LOOPED = re.compile(r"(?:steps|tasks)\.([-\w]+)\.outputs\.(result|parameters\.[-\w]+)")


class Assumption(msgspec.Struct, frozen=True, kw_only=True):
    """How a step ends. outputs: values by name; "result" is its standard output."""

    phase: str = "Succeeded"
    outputs: dict[str, str] = {}


class Dry(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was not done. starts: each leaf in order. cut: it was left off after MOST_STEPS steps."""

    plan: Plan
    starts: tuple[Start, ...]
    cut: bool = False


def read_assumptions(texts: tuple[str, ...]) -> dict[str, Assumption]:
    """STEP=PHASE and STEP.OUTPUT=VALUE texts, by step. Raises UsageError."""
    found: dict[str, Assumption] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} assumes nothing", hint="write STEP=Failed, or STEP.OUTPUT=VALUE")
        step, dot, output = name.rpartition(".")
        if not dot:
            if value not in ("Succeeded", "Failed", "Error"):
                raise UsageError(f"{value!r} is no way to end", hint="steps end Succeeded, Failed or Error")
            found[name] = msgspec.structs.replace(found.get(name, Assumption()), phase=value)
        else:
            before = found.get(step, Assumption())
            found[step] = msgspec.structs.replace(before, outputs=before.outputs | {output: value})
    return found


def simulate(new_plan: Callable[[], Plan], identity: RunIdentity, assumptions: Mapping[str, Assumption]) -> Dry:
    """Let a plan run on made-up facts until it ends."""
    plan = new_plan()
    simulation = _Simulation(plan, identity.created_at, assumptions)
    return simulation.run()


class _Simulation:
    def __init__(self, plan: Plan, now: float, assumptions: Mapping[str, Assumption]) -> None:
        self.plan = plan
        self.now = now
        self.assumptions = assumptions
        self.starts: list[Start] = []
        self.running: dict[str, Start] = {}
        self.looped = {(step, output) for step, output in _LOOPED.findall(_loops(plan))}

    def run(self) -> Dry:
        plan = self.plan
        plan.apply(RunStarted(at=self.now))
        while not plan.finished:
            if len(self.starts) > MOST_STEPS:
                return Dry(plan=plan, starts=tuple(self.starts), cut=True)
            if not self._decide() and not plan.finished:
                self._pass_time()
        return Dry(plan=plan, starts=tuple(self.starts))

    def _decide(self) -> bool:
        actions = self.plan.actions()
        for action in actions:
            match action:
                case Start():
                    self.starts.append(action)
                    self.running[action.node] = action
                    self.plan.apply(AttemptStarted(at=self.now, node=action.node))
                    if action.template.daemon:
                        self.plan.apply(AttemptReady(at=self.now, node=action.node, ip="127.0.0.1"))
                case AcquireLocks():
                    self.plan.apply(LocksGranted(at=self.now, node=action.node))
                case ReadCache():
                    self.plan.apply(CacheRead(at=self.now, node=action.node, hit=False))
                case Kill():
                    self._exit(action.node, "Failed", action.reason)
                case _:
                    continue
        return bool(actions)

    def _pass_time(self) -> None:
        """Let the steps that run end together; with none running, let a person or a timer go on."""
        ending = [one for one in self.running.values() if not one.template.daemon]
        if ending:
            self.now += STEP_SECONDS
            for start in ending:
                assumption = self._assumed(start)
                outputs = self._outputs(start, assumption) if assumption.phase == "Succeeded" else None
                message = "" if assumption.phase == "Succeeded" else "assumed"
                self._exit(start.node, assumption.phase, message, outputs)
        elif self.plan.wake_at is not None:
            self.now = max(self.now, self.plan.wake_at)
            self.plan.apply(TimePassed(at=self.now))
        elif self.plan.waiting():
            for node in self.plan.waiting():
                self._resume(node)
        elif self.plan.suspended:
            self.plan.apply(Resumed(at=self.now))
        else:
            raise AssertionError("the plan waits for nothing that could come")

    def _exit(self, node: str, phase: str, message: str, outputs: Outputs | None = None) -> None:
        self.running.pop(node, None)
        self.plan.apply(AttemptExited(at=self.now, node=node, phase=phase, message=message, outputs=outputs))

    def _resume(self, id: str) -> None:
        node = self.plan.nodes[id]
        template = next((one for one in self.plan.workflow.spec.templates if one.name == node.template_name), None)
        declared = template.outputs.parameters if template is not None and template.outputs is not None else ()
        given = tuple(Parameter(name=one.name, value=self._value(node.display_name, one)) for one in declared)
        self.plan.apply(Resumed(at=self.now, node=id, parameters=given))

    def _assumed(self, start: Start) -> Assumption:
        node = self.plan.nodes[start.node]
        for name in (node.name, node.display_name, node.display_name.partition("(")[0], node.template_name):
            if name in self.assumptions:
                return self.assumptions[name]
        return Assumption()

    def _outputs(self, start: Start, assumption: Assumption) -> Outputs:
        """What the step would leave: as assumed, as the template promises, or a word for not knowing."""
        node = self.plan.nodes[start.node]
        step = node.display_name.partition("(")[0]
        declared = start.template.outputs or Outputs()
        assumed = {**_typed(start.template), **assumption.outputs}
        parameters = tuple(
            Parameter(
                name=one.name,
                value=assumed.get(one.name) or self._value(step, one),
                global_name=one.global_name,
            )
            for one in declared.parameters
        )
        result = assumption.outputs.get("result") or self._placeholder(step, "result")
        # What takes an artifact wants it to be somewhere.
        artifacts = tuple(msgspec.structs.replace(one, digest=one.digest or UNKNOWN) for one in declared.artifacts)
        return msgspec.structs.replace(
            declared,
            parameters=parameters,
            artifacts=artifacts,
            result=result if _has_result(start) else None,
            exit_code="0",
        )

    def _value(self, step: str, parameter: Parameter) -> str:
        for given in (parameter.value, parameter.value_from.default if parameter.value_from else None):
            if given is not None:
                return given
        return parameter.default or self._placeholder(step, f"parameters.{parameter.name}")

    def _placeholder(self, step: str, output: str) -> str:
        return f'["{UNKNOWN}"]' if (step, output) in self.looped else UNKNOWN


def _typed(template: Template) -> dict[str, str]:
    """What stands for outputs whose types are known: nothing, of each type."""
    text = annotation(template, ASSUMED)
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}


def _has_result(start: Start) -> bool:
    template: Template = start.template
    if template.container is not None or template.script is not None:
        return start.capture_result
    return template.http is not None


def _loops(plan: Plan) -> str:
    """The text of every withParam of the workflow: what they refer to has to be a list."""
    return " ".join(
        struct.with_param
        for _, struct in structs(plan.workflow)
        if isinstance(struct, CallFields) and struct.with_param
    )


def is_uncertain(message: str) -> bool:
    """Whether a node's message rests on a value that only a real run can tell."""
    return UNKNOWN in message
