"""Tracing: a workflow function is called once, with stand-ins, and what it records becomes a manifest.

It knows the scope that records now and the templates so far. There is no other state, and none is left when it is over.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from argosy.dsl.expression import Choice, Expr, Input, Output, Ref, declared_type
from argosy.dsl.scopes import Artifact, Kept, Scope, Task, numbered
from argosy.dsl.shapes import Nothing, Shape, leaves
from argosy.dsl.taking import Given, given
from argosy.dsl.trouble import Place, TraceError, place_of_user
from argosy.dsl.values import NothingStandin, standin

# The end of the name of a template whose artifacts go to a place that is given.
KEPT = "-kept"
GATHER = "give the list to a step that returns it: def gather(models: list[Model]) -> list[Model]: return models"
_current: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("scope", default=None)

# Set while a function is asked what it returns, outside of a trace: no step runs then.
asked: contextvars.ContextVar[bool] = contextvars.ContextVar("asked", default=False)


class StepCalled(Exception):
    """A function that is asked what it returns calls a step."""


def current() -> Scope | None:
    """The scope that records now; None outside of a trace."""
    return _current.get()


@dataclass(eq=False)
class LeafTemplate:
    """A template that is no DAG. fields: its manifest without its name. line: where the user wrote it."""

    name: str
    fields: dict[str, Any]
    line: Place

    def called(self) -> dict[str, Any]:
        return {"template": self.name}

    def wants_place(self) -> bool:
        return False

    def manifest(self) -> dict[str, Any]:
        return {"name": self.name, **self.fields}


@dataclass(eq=False)
class ReferredTemplate:
    """A template of the catalog."""

    reference: dict[str, Any]

    def called(self) -> dict[str, Any]:
        return {"templateRef": self.reference}

    def wants_place(self) -> bool:
        return False


@dataclass(eq=False)
class Trace:
    """One workflow being traced. known: templates that were made for a function with its options, by key."""

    entrypoint: Scope | None = None
    templates: list[Scope | LeafTemplate] = field(default_factory=list["Scope | LeafTemplate"])
    known: dict[object, Any] = field(default_factory=dict[object, Any])
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    tracing: list[object] = field(default_factory=list[object])
    # For a run inside of this process: every function that is called, by its target, stubs in the place of theirs.
    functions: dict[str, Callable[..., Any]] | None = None
    stubs: Mapping[object, Callable[..., Any]] = field(default_factory=dict[object, Callable[..., Any]])
    # Templates that hooks call.
    handlers: list[Any] = field(default_factory=list[Any])

    def scope(self, name: str, parent: Scope | None) -> Scope:
        """A new scope, whose template stands after those that there are."""
        made = Scope(self, self.template_name(name), parent, line=place_of_user())
        self.templates.append(made)
        return made

    def leaf(self, name: str, fields: dict[str, Any], line: Place) -> LeafTemplate:
        made = LeafTemplate(self.template_name(name), fields, line)
        self.templates.append(made)
        return made

    def template_name(self, wanted: str) -> str:
        return numbered(wanted, {one.name for one in self.templates})

    def settle(self, roots: list[Scope]) -> None:
        """Leave out the templates that nothing calls, and let those that are left have the names that became free."""
        waiting: list[Any] = list(roots)
        called: set[int] = set()
        while waiting:
            one = waiting.pop()
            if id(one) in called:
                continue
            called.add(id(one))
            if isinstance(one, Scope):
                waiting += [task.template for task in one.tasks]
        called |= {id(one) for one in self.handlers}
        self.templates = [one for one in self.templates if id(one) in called]
        taken = {one.name for one in self.templates}
        for one in self.templates:
            plain = one.name.removesuffix(KEPT)
            if plain not in taken:
                one.name = plain

    def drop(self, scope: Scope) -> None:
        """Take a scope out that turned out not to be needed as a template."""
        self.templates.remove(scope)


@contextmanager
def recording(scope: Scope) -> Generator[None]:
    """Within it, calls of steps are recorded in the scope."""
    token = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(token)


def inputs_of(scope: Scope, shape: Shape, name: str, more: dict[str, Any] | None = None) -> Any:
    """Declares the inputs that a value of this shape needs, and gives its stand-in. more: fields of each parameter."""
    for leaf in leaves(shape, name):
        if leaf.is_parameter:
            scope.parameters[leaf.name] = dict((more or {}).get(leaf.name, {}))
        if leaf.is_artifact:
            artifact = Artifact(Input(scope, leaf.name), optional=leaf.is_optional)
            scope.artifacts[leaf.name] = artifact.declared()
    return _standin_from(shape, name, lambda leaf: Input(scope, leaf))


def _standin_from(shape: Shape, name: str, source_of: Callable[[str], Input | Output]) -> Any:
    """The stand-in of a value whose leaves are inputs or outputs. source_of: which, by a leaf's name."""
    found: dict[str, Expr | Artifact] = {}
    folders: dict[str, Artifact] = {}
    for leaf in leaves(shape, name):
        source = source_of(leaf.name)
        if leaf.is_parameter:
            found[leaf.name] = Ref(declared_type(leaf.shape), source)
        if leaf.is_artifact:
            folders[leaf.name] = Artifact(source, optional=leaf.is_optional)
            found.setdefault(leaf.name, folders[leaf.name])
    return standin(shape, found, name, folders)


def returned(scope: Scope, value: Any, shape: Shape, what: str) -> Given:
    """Makes a value the output of a scope. Raises TraceError when it does not fit the shape."""
    taken = given(value, shape, "", lambda: what)
    if taken.sizes:
        raise TraceError(
            f"{what} returns a list of files that were put together there",
            hint=GATHER,
        )
    for name, expr in taken.parameters.items():
        scope.outputs[name] = scope.local(expr)
    for name, artifact in taken.artifacts.items():
        local = scope.local_artifact(artifact)
        if isinstance(local.source, Kept) or local.below:
            raise TraceError(
                f"{what} returns files of a loop, or a part of a folder",
                hint=GATHER,
            )
        scope.kept[name] = local
    return taken


def outcome(task: Task, shape: Shape) -> Any:
    """The stand-in of what a task gives."""
    if isinstance(shape, Nothing):
        return NothingStandin(task)
    return _standin_from(shape, "", lambda leaf: Output(task, leaf))


def call_inside(scope: Scope, function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a body with the scope recording."""
    with recording(scope):
        return function(*arguments)


def without_steps(scope: Scope, function: Callable[..., Any], *arguments: Any, what: str) -> Any:
    """Calls a function that may compare values but call no step. Raises TraceError when it does."""
    before = len(scope.tasks)
    value = call_inside(scope, function, *arguments)
    if len(scope.tasks) != before:
        raise TraceError(f"{what} calls a step", hint="call it in the body, and return what the condition needs")
    return value


def chosen(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """One of two expressions of one type."""
    return then if then == otherwise else Choice(then.type, condition, then, otherwise)
