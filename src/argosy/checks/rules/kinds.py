"""Rules on what a template is, and on what the document as a whole must have.

Source: Argo docs: workflow-concepts.md, workflow-templates.md.
"""

from __future__ import annotations

from typing import cast

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import KINDS, PODS, Place, Subject

KIND_MISSING = Rule(
    id="template-type-missing",
    meaning="A template says nothing that can be run.",
    bad="templates: [{name: main}]",
    fix="give it one of: container, containerSet, steps, script, resource, dag, suspend, data, http",
)
KIND_SEVERAL = Rule(
    id="template-type-several",
    meaning="A template says several things that can be run.",
    bad="{name: main, container: {image: alpine}, suspend: {}}",
    fix="make one template of each",
)
ENTRYPOINT_MISSING = Rule(
    id="entrypoint-missing",
    meaning="The workflow does not say where it begins.",
    bad="spec: {templates: [...]}",
    fix="set spec.entrypoint to the name of a template",
)
TEMPLATES_WITH_REFERENCE = Rule(
    id="templates-with-reference",
    meaning="A workflow that takes its spec from a WorkflowTemplate has templates of its own.",
    bad="spec: {workflowTemplateRef: {name: t}, templates: [...]}",
    fix="remove spec.templates, or put them into the WorkflowTemplate",
)
POD_GC_INVALID = Rule(
    id="pod-gc-invalid",
    meaning="podGC names an unknown strategy, or a label selector that cannot be read.",
    bad="podGC: {strategy: Foo}",
    fix="use OnPodCompletion, OnPodSuccess, OnWorkflowCompletion or OnWorkflowSuccess",
)
POD_RESOURCES_INVALID = Rule(
    id="pod-resources-invalid",
    meaning="podResources or resourceClaims ask for what a pod as a whole cannot have.",
    bad="podResources: {limits: {nvidia.com/gpu: 1}}",
    fix="ask for cpu, memory or hugepages-* here, and for the rest in the container's resources",
)
EXECUTOR_PLUGINS_INVALID = Rule(
    id="executor-plugins-invalid",
    meaning="An executor plugin is not written as Argo reads it.",
    bad="executorPlugins: [{spec: {}}]",
    fix="give each plugin metadata.name and a spec.sidecar.container with ports, resources and securityContext",
)
RULES = (
    KIND_MISSING,
    KIND_SEVERAL,
    ENTRYPOINT_MISSING,
    TEMPLATES_WITH_REFERENCE,
    POD_GC_INVALID,
    POD_RESOURCES_INVALID,
    EXECUTOR_PLUGINS_INVALID,
)

POD_GC_STRATEGIES = ("OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_CHOICE = "choose one of: container, containerSet, steps, script, resource, dag, suspend, data, http"


def check_document(subject: Subject, report: Report) -> None:
    """What a workflow as a whole must have."""
    spec = subject.spec
    path = subject.home.path
    referenced = spec.workflow_template_ref is not None
    if referenced and spec.templates:
        message = "spec.templates cannot be used beside spec.workflowTemplateRef"
        report.add(TEMPLATES_WITH_REFERENCE, (*path, "templates"), message)
    entrypoint = spec.entrypoint
    if not entrypoint and referenced and subject.templates_home is not None:
        entrypoint = subject.templates_home.spec.entrypoint
    unknown = referenced and subject.templates_home is None
    if not entrypoint and not subject.standalone and not unknown:
        report.add(ENTRYPOINT_MISSING, path, "spec.entrypoint is required")
    _check_pod_gc(subject, report)
    _check_pod_resources(report, spec.pod_resources, (*path, "podResources"), "spec.podResources")
    _check_executor_plugins(spec.executor_plugins, (*path, "executorPlugins"), report)


def _check_pod_gc(subject: Subject, report: Report) -> None:
    pod_gc = subject.spec.pod_gc
    if pod_gc is None:
        return
    path = (*subject.home.path, "podGC")
    if pod_gc.strategy and pod_gc.strategy not in POD_GC_STRATEGIES:
        hint = report.suggest(pod_gc.strategy, POD_GC_STRATEGIES)
        report.add(
            POD_GC_INVALID, (*path, "strategy"), f"podGC.strategy unknown strategy '{pod_gc.strategy}'", hint=hint
        )
    problem = _selector_problem(pod_gc.label_selector)
    if problem:
        report.add(POD_GC_INVALID, (*path, "labelSelector"), f"podGC.labelSelector invalid: {problem}")


def _selector_problem(selector: object) -> str:
    if not isinstance(selector, dict):
        return "" if selector is None else "must be a mapping"
    requirements: object = cast("dict[str, object]", selector).get("matchExpressions") or []
    if not isinstance(requirements, list):
        return "matchExpressions must be a list"
    for requirement in cast("list[object]", requirements):
        fields = cast("dict[str, object]", requirement) if isinstance(requirement, dict) else {}
        operator = fields.get("operator")
        if operator not in _OPERATORS:
            return f'"{operator}" is not a valid label selector operator'
        if operator in ("In", "NotIn") and not fields.get("values"):
            return f"operator {operator} needs values"
        if operator in ("Exists", "DoesNotExist") and fields.get("values"):
            return f"operator {operator} takes no values"
    return ""


def _check_pod_resources(report: Report, value: object, path: Path, label: str) -> None:
    if not isinstance(value, dict):
        return
    resources = cast("dict[str, object]", value)
    if resources.get("claims"):
        report.add(POD_RESOURCES_INVALID, (*path, "claims"), f"{label}.claims is not supported for pod-level resources")
    for side in ("limits", "requests"):
        amounts = resources.get(side)
        for name in cast("dict[str, object]", amounts) if isinstance(amounts, dict) else {}:
            if name not in ("cpu", "memory") and not name.startswith("hugepages-"):
                message = f'{label}: "{name}" is not a valid pod-level resource, only cpu, memory and hugepages-* are'
                report.add(POD_RESOURCES_INVALID, (*path, side, name), f"{message} supported")


def _check_executor_plugins(value: object, path: Path, report: Report) -> None:
    if not isinstance(value, list):
        return
    for index, plugin in enumerate(cast("list[object]", value)):
        problem = _plugin_problem(plugin)
        if problem:
            report.add(EXECUTOR_PLUGINS_INVALID, (*path, index), f"spec.executorPlugins: {problem}")


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
    return value


def _plugin_problem(plugin: object) -> str:
    if not _at(plugin, "metadata", "name"):
        return "executor plugin metadata name is mandatory"
    container = _at(plugin, "spec", "sidecar", "container")
    if not container:
        return "spec.sidecar.container is mandatory"
    demands = (
        (("ports",), "at least one port is mandatory"),
        (("resources", "requests"), "resources requests are mandatory"),
        (("resources", "limits"), "resources limits are mandatory"),
        (("securityContext",), "security context is mandatory"),
    )
    return next((message for keys, message in demands if not _at(container, *keys)), "")


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """Exactly one kind, and only what that kind can have."""
    template = place.template
    kinds = [key for attribute, key, _ in KINDS if getattr(template, attribute) is not None]
    if not kinds:
        message = f"{place.label} template type unspecified. {_CHOICE}"
        misplaced = " (its type is unknown)" if place.caller else ""
        report.add(KIND_MISSING, place.path, message + misplaced)
    elif len(kinds) > 1:
        named = " and ".join(kinds)
        message = f"{place.label} multiple template types specified ({named}). {_CHOICE}"
        report.add(KIND_SEVERAL, (*place.path, kinds[1]), message)
    if template.pod_resources is not None and place.kind in ("HTTP", "Plugin"):
        message = f"{place.label}.podResources is not supported for {place.kind} templates"
        report.add(POD_RESOURCES_INVALID, (*place.path, "podResources"), message)
    else:
        label = f"{place.label}.podResources"
        _check_pod_resources(report, template.pod_resources, (*place.path, "podResources"), label)
    if template.resource_claims and place.kind and place.kind not in PODS:
        message = f"{place.label}.resourceClaims is not supported for {place.kind} templates, which do not create a pod"
        report.add(POD_RESOURCES_INVALID, (*place.path, "resourceClaims"), message)
