# pyright: reportPrivateUsage=false
# What a stand-in holds is behind an underscore, since its other names are the user's fields.
"""Loops over items that are known only when the workflow runs: a task with withParam.

What the items give is gathered in their order: parameters as a list, files below a place that each item has of its own.
Outside of a trace it is a list comprehension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar, cast, overload

from argosy.dsl.bodies import adopted, common_shape, job_constructs, keep_template
from argosy.dsl.deferring import Deferred
from argosy.dsl.expression import (
    Expr,
    Gathered,
    Item,
    Output,
    Ref,
    Retyped,
    Written,
    argument,
    declared_type,
    is_encoded,
)
from argosy.dsl.layout import KEEP
from argosy.dsl.scopes import Artifact, Kept, Scope, Task, kebab
from argosy.dsl.shapes import Json, Many, Nothing, Record, Shape, Text, leaves, shape_of, type_name
from argosy.dsl.taking import Given, given, shape_of_value
from argosy.dsl.tracing import call_inside, current, inputs_of, returned
from argosy.dsl.trouble import TraceError, place_of_user
from argosy.dsl.values import (
    ManyStandin,
    NothingStandin,
    ParameterStandin,
    Standin,
    called,
    element_type,
    expr_of,
    holds_standin,
    is_standin,
    of_element,
    of_expr,
)

T = TypeVar("T")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


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
    jobs = job_constructs()
    if jobs is not None and jobs.makes_jobs(function, over):
        return jobs.decorated("for_loop", over, function, parallelism=parallelism)()
    return for_loop(function, over, parallelism=parallelism, name=name)


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
    over = task.items if task.items is not None else items.expr
    return ParameterStandin(Json(kind), Gathered(kind, task, shape, over))
