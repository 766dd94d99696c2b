"""Bodies of branches and loops: what they give, a body with one call that becomes that call, and steps of their own.

It knows scopes and shapes; which construct a body belongs to is that one's matter.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, get_args

from argosy.dsl.builtin import Builtin
from argosy.dsl.expression import (
    Expr,
    Input,
    Output,
    Ref,
)
from argosy.dsl.layout import FOLDER, KEEP
from argosy.dsl.leaf_templates import FUNCTION, HOST
from argosy.dsl.scopes import Artifact, Scope, Task
from argosy.dsl.shapes import File, Json, Many, Nothing, Record, Shape, Text, is_union, type_name
from argosy.dsl.taking import Given, given
from argosy.dsl.tracing import LeafTemplate, Trace, current
from argosy.dsl.trouble import TraceError, place_of_user

NONE_GIVEN = Given({}, {}, {})
# Types of constants that say nothing of what is in them, such as [].
LOOSE = (list, dict, tuple, type(None), Any)


def local_given(scope: Scope, taken: Given) -> Given:
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
        if Any in (one.type, other.type):
            return Json(Any)
        if one.type in LOOSE:
            return other
        if other.type in LOOSE or not {one.type, other.type} & {int, float, bool}:
            return one
    if isinstance(one, File) and isinstance(other, File):
        return File(folder=one.folder and other.folder, optional=one.optional or other.optional)
    if isinstance(one, Text) and isinstance(other, Text):
        return Text(str)
    if optional := _optional_of(one, other) or _optional_of(other, one):
        return optional
    raise TraceError(f"{what} give values of different types: {shape_name(one)} and {shape_name(other)}")


def _optional_of(one: Shape, other: Shape) -> Shape | None:
    """The first shape, when it is that of values that may be None and the other one is that of the rest of them."""
    if not isinstance(one, Json) or not isinstance(other, (Text, Json)) or not is_union(one.type):
        return None
    return one if other.type in get_args(one.type) else None


def shape_name(shape: Shape) -> str:
    if isinstance(shape, Nothing):
        return "nothing"
    if isinstance(shape, File):
        return "a folder" if shape.folder else "a file"
    return "a list of files" if isinstance(shape, Many) else type_name(shape.type)


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


def job_constructs() -> Any:
    """The room of jobs, when a program has any and nothing is being recorded."""
    return importlib.import_module("argosy.dsl.jobs") if "argosy.dsl.sketch" in sys.modules and not current() else None
