"""A run with stubs, for tests: everything inside this process, some steps replaced by other functions.

It knows what stands for what; the run itself is `project.in_process`'s matter.
"""

from __future__ import annotations

import contextlib
import functools
import io
import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast

from argosy.api.run import RunFailed
from argosy.dsl import codec, inside
from argosy.dsl.shapes import Dir, File, Leaf, Many, Nothing, Shape, leaves
from argosy.dsl.steps import Step
from argosy.dsl.tracing import Trace
from argosy.dsl.workflows import Workflow
from argosy.errors import UsageError
from argosy.project.in_process import InProcess, run_in_process, target_in_project

R = TypeVar("R")


class StubbedRun(Generic[R]):
    """A run that was made inside this process; it has the face of a `Run`."""

    def __init__(self, name: str, done: InProcess, shape: Shape, logs: Mapping[str, list[str]]) -> None:
        self.name = name
        self._done = done
        self._shape = shape
        self._logs = logs

    def __repr__(self) -> str:
        return f"<run {self.name} with stubs: {self.phase}>"

    @property
    def phase(self) -> str:
        return str(self._done.phase)

    @property
    def message(self) -> str:
        """Why it failed; "" when it did not."""
        failed = self._done.failed
        return f"{failed.node}: {failed.message}" if failed is not None else self._done.message

    @property
    def exit_code(self) -> int:
        return 0 if self.phase == "Succeeded" else 1

    def check(self) -> StubbedRun[R]:
        """This run. Raises RunFailed, from what the step's function raised, when it did not succeed."""
        if self.phase != "Succeeded":
            failed = self._done.failed
            raise RunFailed(f"{self.name} {self.phase.lower()}: {self.message}") from (
                failed.exception if failed is not None else None
            )
        return self

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs by name: values, and paths of files. Raises RunFailed."""
        self.check()
        return {leaf.name: self._part(leaf) for leaf in leaves(self._shape, "")}

    @property
    def result(self) -> R:
        """What the workflow returned. Raises RunFailed."""
        return cast(R, codec.whole(self.outputs, self._shape, "") if not isinstance(self._shape, Nothing) else None)

    def steps(self) -> dict[str, str]:
        """The phase of each step that is no group of others, by its name."""
        leaf_types = ("Pod", "Skipped")
        nodes = self._done.plan.nodes.values()
        return {node.name.partition(".")[2] or node.name: str(node.phase) for node in nodes if node.type in leaf_types}

    def logs(self, step: object = None) -> str:
        """What the functions of a step printed, or of all."""
        wanted = getattr(step, "display_name", step)
        return "".join("".join(texts) for name, texts in self._logs.items() if wanted in (None, name))

    def _part(self, leaf: Leaf) -> Any:
        if isinstance(leaf.shape, File):
            path = self._done.artifacts.get(leaf.name)
            return Dir(path) if leaf.shape.folder and path is not None else path
        text = self._done.parameters[leaf.name]
        if isinstance(leaf.shape, Many):
            return inside.elements(leaf.shape, text, self._done.artifacts[leaf.name])
        return codec.from_text(text, leaf.shape)


def run_with_stubs(
    pipeline: Workflow[..., R], stubs: Mapping[Any, Callable[..., Any]], parameters: Mapping[str, str]
) -> StubbedRun[R]:
    """Runs a workflow inside this process. stubs: functions by the steps that they stand for. Raises UsageError."""
    logs: dict[str, list[str]] = {}
    trace = Trace(functions={}, stubs={_function_of(step): _stub(step, fake) for step, fake in stubs.items()})
    traced = pipeline.traced_by(trace)
    functions = trace.functions or {}

    def call(target: str) -> object:
        function = functions.get(target)
        if function is None:
            return target_in_project(target)
        return _printing(function, logs.setdefault(function.__name__.replace("_", "-"), []))

    done = run_in_process(traced.manifest, call=call, parameters=parameters)
    return StubbedRun(pipeline.name, done, traced.result, logs)


def _function_of(step: Any) -> Callable[..., Any]:
    if not isinstance(step, Step):
        raise UsageError(f"{step!r} is no step, so nothing can stand for it", hint="stubs={train: fake_train}")
    return cast("Step[..., Any]", step).function


def _stub(step: Any, fake: Callable[..., Any]) -> Callable[..., Any]:
    """The stub with the name and the declared types of the step that it stands for."""

    @functools.wraps(_function_of(step))
    def stub(*args: Any, **kwargs: Any) -> Any:
        return fake(*args, **kwargs)

    return stub


def _printing(function: Callable[..., Any], texts: list[str]) -> Callable[..., Any]:
    """The function, which what it prints is kept of."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        written = io.StringIO()
        try:
            with contextlib.redirect_stdout(written):
                return function(*args, **kwargs)
        finally:
            texts.append(written.getvalue())
            sys.stdout.write(written.getvalue())

    return called
