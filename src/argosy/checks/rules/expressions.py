"""Rules on fields that are an expression or a condition as a whole, without braces.

Source: Argo docs: conditional-artifacts-parameters.md, lifecyclehook.md, retries.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.rules.references import EXPRESSION_INVALID, References
from argosy.checks.survey import Place, Subject
from argosy.errors import ExpressionError
from argosy.model.manifest import CallFields, CronWorkflow, LifecycleHook, Metrics, Outputs, RetryStrategy, Template

WHEN_INVALID = Rule(
    id="when-invalid",
    meaning="A `when` cannot be parsed, whatever its tags will stand for.",
    bad='when: "{{steps.flip.outputs.result}} = heads"',
    fix="compare with ==, !=, <, >, =~ or in; join with && and ||; put words with spaces in quotes",
)
RULES = (WHEN_INVALID,)

# Two tags side by side may become a value and an operator: only the run can tell.
_SIDE_BY_SIDE = re.compile(r"\}\}\s*\{\{")
_Found = tuple[Path, str]


def check_document(subject: Subject, report: Report) -> None:
    """Expressions of the workflow itself."""
    spec, path = subject.spec, subject.home.path
    for where, text in (
        *_of_hooks(spec.hooks, (*path, "hooks")),
        *_of_retry(spec.retry_strategy, (*path, "retryStrategy")),
    ):
        _check_syntax(text, where, "spec", report)
    if spec.workflow_metadata is not None:
        for label, source in spec.workflow_metadata.labels_from.items():
            where = (*path, "workflowMetadata", "labelsFrom", label, "expression")
            _check_syntax(source.expression, where, "spec.workflowMetadata", report)
    for where, text in _of_metrics(spec.metrics, (*path, "metrics")):
        _check_when(text, where, "spec.metrics", report)
    document = subject.document
    if isinstance(document, CronWorkflow) and document.spec.stop_strategy is not None:
        where = ("spec", "stopStrategy", "expression")
        _check_syntax(document.spec.stop_strategy.expression, where, "spec.stopStrategy", report)


def check_place(references: References, place: Place, report: Report) -> None:
    """Expressions of one template and of its calls."""
    template = place.template
    for where, text in (*_of_retry(template.retry_strategy, (*place.path, "retryStrategy")), *_of_work(place)):
        _check_syntax(text, where, place.label, report)
    for where, text in _of_metrics(template.metrics, (*place.path, "metrics")):
        _check_when(text, where, place.label, report)
    for where, text in _of_outputs(template.outputs, (*place.path, "outputs")):
        if _check_syntax(text, where, f"{place.label}.outputs", report):
            from argosy.expressions import expr

            scope = references.expression_scope(place)
            names = expr.parse(text).required()
            references.check_names(names, where, scope, f"{place.label}.outputs")
    for call in place.calls:
        step = call.call
        if step.when:
            _check_when(step.when, (*call.path, "when"), call.label, report)
        for where, text in _of_call(step, call.path):
            _check_syntax(text, where, call.label, report)


def _of_hooks(hooks: dict[str, LifecycleHook], path: Path) -> Iterator[_Found]:
    for event, hook in hooks.items():
        yield (*path, event, "expression"), hook.expression


def _of_call(step: CallFields, path: Path) -> Iterator[_Found]:
    yield from _of_hooks(step.hooks, (*path, "hooks"))
    if step.arguments is not None:
        for index, artifact in enumerate(step.arguments.artifacts):
            yield (*path, "arguments", "artifacts", index, "fromExpression"), artifact.from_expression


def _of_retry(strategy: RetryStrategy | None, path: Path) -> Iterator[_Found]:
    if strategy is not None:
        yield (*path, "expression"), strategy.expression


def _of_metrics(metrics: Metrics | None, path: Path) -> Iterator[_Found]:
    for index, metric in enumerate(metrics.prometheus if metrics is not None else ()):
        yield (*path, "prometheus", index, "when"), metric.when


def _of_outputs(outputs: Outputs | None, path: Path) -> Iterator[_Found]:
    if outputs is None:
        return
    for index, parameter in enumerate(outputs.parameters):
        if parameter.value_from is not None and parameter.value_from.expression:
            yield (*path, "parameters", index, "valueFrom", "expression"), parameter.value_from.expression
    for index, artifact in enumerate(outputs.artifacts):
        if artifact.from_expression:
            yield (*path, "artifacts", index, "fromExpression"), artifact.from_expression


def _of_work(place: Place) -> Iterator[_Found]:
    template: Template = place.template
    if template.http is not None:
        yield (*place.path, "http", "successCondition"), template.http.success_condition
    if template.data is not None:
        for index, step in enumerate(template.data.transformation):
            yield (*place.path, "data", "transformation", index, "expression"), step.expression


def _check_syntax(text: str, path: Path, label: str, report: Report) -> bool:
    """Whether the expression can be parsed; one with tags in it is not asked, and counts as not."""
    if not text or "{{" in text:
        return False
    from argosy.expressions import expr

    try:
        expr.parse(text)
    except ExpressionError as error:
        shown = text if len(text) <= 100 else f"{text[:97]}..."
        report.add(EXPRESSION_INVALID, path, f"{label} expression '{shown}': {error.message}", hint=error.hint)
        return False
    return True


def _check_when(text: str, path: Path, label: str, report: Report) -> None:
    if not text or _SIDE_BY_SIDE.search(text):
        return
    from argosy.expressions import condition

    try:
        condition.check_when(text)
    except ExpressionError as error:
        report.add(WHEN_INVALID, path, f"{label} {error.message}", hint=error.hint)
