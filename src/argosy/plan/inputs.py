"""The inputs of a template, from its declarations and the arguments of a call.

It knows declarations and arguments; ConfigMaps come in as a function. Source: Argo docs: variables.md; ProcessArgs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Arguments, Artifact, Inputs, KeySelector, Parameter, Template
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute

# The value of a ConfigMap's key, or None when there is none.
ConfigMapReader = Callable[[KeySelector], str | None]

# Stands for an argument that only refers to an output which a skipped node never gave.
ABSENT = "\x00argosy: absent optional output\x00"

# Besides those that say with a key where in a bucket.
_LOCATIONS = ("azure", "hdfs", "http", "git", "artifactory", "plugin", "raw", "digest", "named")


def resolve(
    template: Template, arguments: Arguments | None, scope: Mapping[str, object], read_config_map: ConfigMapReader
) -> Inputs:
    """The inputs with a value for each parameter and a place for each artifact that is not optional.

    scope: what tags in the declarations may use. Raises ExpressionError for an input that was not supplied.
    """
    declared = template.inputs or Inputs()
    given = arguments or Arguments()
    parameters = {parameter.name: parameter for parameter in given.parameters}
    artifacts = {artifact.name: artifact for artifact in given.artifacts}
    siblings = _Siblings(declared.parameters, parameters, scope, read_config_map)
    values = tuple(siblings.resolved(one.name) for one in declared.parameters)
    # An artifact that the template itself places may be placed by its parameters.
    inner = Scope({f"inputs.parameters.{one.name}": one.value for one in values}, scope) if values else scope
    return Inputs(
        parameters=values,
        artifacts=tuple(_artifact(one, artifacts.get(one.name), inner) for one in declared.artifacts),
    )


class _Siblings(Mapping[str, object]):
    """The parameters of one template: the value that one declares may refer to the others."""

    def __init__(
        self,
        declared: Sequence[Parameter],
        given: Mapping[str, Parameter],
        scope: Mapping[str, object],
        read_config_map: ConfigMapReader,
    ) -> None:
        self._declared = {one.name: one for one in declared}
        self._given = given
        self._scope = Scope(self, scope)
        self._read_config_map = read_config_map
        self._found: dict[str, Parameter] = {}
        self._open: set[str] = set()

    def resolved(self, name: str) -> Parameter:
        """The parameter with its value. Raises ExpressionError, and KeyError while it is being resolved."""
        if name not in self._found:
            if name in self._open:
                raise KeyError(name)
            self._open.add(name)
            declared = self._declared[name]
            self._found[name] = _parameter(declared, self._given.get(name), self._scope, self._read_config_map)
        return self._found[name]

    def __getitem__(self, name: str) -> object:
        parameter = name.removeprefix("inputs.parameters.")
        if parameter == name or parameter not in self._declared:
            raise KeyError(name)
        return self.resolved(parameter).value

    def __iter__(self) -> Iterator[str]:
        return (f"inputs.parameters.{name}" for name in self._declared if name not in self._open or name in self._found)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _parameter(
    declared: Parameter, given: Parameter | None, scope: Mapping[str, object], read_config_map: ConfigMapReader
) -> Parameter:
    value, value_from = declared.value, declared.value_from
    if declared.default is not None:
        value = declared.default
    own = True
    absent = given is not None and given.value == ABSENT
    if absent and value is None and value_from is None:
        raise ExpressionError(
            f"inputs.parameters.{declared.name}: it is an absent optional output, of a node that was not run",
            hint="give the input a default, or the producer's output a valueFrom.default",
        )
    if given is not None and not absent:
        own = False
        if given.value is not None:
            value = given.value
        elif given.value_from is not None:
            value, value_from = None, given.value_from
        elif given.default is not None:
            value = given.default
    found = msgspec.structs.replace(declared, value=value, value_from=value_from, default=None)
    if own:
        found = substitute(found, scope)
    if found.value is None and found.value_from is not None and found.value_from.config_map_key_ref is not None:
        found = substitute(found, scope)
        found = msgspec.structs.replace(found, value=_from_config_map(found, read_config_map), value_from=None)
    if found.value is None:
        raise ExpressionError(f"inputs.parameters.{declared.name} was not supplied")
    if found.enum is not None and found.value not in found.enum:
        raise ExpressionError(
            f"inputs.parameters.{declared.name}: '{found.value}' is not one of {', '.join(found.enum)}"
        )
    return found


def _from_config_map(parameter: Parameter, read_config_map: ConfigMapReader) -> str | None:
    source = parameter.value_from
    if source is None or source.config_map_key_ref is None:
        return None
    value = read_config_map(source.config_map_key_ref)
    if value is None:
        value = source.default
    if value is None and not source.config_map_key_ref.optional:
        reference = source.config_map_key_ref
        raise ExpressionError(f"parameter {parameter.name}: ConfigMap '{reference.name}' has no key '{reference.key}'")
    return value


def _artifact(declared: Artifact, given: Artifact | None, scope: Mapping[str, object]) -> Artifact:
    if given is None:
        found = substitute(declared, scope)
        if not located(found) and not found.optional:
            raise ExpressionError(f"inputs.artifacts.{declared.name} was not supplied")
        return _without_empty_key(found)
    if not located(given) and not located(declared) and not declared.optional:
        raise ExpressionError(f"inputs.artifacts.{declared.name} was given no location")
    return msgspec.structs.replace(
        _without_empty_key(given),
        name=declared.name,
        path=substitute(declared, scope).path,
        mode=declared.mode,
        recurse_mode=declared.recurse_mode,
        read_only=declared.read_only,
        optional=declared.optional or given.optional,
        archive=given.archive or declared.archive,
        from_="",
        from_expression="",
    )


def _without_empty_key(artifact: Artifact) -> Artifact:
    """The artifact without a location that is none."""
    if located(artifact) or not (artifact.s3 or artifact.gcs or artifact.oss):
        return artifact
    return msgspec.structs.replace(artifact, s3=None, gcs=None, oss=None)


def located(artifact: Artifact) -> bool:
    """True when the artifact says where its bytes are. In Argo, what has an empty key has no location."""
    with_key = (artifact.s3, artifact.gcs, artifact.oss)
    return any(getattr(artifact, name) for name in _LOCATIONS) or any(one and one.get("key") for one in with_key)


def layer(template: Template, inputs: Inputs) -> dict[str, object]:
    """The names that a template's own body may use: its inputs, and the paths of its inputs and outputs."""
    names: dict[str, object] = {
        f"inputs.parameters.{parameter.name}": parameter.value for parameter in inputs.parameters
    }
    given = [{"name": one.name, "value": one.value} for one in inputs.parameters]
    # As Argo has it: of a template without parameters it is null.
    names["inputs.parameters"] = json.dumps(given or None, separators=(",", ":"))
    for artifact in inputs.artifacts:
        names[f"inputs.artifacts.{artifact.name}"] = artifact
        if artifact.path:
            names[f"inputs.artifacts.{artifact.name}.path"] = artifact.path
    if template.outputs is not None:
        for artifact in template.outputs.artifacts:
            if artifact.path:
                names[f"outputs.artifacts.{artifact.name}.path"] = artifact.path
        for parameter in template.outputs.parameters:
            if parameter.value_from is not None and parameter.value_from.path:
                names[f"outputs.parameters.{parameter.name}.path"] = parameter.value_from.path
    return names
