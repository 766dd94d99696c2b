"""From a document of a file to a run that can be driven: values put in, checked, its runtime chosen.

It knows the order of these things; each is done elsewhere. Nothing is written here.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from argosy.catalog.uses import Use
from argosy.checks.catalog import BEFORE_RUN, Catalog
from argosy.checks.finding import Finding
from argosy.dialects.argo_inputs import signature_of
from argosy.errors import ExpressionError, InvalidFile
from argosy.experiments.provenance import Python, Snapshot, Stored
from argosy.model.inputs import Input, Signature
from argosy.model.manifest import ObjectMeta, Workflow, WorkflowSpec, WorkflowTemplate, WorkflowTemplateRef
from argosy.model.sweeps import Sweep
from argosy.plan.plan import Carried
from argosy.plan.templates import with_workflow_template
from argosy.plan.workflow_names import RunIdentity, WorkflowNames
from argosy.project import arguments, naming
from argosy.project.configuration import Configuration
from argosy.project.hosting import ENGINES, CodeWanted, leaves_of
from argosy.project.hosting import chosen_runtime as runtime_for
from argosy.project.needs import (
    Surroundings,
    check_resources,
    containers_of,
    images_of,
    surroundings_of,
    without_command,
)
from argosy.project.reuse import check_names

DEFAULT_NAMESPACE = "default"
# As `catalog.publication` has it, which most runs need not import.
TAG_OF = "argosy.dev/tag-of"
# As `dialects.gradient.lower` has it, which most runs need not import.
FORMAT = "argosy.dev/format"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for besides the file."""

    parameters: Mapping[str, str] = {}
    # What the run takes, as its format says; what an Argo workflow's arguments say when None.
    signature: Signature | None = None
    entrypoint: str = ""
    name: str = ""
    runtime: str = ""
    jobs: int | None = None
    gpus: str = ""
    labels: Mapping[str, str] = {}
    # Names that are to point to all its outputs once it has succeeded.
    tags: tuple[str, ...] = ()
    ignore_resources: bool = False
    strict: bool = True
    code: CodeWanted = CodeWanted()
    # Whether outcomes of earlier runs are used again, None for what the project says; steps that are run anyway.
    cache: bool | None = None
    refresh: tuple[str, ...] = ()
    # That the run is a sweep, and over what.
    sweep: Sweep | None = None


class RunOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the record keeps of a run besides its manifest: how it is driven, and what a replay must know.

    reason: why this runtime. carried: outcomes taken over from an earlier generation or run, by node name, and
    origin says which. changed: the parameters that a retry changed. inputs: what the run takes, as its file said.
    """

    runtime: str = "process"
    reason: str = ""
    jobs: int | None = None
    gpus: str = ""
    ignore_resources: bool = False
    surroundings: Surroundings = Surroundings()
    carried: dict[str, Carried] = {}
    origin: str = ""
    changed: dict[str, str] = {}
    # Whether outcomes of earlier runs are used again; steps that are run anyway, by name, "*" for all.
    cache: bool = False
    refresh: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    sweep: Sweep | None = None
    # The code that the run keeps, the interpreter of its host templates, and what that interpreter had.
    code: Snapshot | None = None
    python: Python | None = None
    environment: Stored | None = None
    # The data that it takes by name, as it was looked up when the run was made.
    data: tuple[Use, ...] = ()
    # Under which name its latest run is found.
    workflow_name: str = ""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A run that can be put into the record. findings: warnings and notes, nothing that stops it.

    code: what is wanted of code; it is settled when the run is put into the record.
    """

    workflow: Workflow
    identity: RunIdentity
    options: RunOptions
    findings: tuple[Finding, ...]
    code: CodeWanted = CodeWanted()


class Refused(InvalidFile):
    """The workflow cannot be run as it is; `findings` say why, at paths of its document."""

    id = "workflow-invalid"

    def __init__(self, message: str, findings: tuple[Finding, ...], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.findings = findings


def prepare(workflow: Workflow, wanted: Wanted, catalog: Catalog, configuration: Configuration) -> Prepared:
    """Everything before the run is made. Raises Refused, UsageError, EnvironmentTrouble."""
    from argosy.catalog.publication import with_tags
    from argosy.dialects.onepanel.marks import is_onepanel

    takes = wanted.signature or takes_of(workflow, catalog)
    workflow = filled_in(workflow, wanted, catalog)
    findings = checked(workflow, catalog)
    identity = identity_of(workflow, wanted.name)
    merged = with_machines(merged_with_template(workflow, catalog), configuration)
    surroundings = surroundings_of(merged, catalog)
    merged = with_tags(_described(merged, identity, wanted.labels, surroundings), wanted.tags)
    check_names(wanted.refresh, merged, surroundings)
    gpus = wanted.gpus or configuration.gpus
    if not wanted.ignore_resources:
        check_resources(merged, surroundings, gpus)
    asked = wanted.runtime or configuration.runtime
    containers = containers_of(merged)
    leaves, images = leaves_of(merged, surroundings), images_of(containers, surroundings)
    if merged.spec.image_pull_secrets:
        from argosy.project.image_logins import asked_of, logins_for_now, missing

        with logins_for_now(merged, asked, asked_of(catalog)) as logins:
            runtime, reason = runtime_for(asked, leaves, images, configuration, logins)
        findings = (*findings, *(missing(merged, catalog.secret) if runtime in ENGINES else ()))
    else:
        runtime, reason = runtime_for(asked, leaves, images, configuration)
    if is_gradient(merged):
        from argosy.project.gradient_runs import check_runtime, with_commands
        from argosy.runners.local.runtimes.host import Images

        check_runtime(merged, runtime, reason)
        known = None if runtime in ENGINES else Images(runtime_options(configuration).images)
        merged, more = with_commands(merged, known)
        findings = (*findings, *more)
    elif runtime not in ENGINES:
        from argosy.runners.local.runtimes.host import Images

        findings = (*findings, *without_command(containers, Images(runtime_options(configuration).images).trouble))
    if is_onepanel(merged):
        from argosy.project.onepanel import for_runtime, taken_ports

        merged = for_runtime(merged, runtime)
        findings = (*findings, *taken_ports(merged.spec))
    options = RunOptions(
        runtime=runtime,
        reason=reason,
        jobs=wanted.jobs or configuration.jobs,
        gpus=gpus,
        ignore_resources=wanted.ignore_resources,
        surroundings=surroundings,
        cache=bool(wanted.refresh) or (configuration.cache if wanted.cache is None else wanted.cache),
        refresh=wanted.refresh,
        inputs=takes.inputs,
        sweep=wanted.sweep,
    )
    return Prepared(workflow=merged, identity=identity, options=options, findings=findings, code=wanted.code)


def with_machines(workflow: Workflow, configuration: Configuration) -> Workflow:
    """The workflow with what its node pools have, and Onepanel's namespace in its values. Raises UsageError."""
    from argosy.dialects.onepanel.marks import is_onepanel

    if not is_onepanel(workflow) and not configuration.node_pools:
        return workflow
    from argosy.project.onepanel import with_namespace, with_pools

    return with_namespace(with_pools(workflow, configuration.node_pools))


def is_gradient(workflow: Workflow) -> bool:
    """Whether a workflow was written as a Gradient spec."""
    return workflow.metadata.annotations.get(FORMAT) == "gradient"


def filled_in(workflow: Workflow, wanted: Wanted, catalog: Catalog) -> Workflow:
    """The workflow with the parameters and the entrypoint that were asked for. Raises UsageError."""
    referenced = referenced_by(workflow, catalog)
    takes = wanted.signature or signature_of(workflow, referenced)
    workflow = arguments.with_parameters(workflow, wanted.parameters, referenced, takes)
    arguments.check_required(takes, workflow, referenced)
    return arguments.with_entrypoint(workflow, wanted.entrypoint, referenced)


def takes_of(workflow: Workflow, catalog: Catalog) -> Signature:
    """What an Argo workflow takes: its arguments, and those of the template that it refers to."""
    return signature_of(workflow, referenced_by(workflow, catalog))


def _repository(workflow: Workflow, catalog: Catalog) -> tuple[Finding, ...]:
    """A note when the workflow names an artifact repository that only a cluster knows."""
    from argosy.artifacts.repositories import DEFAULT_CONFIG_MAP
    from argosy.checks.finding import Finding

    reference = workflow.spec.artifact_repository_ref
    if reference is None or catalog.config_map(reference.config_map or DEFAULT_CONFIG_MAP) is not None:
        return ()
    name = reference.config_map or DEFAULT_CONFIG_MAP
    message = f"the ConfigMap {name} of artifactRepositoryRef is not in the catalog: artifacts stay on this machine"
    return (
        Finding(
            rule="repository-here",
            severity="note",
            path=("spec", "artifactRepositoryRef"),
            message=message,
            hint="argosy apply -f FILE puts it there",
        ),
    )


def checked(workflow: Workflow, catalog: Catalog) -> tuple[Finding, ...]:
    """The findings that do not stop the workflow. Raises Refused with all of them if one does."""
    from argosy.checks.check import check
    from argosy.checks.fidelity import report

    findings = (*check(workflow, catalog, options=BEFORE_RUN), *report(workflow), *_repository(workflow, catalog))
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        raise Refused(errors[0].message, findings)
    return findings


def referenced_by(workflow: Workflow, catalog: Catalog) -> WorkflowSpec | None:
    """The spec that the workflow's workflowTemplateRef means, as far as it is there."""
    stored = _stored(workflow, catalog)
    return stored.spec if stored is not None else None


def _stored(workflow: Workflow, catalog: Catalog) -> WorkflowTemplate | None:
    reference = workflow.spec.workflow_template_ref
    if reference is None or not reference.name:
        return None
    return catalog.workflow_template(reference.name, reference.cluster_scope)


def merged_with_template(workflow: Workflow, catalog: Catalog) -> Workflow:
    """The workflow with what its workflowTemplateRef means put in; the reference itself stays to be seen."""
    stored = _stored(workflow, catalog)
    if stored is None:
        return workflow
    reference: WorkflowTemplateRef | None = workflow.spec.workflow_template_ref
    merged = with_workflow_template(workflow, stored)
    return msgspec.structs.replace(merged, spec=msgspec.structs.replace(merged.spec, workflow_template_ref=reference))


def identity_of(workflow: Workflow, name: str) -> RunIdentity:
    """Who the run is: named as asked, as the file says, or with a name made up. Raises UsageError."""
    metadata = workflow.metadata
    if name:
        given = naming.checked(name)
    elif metadata.name:
        given = naming.checked(metadata.name)
    else:
        given = naming.generated(metadata.generate_name) if metadata.generate_name else _words_for(metadata)
    return RunIdentity(
        name=given,
        uid=str(uuid.uuid4()),
        namespace=metadata.namespace or DEFAULT_NAMESPACE,
        created_at=time.time(),
    )


def _words_for(metadata: ObjectMeta) -> str:
    """A made-up name; of a workflow that is one of dstack's, as dstack made them up."""
    return naming.counted_words() if TAG_OF in metadata.annotations else naming.two_words()


def _described(
    workflow: Workflow, identity: RunIdentity, labels: Mapping[str, str], surroundings: Surroundings
) -> Workflow:
    """The workflow with its name, and the labels and annotations that it is given besides its own."""
    from argosy.model.status import timestamp

    metadata = workflow.metadata
    more = workflow.spec.workflow_metadata
    all_labels: dict[str, str] = dict(metadata.labels) | (dict(more.labels) if more else {}) | dict(labels)
    named = msgspec.structs.replace(
        metadata,
        name=identity.name,
        uid=identity.uid,
        namespace=identity.namespace,
        creation_timestamp=timestamp(identity.created_at),
        labels=all_labels,
        annotations=metadata.annotations | (more.annotations if more else {}),
    )
    described = msgspec.structs.replace(workflow, metadata=named, api_version="argoproj.io/v1alpha1")
    if more is None or not more.labels_from:
        return described
    made = _labels_from(described, identity, surroundings)
    return msgspec.structs.replace(described, metadata=msgspec.structs.replace(named, labels=all_labels | made))


def _labels_from(workflow: Workflow, identity: RunIdentity, surroundings: Surroundings) -> dict[str, str]:
    """The labels that are expressions (Argo docs: fields.md, LabelValueFrom). Raises InvalidFile."""
    from argosy.expressions.expr import evaluate

    more = workflow.spec.workflow_metadata
    assert more is not None
    made: dict[str, str] = {}
    for label, source in more.labels_from.items():
        try:
            names = WorkflowNames(
                workflow,
                identity,
                lambda reference: surroundings.config_maps.get(reference.name, {}).get(reference.key),
            )
            value = evaluate(source.expression, names)
        except ExpressionError as error:
            raise InvalidFile(f"The label {label} cannot be made: {error.message}", hint=error.hint) from error
        if not isinstance(value, str):
            raise InvalidFile(f"The label {label} is not a text but {value!r}", hint="wrap it in string(...)")
        made[label] = value
    return made


def chosen_runtime(
    name: str, images: list[str], configuration: Configuration, logins: Mapping[str, Path] | None = None
) -> tuple[str, str]:
    """The runtime's name, and why it was taken. Raises UsageError, EnvironmentTrouble."""
    from argosy.runners.local.runtimes.choose import choose

    runtime, reason = choose(name, images, runtime_options(configuration, logins=logins))
    return runtime.name, reason


def runtime_options(
    configuration: Configuration, python: Python | None = None, logins: Mapping[str, Path] | None = None
) -> Any:
    """The project's word on runtimes. python: the interpreter of host templates. logins: as `Options` has them."""
    from argosy.model.host_templates import HOST
    from argosy.runners.local.runtimes.choose import Options
    from argosy.runners.local.runtimes.runtime import ANY, ImageMeaning

    images = {
        name: ImageMeaning(
            entrypoint=image.entrypoint,
            cmd=image.cmd,
            path=image.path,
            working_dir=image.working_dir,
            environment=image.environment,
            files=image.files,
        )
        for name, image in configuration.images.items()
    }
    if python is not None:
        inside = {"VIRTUAL_ENV": python.virtual_env} if python.virtual_env else {}
        # Of the other images that mean nothing here too: their `python` is the project's.
        files = {python.package: python.package} if python.package else {}
        images[HOST] = images[ANY] = ImageMeaning(path=(python.folder,), environment=inside, files=files)
    return Options(images=images, pass_environment=configuration.environment, logins=logins or {})
