"""The names under `workflow.`: who the run is, what it was given, how it stands.

It knows the run, not its nodes. Source: Argo docs: variables.md, global variables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Parameter, Workflow
from argosy.plan.inputs import ConfigMapReader

# The letters that Argo offers as workflow.creationTimestamp.<letter>, in strftime's meaning.
_TIME_LETTERS = "aAbBcCdDeFfgGhHIjklmMnNpPQrRsStTuUVvwWxXyYzZ+"
_PYTHON_LETTERS = frozenset("aAbBcdfHIjmMpSUwWxXyYzZ")


class RunIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a run is. created_at: seconds since the epoch. host: the machine that its steps run on."""

    name: str
    uid: str
    namespace: str = "default"
    created_at: float = 0.0
    host: str = "localhost"


class WorkflowNames(Mapping[str, object]):
    """The names under `workflow.`; a few of them change while the run goes on."""

    def __init__(self, workflow: Workflow, run: RunIdentity, read_config_map: ConfigMapReader) -> None:
        """Raises ExpressionError when a parameter of the workflow has no value."""
        self._names: dict[str, object] = {}
        self.now = run.created_at
        self._started_at = run.created_at
        self._identity(workflow, run)
        self._metadata(workflow)
        self._parameters(workflow, read_config_map)

    def _identity(self, workflow: Workflow, run: RunIdentity) -> None:
        spec = workflow.spec
        created = datetime.fromtimestamp(int(run.created_at), UTC)
        stamp = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._names |= {
            "workflow.name": run.name,
            "workflow.namespace": run.namespace,
            "workflow.uid": run.uid,
            "workflow.mainEntrypoint": spec.entrypoint,
            "workflow.serviceAccountName": spec.service_account_name,
            "workflow.creationTimestamp": stamp,
            "workflow.creationTimestamp.RFC3339": stamp,
            "workflow.creationTimestamp.s": str(int(run.created_at)),
            "workflow.status": "Running",
        }
        for letter in _TIME_LETTERS:
            if letter in _PYTHON_LETTERS:
                self._names[f"workflow.creationTimestamp.{letter}"] = created.strftime(f"%{letter}")
        if spec.priority is not None:
            self._names["workflow.priority"] = str(spec.priority)
        scheduled = workflow.metadata.annotations.get("workflows.argoproj.io/scheduled-time")
        if scheduled is not None:
            self._names["workflow.scheduledTime"] = scheduled

    def _metadata(self, workflow: Workflow) -> None:
        more = workflow.spec.workflow_metadata
        for kind, own, added in (
            ("labels", workflow.metadata.labels, more.labels if more else {}),
            ("annotations", workflow.metadata.annotations, more.annotations if more else {}),
        ):
            text = _json(own)
            self._names[f"workflow.{kind}"] = text
            self._names[f"workflow.{kind}.json"] = text
            for key, value in (own | added).items():
                self._names[f"workflow.{kind}.{key}"] = value

    def _parameters(self, workflow: Workflow, read_config_map: ConfigMapReader) -> None:
        parameters = workflow.spec.arguments.parameters if workflow.spec.arguments else ()
        if parameters:
            text = msgspec.json.encode(parameters).decode()
            self._names["workflow.parameters"] = text
            self._names["workflow.parameters.json"] = text
        for parameter in parameters:
            self._names[f"workflow.parameters.{parameter.name}"] = value_of(parameter, read_config_map)

    def set(self, name: str, value: object) -> None:
        """Give `workflow.<name>` a value: a global output, the status, the failures."""
        self._names[f"workflow.{name}"] = value

    def __getitem__(self, name: str) -> object:
        if name == "workflow.duration":
            return f"{max(0.0, self.now - self._started_at):.6f}"
        return self._names[name]

    def __contains__(self, name: object) -> bool:
        return name == "workflow.duration" or name in self._names

    def __iter__(self) -> Iterator[str]:
        yield from self._names
        yield "workflow.duration"

    def __len__(self) -> int:
        return len(self._names) + 1


def value_of(parameter: Parameter, read_config_map: ConfigMapReader) -> str:
    """The value of a parameter of the workflow. Raises ExpressionError when it has none."""
    if parameter.value is not None:
        return parameter.value
    if parameter.default is not None:
        return parameter.default
    source = parameter.value_from
    if source is not None and source.config_map_key_ref is not None:
        found = read_config_map(source.config_map_key_ref)
        if found is None:
            found = source.default
        if found is not None:
            return found
        reference = source.config_map_key_ref
        raise ExpressionError(
            f"workflow parameter {parameter.name}: ConfigMap '{reference.name}' has no key '{reference.key}'",
            hint="create it with 'argosy apply -f', or give the parameter a default",
        )
    raise ExpressionError(
        f"workflow parameter {parameter.name} has no value", hint=f"give it with '-p {parameter.name}=VALUE'"
    )


def _json(pairs: dict[str, str]) -> str:
    return json.dumps(pairs, separators=(",", ":"), sort_keys=True)
