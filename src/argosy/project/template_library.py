"""Templates made of workflow files, and of one another; what they take is kept with them.

It knows how a template comes into the catalog; versions, labels and archiving are the catalog's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from argosy.dialects.argo_kinds import API_VERSION
from argosy.dialects.onepanel.injection import INPUTS
from argosy.dialects.onepanel.marks import is_onepanel
from argosy.dialects.onepanel.names import TOO_LONG, is_too_long, name_of_file, uid_of
from argosy.errors import InvalidFile, UsageError
from argosy.model.manifest import CronWorkflow, Document, ObjectMeta, Workflow, WorkflowTemplate
from argosy.project import naming
from argosy.project.documents import Applied, apply
from argosy.project.onepanel import SOURCE
from argosy.project.sources import Candidate, takes

if TYPE_CHECKING:
    from argosy.dialects.argo import Loaded, LoadedDocument
    from argosy.project.project import Project

# Source: Kubernetes docs, labels and selectors.
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
KEPT = ("WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")


def create(project: Project, loaded: Loaded, name: str = "") -> Applied:
    """Keep the one workflow of a file as a template, or as a new version of it. name: "" for the file's own.

    Raises InvalidFile when the file holds none, several or something else as well, UsageError for a name that no
    template can have.
    """
    found = [one for one in loaded.documents if isinstance(one.value, Workflow | WorkflowTemplate | CronWorkflow)]
    if len(found) != 1:
        raise InvalidFile(
            f"{loaded.source.file} holds {len(found)} workflows, and a template is made of one",
            hint="argosy apply -f FILE keeps all templates of a file",
        )
    document = found[0]
    value = document.value
    if others := [one.value.kind for one in loaded.documents if one is not document]:
        raise InvalidFile(
            f"{loaded.source.file} holds {', '.join(others)} besides the workflow",
            hint="put them into a file of their own, and argosy apply -f that",
        )
    if isinstance(value, Workflow):
        value = _template(project, value, document, loaded.source.text)
    elif isinstance(value, CronWorkflow) and is_onepanel(_of_cron(value)):
        annotations = {**value.metadata.annotations, SOURCE: loaded.source.text}
        value = replace(value, metadata=replace(value.metadata, annotations=annotations))
    given = name or value.metadata.name or name_of_file(loaded.source.file)
    value = replace(value, metadata=replace(value.metadata, name=uid(given)))
    return apply(project, [value])[0]


def _of_cron(cron: CronWorkflow) -> Workflow:
    """The workflow that a cron workflow runs."""
    return Workflow(kind="Workflow", metadata=cron.metadata, spec=cron.spec.workflow_spec)


def uid(name: str) -> str:
    """What a template of that name is called in commands: Onepanel's rule. Raises UsageError."""
    if is_too_long(name):
        made = uid_of(name)
        raise UsageError(TOO_LONG, hint=f"{made} has {len(made)}; --name gives it another one")
    made = uid_of(name).strip("-")
    if not made:
        raise UsageError(f"{name!r} cannot be the name of a template", hint="--name gives it another one")
    return naming.checked(made)


def check_label(key: str, value: str) -> None:
    """Raises UsageError for a label that Kubernetes, and so Onepanel, would not take."""
    prefix, slash, name = key.rpartition("/")
    if not _WORD.fullmatch(name) or (slash and not _DOMAIN.fullmatch(prefix)) or (value and not _WORD.fullmatch(value)):
        raise UsageError(
            f"{key}={value} cannot be a label",
            hint="a key and a value have letters, digits, `-`, `_` and `.`, at most 63, and begin and end with no sign",
        )


def _template(project: Project, workflow: Workflow, document: LoadedDocument, text: str) -> WorkflowTemplate:
    metadata = workflow.metadata
    annotations = dict(metadata.annotations)
    if is_onepanel(workflow):
        signature = takes(project, Candidate(workflow=workflow, document=document))
        # Places in a file mean nothing once the template is kept, and pools are looked up when it is run.
        inputs = [replace(one, path=(), place="") for one in signature.inputs]
        own = {one.name: one for one in document.signature.inputs} if document.signature is not None else {}
        inputs = [replace(one, choices=own[one.name].choices) if one.name in own else one for one in inputs]
        annotations |= {INPUTS: msgspec.json.encode(inputs).decode(), SOURCE: text}
    name = metadata.name or metadata.generate_name.rstrip("-")
    return WorkflowTemplate(
        api_version=API_VERSION,
        kind="WorkflowTemplate",
        metadata=ObjectMeta(name=name, labels=metadata.labels, annotations=annotations),
        spec=workflow.spec,
    )


def clone(project: Project, name: str, new: str) -> Applied:
    """Keep a template, or one version of it (NAME@VERSION), under another name. Raises NotFound, UsageError."""
    plain, at, version = name.rpartition("/")[2].partition("@")
    kind, place = _found(project, plain)
    catalog = project.catalog
    manifest = (
        catalog.versions.get(place, _number(plain, version)).manifest if at else catalog.get(kind, plain).manifest
    )
    made = uid(new)
    if made == plain:
        raise UsageError(f"{plain} is its own name", hint="a clone needs another one")
    type: Any = CronWorkflow if kind == "CronWorkflow" else WorkflowTemplate
    value: Document = msgspec.json.decode(manifest, type=type, strict=False)
    metadata = ObjectMeta(name=made, labels=value.metadata.labels, annotations=value.metadata.annotations)
    return apply(project, [replace(value, metadata=metadata)])[0]


def source_of(project: Project, place: tuple[str, str, str], version: str = "") -> str | None:
    """The file that a template was made of, of its newest version unless one is named; None if it is not kept."""
    versions = project.catalog.versions
    number = _number(place[2], version) if version else versions.latest(place)
    metadata: dict[str, Any] = msgspec.json.decode(versions.get(place, number).manifest).get("metadata") or {}
    annotations: dict[str, str] = metadata.get("annotations") or {}
    return annotations.get(SOURCE)


def _number(name: str, version: str) -> int:
    if not version.isdecimal():
        raise UsageError(f"{version!r} is no version of {name}", hint=f"argosy templates versions {name} lists them")
    return int(version)


def _found(project: Project, name: str) -> tuple[str, tuple[str, str, str]]:
    from argosy.errors import NotFound

    for kind in KEPT:
        try:
            return kind, project.catalog.place_of(kind, name)
        except NotFound:
            continue
    return KEPT[0], project.catalog.place_of(KEPT[0], name)
