"""The way in: check one document, and get everything that is wrong with it in one pass.

It knows which checks there are and in which order they look; each rule is in a file of its own under `rules`.
"""

from __future__ import annotations

from argosy.checks.catalog import Catalog, Options
from argosy.checks.finding import Finding
from argosy.checks.report import Report
from argosy.checks.rules import (
    arguments,
    calls,
    containers,
    dags,
    expressions,
    kinds,
    limits,
    loops,
    metrics,
    names,
    objects,
    outputs,
    resources,
    schedules,
    scripts,
)
from argosy.checks.rules.references import References
from argosy.checks.survey import Subject
from argosy.model.manifest import CronWorkflow, Document, Workflow, WorkflowTemplate

_OF_DOCUMENT = (
    names.check_document,
    kinds.check_document,
    calls.check_document,
    arguments.check_document,
    expressions.check_document,
    limits.check_document,
    metrics.check_document,
    schedules.check_document,
    objects.check_document,
)
_OF_TEMPLATE = (
    names.check_place,
    kinds.check_place,
    calls.check_place,
    arguments.check_place,
    dags.check_place,
    loops.check_place,
    outputs.check_place,
    containers.check_place,
    limits.check_place,
    metrics.check_place,
    resources.check_place,
    scripts.check_place,
)
_LENIENT = Options()


def check(document: Document, catalog: Catalog, *, options: Options = _LENIENT) -> tuple[Finding, ...]:
    """Everything that lint finds in a document: errors first, then warnings. Empty when there is nothing.

    Templates of other documents are followed through `catalog` and checked as this document uses them; an error in
    one of them is reported at the place here that leads there.
    """
    report = Report()
    if isinstance(document, Workflow | WorkflowTemplate | CronWorkflow):
        _check_workflow(Subject(document, catalog, options), report)
    else:
        objects.check_object(document, report)
    return report.findings()


def _check_workflow(subject: Subject, report: Report) -> None:
    for look in _OF_DOCUMENT:
        look(subject, report)
    references = References(subject, report)
    references.check_document()
    for place in subject.places:
        with report.abroad(place.abroad):
            for look_at in _OF_TEMPLATE:
                look_at(subject, place, report)
            references.check_place(place)
            expressions.check_place(references, place, report)
