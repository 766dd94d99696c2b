"""Rules on deadlines, parallelism and retries.

Source: Argo docs: retries.md, parallelism.md, fields.md.
"""

from __future__ import annotations

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import Place, Subject
from argosy.model.manifest import RetryStrategy

DEADLINE_INVALID = Rule(
    id="deadline-invalid",
    meaning="activeDeadlineSeconds is not a whole number of seconds above 0.",
    bad="activeDeadlineSeconds: soon",
    fix="write a whole number, or a tag that gives one",
)
DEADLINE_MISPLACED = Rule(
    id="deadline-misplaced",
    meaning="A limit stands on a kind of template that cannot keep it.",
    bad="dag template with timeout: 10s",
    fix="put it on the templates that do the work, or on the workflow",
)
TIMEOUT_INVALID = Rule(
    id="timeout-invalid",
    meaning="A timeout is a bare number; it needs a unit.",
    bad='timeout: "30"',
    fix="write a duration with its unit, such as 30s or 5m",
)
PARALLELISM_MISPLACED = Rule(
    id="parallelism-misplaced",
    meaning="parallelism stands on a template that runs one thing.",
    bad="container template with parallelism: 2",
    fix="put it on the steps or dag template that calls this one",
)
RETRY_INVALID = Rule(
    id="retry-invalid",
    meaning="A retryStrategy has an unknown policy, or a backoff without duration.",
    bad="retryStrategy: {retryPolicy: Sometimes}",
    fix="use Always, OnFailure, OnError or OnTransientError; give backoff.duration",
)
RULES = (DEADLINE_INVALID, DEADLINE_MISPLACED, TIMEOUT_INVALID, PARALLELISM_MISPLACED, RETRY_INVALID)

_POLICIES = ("Always", "OnFailure", "OnError", "OnTransientError")


def check_document(subject: Subject, report: Report) -> None:
    """The retryStrategy of the workflow and of templateDefaults."""
    spec, path = subject.spec, subject.home.path
    _check_retry(spec.retry_strategy, (*path, "retryStrategy"), "spec", report)
    if spec.template_defaults is not None:
        where = (*path, "templateDefaults", "retryStrategy")
        _check_retry(spec.template_defaults.retry_strategy, where, "spec.templateDefaults", report)


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The limits of one template."""
    template = place.template
    _check_retry(template.retry_strategy, (*place.path, "retryStrategy"), place.label, report)
    _check_deadline(place, report)
    if template.parallelism is not None and place.kind not in ("Steps", "DAG", ""):
        message = f"{place.label}.parallelism is only valid for steps and dag templates"
        report.add(PARALLELISM_MISPLACED, (*place.path, "parallelism"), message)
    if place.is_leaf:
        if template.timeout and template.timeout.lstrip("+-").isdigit():
            message = f"{place.label} has invalid duration format in timeout: '{template.timeout}' has no unit"
            report.add(TIMEOUT_INVALID, (*place.path, "timeout"), message, hint=f"write {template.timeout}s")
    elif place.kind:
        for key, value in (("timeout", template.timeout), ("pendingTimeout", template.pending_timeout)):
            if value:
                message = f"{place.label}: {place.kind} template doesn't support {key} field"
                report.add(DEADLINE_MISPLACED, (*place.path, key), message)


def _check_deadline(place: Place, report: Report) -> None:
    deadline = place.template.active_deadline_seconds
    if deadline is None:
        return
    path = (*place.path, "activeDeadlineSeconds")
    if place.kind in ("Steps", "DAG"):
        message = f"{place.label}.activeDeadlineSeconds is only valid for leaf templates"
        report.add(DEADLINE_MISPLACED, path, message)
        return
    text = str(deadline).strip()
    is_tag = text.startswith("{{") and text.endswith("}}")
    number = text.lstrip("+-")
    if not is_tag and not (number.isdigit() and not text.startswith("-")):
        message = f"{place.label}.activeDeadlineSeconds must be a positive integer > 0 or an argo variable"
        report.add(DEADLINE_INVALID, path, message)


def _check_retry(strategy: RetryStrategy | None, path: Path, label: str, report: Report) -> None:
    if strategy is None:
        return
    policy = strategy.retry_policy
    if policy and policy not in _POLICIES and "{{" not in policy:
        hint = report.suggest(policy, _POLICIES)
        report.add(RETRY_INVALID, (*path, "retryPolicy"), f"{label}: {policy} is not a valid RetryPolicy", hint=hint)
    if strategy.backoff is not None and not strategy.backoff.duration:
        message = f"{label}.retryStrategy.backoff has no duration"
        report.add(RETRY_INVALID, (*path, "backoff"), message, severity="warning", hint="give backoff.duration")
