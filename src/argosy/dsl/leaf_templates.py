"""The template of a step that is no DAG: its inputs, its outputs, and what its options say.

It knows fields of a template and where a step finds its files, not what the step runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from argosy.dsl import codec, layout
from argosy.dsl.scopes import kebab
from argosy.dsl.shapes import File, Json, Leaf, Many, Shape, Signature, Text, leaves
from argosy.dsl.tracing import LeafTemplate, Trace
from argosy.dsl.trouble import TraceError, WrongValue

if TYPE_CHECKING:
    from argosy.dsl.steps import Step


HOST = "argosy.dev/host"
FUNCTION = "argosy.dev/function"
ASSUMED = "argosy.dev/assumed"


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


def template_inputs(found: list[Leaf], signature: Signature, sizes: Mapping[str, int]) -> dict[str, Any]:
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


def template_outputs(found: list[Leaf], keep: bool, *, written: bool = False) -> dict[str, Any]:
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
