# pyright: reportPrivateUsage=false
# What a stand-in holds is behind an underscore, since its other names are the user's fields.
"""Conditions and loops on values that are known only when the workflow runs.

It knows how each becomes templates: a branch is a DAG with one task of two, a loop over items is a task with withParam,
a loop with a condition is a template that calls itself. Outside of a trace each is what it is in plain Python.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args, overload

from argosy.dsl.builtin import Builtin
from argosy.dsl.deferring import Deferred
from argosy.dsl.expression import (
    Binary,
    Choice,
    Const,
    Ended,
    Expr,
    Gathered,
    Input,
    Item,
    Output,
    Ref,
    Retyped,
    Unary,
    Written,
    argument,
    declared_type,
    is_encoded,
)
from argosy.dsl.layout import FOLDER, KEEP
from argosy.dsl.scopes import Artifact, Kept, Scope, Task, kebab
from argosy.dsl.shapes import File, Json, Many, Nothing, Record, Shape, Text, is_union, leaves, shape_of, type_name
from argosy.dsl.steps import FUNCTION, HOST
from argosy.dsl.tracing import LeafTemplate, Trace, call_inside, current, inputs_of, outcome, returned, without_steps
from argosy.dsl.trouble import TraceError, WrongValue, place_of_user
from argosy.dsl.values import (
    Given,
    ManyStandin,
    NothingStandin,
    ParameterStandin,
    Standin,
    called,
    element_type,
    expr_of,
    given,
    holds_standin,
    is_standin,
    negated,
    of_element,
    of_expr,
    shape_of_value,
    standin,
)

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
NONE_GIVEN = Given({}, {}, {})
# How deep templates may call one another (Argo: maxAllowedStackDepth).
DEEPEST = 100


class LimitReached(WrongValue):
    """A while_loop's condition still held after max_iterations."""

    id = "limit-reached"


def not_(condition: bool) -> bool:
    """What `not` would be, for a value that is known only when the workflow runs."""
    return negated(condition) if is_standin(condition) else not condition


# -- when


@overload
def when(condition: bool, then: Callable[[], T], otherwise: Callable[[], T], *, name: str = "") -> T: ...
@overload
def when(condition: bool, then: Callable[[], object], *, name: str = "") -> None: ...
@overload
def when(condition: bool, *, name: str = "") -> Callable[[Callable[[], object]], Callable[[], None]]: ...
@overload
def when(condition: Deferred, *, name: str = "") -> Callable[[F], F]: ...
def when(
    condition: Any,
    then: Callable[[], Any] | None = None,
    otherwise: Callable[[], Any] | None = None,
    *,
    name: str = "",
) -> Any:
    """One of two branches, chosen when the workflow runs; gives what the branch gives.

    Without `otherwise` it gives None. As a decorator, `@when(condition)`, it makes a function that runs if it holds.
    Raises TraceError when the branches give values of different types.
    """
    if isinstance(condition, Deferred):
        return _of_job(condition, then)
    if then is None:
        return lambda function: lambda: when(condition, function, name=name or kebab(function.__name__))  # pyright: ignore
    scope = current()
    if scope is None or not is_standin(condition):
        chosen = then() if condition else otherwise() if otherwise is not None else None
        return chosen if otherwise is not None else None
    expr = expr_of(condition)
    if expr.type is not bool:
        raise TraceError(f"when is given {type_name(expr.type)} as its condition", hint="compare it: when(x > 0, ...)")
    return _when(scope, expr, then, otherwise, name or "when")


def _of_job(condition: Deferred, then: object) -> Any:
    if then is not None:
        raise TraceError("a condition on values of jobs stands above a function that returns a job", hint="@when(...)")
    return lambda function: condition.decorate("when", function)  # pyright: ignore


class _Branch(NamedTuple):
    """A branch as it stands in the wrapper: its task, if it has one, and what it gives there."""

    task: Task | None
    taken: Given


def _when(
    scope: Scope, condition: Expr, then: Callable[[], Any], otherwise: Callable[[], Any] | None, name: str
) -> Any:
    trace = scope.trace
    wrapper = trace.scope(name, scope)
    arms = [_traced(wrapper, then, f"{name}-then")]
    if otherwise is not None:
        arms.append(_traced(wrapper, otherwise, f"{name}-otherwise"))
    shape: Shape = Nothing()
    if otherwise is not None:
        shape = common_shape(shape_of_value(arms[0][1]), shape_of_value(arms[1][1]), "the branches of when")
    inner = wrapper.local(condition)
    first = _placed(wrapper, *arms[0], shape, "then", inner)
    second = _placed(wrapper, *arms[1], shape, "otherwise", Unary(bool, "!", inner)) if len(arms) > 1 else None
    if not wrapper.tasks and not (second is not None and second.taken.artifacts):
        trace.drop(wrapper)
        if second is None:
            return None
        return _pure_choice(scope, condition, arms[0][1], arms[1][1], shape)
    if not wrapper.tasks:
        wrapper.add("nothing", builtin(trace, "nothing"))
    if second is not None:
        _choose(wrapper, inner, first, second)
    return outcome(scope.add(name, wrapper), shape)


def _traced(wrapper: Scope, function: Callable[[], Any], name: str) -> tuple[Scope, Any]:
    inner = wrapper.trace.scope(name, wrapper)
    return inner, call_inside(inner, function)


def _placed(wrapper: Scope, inner: Scope, value: Any, shape: Shape, name: str, condition: Expr) -> _Branch:
    """The branch as a task of the wrapper, or as values alone when it calls nothing."""
    if not inner.tasks:
        wrapper.trace.drop(inner)
        return _Branch(None, _local_given(wrapper, given(value, shape, "", lambda: "a branch of when")))
    task = adopted(wrapper, inner, value, shape, NONE_GIVEN, "a branch of when", when=condition)
    if task is None:
        returned(inner, value, shape, "a branch of when")
        task = wrapper.add(name, inner, when=condition)
    return _Branch(task, given(outcome(task, shape), shape, "", lambda: "a branch of when"))


def _local_given(scope: Scope, taken: Given) -> Given:
    if taken.sizes:
        raise TraceError(
            "a branch of when returns a list of files that were put together there",
            hint="give the list to a step that returns it",
        )
    return Given(
        {name: scope.local(one) for name, one in taken.parameters.items()},
        {name: scope.local_artifact(one) for name, one in taken.artifacts.items()},
        {},
    )


def _pure_choice(scope: Scope, condition: Expr, then: Any, otherwise: Any, shape: Shape) -> Any:
    one = given(then, shape, "", lambda: "when")
    other = given(otherwise, shape, "", lambda: "when")
    found = {
        name: Choice(value.type, condition, value, other.parameters[name]) for name, value in one.parameters.items()
    }
    return standin(shape, found, "") if found else None


def _choose(wrapper: Scope, condition: Expr, first: _Branch, second: _Branch) -> None:
    """The wrapper's outputs: those of the branch that ran."""
    chosen: Expr = condition
    one, other = first, second
    if first.task is not None:
        chosen = Ended(bool, first.task)
    elif second.task is not None:
        chosen, one, other = Ended(bool, second.task), second, first
    for name, value in one.taken.parameters.items():
        wrapper.outputs[name] = Choice(value.type, chosen, value, other.taken.parameters[name])
    for name, artifact in one.taken.artifacts.items():
        wrapper.kept[name] = (chosen, artifact, other.taken.artifacts[name])


def common_shape(one: Shape, other: Shape, what: str) -> Shape:
    """The shape that values of both shapes have: a whole number is a number. Raises TraceError when there is none."""
    if one == other:
        return one
    if isinstance(one, Nothing) or isinstance(other, Nothing):
        there = other if isinstance(one, Nothing) else one
        if isinstance(there, (Text, Json)):
            return Json(there.type | None)
        if isinstance(there, File):
            return File(folder=there.folder, optional=True)
    if (
        isinstance(one, Record)
        and isinstance(other, Record)
        and [f for f, _ in one.fields] == [f for f, _ in other.fields]
    ):
        pairs = zip(one.fields, other.fields, strict=True)
        return Record(one.type, tuple((name, common_shape(a, b, what)) for (name, a), (_, b) in pairs))
    if isinstance(one, Json) and isinstance(other, Json):
        if {one.type, other.type} <= {int, float}:
            return Json(float)
        loose = (list, dict, tuple, type(None))
        if one.type in loose:
            return other
        if other.type in loose or not {one.type, other.type} & {int, float, bool}:
            return one
    if isinstance(one, File) and isinstance(other, File):
        return File(folder=one.folder and other.folder, optional=one.optional or other.optional)
    if isinstance(one, Text) and isinstance(other, Text):
        return Text(str)
    if optional := _optional_of(one, other) or _optional_of(other, one):
        return optional
    raise TraceError(f"{what} give values of different types: {_shape_name(one)} and {_shape_name(other)}")


def _optional_of(one: Shape, other: Shape) -> Shape | None:
    """The first shape, when it is that of values that may be None and the other one is that of the rest of them."""
    if not isinstance(one, Json) or not isinstance(other, (Text, Json)) or not is_union(one.type):
        return None
    return one if other.type in get_args(one.type) else None


def _shape_name(shape: Shape) -> str:
    if isinstance(shape, Nothing):
        return "nothing"
    if isinstance(shape, File):
        return "a folder" if shape.folder else "a file"
    return "a list of files" if isinstance(shape, Many) else type_name(shape.type)


# -- a body with one call becomes that call


def adopted(scope: Scope, inner: Scope, value: Any, shape: Shape, inputs: Given, what: str, **more: Any) -> Task | None:
    """The one call of a body, made in the scope around it, when it gives just what the body gives; else None.

    inputs: what the body's own inputs are there.
    """
    if len(inner.tasks) != 1:
        return None
    task = inner.tasks[0]
    if task.items is not None or task.when is not None or task.hooks or task.after or inner.waits:
        return None
    taken = given(value, shape, "", lambda: what)
    if not _is_of(task, taken):
        return None
    captured = inner.captured.items()
    parameters = {**{name: one for name, one in captured if isinstance(one, Expr)}, **inputs.parameters}
    artifacts = {**{name: one for name, one in captured if isinstance(one, Artifact)}, **inputs.artifacts}

    def replaced(expr: Expr) -> Expr:
        if isinstance(expr, Ref) and isinstance(expr.source, Input) and expr.source.scope is inner:
            return parameters[expr.source.name]
        return expr.rebuilt(replaced)

    def moved(artifact: Artifact) -> Artifact:
        source = artifact.source
        if isinstance(source, Input) and source.scope is inner:
            outer = artifacts[source.name]
            return outer.at(*artifact.below, optional=artifact.optional)
        return artifact

    scope.trace.drop(inner)
    template = task.template
    if isinstance(template, Scope) and template.parent is inner:
        template.parent = scope
        template.captured = {
            name: moved(one) if isinstance(one, Artifact) else replaced(one) for name, one in template.captured.items()
        }
    made = scope.add(
        task.name,
        template,
        {name: replaced(one) for name, one in task.parameters.items()},
        {name: moved(one) for name, one in task.artifacts.items()},
        **more,
    )
    made.line, made.kept_template = task.line, task.kept_template
    return made


def _is_of(task: Task, taken: Given) -> bool:
    """Whether these leaves are the outputs of a task, under their own names."""
    if taken.sizes:
        return False
    for name, expr in taken.parameters.items():
        if not isinstance(expr, Ref) or expr.source != Output(task, name):
            return False
    return all(artifact == Artifact(Output(task, name)) for name, artifact in taken.artifacts.items())


# -- for


@overload
def for_loop(
    body: Callable[[T], R], over: Iterable[T], *, parallelism: int | None = None, name: str = ""
) -> list[R]: ...
@overload
def for_loop(
    over: Iterable[T], /, *, parallelism: int | None = None, name: str = ""
) -> Callable[[Callable[[T], R]], Callable[[], list[R]]]: ...
@overload
def for_loop(
    over: Deferred | int, /, *, parallelism: int | None = None, name: str = ""
) -> Callable[[Callable[..., Any]], Callable[[], Any]]: ...
def for_loop(body: Any, over: Any = None, *, parallelism: int | None = None, name: str = "") -> Any:
    """The body for each item of a list that is known only when the workflow runs; gives the list of what it gives.

    The items run at once, at most `parallelism` of them. As a decorator, `@for_loop(values)`, it makes a function
    without parameters that does so. Raises TraceError.
    """
    if over is None:
        if isinstance(body, Deferred):
            return lambda function: body.decorate("for_loop", function, parallelism=parallelism)  # pyright: ignore
        return lambda function: lambda: _decorated_for(function, body, parallelism, name)  # pyright: ignore
    scope = current()
    if scope is None or (not is_standin(over) and isinstance(over, (list, tuple)) and not over):
        return [body(item) for item in cast("Iterable[Any]", over)]
    wanted = name or (kebab(body.__name__) if "<lambda>" not in body.__name__ else "")
    if parallelism is None:
        return _for(scope, body, over, wanted or "for")
    return _limited(scope, body, over, wanted or "for", parallelism)


def _decorated_for(function: Callable[[Any], Any], over: Any, parallelism: int | None, name: str) -> Any:
    jobs = _jobs()
    if jobs is not None and jobs.makes_jobs(function, over):
        return jobs.decorated("for_loop", over, function, parallelism=parallelism)()
    return for_loop(function, over, parallelism=parallelism, name=name)


def _jobs() -> Any:
    """The room of jobs, when a program has any and nothing is being recorded."""
    return importlib.import_module("argosy.dsl.jobs") if "argosy.dsl.sketch" in sys.modules and not current() else None


def _limited(scope: Scope, body: Callable[[Any], Any], over: Any, name: str, parallelism: int) -> Any:
    if parallelism < 1:
        raise TraceError(f"a loop runs at least one item at once, and not {parallelism}")
    wrapper = scope.trace.scope(name, scope)
    wrapper.parallelism = parallelism
    value = _for(wrapper, body, over, name)
    if isinstance(value, NothingStandin):
        return NothingStandin(scope.add(name, wrapper))
    shape = shape_of_value(value)
    expr = cast(Expr, value._expr)
    wrapper.outputs["result"] = wrapper.local(expr)
    task = scope.add(name, wrapper)
    result = Ref(expr.type, Output(task, "result"))
    if not isinstance(value, ManyStandin):
        return ParameterStandin(shape, result)
    kept = cast(Kept, value._artifact.source)
    return ManyStandin(
        cast(Many, shape), result, Artifact(Kept(task, scope.place(), f"{task.name}/{kept.name}"), optional=True)
    )


class _Items(NamedTuple):
    """What a loop goes over: the list, the shape of an item, and the folder with the items' files."""

    expr: Expr
    element: Shape
    artifact: Artifact | None


def _items_of(over: Any) -> _Items:
    if isinstance(over, ManyStandin):
        shape = cast(Many, over._shape)
        return _Items(over._expr, shape.element, over._artifact)
    if isinstance(over, ParameterStandin):
        expr = expr_of(over)
        kind, is_list = element_type(expr.type)
        if not is_list and expr.type is not Any:
            raise TraceError(f"for_loop goes over a list, and is given {type_name(expr.type)}")
        return _Items(expr, shape_of(kind), None)
    if isinstance(over, (Standin, str, bytes, dict)):
        raise TraceError(f"for_loop goes over a list, and is given {called(over)}")
    items = list(over)
    if not holds_standin(items):
        kind = shape_of_value(items[0])
        for one in items[1:]:
            kind = common_shape(kind, shape_of_value(one), "the items of a loop")
        return _Items(expr_of(items), kind, None)
    element = shape_of_value(items[0])
    if any(leaf.is_artifact for leaf in leaves(element, "")):
        raise TraceError("the items of a loop are files of several steps", hint="use a `for` of Python: it is unrolled")
    return _Items(expr_of(items), element, None)


def _for(scope: Scope, body: Callable[[Any], Any], over: Any, name: str) -> Any:
    items = _items_of(over)
    inner = scope.trace.scope(name, scope)
    item = inputs_of(inner, items.element, "item")
    value = call_inside(inner, body, item)
    shape = shape_of_value(value)
    if not inner.tasks:
        scope.trace.drop(inner)
        raise TraceError("the body of for_loop calls no step", hint="call one, or use a comprehension on plain values")
    has_files = any(leaf.is_artifact for leaf in leaves(shape, ""))
    return _for_task(scope, inner, items, value, shape, name, has_files=has_files)


def _for_task(
    scope: Scope, inner: Scope, items: _Items, value: Any, shape: Shape, name: str, *, has_files: bool
) -> Any:
    marker = Task(scope, name, inner, place_of_user())
    given_items = _item_inputs(items, marker)
    encoded = [leaf.name for leaf in leaves(shape, "") if is_encoded(leaf.shape)]
    task = (
        adopted(scope, inner, value, shape, given_items, "the body of for_loop", items=items.expr)
        if not encoded and (not has_files or _keeps_itself(inner))
        else None
    )
    if task is None:
        if has_files:
            _keep_inside(inner, value, shape)
        else:
            returned(inner, value, shape, "the body of for_loop")
        inner.outputs |= {name: Retyped(object, inner.outputs[name]) for name in encoded}
        task = scope.add(name, inner, given_items.parameters, given_items.artifacts, items=items.expr)
    elif has_files and task.kept_template is not None:
        task.template = task.kept_template()
        task.indexed = True
        place = f"{argument(scope.place())}/{task.name}/" + "{{item.i}}"
        task.parameters[KEEP] = Written(str, place)
    _settle_items(task, marker)
    task.indexed = task.indexed or items.artifact is not None or has_files or not _is_word(items.element)
    return _loop_result(scope, task, shape, items, has_files=has_files)


def _item_inputs(items: _Items, task: Task) -> Given:
    """What the body's inputs are in the arguments of the loop's task."""
    element = items.element
    whole = Ref(declared_type(element) if isinstance(element, (Text, Json, Record)) else dict, Item(task))
    if items.artifact is not None:
        value = of_element(element, Ref(dict, Item(task)), items.artifact.at(Item(task, index=True)))
    elif isinstance(element, Record):
        value = of_expr(whole)
    else:
        return Given({"item": whole}, {}, {})
    return given(value, element, "item", lambda: "the body of for_loop")


def _is_word(element: Shape) -> bool:
    """Whether an item is the same in an argument and in an expression: a text, a number or a boolean.

    Of a mapping Argo makes `item` text in the one and a mapping of texts in the other.
    """
    return isinstance(element, Text) or (isinstance(element, Json) and element.type in (int, float, bool))


def _settle_items(task: Task, marker: Task) -> None:
    """The item that was spoken of before the loop's task was there is the item of that task."""

    def settled(expr: Expr) -> Expr:
        if isinstance(expr, Ref) and isinstance(expr.source, Item) and expr.source.task is marker:
            return Ref(expr.type, Item(task, expr.source.index))
        return expr.rebuilt(settled)

    task.parameters = {name: settled(one) for name, one in task.parameters.items()}
    for name, artifact in task.artifacts.items():
        below = tuple(Item(task, one.index) if isinstance(one, Item) else one for one in artifact.below)
        task.artifacts[name] = Artifact(artifact.source, below, artifact.optional)


def _keeps_itself(inner: Scope) -> bool:
    return len(inner.tasks) == 1 and inner.tasks[0].kept_template is not None


def _keep_inside(inner: Scope, value: Any, shape: Shape) -> None:
    """A last step of the body that puts its files where the loop's consumer finds them."""
    taken = given(value, shape, "", lambda: "the body of for_loop")
    if taken.sizes:
        raise TraceError(
            "the body of for_loop returns a list of files that were put together there",
            hint="give the list to a step that returns it",
        )
    place = inner.place()
    names = tuple((name, one.optional) for name, one in taken.artifacts.items())
    inner.add("keep", keep_template(inner.trace, names), {KEEP: place}, taken.artifacts)
    for name, expr in taken.parameters.items():
        inner.outputs[name] = inner.local(expr)


def _loop_result(scope: Scope, task: Task, shape: Shape, items: _Items, *, has_files: bool) -> Any:
    if isinstance(shape, Nothing):
        return NothingStandin(task)
    if has_files:
        expr = Gathered(list, task, shape, task.items if task.items is not None else items.expr, flat=True)
        return ManyStandin(Many(shape), expr, Artifact(Kept(task, scope.place(), task.name), optional=True))
    kind = list[declared_type(shape)]
    return ParameterStandin(Json(kind), Gathered(kind, task, shape, items.expr))


# -- while


@overload
def while_loop(
    condition: Callable[[S], bool],
    body: Callable[[S], S],
    *,
    init: S,
    max_iterations: int,
    on_limit: Literal["fail", "stop"] = "fail",
    name: str = "",
) -> S: ...
@overload
def while_loop(
    # The state's type is what the body below says; the condition stands before it.
    condition: Callable[[Any], bool],
    *,
    max_iterations: int,
    on_limit: Literal["fail", "stop"] = "fail",
    name: str = "",
) -> Callable[[Callable[[S], S]], Callable[[S], S]]: ...
def while_loop(
    condition: Callable[[Any], bool],
    body: Callable[[Any], Any] | None = None,
    *,
    init: Any = None,
    max_iterations: int,
    on_limit: Literal["fail", "stop"] = "fail",
    name: str = "",
) -> Any:
    """The body again and again while the condition holds for its state; gives the last state.

    The condition is asked before each iteration, the first one too. max_iterations: the most there may be, since Argo
    limits how deep templates call one another; when the condition still holds then, the loop fails, or with
    on_limit="stop" gives the state so far. As a decorator it makes a function of the first state. Raises TraceError.
    """
    if on_limit not in ("fail", "stop"):
        raise TraceError(f"{on_limit!r} is no way to end at the limit", hint='on_limit is "fail" or "stop"')
    if body is None:

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def looped(*state: Any) -> Any:
                jobs = _jobs()
                if jobs is not None and all(isinstance(one, Deferred) for one in state):
                    words: dict[str, Any] = {"most": max_iterations, "on_limit": on_limit}
                    return jobs.decorated("while_loop", condition, function, **words)(*state)
                if len(state) != 1:
                    raise TraceError(f"{function.__name__} is called with its first state, and nothing else")
                return while_loop(
                    condition, function, init=state[0], max_iterations=max_iterations, on_limit=on_limit, name=name
                )

            return looped

        return decorate
    scope = current()
    if scope is None:
        return _plain_while(condition, body, init, max_iterations, on_limit)
    if max_iterations < 1:
        raise TraceError("max_iterations is at least 1")
    wanted = name or (kebab(body.__name__) if "<lambda>" not in body.__name__ else "while")
    return _while(scope, condition, body, init, max_iterations, on_limit, wanted)


def _plain_while(
    condition: Callable[[Any], bool], body: Callable[[Any], Any], state: Any, most: int, on_limit: str
) -> Any:
    for _ in range(most):
        if not condition(state):
            return state
        state = body(state)
    if on_limit == "fail" and condition(state):
        raise LimitReached(f"the condition still holds after {most} iterations", hint="raise max_iterations")
    return state


STATE = "state"
ITERATION = "iteration"


def _while(
    scope: Scope,
    condition: Callable[[Any], bool],
    body: Callable[[Any], Any],
    init: Any,
    most: int,
    on_limit: str,
    name: str,
) -> Any:
    shape = shape_of_value(init)
    if isinstance(shape, Nothing):
        raise TraceError("while_loop needs a first state", hint="init= what the condition looks at")
    trace = scope.trace
    wrapper = trace.scope(name, scope)
    state = inputs_of(wrapper, shape, STATE)
    begins = _asked(wrapper, condition, state)
    loop = trace.scope(f"{name}-loop", wrapper)
    loop.iterations = most
    _loop_template(loop, condition, body, shape, most, on_limit)
    taken = given(state, shape, STATE, lambda: name)
    first = wrapper.add(
        "first", loop, {**taken.parameters, ITERATION: Const(int, 1)}, dict(taken.artifacts), when=begins
    )
    _last(wrapper, first, shape, given(state, shape, "", lambda: name))
    initial = given(init, shape, STATE, lambda: f"the body of {name}")
    if initial.sizes:
        raise TraceError(
            "the first state has a list of files that were put together here", hint="give it to a step that returns it"
        )
    return outcome(scope.add(name, wrapper, initial.parameters, initial.artifacts), shape)


def _asked(scope: Scope, condition: Callable[[Any], bool], state: Any) -> Expr:
    """The condition for a state, as this scope can write it."""
    expr = expr_of(without_steps(scope, condition, state, what="the condition of while_loop"))
    if expr.type is not bool:
        raise TraceError(f"the condition of while_loop gives {type_name(expr.type)}", hint="compare it")
    return scope.local(expr)


def _loop_template(
    loop: Scope, condition: Callable[[Any], bool], body: Callable[[Any], Any], shape: Shape, most: int, on_limit: str
) -> None:
    """The template of one iteration, which calls itself for the next one."""
    state = inputs_of(loop, shape, STATE)
    loop.parameters[ITERATION] = {}
    iteration = Ref(int, Input(loop, ITERATION))
    ran, after = _iteration(loop, body, shape, state)
    _check_state(shape, after)
    goes_on = _asked(loop, condition, after)
    now = given(after, shape, "", lambda: "the body of while_loop")
    following = given(after, shape, STATE, lambda: "the body of while_loop")
    again = loop.add(
        "again",
        loop,
        {**following.parameters, ITERATION: Binary(int, "+", iteration, Const(int, 1))},
        following.artifacts,
        when=Binary(bool, "&&", goes_on, Binary(bool, "<", iteration, Const(int, most))),
    )
    if on_limit == "fail":
        at_limit = Binary(bool, "&&", goes_on, Binary(bool, ">=", iteration, Const(int, most)))
        limit = loop.add("limit", builtin(loop.trace, "limit"), when=at_limit)
        limit.after += [ran] if ran is not None else []
    again.after += [ran] if ran is not None else []
    _last(loop, again, shape, now)
    for name, one in loop.captured.items():
        if isinstance(one, Artifact):
            again.artifacts[name] = Artifact(Input(loop, name), optional=one.optional)
        else:
            again.parameters[name] = Ref(one.type, Input(loop, name))


def _check_state(shape: Shape, after: Any) -> None:
    """That a state can be given to the body again. Raises TraceError."""
    following = shape_of_value(after)
    if common_shape(shape, following, "the first state and the body of while_loop") != shape:
        names = f"{_shape_name(shape)}, and the body gives {_shape_name(following)}"
        raise TraceError(f"the first state is {names}", hint="begin with a value of the same type, as in init=0.0")


def _iteration(loop: Scope, body: Callable[[Any], Any], shape: Shape, state: Any) -> tuple[Task | None, Any]:
    inner = loop.trace.scope(f"{loop.name}-body", loop)
    value = call_inside(inner, body, state)
    if not inner.tasks:
        loop.trace.drop(inner)
        taken = _local_given(loop, given(value, shape, "", lambda: "the body of while_loop"))
        return None, standin(shape, {**taken.artifacts, **taken.parameters}, "", taken.artifacts)
    task = adopted(loop, inner, value, shape, NONE_GIVEN, "the body of while_loop")
    if task is None:
        returned(inner, value, shape, "the body of while_loop")
        task = loop.add("body", inner)
    return task, outcome(task, shape)


def _last(scope: Scope, further: Task, shape: Shape, otherwise: Given) -> None:
    """A scope's outputs: what the further iterations gave if there were any, else this."""
    ran = Ended(bool, further)
    for leaf in leaves(shape, ""):
        if leaf.is_parameter:
            kind = declared_type(leaf.shape)
            scope.outputs[leaf.name] = Choice(
                kind, ran, Ref(kind, Output(further, leaf.name)), scope.local(otherwise.parameters[leaf.name])
            )
        if leaf.is_artifact:
            here = scope.local_artifact(otherwise.artifacts[leaf.name])
            scope.kept[leaf.name] = (ran, Artifact(Output(further, leaf.name), optional=leaf.is_optional), here)


# -- the steps that control flow itself needs


def builtin(trace: Trace, name: str) -> LeafTemplate:
    """The template of one of them, made once."""
    key = ("builtin", name)
    if key not in trace.known:
        target = f"{Builtin.__module__}:{name}"
        trace.known[key] = trace.leaf(name, _builtin_fields(target), place_of_user())
    return trace.known[key]


def _builtin_fields(target: str) -> dict[str, Any]:
    return {
        "metadata": {"annotations": {HOST: "true", FUNCTION: target}},
        "container": {"command": ["python", "-m", "argosy.dsl.inside", target]},
    }


def keep_template(trace: Trace, names: tuple[tuple[str, bool], ...]) -> LeafTemplate:
    """The template of a step that takes files and leaves them where it is told. names: and which there may not be."""
    key = ("keep", names)
    if key not in trace.known:
        made = _builtin_fields(f"{Builtin.__module__}:keep")
        made["inputs"] = {
            "parameters": [{"name": KEEP}],
            "artifacts": [
                {"name": name, "path": f"{FOLDER}/in/{name}", **({"optional": True} if optional else {})}
                for name, optional in names
            ],
        }
        kept = "{{inputs.parameters." + KEEP + "}}/"
        made["outputs"] = {
            "artifacts": [
                {
                    "name": name,
                    "path": f"{FOLDER}/out/{name}",
                    **({"optional": True} if optional else {}),
                    "archive": {"none": {}},
                    "s3": {"key": kept + name},
                }
                for name, optional in names
            ]
        }
        trace.known[key] = trace.leaf("keep", made, place_of_user())
    return trace.known[key]
