# pyright: reportPrivateUsage=false
# What a stand-in holds is behind an underscore, since its other names are the user's fields.
"""What surrounds a job: a condition, a loop over items, a loop with a condition; and jobs in a row as one.

It knows the decorators of functions that return jobs; templates are made by `when`, `for_loop` and `while_loop`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, Unpack, cast

from argosy.dsl.conditions import when
from argosy.dsl.deferring import several_jobs
from argosy.dsl.expression import Each
from argosy.dsl.for_loops import for_loop
from argosy.dsl.job_values import PRINTED, Condition, Known, WorkflowParam
from argosy.dsl.options import OptionWords, run_with
from argosy.dsl.shapes import File, Json, Record, shape_of
from argosy.dsl.sketch import BaseJob, record, run_in_order
from argosy.dsl.tracing import StepCalled, asked
from argosy.dsl.trouble import TraceError
from argosy.dsl.values import FileStandin, ManyStandin, ParameterStandin, element_type, type_of
from argosy.dsl.while_loops import while_loop

F = TypeVar("F", bound=Callable[..., Any])
Call = Callable[[Known], Any]


class Around:
    """What a job stands in."""

    def takes(self) -> list[WorkflowParam]:
        return []

    def around(self, call: Call, job: BaseJob) -> Call:
        raise AssertionError


class Guard(Around):
    """The job runs if a condition holds; else its outputs are their defaults, if all have one."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition

    def takes(self) -> list[WorkflowParam]:
        return params_in(self.condition)

    def around(self, call: Call, job: BaseJob) -> Call:
        def guarded(known: Known) -> Any:
            condition = self.condition.value(known)
            name = f"when-{job.name}"
            if job.outputs and all(one.has_default for one in job.outputs):
                made = record(job.name, [(one.name, one.type) for one in job.outputs])
                otherwise = made(*(one.default for one in job.outputs))
                return when(condition, lambda: call(known), lambda: otherwise, name=name)
            return when(condition, lambda: call(known), name=name)

        return guarded


class Loop(Around):
    """The job runs for each item of a list, all at once or at most `parallelism` of them."""

    def __init__(self, over: Any, item: WorkflowParam, parallelism: int | None) -> None:
        self.over, self.item, self.parallelism = over, item, parallelism

    def takes(self) -> list[WorkflowParam]:
        return params_in(self.over)

    def around(self, call: Call, job: BaseJob) -> Call:
        def looped(known: Known) -> Any:
            def body(item: Any) -> Any:
                return call(known._replace(items={**known.items, id(self.item): item}))

            return for_loop(body, known.value(self.over), parallelism=self.parallelism, name=f"for-{job.name}")

        return looped


class Repeat(Around):
    """The job runs again while a condition on what it gave holds; it takes that under the same names."""

    def __init__(self, condition: Condition, most: int, on_limit: Any) -> None:
        self.condition, self.most, self.on_limit = condition, most, on_limit

    def takes(self) -> list[WorkflowParam]:
        return params_in(self.condition)

    def around(self, call: Call, job: BaseJob) -> Call:
        def repeated(known: Known) -> Any:
            within = frozenset(id(one) for one in job.parts())

            def goes_on(state: Any) -> Any:
                return self.condition.value(known._replace(jobs={**known.jobs, id(job): state}))

            def again(state: Any) -> Any:
                return call(known._replace(jobs=dict(known.jobs), waits=(), state=state, within=within))

            return while_loop(
                goes_on,
                again,
                init=call(known),
                max_iterations=self.most - 1,
                on_limit=self.on_limit,
                name=f"while-{job.name}",
            )

        return repeated


def params_in(value: Any) -> list[WorkflowParam]:
    """The values of jobs that a condition or a list speaks of."""
    if isinstance(value, WorkflowParam):
        return [value]
    if isinstance(value, Condition):
        return [*params_in(value.left), *params_in(value.right)]
    return []


class Row(BaseJob):
    """Jobs that follow one another, as one: it gives what the last of them gives."""

    def __init__(self, name: str, jobs: Sequence[BaseJob]) -> None:
        super().__init__(name, outputs=jobs[-1].outputs)
        self.place = jobs[0].place
        self.jobs = list(jobs)

    def prints_result(self) -> bool:
        return self.jobs[-1].prints_result()

    def parts(self) -> list[BaseJob]:
        return [part for job in self.jobs for part in job.parts()]

    def call(self, known: Known) -> Any:
        if any(one.name == PRINTED for one in self.outputs):
            _ = self.jobs[-1].output.result
        inner = known._replace(jobs=dict(known.jobs), waits=())
        first = self.jobs[0]
        if known.waits and first.waits is None:
            inner = inner._replace(waits=known.waits)
        run_in_order([[one] for one in self.jobs], inner)
        return inner.jobs[id(self.jobs[-1])]


def decorated(
    kind: str,
    what: Any,
    function: Callable[..., Any],
    *,
    name: str = "",
    parallelism: int | None = None,
    most: int = 0,
    on_limit: Any = "fail",
) -> Callable[..., Any]:
    """A function that gives the job of `function` with this around it."""

    @functools.wraps(function)
    def made(*given: Any, **named: Any) -> BaseJob:
        if kind == "for_loop":
            return _looped(what, function, parallelism)
        job = job_of(function(*given, **named), function)
        job.around.append(Guard(what) if kind == "when" else _repeat(what, job, most, on_limit))
        return job

    if kind == "for_loop":
        cast(Any, made).__signature__ = inspect.Signature()
    return made


def _looped(over: Any, function: Callable[..., Any], parallelism: int | None) -> BaseJob:
    items = list(range(over)) if isinstance(over, int) else over
    item = item_of(items, function)
    job = job_of(function(item) if _takes_one(function) else function(), function)
    job.around.append(Loop(items, item, parallelism))
    return job


def _repeat(condition: Any, job: BaseJob, most: int, on_limit: Any) -> Repeat:
    if most < 2:
        raise TraceError("a job in a loop runs once before its condition is asked", hint="max_iterations is at least 2")
    made = condition if isinstance(condition, Condition) else condition(job)
    if not isinstance(made, Condition):
        raise TraceError(
            f"the condition of while_loop gives {made!r}", hint="@while_loop(lambda job: job.output.loss > 0.1, ...)"
        )
    return Repeat(made, most, on_limit)


def item_of(over: Any, function: Callable[..., Any]) -> WorkflowParam:
    """What stands for the item of a loop in the job; it is called as the function's parameter is."""
    names = list(inspect.signature(function).parameters)
    kind = over.type if isinstance(over, WorkflowParam) else type_of(list(over))
    made = WorkflowParam(names[0] if names else "item", None, element_type(kind)[0])
    made.of_loop = True
    return made


def _takes_one(function: Callable[..., Any]) -> bool:
    return bool(inspect.signature(function).parameters)


def makes_jobs(function: Callable[..., Any], over: Any = ()) -> bool:
    """Whether a function that is decorated returns jobs; asked outside of a trace only."""
    item = item_of(range(over) if isinstance(over, int) else over, function)
    token = asked.set(True)
    try:
        return several_jobs(function(item) if _takes_one(function) else function())
    except (TypeError, ValueError, AttributeError, StepCalled):
        # A function of plain values that is given something else, or one of steps.
        return False
    finally:
        asked.reset(token)


def job_of(made: Any, function: Callable[..., Any]) -> BaseJob:
    """The job that a decorated function returned; several are one after the other. Raises TraceError."""
    if isinstance(made, BaseJob):
        return made
    if several_jobs(made):
        return Row(function.__name__, made)
    raise TraceError(f"{function.__name__} returns {made!r}, and no job", hint="return ContainerJob(...)")


class Run_with:
    """Options for the job that a function returns; what the job says itself goes before. For steps it is `run_with`."""

    def __init__(self, **options: Unpack[OptionWords]) -> None:
        self._shared = run_with(**options)

    def __call__(self, function: F) -> F:
        if hasattr(function, "with_options"):
            return self._shared(function)

        @functools.wraps(function)
        def made(*given: Any, **named: Any) -> Any:
            job = function(*given, **named)
            return job_of(job, function).with_options(self._shared.options) if several_jobs(job) else job

        return cast(F, self._shared(made))


def each_part(value: Any, output: WorkflowParam) -> Any:
    """One output of a job in a loop: the list of them, or the folder with a folder for each item's file."""
    if isinstance(value, ManyStandin):
        element = cast(Any, value._shape).element
        if isinstance(element, Record) and isinstance(element.field(output.name), File):
            return FileStandin(File(folder=True), value._artifact)
    elif isinstance(shape_of(element_type(cast(ParameterStandin, value)._expr.type)[0]), Record) is False:
        raise TraceError(f"{output.name} is a list of lists", hint="put the inner lists together in a job of the loop")
    kind = list[output.type]
    return ParameterStandin(Json(kind), Each(kind, value._expr, output.name))
