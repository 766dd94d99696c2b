"""Rules on calls: that the template which is called exists, and that the call is put together rightly.

Source: Argo docs: workflow-templates.md, inline-templates.md, lifecyclehook.md.
"""

from __future__ import annotations

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import Home, Place, Subject, Target
from argosy.model.manifest import DAGTask, LifecycleHook, TemplateRef, WorkflowStep

TEMPLATE_UNDEFINED = Rule(
    id="template-undefined",
    meaning="A name of a template does not exist in this document.",
    bad="steps: [[{name: a, template: tarin}]]",
    fix="correct the name, or add the template to spec.templates",
)
REFERENCE_UNKNOWN = Rule(
    id="reference-unknown",
    meaning="A WorkflowTemplate or ClusterWorkflowTemplate that is referred to is not at hand.",
    bad="templateRef: {name: not-applied-yet, template: main}",
    fix="apply it first, or name its file beside this one",
)
REFERENCE_INCOMPLETE = Rule(
    id="reference-incomplete",
    meaning="A templateRef lacks the name of the document or of the template in it.",
    bad="templateRef: {name: t}",
    fix="give both name and template",
)
CALL_AMBIGUOUS = Rule(
    id="call-ambiguous",
    meaning="A call names a template in two ways.",
    bad="{name: a, template: t, templateRef: {name: w, template: t}}",
    fix="keep one of template, templateRef and inline",
)
CALL_EMPTY = Rule(
    id="call-empty",
    meaning="A step, task or hook names no template.",
    bad="tasks: [{name: a}]",
    fix="add template, templateRef or inline",
)
HOOK_EXPRESSION_MISSING = Rule(
    id="hook-expression-missing",
    meaning="A lifecycle hook other than `exit` does not say when it fires.",
    bad="hooks: {running: {template: notify}}",
    fix='add an expression such as workflow.status == "Running"',
)
RULES = (
    TEMPLATE_UNDEFINED,
    REFERENCE_UNKNOWN,
    REFERENCE_INCOMPLETE,
    CALL_AMBIGUOUS,
    CALL_EMPTY,
    HOOK_EXPRESSION_MISSING,
)


def check_document(subject: Subject, report: Report) -> None:
    """The workflow's entrypoint, exit handler and hooks, and the WorkflowTemplate that it is made from."""
    spec, path = subject.spec, subject.home.path
    home = subject.templates_home
    reference = spec.workflow_template_ref
    if reference is not None:
        where = (*path, "workflowTemplateRef")
        if not reference.name:
            report.add(REFERENCE_INCOMPLETE, where, "spec.workflowTemplateRef: resource name is required")
        elif home is None:
            message = f"spec.workflowTemplateRef: {_kind(reference.cluster_scope)} '{reference.name}' not found"
            report.add(REFERENCE_UNKNOWN, where, message, severity=subject.options.missing_references)
    for key, name in (("entrypoint", spec.entrypoint), ("onExit", spec.on_exit)):
        if name:
            _report_by_name(subject, report, name, home, (*path, key), f"spec.{key}")
    for event, hook in spec.hooks.items():
        _check_hook(subject, report, event, hook, home or subject.home, (*path, "hooks", event), f"hooks.{event}")


def _report_by_name(subject: Subject, report: Report, name: str, home: Home | None, path: Path, label: str) -> None:
    if subject.by_name(name, home).trouble and home is not None:
        hint = report.suggest(name, home.templates)
        report.add(TEMPLATE_UNDEFINED, path, f"{label}: template name '{name}' undefined", hint=hint)


def _kind(cluster_scope: bool) -> str:
    return "ClusterWorkflowTemplate" if cluster_scope else "WorkflowTemplate"


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """Each call of the template, its exit handler and its hooks."""
    for call in place.calls:
        _check_target(subject, report, call.call, call.target, place.home, call.path, call.label)
        if call.call.on_exit:
            _report_by_name(subject, report, call.call.on_exit, place.home, (*call.path, "onExit"), call.label)
        for event, hook in call.call.hooks.items():
            label = f"{call.label}.{event}"
            _check_hook(subject, report, event, hook, place.home, (*call.path, "hooks", event), label)


def _check_hook(
    subject: Subject, report: Report, event: str, hook: LifecycleHook, home: Home, path: Path, label: str
) -> None:
    if event != "exit" and not hook.expression:
        report.add(HOOK_EXPRESSION_MISSING, path, f"{label} Expression required")
    if subject.templates_home is None and home is subject.home:
        return
    _check_target(subject, report, hook, subject.resolve(hook, home), home, path, label)


def _check_target(
    subject: Subject,
    report: Report,
    call: WorkflowStep | DAGTask | LifecycleHook,
    target: Target,
    home: Home,
    path: Path,
    label: str,
) -> None:
    reference = call.template_ref
    inline = None if isinstance(call, LifecycleHook) else call.inline
    if reference is not None:
        _check_reference(subject, report, reference, target, (*path, "templateRef"), label)
    elif target.trouble == "none":
        report.add(CALL_EMPTY, path, f"{label} has neither template nor templateRef nor inline")
    elif target.trouble == "template":
        hint = report.suggest(call.template, home.templates)
        message = f"{label} template name '{call.template}' undefined"
        report.add(TEMPLATE_UNDEFINED, (*path, "template"), message, hint=hint)
    if inline is not None and (call.template or reference is not None):
        report.add(CALL_AMBIGUOUS, (*path, "inline"), f"{label} template name cannot be specified with inline")


def _check_reference(
    subject: Subject, report: Report, reference: TemplateRef, target: Target, path: Path, label: str
) -> None:
    if target.trouble == "both":
        report.add(CALL_AMBIGUOUS, path, f"{label} template name cannot be specified with templateRef")
    elif target.trouble == "incomplete":
        missing = "resource name" if not reference.name else "template name"
        report.add(REFERENCE_INCOMPLETE, path, f"{label} templateRef: {missing} is required")
    elif target.trouble == "document":
        message = f"{label} template reference {reference.name}.{reference.template} not found"
        why = f"there is no {_kind(reference.cluster_scope)} '{reference.name}' at hand"
        report.add(REFERENCE_UNKNOWN, path, message, why=why, severity=subject.options.missing_references)
    elif target.trouble == "template":
        home = subject.referenced(reference)
        hint = report.suggest(reference.template, home.templates) if home is not None else ""
        message = f"{label} template reference {reference.name}.{reference.template} not found"
        report.add(TEMPLATE_UNDEFINED, (*path, "template"), message, hint=hint)
