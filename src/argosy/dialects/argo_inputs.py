"""What an Argo workflow takes: its arguments as inputs, those of its workflowTemplateRef included.

It knows where arguments stand in a manifest; values are checked elsewhere.
Source: Argo docs: fields.md, Arguments, Parameter, ValueFrom.
"""

from __future__ import annotations

import msgspec

from argosy.model.inputs import Choice, Input, Signature
from argosy.model.manifest import Arguments, Artifact, Parameter, Workflow, WorkflowSpec

_ARGUMENTS = ("spec", "arguments")


def signature_of(workflow: Workflow, referenced: WorkflowSpec | None = None) -> Signature:
    """What the workflow takes. referenced: the spec that its workflowTemplateRef means; its own arguments win."""
    own = workflow.spec.arguments or Arguments()
    theirs = referenced.arguments if referenced is not None else None
    inputs = {one.name: one for one in _of_template(theirs or Arguments(), workflow)}
    for one in _of_arguments(own, _ARGUMENTS):
        inputs[one.name] = _over(one, inputs.get(one.name))
    return Signature(inputs=tuple(inputs.values()))


def _of_template(arguments: Arguments, workflow: Workflow) -> list[Input]:
    reference = workflow.spec.workflow_template_ref
    kind = "ClusterWorkflowTemplate" if reference is not None and reference.cluster_scope else "WorkflowTemplate"
    place = f"the {kind} {reference.name}" if reference is not None else ""
    return [_placed(one, place) for one in _of_arguments(arguments, ())]


def _placed(given: Input, place: str) -> Input:
    return msgspec.structs.replace(given, place=place)


def _of_arguments(arguments: Arguments, path: tuple[str | int, ...]) -> list[Input]:
    found = [
        _of_parameter(one, (*path, "parameters", place) if path else ())
        for place, one in enumerate(arguments.parameters)
    ]
    return found + [
        _of_artifact(one, (*path, "artifacts", place) if path else ()) for place, one in enumerate(arguments.artifacts)
    ]


def _of_parameter(parameter: Parameter, path: tuple[str | int, ...]) -> Input:
    default = parameter.value if parameter.value is not None else parameter.default
    source = parameter.value_from
    if default is None and source is not None:
        default = source.default
    return Input(
        name=parameter.name,
        type="text" if default is not None and "\n" in default else "string",
        default=default,
        choices=tuple(Choice(value=one) for one in parameter.enum or ()),
        hint=parameter.description,
        # A `default` of a workflow's own argument is only what a form offers: Argo still wants a value.
        required=parameter.value is None and source is None,
        path=path,
        comes_from=_words_on_source(parameter),
    )


def _words_on_source(parameter: Parameter) -> str:
    source = parameter.value_from
    if source is None or parameter.value is not None:
        return ""
    if source.config_map_key_ref is not None:
        return f"the key {source.config_map_key_ref.key} of the ConfigMap {source.config_map_key_ref.name}"
    if source.supplied is not None:
        return "whoever resumes the run"
    return f"the expression {source.expression}" if source.expression else ""


def _of_artifact(artifact: Artifact, path: tuple[str | int, ...]) -> Input:
    return Input(name=artifact.name, type="artifact", path=path, comes_from="the file, which names its location")


def _over(own: Input, theirs: Input | None) -> Input:
    """An argument of the workflow over the template's of the same name: what it leaves out stays."""
    if theirs is None:
        return own
    given = own.default is not None or own.comes_from
    return msgspec.structs.replace(
        own,
        default=own.default if given else theirs.default,
        required=own.required and theirs.required,
        choices=own.choices or theirs.choices,
        hint=own.hint or theirs.hint,
        comes_from=own.comes_from if given else theirs.comes_from,
    )
