"""Steps: functions, scripts, containers and resources that can be called in a workflow.

It knows how a call is recorded; which template a step becomes is in `forms`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, ParamSpec, TypeVar, Unpack, cast

from argosy.dsl.expression import quoted
from argosy.dsl.forms import Form, FunctionForm
from argosy.dsl.leaf_templates import with_tagged_defaults
from argosy.dsl.options import Options, OptionWords, checked
from argosy.dsl.scopes import Scope, kebab
from argosy.dsl.shapes import Signature
from argosy.dsl.taking import Given, given, tasks_of
from argosy.dsl.tracing import LeafTemplate, ReferredTemplate, StepCalled, Trace, asked, current
from argosy.dsl.trouble import Place, TraceError, place_of

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Calling:
    """What `.using`, `.named` and `.after` say of the next call."""

    name: str = ""
    after: tuple[Any, ...] = ()
    on_exit: Any = None
    on_running: Any = None


class Step(Generic[P, R]):
    """A function that is a step in a workflow, and itself everywhere else."""

    def __init__(self, function: Callable[P, R], form: Form, options: Options, calling: Calling | None = None) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.form = form
        self.options = options
        self._calling = calling or Calling()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        scope = current()
        if scope is None:
            if asked.get():
                raise StepCalled
            return self.function(*args, **kwargs)
        return cast(R, self._record(scope, args, kwargs))

    def using(self, **options: Unpack[OptionWords]) -> Step[P, R]:
        """The same step with other options, for one call: `train.using(gpus=2)(data)`."""
        return self.with_options(checked("using", options))

    def with_options(self, options: Options) -> Step[P, R]:
        return Step(self.function, self.form, options.over(self.options), self._calling)

    def named(self, name: str) -> Step[P, R]:
        """The same step under another name: `train.named("baseline")(data)`."""
        return Step(self.function, self.form, self.options, replace(self._calling, name=name))

    def after(self, *values: object) -> Step[P, R]:
        """The same step, which begins only when what gave these values has ended."""
        return Step(self.function, self.form, self.options, replace(self._calling, after=values))

    def on_exit(self, handler: Callable[..., Any]) -> Step[P, R]:
        """The same step, after which the handler runs however it ended; its `status` is the step's phase."""
        return Step(self.function, self.form, self.options, replace(self._calling, on_exit=handler))

    def on_running(self, handler: Callable[..., Any]) -> Step[P, R]:
        """The same step, beside which the handler runs once it has begun."""
        return Step(self.function, self.form, self.options, replace(self._calling, on_running=handler))

    def __repr__(self) -> str:
        return f"<step {self.function.__qualname__}>"

    @functools.cached_property
    def signature(self) -> Signature:
        return self.form.signature(self.function)

    @property
    def display_name(self) -> str:
        return kebab(self.function.__name__)

    def _record(self, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        taken = self.arguments(args, kwargs)
        template = self.template(scope.trace, taken.sizes)
        name = self._calling.name or self.display_name
        task = scope.add(name, template, taken.parameters, taken.artifacts)
        if isinstance(template, LeafTemplate):
            task.kept_template = lambda: self.template(scope.trace, taken.sizes, keep=True)
        for value in self._calling.after:
            for other in tasks_of(value):
                scope.wait_for(task, other)
        if self._calling.on_exit is not None:
            task.hooks["exit"] = handled(scope.trace, self._calling.on_exit, f"tasks.{task.name}.status")
        if self._calling.on_running is not None:
            running = handled(scope.trace, self._calling.on_running, f"tasks.{task.name}.status")
            task.hooks["running"] = running | {"expression": f"tasks[{quoted(task.name)}].status == 'Running'"}
        return self.form_in(scope.trace).outcome(task, self.signature.result)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        """What a call gives, leaf by leaf; what has a default may be left out. Raises TraceError."""
        what = self.function.__name__
        try:
            bound = inspect.signature(self.function).bind(*args, **kwargs)
        except TypeError as error:
            raise TraceError(f"{what}: {error}") from None
        with_tagged_defaults(bound, self.signature)
        shapes = dict(self.signature.parameters)
        taken = Given({}, {}, {})
        for name, value in bound.arguments.items():
            inner = given(value, shapes[name], name, lambda: what)
            for mine, theirs in zip(taken, inner, strict=True):
                cast(dict[str, Any], mine).update(theirs)
        return taken

    def template(self, trace: Trace, sizes: Mapping[str, int], keep: bool = False) -> LeafTemplate | ReferredTemplate:
        """The template of this step with these options, made once. keep: its artifacts go to a place that is given."""
        key = (self.function, self.form, self.options.key(), tuple(sorted(sizes.items())), keep)
        if key not in trace.known:
            trace.known[key] = self.form_in(trace).template(self, trace, sizes, keep)
        return trace.known[key]

    def form_in(self, trace: Trace) -> Form:
        """The form that it has there: whatever a stub stands for, it is a function then."""
        return FunctionForm() if self.function in trace.stubs else self.form

    @property
    def line(self) -> Place:
        return place_of(self.function)


def handled(trace: Trace, handler: Any, status: str, more: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A hook that calls a handler. Its parameters are named for what they are given: status, and those of `more`."""
    if not isinstance(handler, Step):
        raise TraceError("an exit handler is a step", hint="decorate it with @step")
    handler_step = cast("Step[..., Any]", handler)
    known = {"status": status, **(more or {})}
    parameters: list[dict[str, str]] = []
    for name, _ in handler_step.signature.parameters:
        if name in known:
            parameters.append({"name": name, "value": "{{" + known[name] + "}}"})
        elif name not in handler_step.signature.defaults:
            raise TraceError(
                f"the exit handler {handler_step.function.__name__} takes {name!r}, which nothing gives it",
                hint=f"it can take {', '.join(known)}",
            )
    template = handler_step.template(trace, {})
    trace.handlers.append(template)
    made: dict[str, Any] = template.called()
    if parameters:
        made["arguments"] = {"parameters": parameters}
    return made
