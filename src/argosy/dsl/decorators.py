"""The decorators that make functions steps, and calls of templates that have no function of their own.

It knows what people write; what becomes of it is in `steps`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, Unpack, cast, overload

from argosy.dsl.forms import ContainerForm, Form, FunctionForm, ReferenceForm, ResourceForm, ScriptForm
from argosy.dsl.options import ATTRIBUTE, Options, OptionWords, checked
from argosy.dsl.scopes import kebab
from argosy.dsl.steps import Step
from argosy.dsl.taking import type_of_value
from argosy.dsl.trouble import TraceError

P = ParamSpec("P")
R = TypeVar("R")
_PLACEHOLDER = re.compile(r"\{\{\s*inputs\.parameters\.([-\w]+)\s*\}\}")


class Bodiless:
    """A template without a function: it makes a typed function without a body its step, or is called as it is.

    Called in a workflow with values by name, these are its inputs, and it gives nothing but its end.
    """

    def __init__(self, form: Form, options: Options, name: str) -> None:
        self._form = form
        self._options = options
        self._name = name

    @overload
    def __call__(self, function: Callable[P, R], /) -> Step[P, R]: ...
    @overload
    def __call__(self, /, **values: object) -> None: ...
    def __call__(self, function: Callable[..., Any] | None = None, /, **values: object) -> Any:
        if function is not None:
            return _decorated(self._form, function, self._options)
        return Step(cast("Callable[..., Any]", self._taking(values)), self._form, self._options)(**values)

    def named(self, name: str) -> Bodiless:
        """The same template under another name."""
        return Bodiless(self._form, self._options, name)

    def _taking(self, values: Mapping[str, object]) -> Callable[..., None]:
        """A function of these parameters, which is only ever looked at."""

        def body(**given: object) -> None:
            raise TraceError(f"{self._name} is a template of Argo, and no function", hint="run it in a workflow")

        kinds = {name: type_of_value(value) for name, value in values.items()}
        parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in values]
        body.__name__ = body.__qualname__ = self._name
        body.__annotations__ = {**kinds, "return": None}
        body.__dict__["__signature__"] = inspect.Signature(parameters)
        return body


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(**options: Unpack[OptionWords]) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(function: Callable[..., Any] | None = None, /, **options: Unpack[OptionWords]) -> Any:
    """Makes a function a step. Called in a workflow it is recorded; called elsewhere it is the function.

    Its parameters and its result are declared types: numbers, texts, booleans, lists, records; `Path` is a file, `Dir`
    a folder. Raises TraceError for an option that there is not.
    """
    return _made(FunctionForm(), function, options)


@overload
def bash(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def bash(
    *, shell: Sequence[str] = ("bash",), **options: Unpack[OptionWords]
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def bash(
    function: Callable[..., Any] | None = None, /, *, shell: Sequence[str] = ("bash",), **options: Unpack[OptionWords]
) -> Any:
    """Makes a function that returns the text of a script a step; each parameter is an environment variable."""
    return _made(ScriptForm(tuple(shell)), function, options)


def container(
    *,
    command: Sequence[str] | str = (),
    args: Sequence[str] | str = (),
    **options: Unpack[OptionWords],
) -> Bodiless:
    """Makes a typed function without a body a step that runs a container's command; it can be called as it is, too.

    Parameters are environment variables of their names, files by their paths; `$out` (`$out_FIELD` for a record) says
    where each result is written.
    """
    return Bodiless(ContainerForm(_words(command), _words(args)), checked("container", options), "container")


def _words(given: Sequence[str] | str) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) and given else tuple(given)


def resource(
    *,
    manifest: str,
    action: str = "create",
    success: str = "",
    failure: str = "",
    outputs: Mapping[str, str] | None = None,
) -> Bodiless:
    """Makes a typed function without a body a step that creates, gets, patches or deletes a Kubernetes resource.

    It can be called as it is too, with a value for each {{inputs.parameters.NAME}} in the manifest. success, failure:
    conditions on its status. outputs: JSON paths in it, by the names of what the function returns.
    """
    form = ResourceForm(manifest, action, success, failure, tuple((outputs or {}).items()))
    return Bodiless(form, Options(), _resource_name(manifest))


def _resource_name(manifest: str) -> str:
    found = re.search(r"^kind:\s*([A-Za-z]+)", manifest, re.MULTILINE)
    return kebab(found[1]) if found is not None else "resource"


def template(name: str, template_name: str, *, cluster: bool = False) -> Callable[[Callable[P, R]], Step[P, R]]:
    """Makes a typed function without a body stand for a template of the catalog (a WorkflowTemplate)."""
    return _made(ReferenceForm(name, template_name, cluster), None, {})


def _made(form: Form, function: Callable[..., Any] | None, options: OptionWords) -> Any:
    said = checked("step", options)
    if function is not None:
        return _decorated(form, function, said)
    return lambda target: _decorated(form, target, said)  # pyright: ignore


def _decorated(form: Form, target: Callable[..., Any], said: Options) -> Step[..., Any]:
    if isinstance(target, Step):
        raise TraceError(f"{target.function.__name__} is a step already")
    inner: Options = getattr(target, ATTRIBUTE, Options())
    return Step(target, form, said.over(inner))
