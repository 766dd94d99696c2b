"""An Onepanel template as the Workflow that its server makes of it.

It knows both formats; nothing here is about the machine that runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from argosy.dialects.argo_kinds import API_VERSION
from argosy.dialects.onepanel.injection import INPUTS, injected
from argosy.dialects.onepanel.inputs import signature_of, value_of
from argosy.dialects.onepanel.marks import DIALECT, ONEPANEL
from argosy.dialects.onepanel.names import prefix_of
from argosy.dialects.onepanel.schema import NODE_POOL, OnepanelCron, OnepanelParameter, OnepanelSpec
from argosy.dialects.onepanel.sidecars import sidecar_addresses
from argosy.model.manifest import (
    Arguments,
    CronWorkflow,
    CronWorkflowSpec,
    ObjectMeta,
    Parameter,
    Workflow,
    WorkflowMetadata,
    WorkflowSpec,
)

# On a workflow: the parameters that name a node pool.
NODE_POOLS = "argosy.dev/node-pools"
TAG_PREFIX = "tags.onepanel.io/"


def workflow_of(spec: OnepanelSpec, name: str, labels: Mapping[str, str] = {}) -> Workflow:
    """The workflow of a template. name: the template's, in its own words. labels: without Onepanel's prefix."""
    return Workflow(
        api_version=API_VERSION,
        kind="Workflow",
        metadata=ObjectMeta(generate_name=prefix_of(name)),
        spec=spec_of(spec, labels),
    )


def cron_of(cron: OnepanelCron, name: str) -> CronWorkflow:
    """The cron workflow. name: what it is called, in its own words."""
    fields: dict[str, Any] = {one: getattr(cron, one) for one in CronWorkflowSpec.__struct_fields__}
    fields["workflow_spec"] = spec_of(cron.workflow_spec)
    given = cron.workflow_spec.arguments
    # Places in a file mean nothing once it is kept.
    inputs = [replace(one, path=()) for one in signature_of(given.parameters).inputs] if given is not None else []
    return CronWorkflow(
        api_version=API_VERSION,
        kind="CronWorkflow",
        metadata=ObjectMeta(
            name=prefix_of(name).rstrip("-"),
            annotations={INPUTS: msgspec.json.encode(inputs).decode()} if inputs else {},
        ),
        spec=CronWorkflowSpec(**fields),
    )


def spec_of(spec: OnepanelSpec, labels: Mapping[str, str] = {}) -> WorkflowSpec:
    """The spec with plain parameters and all that the server puts in."""
    fields: dict[str, Any] = {one: getattr(spec, one) for one in WorkflowSpec.__struct_fields__}
    given = spec.arguments
    parameters = plain(given.parameters) if given is not None else ()
    known = {one.name for one in parameters}
    addresses = sidecar_addresses(spec)
    parameters += tuple(Parameter(name=name, value=url) for name, url in addresses.items() if name not in known)
    if given is not None or parameters:
        fields["arguments"] = Arguments(parameters=parameters, artifacts=given.artifacts if given is not None else ())
    more = spec.workflow_metadata or WorkflowMetadata()
    annotations = {**more.annotations, DIALECT: ONEPANEL}
    pools = [one.name for one in (given.parameters if given is not None else ()) if one.type == NODE_POOL]
    if pools:
        annotations[NODE_POOLS] = ",".join(pools)
    tags = {TAG_PREFIX + key: value for key, value in labels.items()}
    fields["workflow_metadata"] = msgspec.structs.replace(more, annotations=annotations, labels={**more.labels, **tags})
    return injected(WorkflowSpec(**fields))


def plain(parameters: Iterable[OnepanelParameter]) -> tuple[Parameter, ...]:
    """Parameters with nothing but their names and values."""
    return tuple(Parameter(name=one.name, value=value_of(one)) for one in parameters)
