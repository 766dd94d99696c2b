"""Workflows: a function whose calls of steps are recorded, and the manifest that comes of it.

It knows the fields of a Workflow; templates are the scopes' and the steps' matter.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NamedTuple,
    ParamSpec,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    get_origin,
    overload,
)

from argosy.dsl.bodies import builtin
from argosy.dsl.expression import Ref, Variable
from argosy.dsl.leaf_templates import default_texts, with_tagged_defaults
from argosy.dsl.options import Seconds, seconds
from argosy.dsl.scopes import Scope, kebab
from argosy.dsl.shapes import File, Json, Leaf, Nothing, Shape, Signature, Text, choices_of, leaves, signature_of
from argosy.dsl.steps import Step
from argosy.dsl.taking import Given, given, shape_of_value
from argosy.dsl.tracing import Trace, call_inside, current, inputs_of, outcome, returned
from argosy.dsl.trouble import Place, TraceError, place_of, place_of_user
from argosy.dsl.while_loops import DEEPEST

if TYPE_CHECKING:
    from argosy.dsl.job_values import WorkflowParam

P = ParamSpec("P")
R = TypeVar("R")
# What an exit handler can ask for, besides the workflow's own inputs.
HANDLED = {
    "status": (str, "workflow.status"),
    "failures": (list, "workflow.failures"),
    "duration": (float, "workflow.duration"),
    "name": (str, "workflow.name"),
}


class WorkflowWords(TypedDict, total=False):
    """The options of `@workflow`.

    name: of its runs; the function's by default. on_exit: a step that runs when it has ended, however it did.
    parallelism: how many steps run at once. timeout: after which it fails.
    """

    name: str
    on_exit: Callable[..., Any] | None
    parallelism: int | None
    timeout: Seconds | None
    labels: Mapping[str, str]


class JobWords(TypedDict, total=False):
    """The same options of a workflow of jobs, whose exit handler may be a job."""

    on_exit: Any
    parallelism: int | None
    timeout: Seconds | None
    labels: Mapping[str, str]


def _of_jobs(
    name: str, steps: Sequence[Any], outputs: Sequence[WorkflowParam], more: JobWords
) -> tuple[Callable[..., Any], WorkflowWords]:
    """The function and the options of a workflow of jobs. Raises TraceError."""
    from argosy.dsl.sketch import BaseJob, function_of

    if not name or not steps:
        raise TraceError("a workflow has a name and steps", hint='Workflow(name="pipeline", steps=[a, b, c])')
    words = checked_words({**more, "name": name})
    if isinstance(handler := words.get("on_exit"), BaseJob):
        words["on_exit"] = handler.as_step()
    return function_of(name, steps, outputs, place_of_user()), words


def checked_words(words: Mapping[str, Any]) -> WorkflowWords:
    """The options of a workflow. Raises TraceError for one that there is not."""
    for name in words:
        if name not in WorkflowWords.__annotations__:
            raise TraceError(
                f"workflow has no option {name!r}", hint=f"it has {', '.join(WorkflowWords.__annotations__)}"
            )
    return cast(WorkflowWords, dict(words))


class Traced(NamedTuple):
    """What a trace found. origins: the user's line for parts of the manifest. uses: workflows that it calls."""

    manifest: dict[str, Any]
    origins: list[tuple[list[str | int], str, int]]
    uses: list[object]
    result: Shape


class Workflow(Generic[P, R]):
    """A function that is a workflow: traced when its manifest is asked for, a call of a template in another one."""

    @overload
    def __init__(self, function: Callable[P, R], words: WorkflowWords | None = None) -> None: ...
    @overload
    def __init__(
        self: Workflow[..., Any],
        *,
        name: str,
        steps: Sequence[Any],
        outputs: Sequence[WorkflowParam] = (),
        **words: Unpack[JobWords],
    ) -> None: ...
    def __init__(
        self,
        function: Callable[..., Any] | None = None,
        words: WorkflowWords | None = None,
        *,
        name: str = "",
        steps: Sequence[Any] = (),
        outputs: Sequence[WorkflowParam] = (),
        **more: Unpack[JobWords],
    ) -> None:
        """A workflow of a function, as `@workflow` makes it; or of jobs: `Workflow(name=..., steps=[a, b])`."""
        if function is None:
            function, words = _of_jobs(name, steps, outputs, more)
        functools.update_wrapper(self, function)
        self.function: Callable[..., Any] = function
        self.words: WorkflowWords = words or {}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        scope = current()
        if scope is None:
            return self.function(*args, **kwargs)
        return cast(R, self._record(scope, args, kwargs))

    def __repr__(self) -> str:
        return f"<workflow {self.name}>"

    @property
    def name(self) -> str:
        return kebab(self.words.get("name") or self.function.__name__)

    @functools.cached_property
    def signature(self) -> Signature:
        return signature_of(self.function)

    @property
    def line(self) -> Place:
        return place_of(self.function)

    def manifest(self) -> dict[str, Any]:
        """The Workflow manifest, as JSON values. Raises TraceError."""
        return self._traced.manifest

    def to_yaml(self) -> str:
        """The manifest as YAML."""
        import yaml

        return yaml.safe_dump(self.manifest(), sort_keys=False, allow_unicode=True, width=120)

    def _repr_svg_(self) -> str:
        """How a notebook shows it: its graph."""
        from argosy.dsl.picture import svg_of

        return svg_of(self.manifest())

    # What loads a program asks its workflows for.
    def __argosy_manifest__(self) -> dict[str, Any]:
        return self.manifest()

    @property
    def __argosy_origins__(self) -> list[tuple[list[str | int], str, int]]:
        return self._traced.origins

    @property
    def __argosy_uses__(self) -> list[object]:
        return self._traced.uses

    @property
    def result_shape(self) -> Shape:
        """The shape of what it returns. Raises TraceError."""
        return self._traced.result

    @functools.cached_property
    def _traced(self) -> Traced:
        return self.traced_by(Trace())

    def traced_by(self, trace: Trace) -> Traced:
        """What a new trace finds. Raises TraceError."""
        scope = trace.scope(self.name, None)
        trace.entrypoint = scope
        scope.line = self.line
        result = self._fill(trace, scope)
        handler = self._exit_handler(trace)
        if not scope.tasks:
            raise TraceError(f"{self.name} calls no step", place=self.line)
        _check_depth(scope)
        trace.settle([scope] if handler is None else [scope, handler])
        manifest = self._manifest(trace, scope, handler.name if handler is not None else "")
        uses: list[object] = [key for key in trace.known if isinstance(key, Workflow)]
        return Traced(manifest, list(_origins(trace)), uses, result)

    def _fill(self, trace: Trace, scope: Scope, defaults: Mapping[str, str] | None = None) -> Shape:
        """Calls the function, with its inputs standing for themselves; gives the shape of what it returns."""
        if self in trace.tracing:
            raise TraceError(f"{self.name} calls itself", hint="use while_loop, which has a limit")
        trace.tracing.append(self)
        more = {name: {"value": text} for name, text in (defaults or {}).items()}
        arguments = {name: inputs_of(scope, shape, name, more) for name, shape in self.signature.parameters}
        if scope is trace.entrypoint:
            scope.artifacts |= {leaf.name: _named(leaf) for leaf in self.input_leaves() if isinstance(leaf.shape, File)}
        value = call_inside(scope, lambda: self.function(**arguments))
        trace.tracing.pop()
        hints = self.signature.types
        shape = self.signature.result if "return" in hints else shape_of_value(value)
        if isinstance(shape, Nothing) and value is not None and "return" not in hints:
            shape = shape_of_value(value)
        try:
            returned(scope, value, shape, f"the workflow {self.name}")
        except TraceError as error:
            # It is over, so that no line of it runs that could be named.
            error.place = self.line
            raise
        return shape

    def _record(self, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call within another workflow."""
        trace = scope.trace
        if self not in trace.known:
            inner = trace.scope(self.name, None)
            inner.line = self.line
            shape = self._fill(trace, inner, default_texts(self.signature, tags=False))
            if not inner.tasks:
                inner.add("nothing", builtin(trace, "nothing"))
            trace.known[self] = inner, shape
        inner, shape = cast(tuple[Scope, Shape], trace.known[self])
        taken = self._arguments(args, kwargs)
        return outcome(scope.add(self.name, inner, taken.parameters, taken.artifacts), shape)

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
        try:
            bound = inspect.signature(self.function).bind(*args, **kwargs)
        except TypeError as error:
            raise TraceError(f"{self.name}: {error}") from None
        with_tagged_defaults(bound, self.signature)
        taken = Given({}, {}, {})
        for name, shape in self.signature.parameters:
            if name in bound.arguments:
                inner = given(bound.arguments[name], shape, name, lambda: self.name)
                taken.parameters.update(inner.parameters)
                taken.artifacts.update(inner.artifacts)
                if any(inner.sizes.values()):
                    raise TraceError(
                        f"{self.name} is given a list of files that were put together here",
                        hint="give the list to a step that returns it: def gather(models: list[Model]) -> list[Model]",
                    )
        return taken

    def _exit_handler(self, trace: Trace) -> Scope | None:
        handler = self.words.get("on_exit")
        if handler is None:
            return None
        if not isinstance(handler, Step):
            raise TraceError("an exit handler is a step", hint="decorate it with @step", place=self.line)
        scope = trace.scope(f"{self.name}-exit", None)
        step = cast("Step[..., Any]", handler)
        shapes = dict(self.signature.parameters)
        parameters: dict[str, Any] = {}
        for name, shape in step.signature.parameters:
            if name in HANDLED:
                kind, variable = HANDLED[name]
                parameters[name] = Ref(kind, Variable(variable))
            elif name in shapes and isinstance(shape, (Text, Json)):
                parameters[name] = Ref(shape.type, Variable(f"workflow.parameters.{name}"))
            elif name not in step.signature.defaults:
                raise TraceError(
                    f"the exit handler {step.function.__name__} takes {name!r}, which nothing gives it",
                    hint=f"it can take {', '.join((*HANDLED, *shapes))}",
                    place=step.line,
                )
        scope.add(step.display_name, step.template(trace, {}), parameters)
        return scope

    def _manifest(self, trace: Trace, scope: Scope, handler: str) -> dict[str, Any]:
        spec: dict[str, Any] = {"entrypoint": scope.name}
        if arguments := self._declared():
            spec["arguments"] = arguments
        if handler:
            spec["onExit"] = handler
        if (parallelism := self.words.get("parallelism")) is not None:
            spec["parallelism"] = parallelism
        if (timeout := self.words.get("timeout")) is not None:
            spec["activeDeadlineSeconds"] = seconds(timeout)
        if trace.volumes:
            spec["volumes"] = list(trace.volumes.values())
        spec["templates"] = [one.manifest() for one in trace.templates]
        metadata: dict[str, Any] = {"generateName": f"{self.name}-"}
        if labels := self.words.get("labels"):
            metadata["labels"] = dict(labels)
        return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}

    def _declared(self) -> dict[str, Any]:
        """The workflow's arguments: inputs with their defaults."""
        defaults = default_texts(self.signature)
        made: dict[str, Any] = {}
        for leaf in self.input_leaves():
            if isinstance(leaf.shape, File):
                value = {"value": ""} if leaf.shape.optional else {}
                made.setdefault("parameters", []).append({"name": leaf.name, **value})
            elif leaf.is_artifact:
                raise TraceError(
                    f"{self.name} takes a list of files as {leaf.name}", hint="take a Dir", place=self.line
                )
            else:
                value = {"value": defaults[leaf.name]} if leaf.name in defaults else {}
                made.setdefault("parameters", []).append({"name": leaf.name, **value})
        return made

    def __argosy_inputs__(self) -> dict[str, Any]:
        """What the workflow takes, with types, choices and defaults."""
        defaults = default_texts(self.signature)
        return {"inputs": [_declared_input(leaf, defaults.get(leaf.name)) for leaf in self.input_leaves()]}

    def input_leaves(self) -> Iterator[Leaf]:
        """The parameters and artifacts that the workflow takes."""
        for name, shape in self.signature.parameters:
            yield from leaves(shape, name)


def _named(leaf: Leaf) -> dict[str, Any]:
    """The input of the entrypoint that is a file: its path is a parameter of the workflow."""
    optional = {"optional": True} if isinstance(leaf.shape, File) and leaf.shape.optional else {}
    return {"named": {"kind": "path", "ref": "{{workflow.parameters." + leaf.name + "}}"}, **optional}


_INPUT_TYPES: dict[object, str] = {int: "int", float: "float", bool: "boolean", list: "list"}


def _declared_input(leaf: Leaf, default: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"name": leaf.name, "required": default is None}
    if isinstance(leaf.shape, File):
        made |= {"type": "path" if leaf.shape.optional else "existing-path", "required": not leaf.shape.optional}
    elif isinstance(leaf.shape, (Text, Json)):
        declared = leaf.shape.type
        made["type"] = _INPUT_TYPES.get(get_origin(declared) or declared, "string")
        made["choices"] = [{"value": text} for text in choices_of(leaf.shape)]
    return made if default is None else made | {"default": default}


def _check_depth(scope: Scope) -> None:
    """That Argo would call the templates this deep. Raises TraceError at the loop that goes deepest."""
    depth, loop = _depth(scope, {})
    if depth > DEEPEST and loop is not None:
        most = loop.iterations - (depth - DEEPEST)
        raise TraceError(
            f"{loop.name.removesuffix('-loop')} may go through {loop.iterations} iterations, and templates call one "
            f"another at most {DEEPEST} deep",
            hint=f"max_iterations can be {most} here; or let one step do several iterations",
            place=loop.line,
        )


def _depth(scope: Scope, known: dict[Scope, tuple[int, Scope | None]]) -> tuple[int, Scope | None]:
    if scope in known:
        return known[scope]
    deepest, loop = 0, None
    for task in scope.tasks:
        inner = task.template
        if isinstance(inner, Scope) and inner is not scope:
            depth, found = _depth(inner, known)
            if depth > deepest:
                deepest, loop = depth, found
        else:
            deepest = max(deepest, 1)
    if scope.iterations:
        loop = loop if loop is not None and loop.iterations > scope.iterations else scope
    known[scope] = deepest + max(1, scope.iterations), loop
    return known[scope]


def _origins(trace: Trace) -> Iterator[tuple[list[str | int], str, int]]:
    """Which line each template and task came from."""
    for index, one in enumerate(trace.templates):
        if one.line.line:
            yield ["spec", "templates", index], one.line.file, one.line.line
        if isinstance(one, Scope):
            for at, task in enumerate(one.tasks):
                yield ["spec", "templates", index, "dag", "tasks", at], task.line.file, task.line.line


@overload
def workflow(function: Callable[P, R], /) -> Workflow[P, R]: ...
@overload
def workflow(**words: Unpack[WorkflowWords]) -> Callable[[Callable[P, R]], Workflow[P, R]]: ...
def workflow(function: Callable[..., Any] | None = None, /, **words: Unpack[WorkflowWords]) -> Any:
    """Makes a function a workflow: what it takes are the inputs of its runs, what it returns their outputs.

    The calls of steps in it are recorded when it is run or converted. Called in another workflow it is a part of that
    one; called elsewhere it is the plain function. Raises TraceError for an option that there is not.
    """
    checked_words(words)
    if function is not None:
        return Workflow(function)
    return lambda target: Workflow(target, words)  # pyright: ignore
