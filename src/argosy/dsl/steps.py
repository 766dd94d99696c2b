"""Steps: functions, scripts, containers and resources that can be called in a workflow.

It knows the templates that they become and how a call is recorded. What a function step does when it runs is in
`inside`.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, Unpack, cast, get_origin

from argosy.dsl import codec, layout
from argosy.dsl.expression import STDOUT, quoted
from argosy.dsl.expression import Ref as Reference
from argosy.dsl.options import Options, OptionWords, checked
from argosy.dsl.places import code_root, project_folder
from argosy.dsl.scopes import Scope, Task, kebab
from argosy.dsl.shapes import File, Json, Leaf, Many, Nothing, Shape, Signature, Text, choices_of, leaves, signature_of
from argosy.dsl.tracing import KEPT, LeafTemplate, ReferredTemplate, Trace, current, outcome
from argosy.dsl.trouble import Place, TraceError, WrongValue, place_of
from argosy.dsl.values import Given, Standin, given, tasks_of

P = ParamSpec("P")
R = TypeVar("R")
HOST = "argosy.dev/host"
FUNCTION = "argosy.dev/function"
ASSUMED = "argosy.dev/assumed"


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


# -- the forms that a step can have


class Form:
    """What kind of template a step becomes."""

    def signature(self, function: Callable[..., Any]) -> Signature:
        return signature_of(function)

    def outcome(self, task: Task, shape: Shape) -> Any:
        return outcome(task, shape)

    def template(
        self, step: Step[..., Any], trace: Trace, sizes: Mapping[str, int], keep: bool
    ) -> LeafTemplate | ReferredTemplate:
        raise AssertionError


@dataclass(frozen=True)
class FunctionForm(Form):
    """A Python function, called in a process of its own."""

    def template(self, step: Step[..., Any], trace: Trace, sizes: Mapping[str, int], keep: bool) -> LeafTemplate:
        target = target_of(step.function) if trace.functions is None else _target_here(step, trace)
        return function_template(step, trace, target, step.signature, sizes, keep)


def _nothing_of(shape: Shape) -> str:
    """The text that stands for a value of this shape where no step runs."""
    if isinstance(shape, (Text, Json)) and (choices := choices_of(shape)):
        return choices[0]
    if isinstance(shape, Text):
        return "unknown"
    declared = shape.type if isinstance(shape, Json) else list
    origin = get_origin(declared) or declared
    return {int: "0", float: "0", bool: "false", list: "[]", tuple: "[]", dict: "{}"}.get(origin, "null")


def _target_here(step: Step[..., Any], trace: Trace) -> str:
    """The name by which a run inside of this process finds the function, or what stands for it."""
    assert trace.functions is not None
    called = trace.stubs.get(step.function, step.function)
    target = next((name for name, known in trace.functions.items() if known is called), "")
    if not target:
        target = f"here:{step.function.__name__}-{len(trace.functions)}"
        trace.functions[target] = called
    return target


def function_template(
    step: Step[..., Any], trace: Trace, target: str, signature: Signature, sizes: Mapping[str, int], keep: bool
) -> LeafTemplate:
    found = [leaf for name, shape in signature.parameters for leaf in leaves(shape, name)]
    variables = [
        {"name": layout.variable(leaf.name), "value": "{{inputs.parameters." + leaf.name + "}}"}
        for leaf in found
        if leaf.is_parameter and not layout.is_filed(leaf)
    ]
    container: dict[str, Any] = {}
    if step.options.image is not None:
        container["image"] = step.options.image
    container["command"] = ["python", "-m", "argosy.dsl.inside", target]
    if variables or step.options.variables():
        container["env"] = [*variables, *step.options.variables()]
    annotations = {HOST: "image" if step.options.image is not None else "true", FUNCTION: target}
    if assumed := {leaf.name: _nothing_of(leaf.shape) for leaf in leaves(signature.result, "") if leaf.is_parameter}:
        annotations[ASSUMED] = json.dumps(assumed)
    inputs = _inputs(found, signature, sizes)
    outputs = _outputs(list(leaves(signature.result, "")), keep)
    if keep:
        inputs.setdefault("parameters", []).append({"name": layout.KEEP})
    return leaf_of(
        step, trace, step.display_name + (KEPT if keep else ""), inputs, outputs, {"container": container}, annotations
    )


def leaf_of(
    step: Step[..., Any],
    trace: Trace,
    name: str,
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    body: dict[str, dict[str, Any]],
    annotations: Mapping[str, str],
) -> LeafTemplate:
    """A template of a step: its inputs and outputs, its container or script, and what its options say."""
    options = step.options
    made: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    if annotations:
        metadata["annotations"] = dict(annotations)
    if options.labels:
        metadata["labels"] = dict(options.labels)
    if metadata:
        made["metadata"] = metadata
    if inputs:
        made["inputs"] = inputs
    if outputs:
        made["outputs"] = outputs
    takes_files = any("from" not in one and "raw" not in one for one in inputs.get("artifacts", []))
    made |= options.template_fields(name, takes_files=takes_files, takes_anything=bool(inputs.get("parameters")))
    for container in body.values():
        if resources := options.resources():
            container["resources"] = resources
        if options.volumes:
            container["volumeMounts"] = [_mounted(trace, at, claim) for at, claim in options.volumes.items()]
    return trace.leaf(name, made | body, step.line)


def _mounted(trace: Trace, at: str, claim: str) -> dict[str, str]:
    name = kebab(claim)
    trace.volumes[name] = {"name": name, "persistentVolumeClaim": {"claimName": claim}}
    return {"name": name, "mountPath": at}


def _inputs(found: list[Leaf], signature: Signature, sizes: Mapping[str, int]) -> dict[str, Any]:
    defaults = default_texts(signature, tags=False)
    parameters = [
        {"name": leaf.name, **({"value": defaults[leaf.name]} if leaf.name in defaults else {})}
        for leaf in found
        if leaf.is_parameter
    ]
    artifacts: list[dict[str, Any]] = []
    for leaf in found:
        if layout.is_filed(leaf):
            raw = {"data": "{{inputs.parameters." + leaf.name + "}}"}
            artifacts.append({"name": f"{leaf.name}-json", "path": layout.filed(leaf.name), "raw": raw})
        artifacts += _input_artifacts(leaf, sizes)
    made = {"parameters": parameters, "artifacts": artifacts}
    return {name: one for name, one in made.items() if one}


def _input_artifacts(leaf: Leaf, sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    if isinstance(leaf.shape, File):
        optional = {"optional": True} if leaf.shape.optional else {}
        return [{"name": leaf.name, "path": layout.taken(leaf.name), **optional}]
    if not isinstance(leaf.shape, Many):
        return []
    if leaf.name not in sizes:
        # A loop over nothing leaves no folder.
        return [{"name": leaf.name, "path": layout.taken(leaf.name), "optional": True}]
    made: list[dict[str, Any]] = []
    for index in range(sizes[leaf.name]):
        for part in leaves(leaf.shape.element, ""):
            if part.is_artifact:
                path = f"{layout.taken(leaf.name)}/{index}/{part.name}"
                optional = {"optional": True} if part.is_optional else {}
                made.append({"name": f"{leaf.name}-{index}-{part.name}", "path": path, **optional})
    return made


def _outputs(found: list[Leaf], keep: bool, *, written: bool = False) -> dict[str, Any]:
    """The outputs of a step. written: by a command of its own, which makes no folders."""
    parameters = [
        {
            "name": leaf.name,
            "valueFrom": {"path": layout.written(leaf.name) if written else layout.given(leaf.name, text=True)},
        }
        for leaf in found
        if leaf.is_parameter
    ]
    artifacts: list[dict[str, Any]] = []
    for leaf in found:
        if leaf.is_artifact:
            path = layout.written(leaf.name) if written else layout.given(leaf.name)
            one: dict[str, Any] = {"name": leaf.name, "path": path}
            if isinstance(leaf.shape, File) and leaf.shape.optional:
                one["optional"] = True
            if keep:
                # Kept one by one, so that the folder above them is a folder of files for who takes it.
                one |= {
                    "archive": {"none": {}},
                    "s3": {"key": "{{inputs.parameters." + layout.KEEP + "}}/" + leaf.name},
                }
            artifacts.append(one)
    made = {"parameters": parameters, "artifacts": artifacts}
    return {name: one for name, one in made.items() if one}


def with_tagged_defaults(bound: inspect.BoundArguments, signature: Signature) -> None:
    """Gives a call the defaults that a template cannot have: what has braces in it would be taken for a tag."""
    shapes = dict(signature.parameters)
    for name, value in signature.defaults.items():
        if name not in bound.arguments and _has_tag(value, name, shapes[name]):
            bound.arguments[name] = value


def _has_tag(value: Any, name: str, shape: Shape) -> bool:
    return any("{{" in text for text in default_texts(Signature(((name, shape),), {name: value}, shape, {})).values())


def default_texts(signature: Signature, *, tags: bool = True) -> dict[str, str]:
    """The texts of the parameters' defaults, by the names of leaves. tags: also of those with a text like a tag."""
    made: dict[str, str] = {}
    shapes = dict(signature.parameters)
    for name, value in signature.defaults.items():
        if not tags and _has_tag(value, name, shapes[name]):
            continue
        try:
            parts = codec.parts(value, shapes[name], name)
            for leaf in leaves(shapes[name], name):
                if isinstance(leaf.shape, (Text, Json)):
                    made[leaf.name] = codec.to_text(parts[leaf.name], leaf.shape)
                elif isinstance(leaf.shape, Many) and value in ([], ()):
                    made[leaf.name] = "[]"
                elif not (isinstance(leaf.shape, File) and leaf.shape.optional and parts[leaf.name] is None):
                    raise TraceError(f"{name} is a file, and a file has no default", hint=f"{name}: Path | None = None")
        except WrongValue as wrong:
            raise TraceError(f"the default of {name}: {wrong.message}", hint=wrong.hint) from None
    return made


def target_of(function: Callable[..., Any]) -> str:
    """How a step's process finds a function: FILE.py:NAME below the code's root, or MODULE:NAME. Raises TraceError."""
    name = function.__qualname__
    place = Place(function.__code__.co_filename, function.__code__.co_firstlineno)
    if "<locals>" in name or "<lambda>" in name:
        raise TraceError(
            f"{function.__name__} is a step, and its process could not find it within another function",
            hint="define it at the top of its file",
            place=place,
        )
    file = _file_of(function)
    if file is None:
        raise TraceError(
            f"{function.__name__} is a step, and its process could not find it: it was not read from a file",
            hint="put it into a .py file",
            place=place,
        )
    root = code_root(file)
    if file.is_relative_to(root):
        return f"{file.relative_to(root).as_posix()}:{name}"
    return f"{function.__module__}:{name}"


def _file_of(function: Callable[..., Any]) -> Path | None:
    module = sys.modules.get(function.__module__)
    cells: object = getattr(module, "In", None)
    if function.__module__ == "__main__" and isinstance(cells, list):
        # The name under which IPython keeps what was entered.
        from argosy.dsl.cells import write_module

        return write_module(cast("list[str]", cells), project_folder(Path.cwd().resolve()))
    found = getattr(module, "__file__", None) or function.__code__.co_filename
    file = Path(found).absolute()
    return file.resolve() if file.is_file() else None


@dataclass(frozen=True)
class ScriptForm(Form):
    """A script: parameters are environment variables of their own names, and what it prints is what it gives."""

    command: tuple[str, ...]

    def signature(self, function: Callable[..., Any]) -> Signature:
        found = signature_of(function)
        if not isinstance(found.result, (Nothing, Text)):
            raise TraceError(
                f"{function.__name__} is a script, which gives what it prints", hint="let it return str or None"
            )
        return found

    def outcome(self, task: Task, shape: Shape) -> Any:
        return printed(task, shape)

    def template(self, step: Step[..., Any], trace: Trace, sizes: Mapping[str, int], keep: bool) -> LeafTemplate:
        inputs, variables = passed_as_variables(step.signature)
        words = {name: Word(name) for name, _ in step.signature.parameters}
        source = step.function(**words)
        script: dict[str, Any] = {}
        if step.options.image is not None:
            script["image"] = step.options.image
        script |= {"command": list(self.command), "source": str(source or "")}
        if variables or step.options.variables():
            script["env"] = [*variables, *step.options.variables()]
        annotations = {HOST: "true"} if step.options.image is None else {}
        return leaf_of(step, trace, step.display_name, inputs, {}, {"script": script}, annotations)


class Word(Standin):
    """What a script's function is given: it must not stand in the text, since a value would be read as code there."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._shape = Text(str)
        self._name = name

    def __str__(self) -> str:
        raise TraceError(
            f"the value of {self._name} is put into the text of a script, where it would be run as code",
            hint=f'write "${self._name}": every parameter is an environment variable of the script',
        )

    def _called(self) -> str:
        return f"the parameter {self._name}"


def printed(task: Task, shape: Shape) -> Any:
    """The stand-in of what a task prints."""
    from argosy.dsl.expression import Output
    from argosy.dsl.values import NothingStandin, ParameterStandin

    if isinstance(shape, Nothing):
        return NothingStandin(task)
    return ParameterStandin(shape, Reference(str, Output(task, STDOUT)))


def passed_as_variables(signature: Signature) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Inputs, and environment variables with the same names: values of parameters, paths of files."""
    defaults = default_texts(signature, tags=False)
    inputs: dict[str, Any] = {}
    variables: list[dict[str, Any]] = []
    for name, shape in signature.parameters:
        for leaf in leaves(shape, name):
            if isinstance(leaf.shape, Many):
                raise TraceError(f"{name} is a list of files, which a variable cannot hold", hint="use a Python step")
            variable = leaf.name.replace("-", "_")
            if isinstance(leaf.shape, File):
                inputs.setdefault("artifacts", []).append({"name": leaf.name, "path": layout.taken(leaf.name)})
                variables.append({"name": variable, "value": layout.taken(leaf.name)})
                continue
            value = {"value": defaults[leaf.name]} if leaf.name in defaults else {}
            inputs.setdefault("parameters", []).append({"name": leaf.name, **value})
            variables.append({"name": variable, "value": _as_variable(leaf)})
    return inputs, variables


def _as_variable(leaf: Leaf) -> str:
    """A parameter in the value of a variable, where Kubernetes would read `$$` as `$`, and replace `$(NAME)`."""
    if not layout.is_filed(leaf):
        return "{{inputs.parameters." + leaf.name + "}}"
    return "{{=replace(inputs.parameters[" + quoted(leaf.name) + "], '$', '$$')}}"


@dataclass(frozen=True)
class ContainerForm(Form):
    """A container's own command. The variable `out`, or for a record `out_FIELD`, says where each output is written."""

    command: tuple[str, ...]
    args: tuple[str, ...]

    def template(self, step: Step[..., Any], trace: Trace, sizes: Mapping[str, int], keep: bool) -> LeafTemplate:
        inputs, variables = passed_as_variables(step.signature)
        found = list(leaves(step.signature.result, ""))
        for leaf in found:
            name = "out" if leaf.name == "result" and len(found) == 1 else f"out_{leaf.name.replace('-', '_')}"
            variables.append({"name": name, "value": layout.written(leaf.name)})
        container: dict[str, Any] = {"image": step.options.image} if step.options.image is not None else {}
        if self.command:
            container["command"] = list(self.command)
        if self.args:
            container["args"] = list(self.args)
        if variables or step.options.variables():
            container["env"] = [*variables, *step.options.variables()]
        annotations = {HOST: "true" if step.options.image is None else "image"}
        outputs = _outputs(found, keep, written=True)
        if keep:
            inputs.setdefault("parameters", []).append({"name": layout.KEEP})
        name = step.display_name + (KEPT if keep else "")
        return leaf_of(step, trace, name, inputs, outputs, {"container": container}, annotations)


@dataclass(frozen=True)
class ResourceForm(Form):
    """A Kubernetes resource. manifest: its text, with {{inputs.parameters.NAME}} where a parameter goes."""

    manifest: str
    action: str
    success: str
    failure: str
    outputs: tuple[tuple[str, str], ...]

    def template(self, step: Step[..., Any], trace: Trace, sizes: Mapping[str, int], keep: bool) -> LeafTemplate:
        inputs, _ = passed_as_variables(step.signature)
        resource: dict[str, Any] = {"action": self.action, "manifest": self.manifest}
        if self.success:
            resource["successCondition"] = self.success
        if self.failure:
            resource["failureCondition"] = self.failure
        paths = dict(self.outputs)
        outputs: dict[str, Any] = {}
        for leaf in leaves(step.signature.result, ""):
            if leaf.name not in paths:
                raise TraceError(
                    f"{step.function.__name__} returns {leaf.name}, and nothing says where in the resource it is",
                    hint=f'outputs={{"{leaf.name}": "{{.status.{leaf.name}}}"}}',
                )
            outputs.setdefault("parameters", []).append(
                {"name": leaf.name, "valueFrom": {"jsonPath": paths[leaf.name]}}
            )
        return leaf_of(step, trace, step.display_name, inputs, outputs, {"resource": resource}, {})


@dataclass(frozen=True)
class ReferenceForm(Form):
    """A template of the catalog, whose inputs and outputs are named as the function's parameters and results."""

    name: str
    template_name: str
    cluster: bool

    def template(self, step: Step[..., Any], trace: Trace, sizes: Mapping[str, int], keep: bool) -> ReferredTemplate:
        reference: dict[str, Any] = {"name": self.name, "template": self.template_name}
        if self.cluster:
            reference["clusterScope"] = True
        return ReferredTemplate(reference)
