"""Rules on metrics: names, labels, help and a value.

Source: Argo docs: metrics.md.
"""

from __future__ import annotations

import re

from argosy.checks.finding import Path, Rule
from argosy.checks.report import Report
from argosy.checks.survey import Place, Subject
from argosy.model.manifest import Metrics, Prometheus

METRIC_INVALID = Rule(
    id="metric-invalid",
    meaning="A metric has a name or label that may not be, or lacks its help or its value.",
    bad='{name: my-metric, help: "", gauge: {value: ""}}',
    fix="use letters, digits and '_' in names; give help and a value",
)
RULES = (METRIC_INVALID,)

_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"


def check_document(subject: Subject, report: Report) -> None:
    """The metrics of the workflow."""
    _check(subject.spec.metrics, (*subject.home.path, "metrics"), "spec", report)


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The metrics of a template."""
    _check(place.template.metrics, (*place.path, "metrics"), place.label, report)


def _check(metrics: Metrics | None, path: Path, label: str, report: Report) -> None:
    for index, metric in enumerate(metrics.prometheus if metrics is not None else ()):
        _check_metric(metric, (*path, "prometheus", index), label, report)


def _check_metric(metric: Prometheus, path: Path, label: str, report: Report) -> None:
    if not re.fullmatch(_NAME, metric.name):
        message = f"{label} metric name '{metric.name}' is invalid. Metric names must contain alphanumeric characters"
        report.add(METRIC_INVALID, (*path, "name"), f"{message} or '_'")
    for at, pair in enumerate(metric.labels):
        if not re.fullmatch(_NAME, pair.key):
            message = f"metric label '{pair.key}' is invalid: keys may only contain alphanumeric characters or '_'"
            report.add(METRIC_INVALID, (*path, "labels", at, "key"), f"{label} {message}")
    if not metric.help:
        message = f"{label} metric '{metric.name}' must contain a help string under 'help: ' field"
        report.add(METRIC_INVALID, path, message)
    for kind, value in (("gauge", metric.gauge), ("counter", metric.counter), ("histogram", metric.histogram)):
        if value is not None and not value.value:
            report.add(METRIC_INVALID, (*path, kind), f"{label} metric '{metric.name}' error: missing {kind}.value")
    gauge = metric.gauge
    if gauge is not None and gauge.realtime and "resourcesDuration." in gauge.value:
        message = f"{label} metric '{metric.name}' error: 'resourcesDuration.*' metrics cannot be used in real-time"
        report.add(METRIC_INVALID, (*path, "gauge"), message)
