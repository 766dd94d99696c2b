"""Workflows as lists of jobs: `Workflow(name=..., steps=[a, b, c])`, whose jobs find each other by what they pass.

It knows jobs, their parameters, and how they become calls of steps in a trace; what those become is for
the rest of this room. `jobs` has what surrounds a job, its conditions and loops.
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from argosy.dsl.deferring import Deferred
from argosy.dsl.forms import ContainerForm, Form, ResourceForm
from argosy.dsl.job_values import PRINTED, Known, Outputs, WorkflowParam
from argosy.dsl.options import Options, OptionWords, Seconds, checked
from argosy.dsl.scopes import kebab
from argosy.dsl.steps import Step
from argosy.dsl.trouble import Place, TraceError, place_of_user


class BaseJob(Deferred):
    """What all jobs have in common.

    inputs: values of other jobs or of the workflow, which it sees under their names; in a mapping under others, and
    plain values too. outputs: what it gives. after: jobs that come before though they give it nothing. The other
    options are those of `run_with`. Raises TraceError for one that there is not.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[WorkflowParam] | Mapping[str, Any] = (),
        outputs: Iterable[WorkflowParam | str] = (),
        retry: Any = None,
        timeout: Seconds | None = None,
        after: Sequence[BaseJob] | None = None,
        **options: Any,
    ) -> None:
        self.name = name
        self.place: Place = place_of_user()
        self.inputs: dict[str, Any] = (
            dict(inputs) if isinstance(inputs, Mapping) else {one.name: one for one in _params(name, inputs)}
        )
        self.outputs: list[WorkflowParam] = [self._own(one) for one in outputs]
        self.waits = after
        self.options = Options(retry=retry, timeout=timeout).over(
            checked(type(self).__name__, cast(OptionWords, options))
        )
        # What surrounds the job, from the inside out.
        self.around: list[Any] = []

    def __repr__(self) -> str:
        return f"<job {self.name}>"

    def _own(self, output: WorkflowParam | str) -> WorkflowParam:
        if isinstance(output, str):
            return WorkflowParam(output, self)
        return WorkflowParam(output.name, self, output.type, output.default)

    @property
    def output(self) -> Outputs:
        """What the job gives: `job.output.accuracy`."""
        return Outputs(self)

    def form(self) -> Form:
        """The kind of template that the job becomes. Raises TraceError for a job that does nothing."""
        raise TraceError(f"{self.name} does nothing", hint="make it a ContainerJob or a ResourceJob", place=self.place)

    def prints_result(self) -> bool:
        return False

    def parts(self) -> list[BaseJob]:
        """The jobs that it is made of: itself."""
        return [self]

    def with_options(self, options: Options) -> BaseJob:
        """This job, with these options where it says nothing itself."""
        for one in self.parts():
            one.options = one.options.over(options)
        return self

    def as_step(self) -> Step[..., Any]:
        """The job as a step by itself, as an exit handler is one."""
        types = {name: one.type if isinstance(one, WorkflowParam) else str for name, one in self.inputs.items()}
        return Step(bodiless(self.name, self.place, types, {}, None), self.form(), self.options)

    def takes(self) -> list[WorkflowParam]:
        """All values of others that it and what surrounds it need."""
        found = [one for one in self.inputs.values() if isinstance(one, WorkflowParam)]
        return found + [one for around in self.around for one in around.takes()]

    def call(self, known: Known) -> Any:
        """Calls the job in the trace that records now; a NamedTuple of what it gives."""
        from argosy.dsl.tracing import current

        given = {name: known.input(name, one) for name, one in self.inputs.items()}
        step = self.step(given)
        if known.waits:
            step = step.after(*known.waits)
        value = step(**given)
        scope = current()
        if scope is not None:
            scope.tasks[-1].line = self.place
        return self._gives(value)

    def step(self, given: Mapping[str, Any]) -> Step[..., Any]:
        """The step that the job is. given: its inputs in the trace, whose types it declares."""
        if not hasattr(self, "_step"):
            own = {one.name: one.type for one in self.outputs}
            types = {name: own.get(name) or _type_of(one, given[name]) for name, one in self.inputs.items()}
            function = bodiless(self.name, self.place, types, {}, self._declared())
            self._step: Step[..., Any] = Step(function, self.form(), self.options)
        return self._step

    def _declared(self) -> Any:
        named = [one for one in self.outputs if not self._is_printed(one)]
        return record(self.name, [(one.name, one.type) for one in named]) if named else None

    def _is_printed(self, output: WorkflowParam) -> bool:
        return output.name == PRINTED and self.prints_result() and output.type is str

    def _gives(self, value: Any) -> Any:
        """The record of the outputs, what it prints among them."""
        from argosy.dsl.forms import printed
        from argosy.dsl.shapes import Text
        from argosy.dsl.taking import tasks_of

        if not self.outputs:
            return value
        found: dict[str, Any] = {}
        for one in self.outputs:
            text = self._is_printed(one)
            found[one.name] = printed(next(tasks_of(value)), Text(str)) if text else getattr(value, one.name)
        return record(self.name, [(one.name, one.type) for one in self.outputs])(**found)


def _params(job: str, inputs: Iterable[Any]) -> list[WorkflowParam]:
    found: list[WorkflowParam] = []
    for one in inputs:
        if not isinstance(one, WorkflowParam):
            raise TraceError(f"{job} takes {one!r}, which has no name", hint='inputs={"name": value}')
        if any(one.name == other.name for other in found):
            raise TraceError(
                f"{job} takes two values that are called {one.name}", hint='inputs={"one": ..., "other": ...}'
            )
        found.append(one)
    return found


def _type_of(declared: Any, value: Any) -> Any:
    """The type under which a job takes a value: what it is in the trace."""
    from argosy.dsl.expression import declared_type
    from argosy.dsl.shapes import Dir, File, Many, Nothing
    from argosy.dsl.taking import shape_of_value
    from argosy.dsl.values import is_standin, type_of

    if not is_standin(value):
        return type_of(value)
    shape = shape_of_value(value)
    if isinstance(shape, File):
        from pathlib import Path

        return Dir if shape.folder else Path
    if isinstance(shape, (Many, Nothing)):
        return declared.type
    return declared_type(shape)


class ContainerJob(BaseJob):
    """A container. command, args: a text is split into words as a shell does, but what follows `-c` stays one word.

    Inputs are environment variables of their names, files by their paths; `$out_NAME` says where an output is written.
    Without an image it runs on this machine.
    """

    def __init__(
        self,
        name: str,
        image: str = "",
        command: str | Sequence[str] = (),
        args: str | Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs, image=image or None)
        self.command = tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)
        shell = bool(self.command) and self.command[-1].startswith("-") and self.command[-1].endswith("c")
        self.args = (args,) if isinstance(args, str) and args and shell else _split(args)

    def form(self) -> Form:
        return ContainerForm(self.command, self.args)

    def prints_result(self) -> bool:
        return True


def _split(given: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(shlex.split(given)) if isinstance(given, str) else tuple(given)


class ResourceJob(BaseJob):
    """A Kubernetes resource. manifest: its text, with {{inputs.parameters.NAME}} where an input goes.

    outputs: in a mapping, JSON paths in the resource: {"phase": "{.status.phase}"}.
    """

    def __init__(
        self,
        name: str,
        success_condition: str = "",
        failure_condition: str = "",
        *,
        manifest: str = "",
        action: str = "create",
        outputs: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, outputs=list(outputs or {}), **kwargs)
        if not manifest:
            raise TraceError(f"{name} has no manifest", hint="manifest= the text of the resource")
        self._form = ResourceForm(
            manifest, action, success_condition, failure_condition, tuple((outputs or {}).items())
        )

    def form(self) -> Form:
        return self._form


def record(name: str, fields: Sequence[tuple[str, Any]]) -> Any:
    """A NamedTuple type; the same one for the same name and fields, so that values of it are of one type."""
    key = (name, tuple((field, repr(kind)) for field, kind in fields))
    if key not in _records:
        _records[key] = NamedTuple(_identifier(name), list(fields))  # type: ignore[misc]
    return _records[key]


_records: dict[Any, Any] = {}


def _identifier(name: str) -> str:
    made = kebab(name).replace("-", "_")
    return made if made.isidentifier() else f"job_{made}"


def bodiless(
    name: str, place: Place, types: Mapping[str, Any], defaults: Mapping[str, Any], result: Any
) -> Callable[..., Any]:
    """A function with these parameters and result that cannot be called, since something else does the work."""

    def function(**given: Any) -> Any:
        raise TraceError(f"{name} is no Python function", hint="it runs in a workflow", place=place)

    return declared(function, name, place, types, defaults, result)


def declared(
    function: Callable[..., Any],
    name: str,
    place: Place,
    types: Mapping[str, Any],
    defaults: Mapping[str, Any],
    result: Any,
) -> Callable[..., Any]:
    """The function under another name, with these parameters and result."""
    kind = inspect.Parameter.KEYWORD_ONLY
    empty = inspect.Parameter.empty
    parameters = [inspect.Parameter(one, kind, default=defaults.get(one, empty)) for one in types]
    function.__name__ = function.__qualname__ = _identifier(name)
    function.__annotations__ = {**types, "return": result}
    told = cast(Any, function)
    told.__signature__ = inspect.Signature(parameters)
    told.__argosy_place__ = place
    return function


# -- workflows of jobs


def function_of(name: str, steps: Sequence[Any], outputs: Sequence[WorkflowParam], place: Place) -> Callable[..., Any]:
    """The function that a workflow of these steps is. Raises TraceError.

    steps: in their order; those of a list in the list stand side by side. A job that takes nothing of another one waits
    for those before it.
    """
    groups = [list(cast("Sequence[BaseJob]", one)) if isinstance(one, (list, tuple)) else [one] for one in steps]
    for one in (job for group in groups for job in group):
        if not isinstance(one, BaseJob):
            raise TraceError(f"{one!r} is no job", hint="call the function that returns it: steps=[prepare(), ...]")
    inputs = _inputs_of([job for group in groups for job in group])

    def function(**given: Any) -> Any:
        known = Known({}, given, {})
        run_in_order(groups, known)
        if not outputs:
            return None
        made = record(f"{name}-outputs", [(one.name, one.type) for one in outputs])
        return made(**{one.name: known.value(one) for one in outputs})

    types = {one.name: one.type for one in inputs}
    defaults = {one.name: one.default for one in inputs if one.has_default}
    result = record(f"{name}-outputs", [(one.name, one.type) for one in outputs]) if outputs else None
    return declared(function, name, place, types, defaults, result)


def _inputs_of(jobs: Iterable[BaseJob]) -> list[WorkflowParam]:
    """The inputs of the workflow: values that no job gives. Raises TraceError for two that share only a name."""
    found: dict[str, WorkflowParam] = {}
    for one in (param for job in jobs for param in taken_by(job)):
        if one.owner_step is not None or one.of_loop:
            continue
        other = found.setdefault(one.name, one)
        same = other.type == one.type and (other.default is one.default or repr(other.default) == repr(one.default))
        if not same:
            raise TraceError(f"two inputs of the workflow are called {one.name}, and differ", hint="make one of them")
    return list(found.values())


def run_in_order(groups: Sequence[Sequence[BaseJob]], known: Known) -> None:
    """Calls the jobs, each once what it needs is known. Raises TraceError."""
    own = {id(job) for group in groups for job in group}
    waiting = [(job, groups[index - 1] if index else ()) for index, group in enumerate(groups) for job in group]
    while waiting:
        one = _next(waiting, known, own)
        if one is None:
            names = ", ".join(job.name for job, _ in waiting)
            raise TraceError(f"each of {names} waits for another of them", hint="the values go round in a circle")
        waiting.remove(one)
        job, before = one
        waits = [known.jobs[id(other)] for other in _waits(job, before, own) if id(other) in known.jobs]
        known.jobs[id(job)] = surrounded(job, known._replace(waits=tuple(waits)))


Waiting = tuple["BaseJob", "Sequence[BaseJob]"]


def _next(waiting: Sequence[Waiting], known: Known, own: set[int]) -> Waiting | None:
    """The first job that can be called: whose values are known, and if there is one, those it stands behind too."""
    can = [one for one in waiting if _needs(one[0], own) <= set(known.jobs)]
    behind = (one for one in can if all(id(other) in known.jobs for other in _waits(*one, own)))
    return next(behind, can[0] if can else None)


def _waits(job: BaseJob, before: Sequence[BaseJob], own: set[int]) -> Sequence[BaseJob]:
    """The jobs that it begins after though they give it nothing."""
    if job.waits is not None:
        return [one for one in job.waits if id(one) in own]
    return () if _needs(job, own) else before


def _needs(job: BaseJob, own: set[int]) -> set[int]:
    """Which of these jobs come before one, since it takes their values or says so."""
    needed = {id(one.owner_step) for one in taken_by(job)} | {id(one) for one in job.waits or ()}
    return (needed & own) - {id(job)}


def taken_by(job: BaseJob) -> list[WorkflowParam]:
    """All values that a job, what surrounds it and what it is made of need."""
    return [*job.takes(), *(one for part in job.parts() if part is not job for one in taken_by(part))]


def surrounded(job: BaseJob, known: Known) -> Any:
    """Calls a job with what surrounds it."""
    call: Callable[[Known], Any] = job.call
    for around in job.around:
        call = around.around(call, job)
    try:
        return call(known)
    except TraceError as error:
        if error.place.file != job.place.file:
            error.place = job.place
        raise
