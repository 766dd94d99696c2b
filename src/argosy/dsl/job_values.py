"""Values of jobs, before there is a trace and in one: parameters, conditions on them, and what is known so far.

It knows that a job has a name and outputs, and no more of it.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from argosy.dsl.deferring import Deferred
from argosy.dsl.trouble import TraceError

if TYPE_CHECKING:
    from argosy.dsl.sketch import BaseJob

# What a job printed, where none of its outputs is called so.
PRINTED = "result"
_MISSING = object()


class WorkflowParam(Deferred):
    """A value that passes between jobs.

    name: of the output. owner_step: the job that gives it; None for an input of the workflow, and in the outputs of a
    job for that job. type: as steps declare it; Path is a file. default: of an input, or of an output of a job that
    may not run.
    """

    def __init__(self, name: str, owner_step: BaseJob | None = None, type: Any = str, default: Any = _MISSING) -> None:
        self.name = name
        self.owner_step = owner_step
        self.type = type
        self.default = default
        # The items of a loop, which only its job has.
        self.of_loop = False

    @property
    def has_default(self) -> bool:
        return self.default is not _MISSING

    def __repr__(self) -> str:
        owner = f"{self.owner_step.name}." if self.owner_step is not None else ""
        return f"<value {owner}{self.name}>"

    def __eq__(self, other: object) -> Any:
        return Condition("==", self, other)

    def __ne__(self, other: object) -> Any:
        return Condition("!=", self, other)

    __hash__ = object.__hash__

    def __lt__(self, other: object) -> Condition:
        return Condition("<", self, other)

    def __le__(self, other: object) -> Condition:
        return Condition("<=", self, other)

    def __gt__(self, other: object) -> Condition:
        return Condition(">", self, other)

    def __ge__(self, other: object) -> Condition:
        return Condition(">=", self, other)

    def __bool__(self) -> NoReturn:
        raise TraceError(f"{self!r} is asked whether it is true", hint="compare it, in @when(...) or @while_loop(...)")

    def __iter__(self) -> NoReturn:
        raise TraceError(f"Python loops over {self!r}", hint="decorate a function that returns a job: @for_loop(...)")

    def decorate(self, kind: str, function: Callable[..., Any], **words: Any) -> Callable[..., Any]:
        from argosy.dsl.jobs import decorated

        return decorated(kind, self if kind == "for_loop" else Condition("==", self, True), function, **words)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": lambda left, right: left & right,
    "|": lambda left, right: left | right,
}


class Condition(Deferred):
    """A comparison of values of jobs, or several put together with &, | and ~."""

    def __init__(self, operator: str, left: Any, right: Any = None) -> None:
        self.operator, self.left, self.right = operator, left, right

    def __and__(self, other: Condition) -> Condition:
        return Condition("&", self, other)

    def __or__(self, other: Condition) -> Condition:
        return Condition("|", self, other)

    def __invert__(self) -> Condition:
        return Condition("~", self)

    def __bool__(self) -> NoReturn:
        raise TraceError(
            "a condition on values of jobs is asked whether it holds, which is known only when the workflow runs",
            hint="put it above a function that returns a job: @when(...); & | and ~ stand for and, or and not",
        )

    def value(self, known: Known) -> Any:
        """The condition in a trace."""
        from argosy.dsl.conditions import not_

        if self.operator == "~":
            return not_(known.value(self.left))
        return _OPERATORS[self.operator](known.value(self.left), known.value(self.right))

    def decorate(self, kind: str, function: Callable[..., Any], **words: Any) -> Callable[..., Any]:
        from argosy.dsl.jobs import decorated

        return decorated(kind, self, function, **words)


class Outputs:
    """The outputs of a job, as attributes; `result` is what it prints when it has no output of that name."""

    def __init__(self, job: BaseJob) -> None:
        self.__dict__["_job"] = job

    def __getattr__(self, name: str) -> WorkflowParam:
        job: BaseJob = self.__dict__["_job"]
        for one in job.outputs:
            if one.name == name:
                return one
        if name == PRINTED and job.prints_result():
            made = WorkflowParam(PRINTED, job)
            job.outputs.append(made)
            return made
        if name.startswith("__"):
            raise AttributeError(name)
        near = difflib.get_close_matches(name, [one.name for one in job.outputs], 1)
        hint = f"did you mean {near[0]}?" if near else f'outputs=[WorkflowParam("{name}", type=...)]'
        raise TraceError(f"{job.name} has no output {name!r}", hint=hint)

    def __getitem__(self, name: str) -> WorkflowParam:
        return self.__getattr__(name)


class Known(NamedTuple):
    """What is known in a trace: values of jobs, inputs of the workflow, items of loops.

    waits: what a job waits for. state: what a loop's job gave the time before, which it now takes under the same names;
    within: the jobs of that loop, whose values go before.
    """

    jobs: dict[int, Any]
    inputs: Mapping[str, Any]
    items: Mapping[int, Any]
    waits: tuple[Any, ...] = ()
    state: Any = None
    within: frozenset[int] = frozenset()

    def input(self, name: str, given: Any) -> Any:
        """What a job takes under a name."""
        owner = id(given.owner_step) if isinstance(given, WorkflowParam) else 0
        if self.state is not None and owner not in self.within and name in field_names(self.state):
            return getattr(self.state, name)
        return self.value(given)

    def value(self, given: Any) -> Any:
        """A value of a job or an input as it is in the trace; anything else as it is. Raises TraceError."""
        if isinstance(given, Condition):
            return given.value(self)
        if not isinstance(given, WorkflowParam):
            return given
        if id(given) in self.items:
            return self.items[id(given)]
        owner = given.owner_step
        if owner is None:
            if given.name in self.inputs:
                return self.inputs[given.name]
            raise TraceError(f"{given!r} belongs to no job here", hint="use it within the loop that gives it")
        if id(owner) not in self.jobs:
            raise TraceError(
                f"{given.name} comes from {owner.name}, which is not among the steps", hint="list it: steps=[...]"
            )
        return part_of(self.jobs[id(owner)], given)


def field_names(value: Any) -> list[str]:
    """The names of the outputs in what a job gave."""
    from argosy.dsl.shapes import Record
    from argosy.dsl.taking import shape_of_value

    shape = shape_of_value(value)
    return [name for name, _ in shape.fields] if isinstance(shape, Record) else []


def part_of(value: Any, output: WorkflowParam) -> Any:
    """One output out of what a job gave, which is a list of them if the job stands in a loop."""
    from argosy.dsl.jobs import each_part
    from argosy.dsl.values import ManyStandin, NothingStandin, ParameterStandin

    if isinstance(value, NothingStandin) or value is None:
        assert output.owner_step is not None
        raise TraceError(
            f"{output.owner_step.name} may not run, and then gives no {output.name}",
            hint=f'give it a default: WorkflowParam("{output.name}", type=..., default=...)',
        )
    if isinstance(value, (ManyStandin, ParameterStandin)):
        return each_part(value, output)
    return getattr(value, output.name)
