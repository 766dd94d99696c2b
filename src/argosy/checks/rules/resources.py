"""Rules on resource templates: a known action, one manifest.

It knows whether a manifest can be read, not what it makes.
Source: Argo docs: walk-through/kubernetes-resources.md.
"""

from __future__ import annotations

from collections.abc import Iterable

from argosy.checks.finding import Rule
from argosy.checks.report import Report
from argosy.checks.survey import Place, Subject
from argosy.expressions import tags
from argosy.model.manifest import ResourceTemplate
from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.parse import parse

ACTION_INVALID = Rule(
    id="resource-action-invalid",
    meaning="A resource template does something that there is not.",
    bad="resource: {action: update}",
    fix="use get, create, apply, delete, replace or patch",
)
MANIFEST_MISSING = Rule(
    id="resource-manifest-missing",
    meaning="A resource template has no manifest, two, or one from an artifact that is not an input.",
    bad="resource: {action: create}",
    fix="give manifest, or manifestFrom with the name of an input artifact",
)
MANIFEST_INVALID = Rule(
    id="resource-manifest-invalid",
    meaning="The manifest of a resource template is no YAML.",
    bad="resource: {action: create, manifest: 'a: b: c'}",
    fix="correct it at the place that is shown",
)
KEY_TWICE = Rule(
    id="resource-manifest-key",
    severity="warning",
    meaning="A key stands twice in a mapping of a resource's manifest: the last counts, as for Argo.",
    bad="resource: {action: create, manifest: 'data: {a: b, a: c}'}",
    fix="remove one, or give it another name",
)
RULES = (ACTION_INVALID, MANIFEST_MISSING, MANIFEST_INVALID, KEY_TWICE)

# Stands in a manifest for a tag that is not filled in yet.
FILLED_IN = "x0tag0x"
ACTIONS = ("get", "create", "apply", "delete", "replace", "patch")


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The resource of one template."""
    resource = place.template.resource
    if resource is None:
        return
    path = (*place.path, "resource")
    if resource.action not in ACTIONS and "{{" not in resource.action:
        message = f"{place.label}.resource.action must be one of: {', '.join(ACTIONS)}"
        report.add(ACTION_INVALID, (*path, "action"), message, hint=report.suggest(resource.action, ACTIONS))
    problem = _manifest_problem(place, resource)
    if problem:
        report.add(MANIFEST_MISSING, path, problem)
    elif resource.action not in ("delete", "get"):
        found = [one for one in _problems_of_yaml(resource.manifest) if one.severity == "error"]
        wrong = [one.message for one in found if one.rule != "yaml-duplicate-key"]
        if wrong:
            message = f"{place.label}.resource.manifest must be a valid yaml: {wrong[0]}"
            report.add(MANIFEST_INVALID, (*path, "manifest"), message)
        elif found:
            message = f"{place.label}.resource.manifest: {found[0].message}: the last counts"
            report.add(KEY_TWICE, (*path, "manifest"), message)


def plain_manifest(text: str) -> str:
    """The manifest with a word in place of each tag, so that it can be read before the tags are filled in."""
    pieces: list[str] = []
    last = 0
    for tag in tags.references(text):
        if tag.start >= last:
            pieces += (text[last : tag.start], FILLED_IN)
            last = tag.end
    return "".join(pieces) + text[last:]


def _problems_of_yaml(text: str) -> Iterable[Diagnostic]:
    return parse(plain_manifest(text), "manifest").diagnostics if text.strip() else ()


def _manifest_problem(place: Place, resource: ResourceTemplate) -> str:
    if resource.action in ("delete", "get"):
        return ""
    label = f"{place.label}.resource"
    if not resource.manifest and resource.manifest_from is None:
        return f"either {label}.manifest or {label}.manifestFrom must be specified"
    if resource.manifest_from is None:
        return ""
    if resource.manifest:
        return f"{label} shouldn't have both `manifest` and `manifestFrom` specified"
    inputs = place.template.inputs
    wanted = resource.manifest_from.artifact.name
    if inputs is None or all(artifact.name != wanted for artifact in inputs.artifacts):
        return f"{label}: artifact {wanted} in `manifestFrom` refer to a non-exist artifact"
    return ""
