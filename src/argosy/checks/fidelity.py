"""What a document uses that is different here: placing fields, fields that differ, and what cannot be run.

It knows the table of fields and the kinds of objects that exist locally; the rules of lint are elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import cast

from argosy.checks.fields import Row, row_of
from argosy.checks.finding import Finding, Path, Rule, Severity
from argosy.checks.local_kinds import kind_in_flags, kind_named
from argosy.checks.rules.resources import FILLED_IN, plain_manifest
from argosy.checks.texts import fields_of, structs
from argosy.model.host_templates import is_ours
from argosy.model.manifest import Document, Metadata, ObjectMeta, Part, ResourceTemplate
from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse

FIELD_CLUSTER_ONLY = Rule(
    id="field-cluster-only",
    severity="note",
    meaning="A field acts on pods or on the cluster only; it is carried along and has no effect here.",
    bad="nodeSelector: {disk: ssd}",
    fix="nothing needs to be done",
)
FIELD_DIFFERS = Rule(
    id="field-differs",
    severity="note",
    meaning="A field does something else on one machine, or less.",
    bad="readinessProbe: {...}",
    fix="see docs/fidelity.md for how it differs",
)
FIELD_REFUSED = Rule(
    id="field-refused",
    meaning="A field asks for what only a cluster has; the workflow is not run.",
    bad="plugin: {hello: {}}",
    fix="see docs/fidelity.md for what to use instead",
)
RESOURCE_NEEDS_CLUSTER = Rule(
    id="resource-needs-cluster",
    meaning="A resource template handles a kind of object that exists on a cluster only.",
    bad="resource: {action: create, manifest: 'kind: Job'}",
    fix="run the work as a container template",
)
WORKFLOW_PATCHED = Rule(
    id="workflow-patched",
    meaning="A resource template patches a Workflow, which is a run and cannot be changed here.",
    bad="resource: {action: patch, manifest: 'kind: Workflow'}",
    fix="patch a WorkflowTemplate, or submit another Workflow",
)
RULES = (FIELD_CLUSTER_ONLY, FIELD_DIFFERS, FIELD_REFUSED, RESOURCE_NEEDS_CLUSTER, WORKFLOW_PATCHED)

LOCAL_KINDS = (
    "Workflow",
    "WorkflowTemplate",
    "ClusterWorkflowTemplate",
    "CronWorkflow",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
)
_RULE_OF = {"cluster-only": FIELD_CLUSTER_ONLY, "differs": FIELD_DIFFERS, "refused": FIELD_REFUSED}


def report(document: Document) -> tuple[Finding, ...]:
    """What of this document is different here: an error for each thing refused, one note for each other field.

    The path of a note is the first place where the field is used.
    """
    refused: list[Finding] = []
    seen: dict[tuple[str, str], Finding] = {}
    parts = list(structs(document))
    for path, key, row in _used(parts):
        rule = _RULE_OF[row.status]
        if row.status == "refused":
            refused.append(_finding(rule, path, f"{key} cannot be used on one machine", row.note))
        elif (key, row.note) not in seen:
            where = "carried along, not used on one machine" if row.status == "cluster-only" else "differs here"
            seen[(key, row.note)] = _finding(rule, path, f"{key}: {where}: {row.note}", "")
    for path, part in parts:
        if isinstance(part, ResourceTemplate):
            refused += _of_resource(path, part)
    return (*refused, *seen.values())


def _finding(rule: Rule, path: Path, message: str, hint: str) -> Finding:
    severity: Severity = rule.severity
    return Finding(rule=rule.id, severity=severity, path=path, message=message, hint=hint or rule.fix)


@cache
def _plan_of(kind: type[Part]) -> tuple[tuple[str, str, object, Row], ...]:
    """For each field of a struct that is not as in Argo: attribute, key, the value that counts as not used, its row."""
    defaults = dict(zip(reversed(kind.__struct_fields__), reversed(kind.__struct_defaults__), strict=False))
    rows = ((attribute, key, defaults.get(attribute), row_of(kind, key)) for attribute, key in fields_of(kind))
    return tuple(row for row in rows if row[3].status != "supported")


def _used(parts: Iterable[tuple[Path, Part]]) -> Iterator[tuple[Path, str, Row]]:
    for path, struct in parts:
        # What the cluster wrote into metadata says nothing of what is wanted.
        if isinstance(struct, ObjectMeta):
            continue
        for attribute, key, default, row in _plan_of(type(struct)):
            value = getattr(struct, attribute)
            if value is None or value is False or value == "" or value in ((), {}, default):
                continue
            if isinstance(value, Metadata) and is_ours(value):
                continue
            yield (*path, key), key, row


def _of_resource(path: Path, resource: ResourceTemplate) -> Iterator[Finding]:
    if resource.manifest_from is not None:
        return
    if not resource.manifest:
        yield from _of_flags(path, resource)
        return
    for node in parse(plain_manifest(resource.manifest), "manifest").documents:
        value = plain(node)
        kind = cast("dict[str, object]", value).get("kind") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind not in LOCAL_KINDS and FILLED_IN not in kind:
            message = f"the resource is a {kind}, which exists on a cluster only"
            hint = f"known here: {', '.join(LOCAL_KINDS)}"
            yield _finding(RESOURCE_NEEDS_CLUSTER, (*path, "manifest"), message, hint)
        elif resource.action == "patch" and (kind == "Workflow" or (kind is None and _names_workflow(resource.flags))):
            message = "the resource is a Workflow, which is a run and cannot be patched here"
            yield _finding(WORKFLOW_PATCHED, (*path, "manifest"), message, "")
        elif kind is None:
            yield from _of_flags(path, resource)


def _of_flags(path: Path, resource: ResourceTemplate) -> Iterator[Finding]:
    word = kind_in_flags(resource.flags)
    if word and kind_named(word) is None and "{{" not in word:
        message = f"the resource is a {word}, which exists on a cluster only"
        hint = f"known here: {', '.join(LOCAL_KINDS)}"
        yield _finding(RESOURCE_NEEDS_CLUSTER, (*path, "flags"), message, hint)


def _names_workflow(flags: tuple[str, ...]) -> bool:
    """Whether the kind among kubectl's flags is a Workflow: workflow NAME, wf/NAME."""
    return kind_named(kind_in_flags(flags)) == "Workflow"
