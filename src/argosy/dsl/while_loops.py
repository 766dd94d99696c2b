"""Loops with a condition that is known only when the workflow runs: a template that calls itself.

Outside of a trace it is a `while` with a limit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

from argosy.dsl.bodies import (
    LOOSE,
    NONE_GIVEN,
    adopted,
    builtin,
    common_shape,
    job_constructs,
    local_given,
    shape_name,
)
from argosy.dsl.deferring import Deferred
from argosy.dsl.expression import (
    Binary,
    Choice,
    Const,
    Ended,
    Expr,
    Input,
    Output,
    Ref,
    declared_type,
)
from argosy.dsl.scopes import Artifact, Scope, Task, kebab
from argosy.dsl.shapes import Json, Nothing, Shape, leaves, type_name
from argosy.dsl.taking import Given, given, shape_of_value
from argosy.dsl.tracing import call_inside, current, inputs_of, outcome, returned, without_steps
from argosy.dsl.trouble import TraceError, WrongValue
from argosy.dsl.values import (
    expr_of,
    standin,
)

S = TypeVar("S")
F = TypeVar("F", bound=Callable[..., Any])
# How deep templates may call one another (Argo: maxAllowedStackDepth).
DEEPEST = 100
STATE = "state"
ITERATION = "iteration"


class LimitReached(WrongValue):
    """A while_loop's condition still held after max_iterations."""

    id = "limit-reached"


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
                jobs = job_constructs()
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
    if isinstance(shape, Json) and shape.type in LOOSE:
        return
    if common_shape(shape, following, "the first state and the body of while_loop") != shape:
        names = f"{shape_name(shape)}, and the body gives {shape_name(following)}"
        raise TraceError(f"the first state is {names}", hint="begin with a value of the same type, as in init=0.0")


def _iteration(loop: Scope, body: Callable[[Any], Any], shape: Shape, state: Any) -> tuple[Task | None, Any]:
    inner = loop.trace.scope(f"{loop.name}-body", loop)
    value = call_inside(inner, body, state)
    _check_state(shape, value)
    if not inner.tasks:
        loop.trace.drop(inner)
        taken = local_given(loop, given(value, shape, "", lambda: "the body of while_loop"))
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
