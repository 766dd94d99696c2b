"""Runs a workflow, given as text, through the planner with a clock of its own: no process, no waiting.

A test scripts how leaves end and what people ask for, and reads the tree of nodes. It knows the planner's face only:
facts in, actions out.
"""

from __future__ import annotations

import heapq
import textwrap
from collections.abc import Callable, Mapping, Sequence

import msgspec

from argosy.dialects import argo
from argosy.model.events import (
    AttemptExited,
    AttemptReady,
    AttemptStarted,
    CacheRead,
    ContainerEnd,
    Fact,
    LocksGranted,
    LocksRefused,
    RunStarted,
    TimePassed,
)
from argosy.model.manifest import (
    Artifact,
    KeySelector,
    Outputs,
    Parameter,
    Synchronization,
    Workflow,
    WorkflowTemplate,
)
from argosy.model.status import Node, Phase
from argosy.plan.actions import AcquireLocks, Action, Kill, ReadCache, ReleaseLocks, Start, WriteCache
from argosy.plan.plan import Carried, Plan, RunIdentity
from argosy.plan.templates import with_workflow_template

BEGIN = 1_000_000.0


class Outcome(msgspec.Struct, frozen=True):
    """How a leaf ends, and how many seconds after its start. ready: seconds until a daemon answers."""

    phase: str = "Succeeded"
    message: str = ""
    exit_code: str | None = None
    result: str | None = None
    parameters: Mapping[str, str] = {}
    seconds: float = 1.0
    ready: float = 1.0
    containers: tuple[ContainerEnd, ...] = ()


Script = Outcome | Sequence[Outcome] | Callable[[Start], Outcome]

# Templates that most tests call: one that takes nothing, one that takes a message, one
# that gives its message to the whole workflow, one that gives it to its caller.
LEAVES = """
- name: leaf
  container: {image: none}
- name: take
  inputs: {parameters: [{name: message}]}
  container: {image: none, args: ["{{inputs.parameters.message}}"]}
- name: publish
  outputs: {parameters: [{name: x, globalName: shared, valueFrom: {path: /x}}]}
  container: {image: none}
- name: give
  outputs: {parameters: [{name: message, valueFrom: {path: /message}}]}
  container: {image: none}
"""

EVERYTHING_WELL: Mapping[str, Script] = {}
OK = Outcome()
FAILED = Outcome("Failed", "main: Error (exit code 1)", "1")
ERROR = Outcome("Error", "the image cannot be had")


def said(text: str) -> Outcome:
    """A success that printed this."""
    return Outcome(result=text)


def exits(code: int, seconds: float = 1.0) -> Outcome:
    """A failure with this exit code."""
    return Outcome("Failed", f"main: Error (exit code {code})", str(code), seconds=seconds)


def gave(**parameters: str) -> Outcome:
    """A success with these output parameters."""
    return Outcome(parameters=parameters)


def workflow_of(text: str, name: str = "wf", *, strict: bool = True) -> Workflow:
    """The workflow that a text is: a whole manifest, or only what stands under `spec`."""
    text = textwrap.dedent(text).lstrip("\n")
    if text.startswith(("entrypoint:", "arguments:")):
        text = f"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n{textwrap.indent(text, '  ')}"
    loaded = argo.load(text, "test.yaml", strict=strict).checked()
    found = next(one.value for one in loaded.documents if isinstance(one.value, Workflow | WorkflowTemplate))
    return Workflow(metadata=msgspec.structs.replace(found.metadata, name=name), spec=found.spec, kind="Workflow")


def main(text: str, *, head: str = "") -> str:
    """A workflow whose template `main` has these fields, beside the LEAVES. head: more fields of the spec."""
    indented = textwrap.indent(textwrap.dedent(text).strip("\n"), "  ")
    return f"entrypoint: main\n{textwrap.dedent(head)}\ntemplates:\n- name: main\n{indented}\n{LEAVES}"


def templates_of(text: str) -> dict[str, WorkflowTemplate]:
    """The stored templates of a text, by name."""
    loaded = argo.load(textwrap.dedent(text), "templates.yaml", strict=False).checked()
    found = (one.value for one in loaded.documents)
    return {one.metadata.name: one for one in found if isinstance(one, WorkflowTemplate)}


class LockTable:
    """Locks as the driver keeps them: who came first is served first; all of a node's locks or none."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.limits = limits
        self.holders: dict[str, list[str]] = {}
        self.waiting: dict[str, Synchronization] = {}
        self.released: list[str] = []

    def names(self, wanted: Synchronization) -> list[str]:
        found = [f"Mutex/{one.name}" for one in wanted.mutexes]
        for one in wanted.semaphores:
            reference = one.config_map_key_ref
            place = f"{reference.name}/{reference.key}" if reference is not None else "database"
            found.append(f"Semaphore/{place}")
        return found

    def ask(self, node: str, wanted: Synchronization) -> str:
        """Take a node's locks, or say which is not free."""
        for name in self.names(wanted):
            if len(self.holders.get(name, ())) >= self.limits.get(name, 1):
                self.waiting[node] = wanted
                return name
        self.waiting.pop(node, None)
        for name in self.names(wanted):
            self.holders.setdefault(name, []).append(node)
        return ""

    def release(self, node: str) -> None:
        self.released.append(node)
        self.waiting.pop(node, None)
        for holders in self.holders.values():
            if node in holders:
                holders.remove(node)


class Simulation:
    """One run. at: facts to tell at seconds after the beginning. before: called before each fact is told."""

    def __init__(
        self,
        workflow: str | Workflow,
        script: Mapping[str, Script] | Callable[[Start], Outcome] = EVERYTHING_WELL,
        *,
        at: Sequence[tuple[float, Callable[[float], Fact]]] = (),
        templates: str = "",
        stored: Mapping[str, WorkflowTemplate] | None = None,
        config_maps: Mapping[str, Mapping[str, str]] | None = None,
        limits: Mapping[str, int] | None = None,
        cache: Mapping[str, Outputs] | None = None,
        carried: Mapping[str, Carried] | None = None,
        jobs: int | None = None,
        before: Callable[[Simulation, Fact], object] = lambda run, fact: None,
    ) -> None:
        self.workflow = workflow_of(workflow) if isinstance(workflow, str) else workflow
        self.stored = dict(stored or {}) | (templates_of(templates) if templates else {})
        reference = self.workflow.spec.workflow_template_ref
        if reference is not None:
            self.workflow = with_workflow_template(self.workflow, self.stored[reference.name])
        self.name = self.workflow.metadata.name
        self.config_maps = config_maps or {}
        self.carried = dict(carried or {})
        self.plan = self.new_plan()
        self.script = script
        self.locks = LockTable(limits or {})
        self.cache = dict(cache or {})
        self.jobs = jobs
        self.before = before
        self.now = BEGIN
        self.facts: list[Fact] = []
        self.starts: list[Start] = []
        self.kills: list[Kill] = []
        self.written: list[WriteCache] = []
        self._ready: list[Start] = []
        self._running: dict[str, Start] = {}
        self._events: list[tuple[float, int, Fact]] = []
        self._used: dict[str, int] = {}
        self._number = 0
        for seconds, make in at:
            self._later(seconds, make(BEGIN + seconds))

    def new_plan(self) -> Plan:
        """A plan of the same run that knows nothing yet."""
        return Plan(
            self.workflow,
            RunIdentity(name=self.name, uid="uid-1", created_at=BEGIN),
            read_template=lambda name, cluster: self.stored.get(name),
            read_config_map=self._config_map,
            carried=self.carried,
        )

    def _config_map(self, reference: KeySelector) -> str | None:
        return self.config_maps.get(reference.name, {}).get(reference.key)

    # -- the run

    def run(self, *, waits: bool = False, limit: int = 1_000_000) -> Simulation:
        """To the end, or with `waits` until only a person can go on."""
        self.tell(RunStarted(at=self.now))
        for _ in range(limit):
            self.carry_out()
            if self.plan.finished:
                return self
            if not self._step():
                if waits:
                    return self
                raise AssertionError("nothing more happens, yet the run goes on:\n" + self.tree())
        raise AssertionError("the run does not end")

    def tell(self, fact: Fact) -> None:
        self.before(self, fact)
        self.facts.append(fact)
        self.plan.apply(fact)

    def _step(self) -> bool:
        """Let the next thing happen; False if there is none."""
        wake = self.plan.wake_at
        event = self._events[0][0] if self._events else None
        if wake is not None and (event is None or wake <= event):
            self.now = max(self.now, wake)
            self.tell(TimePassed(at=self.now))
            return True
        if event is None:
            return False
        moment, _, fact = heapq.heappop(self._events)
        self.now = max(self.now, moment)
        if isinstance(fact, AttemptExited | AttemptReady):
            if fact.node not in self._running:
                return True
            if isinstance(fact, AttemptExited):
                del self._running[fact.node]
        self.tell(fact)
        return True

    def carry_out(self) -> None:
        """What a driver does with the planner's decisions."""
        while True:
            actions = self.plan.actions()
            for action in actions:
                self._take(action)
            if not self._start_ready() and not actions:
                return

    def _take(self, action: Action) -> None:
        match action:
            case Start():
                self._ready.append(action)
            case Kill():
                self.kills.append(action)
                if action.node in self._running:
                    exited = AttemptExited(at=self.now, node=action.node, phase="Failed", message="killed")
                    self._later(self.now - BEGIN, exited)
            case AcquireLocks():
                self._answer_locks(action.node, action.synchronization)
            case ReleaseLocks():
                self.locks.release(action.node)
                for node, wanted in list(self.locks.waiting.items()):
                    self._answer_locks(node, wanted)
            case ReadCache():
                found = self.cache.get(f"{action.cache}/{action.key}")
                self.tell(CacheRead(at=self.now, node=action.node, hit=found is not None, outputs=found))
            case WriteCache():
                self.written.append(action)
                outputs = self.plan.nodes[action.node].outputs
                self.cache[f"{action.cache}/{action.key}"] = outputs or Outputs()
            case _:
                raise AssertionError(action)

    def _answer_locks(self, node: str, wanted: Synchronization) -> None:
        held = self.locks.ask(node, wanted)
        if held:
            self.tell(LocksRefused(at=self.now, node=node, waiting_for=held))
        else:
            self.tell(LocksGranted(at=self.now, node=node))

    def _start_ready(self) -> bool:
        started = False
        while self._ready and (self.jobs is None or len(self._running) < self.jobs):
            start = self._ready.pop(0)
            if self.plan.nodes[start.node].phase is Phase.PENDING:
                self._begin(start)
                started = True
        return started

    def _begin(self, start: Start) -> None:
        self.starts.append(start)
        self.tell(AttemptStarted(at=self.now, node=start.node))
        self._running[start.node] = start
        outcome = self._outcome(start)
        seconds = self.now - BEGIN
        if start.template.daemon:
            self._later(seconds + outcome.ready, AttemptReady(at=0.0, node=start.node, ip="127.0.0.1"))
            if outcome.phase == "Succeeded":
                return
        self._later(seconds + outcome.seconds, _exit_of(start, outcome))

    def _outcome(self, start: Start) -> Outcome:
        script = self.script
        if not isinstance(script, Mapping):
            return script(start)
        shown = self.plan.nodes[start.node].display_name
        keys = (self.short(start.name), shown, _without_attempt(shown), start.template.name, "*")
        for key in keys:
            found = script.get(key)
            if found is None:
                continue
            if isinstance(found, Outcome):
                return found
            if isinstance(found, Sequence):
                number = self._used.get(key, 0)
                self._used[key] = number + 1
                return found[min(number, len(found) - 1)]
            return found(start)
        return OK

    def _later(self, seconds: float, fact: Fact) -> None:
        self._number += 1
        moment = BEGIN + seconds
        heapq.heappush(self._events, (moment, self._number, msgspec.structs.replace(fact, at=moment)))

    # -- what a test looks at

    @property
    def phase(self) -> str:
        return str(self.plan.phase)

    @property
    def message(self) -> str:
        return self.plan.message

    @property
    def ran(self) -> list[str]:
        """The names of the leaves that were started, in order, without the run's own name."""
        return [self.short(one.name) for one in self.starts]

    def node(self, name: str) -> Node:
        """The node of that name (without the run's own), or else the only one of that display name."""
        for one in self.plan.nodes.values():
            if self.short(one.name) == name:
                return one
        found = [one for one in self.plan.nodes.values() if one.display_name == name]
        assert len(found) == 1, f"{len(found)} nodes are called {name}:\n{self.tree()}"
        return found[0]

    def short(self, name: str) -> str:
        """A node's name without the run's: `/` for the root."""
        return name.removeprefix(self.name).removeprefix(".") or "/"

    def phases(self) -> dict[str, str]:
        """The phase of each node by its name without the run's own."""
        return {self.short(one.name): str(one.phase) for one in self.plan.nodes.values()}

    def outputs(self, name: str = "") -> dict[str, str | None]:
        """The output parameters of a node, or of the run."""
        found = self.node(name).outputs if name else self.plan.outputs
        return {one.name: one.value for one in (found or Outputs()).parameters}

    def artifacts(self, name: str = "") -> dict[str, Artifact]:
        """The output artifacts of a node, or of the run."""
        found = self.node(name).outputs if name else self.plan.outputs
        return {one.name: one for one in (found or Outputs()).artifacts}

    def args(self, name: str) -> tuple[str, ...]:
        """The arguments with which a leaf was started."""
        container = self.start_of(name).template.container
        assert container is not None
        return container.args

    def start_of(self, name: str) -> Start:
        """What the driver was asked to run for the leaf of that name, or with a name that ends so."""
        return next(one for one in self.starts if self.short(one.name) == name or one.name.endswith(f".{name}"))

    def at(self, moment: float) -> float:
        """A time of a node, in seconds after the beginning of the run."""
        return round(moment - BEGIN, 3)

    def tree(self) -> str:
        """One line a node: `name: Type Phase (message) > children`, in the order in which they came to be."""
        nodes = self.plan.nodes
        lines: list[str] = []
        for one in nodes.values():
            message = f" ({one.message})" if one.message else ""
            names = [self.short(nodes[child].name) if child in nodes else f"!{child}" for child in one.children]
            children = " > " + ", ".join(names) if names else ""
            lines.append(f"{self.short(one.name)}: {one.type} {one.phase}{message}{children}")
        return "\n".join(lines)


def simulate(
    workflow: str | Workflow,
    script: Mapping[str, Script] | Callable[[Start], Outcome] = EVERYTHING_WELL,
    **options: object,
) -> Simulation:
    """A run from beginning to end."""
    return Simulation(workflow, script, **options).run()  # type: ignore[arg-type]


def tree(text: str) -> str:
    """A tree as a test writes it down."""
    return textwrap.dedent(text).strip()


def replayed(simulation: Simulation, count: int | None = None) -> Plan:
    """The plan that the first facts of a simulation make."""
    plan = simulation.new_plan()
    for fact in simulation.facts[:count]:
        plan.apply(fact)
    return plan


def _without_attempt(name: str) -> str:
    head, bracket, rest = name.rpartition("(")
    return head if bracket and rest.rstrip(")").isdigit() else name


def _exit_of(start: Start, outcome: Outcome) -> AttemptExited:
    declared = start.template.outputs or Outputs()
    good = outcome.phase == "Succeeded"
    parameters = [
        Parameter(name=one.name, value=_value(one, outcome), global_name=one.global_name) for one in declared.parameters
    ]
    artifacts = [msgspec.structs.replace(one, digest=f"{start.name}/{one.name}") for one in declared.artifacts if good]
    outputs = Outputs(
        parameters=tuple(
            one for one in parameters if one.value is not None and (good or one.name in outcome.parameters)
        ),
        artifacts=tuple(artifacts),
        result=outcome.result if start.capture_result else None,
        exit_code=outcome.exit_code if outcome.exit_code is not None else ("0" if good else None),
    )
    return AttemptExited(
        at=0.0,
        node=start.node,
        phase=outcome.phase,
        message=outcome.message,
        outputs=outputs,
        containers=outcome.containers,
    )


def _value(declared: Parameter, outcome: Outcome) -> str | None:
    if declared.name in outcome.parameters:
        return outcome.parameters[declared.name]
    if declared.value is not None:
        return declared.value
    return declared.value_from.default if declared.value_from is not None else None
