"""Conditions: one of two branches, chosen when the workflow runs.

A branch is a DAG with one task of two, whose outputs are those of the task that ran. Outside of a trace it is an `if`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, overload

from argosy.dsl.bodies import NONE_GIVEN, adopted, builtin, common_shape, local_given
from argosy.dsl.deferring import Deferred
from argosy.dsl.expression import (
    Choice,
    Ended,
    Expr,
    Unary,
)
from argosy.dsl.scopes import Scope, Task, kebab
from argosy.dsl.shapes import Nothing, Shape, type_name
from argosy.dsl.taking import Given, given, shape_of_value
from argosy.dsl.tracing import call_inside, current, outcome, returned
from argosy.dsl.trouble import TraceError
from argosy.dsl.values import (
    expr_of,
    is_standin,
    negated,
    standin,
)

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def not_(condition: bool) -> bool:
    """What `not` would be, for a value that is known only when the workflow runs."""
    return negated(condition) if is_standin(condition) else not condition


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
        return _Branch(None, local_given(wrapper, given(value, shape, "", lambda: "a branch of when")))
    task = adopted(wrapper, inner, value, shape, NONE_GIVEN, "a branch of when", when=condition)
    if task is None:
        returned(inner, value, shape, "a branch of when")
        task = wrapper.add(name, inner, when=condition)
    return _Branch(task, given(outcome(task, shape), shape, "", lambda: "a branch of when"))


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
