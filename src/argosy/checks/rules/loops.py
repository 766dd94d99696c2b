"""Rules on loops: one source of items, and items of a kind that can be expanded.

Source: Argo docs: walk-through/loops.md.
"""

from __future__ import annotations

from argosy.checks.finding import Rule
from argosy.checks.report import Report
from argosy.checks.survey import Call, Place, Subject
from argosy.model.manifest import Sequence

LOOP_SEVERAL = Rule(
    id="loop-several-sources",
    meaning="A step or task takes its items from more than one source.",
    bad='{name: a, withItems: [1], withParam: "[2]"}',
    fix="keep one of withItems, withParam and withSequence",
)
SEQUENCE_INVALID = Rule(
    id="sequence-invalid",
    meaning="A sequence says its length twice, not at all, or in words that are no number.",
    bad="withSequence: {count: 3, end: 5}",
    fix="give count, or start and end, as whole numbers",
)
ITEM_EMPTY = Rule(
    id="item-empty",
    meaning="An item of a loop is null.",
    bad="withItems: [1, null]",
    fix="remove the item, or give it a value",
)
RULES = (LOOP_SEVERAL, SEQUENCE_INVALID, ITEM_EMPTY)


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The loop of each step or task."""
    for call in place.calls:
        _check_loop(call, report)


def _check_loop(call: Call, report: Report) -> None:
    step = call.call
    sources = [
        key
        for key, present in (
            ("withItems", bool(step.with_items)),
            ("withParam", bool(step.with_param)),
            ("withSequence", step.with_sequence is not None),
        )
        if present
    ]
    if len(sources) > 1:
        message = f"{call.label} only one of withItems, withParam, withSequence can be specified"
        report.add(LOOP_SEVERAL, (*call.path, sources[1]), message)
    for index, item in enumerate(step.with_items or ()):
        if item is None:
            report.add(ITEM_EMPTY, (*call.path, "withItems", index), f"{call.label} unsupported withItems type: null")
    if step.with_sequence is not None:
        _check_sequence(call, step.with_sequence, report)


def _check_sequence(call: Call, sequence: Sequence, report: Report) -> None:
    path = (*call.path, "withSequence")
    if sequence.count is not None and sequence.end is not None:
        message = f"{call.label} only one of count or end can be defined in withSequence"
        report.add(SEQUENCE_INVALID, path, message)
    if sequence.count is None and sequence.end is None:
        report.add(SEQUENCE_INVALID, path, f"{call.label} withSequence must have either end or count")
    for key, value in (("start", sequence.start), ("count", sequence.count), ("end", sequence.end)):
        if isinstance(value, str) and "{{" not in value and not _is_whole(value):
            message = f"{call.label} withSequence.{key} '{value}' is not a whole number"
            report.add(SEQUENCE_INVALID, (*path, key), message)


def _is_whole(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
