"""The outputs of a template that only calls others: found among the outputs of its calls.

It knows declarations and a scope, not bodies. Source: Argo docs: conditional-artifacts-parameters.md, variables.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from argosy.errors import ExpressionError
from argosy.expressions.formatting import json_text
from argosy.model.manifest import Artifact, Outputs, Parameter, Template
from argosy.plan.calls import follow
from argosy.plan.substitution import substitute_text

Names = Mapping[str, object]


def of_body(template: Template, scope: Names) -> Outputs | None:
    """The outputs that `template` declares, as its calls gave them. Raises ExpressionError."""
    declared = template.outputs
    if declared is None:
        return None
    parameters = tuple(_parameter(one, scope) for one in declared.parameters)
    artifacts = [found for one in declared.artifacts if (found := _artifact(one, scope)) is not None]
    return Outputs(parameters=parameters, artifacts=tuple(artifacts))


def _parameter(declared: Parameter, scope: Names) -> Parameter:
    source = declared.value_from
    if source is None:
        if declared.value is None:
            raise ExpressionError(f'output parameter "{declared.name}" has no valueFrom')
        return msgspec.structs.replace(declared, value=substitute_text(declared.value, scope))
    try:
        value = _expression(source.expression, scope) if source.expression else _referenced(source.parameter, scope)
    except ExpressionError:
        if source.default is None:
            raise
        value = source.default
    if value is None:
        value = source.default
    if value is None:
        reference = source.expression or source.parameter
        raise ExpressionError(
            f'output parameter "{declared.name}": "{reference}" is an absent optional (its producer did not run)',
            hint="give it a valueFrom.default",
        )
    return Parameter(
        name=declared.name, value=value, global_name=declared.global_name, description=declared.description
    )


def _referenced(reference: str, scope: Names) -> str | None:
    name = reference.strip()
    if not (name.startswith("{{") and name.endswith("}}")):
        return substitute_text(reference, scope)
    name = name[2:-2].strip()
    if name.startswith("=") or "{{" in name:
        return substitute_text(reference, scope)
    try:
        return cast("str | None", scope[name])
    except KeyError:
        raise ExpressionError(f"failed to resolve {{{{{name}}}}}") from None


def _expression(expression: str, scope: Names) -> str | None:
    from argosy.expressions import expr

    value = expr.evaluate(expression, scope)
    if value is None or isinstance(value, str):
        return value
    return json_text(value)


def _artifact(declared: Artifact, scope: Names) -> Artifact | None:
    try:
        found = follow(declared, scope)
    except ExpressionError:
        if declared.optional:
            return None
        raise
    if found is None:
        return None
    return msgspec.structs.replace(found, global_name=declared.global_name, path="")
