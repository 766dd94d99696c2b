"""What Onepanel's server did with a run, done here: node pools, volumes in memory, names of runs, kept templates.

It knows the project's part in these; what is put into a workflow on every machine is the dialect's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec
from msgspec.structs import replace

from argosy.checks.finding import Finding
from argosy.dialects.onepanel.injection import INPUTS, with_places, without_places
from argosy.dialects.onepanel.inputs import DEFAULT_POOL, namespace_in
from argosy.dialects.onepanel.lower import NODE_POOLS
from argosy.dialects.onepanel.marks import DIALECT, ONEPANEL, is_onepanel
from argosy.dialects.onepanel.schema import NODE_POOL
from argosy.dialects.onepanel.sidecars import port_is_not_its_own, shown_sidecars
from argosy.errors import UsageError
from argosy.model.inputs import Choice, Input, Signature
from argosy.model.manifest import ContainerFields, Metadata, Parameter, Resources, Template, Workflow, WorkflowSpec
from argosy.project import naming
from argosy.record.queries import TEMPLATE_UID

if TYPE_CHECKING:
    from argosy.project.configuration import NodePool

GPU = "nvidia.com/gpu"
# On a template of a run: what its node pool has, so that another pool can take its place.
POOL = "argosy.dev/node-pool"
C = TypeVar("C", bound=ContainerFields)
_PARAMETER = re.compile(r"\{\{\s*workflow\.parameters\.([\w-]+)\s*\}\}")


def for_runtime(workflow: Workflow, runtime: str) -> Workflow:
    """The workflow with the volumes that its steps can have. A plain process sees the folders of the machine."""
    if not is_onepanel(workflow):
        return workflow
    change = without_places if runtime in ("process", "function") else with_places
    return replace(workflow, spec=change(workflow.spec))


def taken_ports(spec: WorkflowSpec) -> tuple[Finding, ...]:
    """A warning for each sidecar that people look at whose port something on this machine has now."""
    return tuple(
        port_is_not_its_own(
            place,
            index,
            f"something answers at port {port} of this machine: the sidecar {name} cannot have it as well",
            "wait until it is free, or give the sidecar another one, in its command and its `ports`",
        )
        for place, index, name, port in shown_sidecars(spec)
        if _answers(port)
    )


def _answers(port: int) -> bool:
    import socket

    with socket.socket() as one:
        one.settimeout(0.2)
        return one.connect_ex(("127.0.0.1", port)) == 0


def named_by_parameter(workflow: Workflow, takes: Signature, given: Mapping[str, str]) -> Workflow:
    """The workflow with the name that its parameter for that says. Raises UsageError when none can have that name."""
    from argosy.project.sources import RUN_NAME

    one = takes.find(RUN_NAME)
    name = given.get(RUN_NAME, one.default or "") if one is not None else ""
    if not name:
        return workflow
    return replace(workflow, metadata=replace(workflow.metadata, name=naming.checked(name)))


def with_namespace(workflow: Workflow) -> Workflow:
    """The workflow with the namespace put into values that a person gave; into those of the file it was put before."""
    arguments = workflow.spec.arguments
    if arguments is None or not is_onepanel(workflow):
        return workflow
    parameters = tuple(
        replace(one, value=namespace_in(one.value)) if one.value is not None else one for one in arguments.parameters
    )
    return replace(workflow, spec=replace(workflow.spec, arguments=replace(arguments, parameters=parameters)))


# -- node pools


def pool_parameters(spec: WorkflowSpec) -> tuple[str, ...]:
    """The parameters that name a node pool."""
    more = spec.workflow_metadata
    names = more.annotations.get(NODE_POOLS, "") if more is not None else ""
    return tuple(name for name in names.split(",") if name)


def with_pool_choices(takes: Signature, spec: WorkflowSpec, pools: Mapping[str, NodePool]) -> Signature:
    """What a run takes, with the pools of the project to choose from."""
    names = pool_parameters(spec)
    if not names or not pools:
        return takes
    first = next(iter(pools))
    choices = (
        Choice(value=DEFAULT_POOL, label=first),
        *(Choice(value=name, label=pool.label) for name, pool in pools.items()),
    )

    def chosen(one: Input) -> Input:
        return replace(one, choices=choices, open_choices=False) if one.name in names else one

    return replace(takes, inputs=tuple(chosen(one) for one in takes.inputs))


def with_pools(workflow: Workflow, pools: Mapping[str, NodePool]) -> Workflow:
    """The workflow with what its node pools have asked for by its steps, and the first pool for `default`.

    Raises UsageError for a pool that there is not. Without any pools in argosy.toml nothing is asked for.
    """
    if not pools:
        return workflow
    arguments = workflow.spec.arguments
    names = pool_parameters(workflow.spec)
    if arguments is not None and names:
        parameters = tuple(_named_pool(one, pools) if one.name in names else one for one in arguments.parameters)
        arguments = replace(arguments, parameters=parameters)
    values = {one.name: one.value or "" for one in arguments.parameters} if arguments is not None else {}
    templates = tuple(_in_pool(one, values, pools) for one in workflow.spec.templates)
    return replace(workflow, spec=replace(workflow.spec, arguments=arguments, templates=templates))


def _named_pool(parameter: Parameter, pools: Mapping[str, NodePool]) -> Parameter:
    value = parameter.value or DEFAULT_POOL
    if value == DEFAULT_POOL:
        return replace(parameter, value=next(iter(pools)))
    if value not in pools:
        legal = ", ".join((DEFAULT_POOL, *pools))
        raise UsageError(
            f"{NODE_POOL} has an invalid value. Valid values are: {legal}",
            hint=f"{parameter.name} is {value!r}; [node-pools.{value}] in argosy.toml would make it one",
        )
    return parameter


def _in_pool(template: Template, values: Mapping[str, str], pools: Mapping[str, NodePool]) -> Template:
    given: object = template.node_selector
    if not isinstance(given, dict):
        return template
    selector = cast("dict[str, object]", given)
    found = [_PARAMETER.sub(lambda tag: values.get(tag[1], tag[0]), str(text)) for text in selector.values()]
    pool = next((pools[name] for name in found if name in pools), None)
    if pool is None:
        return template
    metadata = template.metadata or Metadata()
    before = _resources_in(metadata.annotations.get(POOL, ""))
    wanted = Resources(
        requests={name: text for name, text in (("cpu", pool.cpu), ("memory", pool.memory)) if text},
        limits={GPU: str(pool.gpus)} if pool.gpus else {},
    )
    annotations = {**metadata.annotations, POOL: msgspec.json.encode(wanted).decode()}
    template = replace(template, metadata=replace(metadata, annotations=annotations))
    if template.container is not None:
        template = replace(template, container=_asking(template.container, wanted, before))
    if template.script is not None:
        template = replace(template, script=_asking(template.script, wanted, before))
    return template


def _resources_in(text: str) -> Resources:
    """What a pool was found to have when the run was made that is run again."""
    try:
        return msgspec.json.decode(text, type=Resources) if text else Resources()
    except msgspec.MsgspecError:
        return Resources()


def _asking(container: C, wanted: Resources, before: Resources) -> C:
    """The container asking for what its pool has instead of what another had; what it asks for itself stays."""
    own = container.resources or Resources()
    requests = {name: text for name, text in own.requests.items() if before.requests.get(name) != text}
    limits = {name: text for name, text in own.limits.items() if before.limits.get(name) != text}
    resources = replace(own, requests={**wanted.requests, **requests}, limits={**wanted.limits, **limits})
    return replace(container, resources=resources)


# -- templates that are kept

UID_LABEL, VERSION_LABEL = TEMPLATE_UID, "onepanel.io/workflow-template-version"

# On a template of the catalog: the file that it came of.
SOURCE = "argosy.dev/source"


def kept_inputs(annotations: Mapping[str, str]) -> Signature | None:
    """What a template of the catalog takes, where its format said more than Argo's can; None otherwise."""
    text = annotations.get(INPUTS)
    if text is None:
        return None
    try:
        return Signature(inputs=msgspec.json.decode(text, type=tuple[Input, ...]))
    except msgspec.MsgspecError:
        # Written by hand, or by another version: the arguments say what it takes.
        return None


def labels_of(manifest: bytes, uid: str, version: str) -> dict[str, str]:
    """The labels of a run of a template of the catalog; none when it was not written for Onepanel."""
    if f'"{DIALECT}":"{ONEPANEL}"'.encode() not in manifest:
        return {}
    return {UID_LABEL: uid, VERSION_LABEL: version}
