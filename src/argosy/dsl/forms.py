"""The forms that a step can have: a Python function, a script, a container, a resource, a template of the catalog.

It knows which template each becomes; how a call is recorded is in `steps`, and what a function does when it runs is in
`inside`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_origin

from argosy.dsl import layout
from argosy.dsl.expression import STDOUT, quoted
from argosy.dsl.expression import Ref as Reference
from argosy.dsl.leaf_templates import ASSUMED, FUNCTION, HOST, default_texts, leaf_of, template_inputs, template_outputs
from argosy.dsl.scopes import Task
from argosy.dsl.shapes import File, Json, Leaf, Many, Nothing, Shape, Signature, Text, choices_of, leaves, signature_of
from argosy.dsl.targets import target_of
from argosy.dsl.tracing import KEPT, LeafTemplate, ReferredTemplate, Trace, outcome
from argosy.dsl.trouble import TraceError
from argosy.dsl.values import Standin

if TYPE_CHECKING:
    from argosy.dsl.steps import Step


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
    inputs = template_inputs(found, signature, sizes)
    outputs = template_outputs(list(leaves(signature.result, "")), keep)
    if keep:
        inputs.setdefault("parameters", []).append({"name": layout.KEEP})
    return leaf_of(
        step, trace, step.display_name + (KEPT if keep else ""), inputs, outputs, {"container": container}, annotations
    )


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
        outputs = template_outputs(found, keep, written=True)
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
