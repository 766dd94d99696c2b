"""A run of a traced workflow inside this very process: its Python steps are called, and nothing else is started.

For tests and stubs. The plan decides, as it does for any run; time is a number that this module moves on, and files
are in a folder of its own. There is no record, no process, and no code is copied: what a step reads besides its
inputs is that of this process.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from argosy.dsl.builtin import Builtin
from argosy.dsl.inside import invoke
from argosy.dsl.loading import load_target
from argosy.dsl.places import code_root
from argosy.errors import ArgosyError, EnvironmentTrouble, UsageError
from argosy.model.events import (
    AttemptExited,
    AttemptStarted,
    CacheRead,
    LocksGranted,
    Resumed,
    RunStarted,
    TimePassed,
)
from argosy.model.host_templates import FUNCTION
from argosy.model.manifest import Arguments, Outputs, Template, Workflow
from argosy.model.status import Phase
from argosy.plan.actions import AcquireLocks, Kill, ReadCache, Start, WriteCache
from argosy.plan.plan import Plan, RunIdentity
from argosy.project.in_process_files import Files
from argosy.runners.local.environment import expand
from argosy.syntax.diagnostics import did_you_mean

# Any moment: nothing of a run here depends on the calendar.
BEGIN = 1_000_000_000.0
NAME = "in-process"
Call = Callable[[str], object]


class NeedsStub(UsageError):
    """A step that is no Python function, where none is run."""


@dataclass(frozen=True)
class FailedStep:
    """Why a step failed. exception: what its function raised; None when it was something else."""

    node: str
    message: str
    exception: BaseException | None


@dataclass(frozen=True)
class InProcess:
    """A run that is over. parameters, artifacts: the outputs of the entrypoint.

    failures: of steps, in their order; tries that a retry made good are among them. folder: where its files are; it is
    removed when this value is let go of.
    """

    plan: Plan
    phase: str
    message: str
    parameters: Mapping[str, str]
    artifacts: Mapping[str, Path]
    failures: tuple[FailedStep, ...]
    folder: Path

    @property
    def failed(self) -> FailedStep | None:
        """The step that the run failed of: the first one that no retry made good. None if the run succeeded."""
        if self.phase == "Succeeded":
            return None
        good = {node.name for node in self.plan.nodes.values() if node.phase is Phase.SUCCEEDED}
        return next((one for one in self.failures if one.node.rpartition("(")[0] not in good), None)


def target_in_project(target: str) -> object:
    """What a step's target names, in the project around the working folder."""
    return load_target(target, code_root(Path.cwd()))


def run_in_process(
    manifest: Mapping[str, Any] | Workflow,
    *,
    call: Call = target_in_project,
    parameters: Mapping[str, str] | None = None,
    commands: bool = False,
) -> InProcess:
    """Runs a workflow here and now. call: gives the function of a step by its target, or a stub declared as it is.

    parameters: the workflow's arguments, of files their paths. commands: steps that are scripts or containers are run
    as processes of this machine, where they otherwise need a stub. Raises NeedsStub, UsageError for an argument that
    there is not, ExpressionError when a parameter has no value. What a step's function raises fails the step.
    """
    workflow = manifest if isinstance(manifest, Workflow) else msgspec.convert(manifest, Workflow)
    folder = Path(tempfile.mkdtemp(prefix="argosy-run-"))
    try:
        run = _Run(workflow, folder, call, commands=commands, parameters=parameters or {})
        done = run.done()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(done, shutil.rmtree, folder, ignore_errors=True)
    return done


class _Run:
    def __init__(
        self,
        workflow: Workflow,
        folder: Path,
        call: Call,
        *,
        commands: bool,
        parameters: Mapping[str, str],
    ) -> None:
        self.files = Files(folder)
        self.call = call
        self.commands = commands
        self.now = BEGIN
        self.failures: list[FailedStep] = []
        self.cache: dict[tuple[str, str], Outputs] = {}
        identity = RunIdentity(name=workflow.metadata.name or NAME, uid=NAME, created_at=BEGIN)
        self.plan = Plan(_with_arguments(workflow, parameters), identity)
        self.root_name = identity.name

    def done(self) -> InProcess:
        plan = self.plan
        plan.apply(RunStarted(at=self.now))
        while not plan.finished:
            if not self._decide() and not plan.finished:
                self._pass_time()
        root = next((one for one in plan.nodes.values() if one.name == self.root_name), None)
        outputs = (root.outputs if root is not None else None) or Outputs()
        return InProcess(
            plan=plan,
            phase=str(plan.phase),
            message=plan.message,
            parameters={one.name: cast(str, one.value) for one in outputs.parameters},
            artifacts=self.files.places(outputs.artifacts),
            failures=tuple(self.failures),
            folder=self.files.folder,
        )

    def _decide(self) -> bool:
        """Carries out what the plan decided. Steps are called one after another, as if all had begun together."""
        plan, actions = self.plan, self.plan.actions()
        started: dict[str, Start] = {}
        for action in actions:
            match action:
                case Start():
                    plan.apply(AttemptStarted(at=self.now, node=action.node))
                    started[action.node] = action
                case AcquireLocks():
                    plan.apply(LocksGranted(at=self.now, node=action.node))
                case ReadCache():
                    found = self.cache.get((action.cache, action.key))
                    plan.apply(CacheRead(at=self.now, node=action.node, hit=found is not None, outputs=found))
                case WriteCache():
                    self.cache[action.cache, action.key] = plan.nodes[action.node].outputs or Outputs()
                case Kill():
                    self._exit(action.node, "Failed", action.reason)
                case _:
                    continue
        for start in started.values():
            if not plan.nodes[start.node].phase.fulfilled:
                self._step(start)
        return bool(actions)

    def _pass_time(self) -> None:
        if self.plan.wake_at is not None:
            self.now = max(self.now, self.plan.wake_at)
            self.plan.apply(TimePassed(at=self.now))
        elif self.plan.suspended:
            self.plan.apply(Resumed(at=self.now))
        elif self.plan.waiting():
            names = ", ".join(self.plan.nodes[id].display_name for id in self.plan.waiting())
            raise NeedsStub(f"The step {names} waits for a person.", hint="Run it with `argosy run`.")
        else:
            raise AssertionError("the plan waits for nothing that could come")

    # -- one step

    def _step(self, start: Start) -> None:
        template = start.template
        target = template.metadata.annotations.get(FUNCTION, "") if template.metadata is not None else ""
        if not target and not (self.commands and (template.container or template.script)):
            raise NeedsStub(
                f"The step {start.name} is no Python function: a stub is needed.",
                hint="Give one that returns what it would.",
            )
        folder = self.files.new_folder()
        try:
            self.files.place(template, folder)
            result = self._called(target, template, folder) if target else _commanded(start, folder)
            outputs = self.files.collected(template, folder, result if start.capture_result else None)
        except ArgosyError as error:
            self._failed(start, f"{error.message} {error.hint}".strip(), error)
        except (Exception, SystemExit) as error:
            self._failed(start, f"{type(error).__name__}: {error}", error)
        else:
            self._exit(start.node, "Succeeded", "", outputs)

    def _called(self, target: str, template: Template, folder: Path) -> str:
        found = self.call(target)
        environment = _environment(template)
        if isinstance(found, Builtin):
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                code = found.run(folder, environment)
            if code:
                raise EnvironmentTrouble(said.getvalue().strip() or f"exit code {code}")
            return ""
        function = cast("Callable[..., Any]", getattr(found, "function", found))
        with _surroundings(folder, environment):
            invoke(function, environment, folder)
        return ""

    def _failed(self, start: Start, message: str, error: BaseException) -> None:
        self.failures.append(FailedStep(start.name, message, error))
        self._exit(start.node, "Failed", message)

    def _exit(self, node: str, phase: str, message: str, outputs: Outputs | None = None) -> None:
        self.plan.apply(AttemptExited(at=self.now, node=node, phase=phase, message=message, outputs=outputs))


def _environment(template: Template) -> dict[str, str]:
    """The variables of a step that are texts; those of Secrets are left as this process has them."""
    container = template.container or template.script
    found: dict[str, str] = {}
    for one in container.env if container is not None else ():
        if one.value_from is None:
            found[one.name] = expand(one.value or "", found)
    return found


@contextlib.contextmanager
def _surroundings(folder: Path, environment: Mapping[str, str]) -> Generator[None]:
    """The working folder and the variables of a step, for as long as it is called."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _commanded(start: Start, folder: Path) -> str:
    """Runs a script or container as a process of this machine; gives what it prints."""
    import subprocess

    template = start.template
    environment = _environment(template)
    container = template.script or template.container
    assert container is not None
    command = [*container.command, *container.args]
    if template.script is not None:
        script = folder / ".argosy-script"
        script.write_text(template.script.source, encoding="utf-8")
        command = [*container.command, str(script), *container.args]
    if not command:
        raise NeedsStub(f"The step {start.name} runs its image's own command: a stub is needed.")
    words = [expand(word, environment) for word in command]
    ended = subprocess.run(words, cwd=folder, env={**os.environ, **environment}, capture_output=True, check=False)
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip()
        raise EnvironmentTrouble(f"exit code {ended.returncode}: {said}")
    return ended.stdout.decode("utf-8", "replace").removesuffix("\n")


def _with_arguments(workflow: Workflow, given: Mapping[str, str]) -> Workflow:
    """The workflow with its arguments given. Raises UsageError for one that it does not take."""
    arguments = workflow.spec.arguments or Arguments()
    names = [one.name for one in arguments.parameters]
    for name in given:
        if name not in names:
            near = did_you_mean(name, names)
            takes = f"it takes {', '.join(names) or 'none'}"
            raise UsageError(f"the workflow has no input {name!r}", hint=f"did you mean {near!r}?" if near else takes)
    parameters = tuple(
        msgspec.structs.replace(one, value=given[one.name], value_from=None) if one.name in given else one
        for one in arguments.parameters
    )
    arguments = msgspec.structs.replace(arguments, parameters=parameters)
    return msgspec.structs.replace(workflow, spec=msgspec.structs.replace(workflow.spec, arguments=arguments))
