"""Where the metrics of a step are looked for: patterns over its output, files, event files.

It knows the rules as values and the annotation that carries them, not how they are applied.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from argosy.model.manifest import Template

# On a template (metadata.annotations): its `MetricRules` as JSON. What it leaves out is as everywhere in the project.
METRICS = "argosy.dev/metrics"
# Where Onepanel's steps leave their metrics.
FILES = ("/tmp/sys-metrics.json", "/mnt/tmp/sys-metrics.json")


class MetricPattern(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A regular expression (RE2) that finds values in a line of output.

    The aliases \\key, \\value and \\step stand for a name, a number and a whole number. Groups with names are metrics
    of these names (`step` sets the step number); without any, two groups are the name and the value, and a third the
    step number. name: the metric's name when the pattern has but one group, the value.
    """

    pattern: str
    name: str = ""


class MetricRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where metrics are looked for.

    patterns: None for lines such as `loss: 0.31`; () for no look at the output. files: JSON files, as the step names
    them. event_files: TensorBoard's in the step's working folder.
    """

    patterns: tuple[MetricPattern, ...] | None = None
    files: tuple[str, ...] = FILES
    event_files: bool = True


NOTHING = MetricRules(patterns=(), files=(), event_files=False)


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    patterns: tuple[MetricPattern | str, ...] | msgspec.UnsetType | None = msgspec.UNSET
    files: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    event_files: bool | msgspec.UnsetType = msgspec.UNSET


def patterns_of(given: Iterable[MetricPattern | str]) -> tuple[MetricPattern, ...]:
    """Patterns of which some are only texts."""
    return tuple(MetricPattern(pattern=one) if isinstance(one, str) else one for one in given)


def rules_of(template: Template, otherwise: MetricRules) -> MetricRules:
    """The rules that the template has by its annotation over those that hold otherwise.

    The annotation `false` turns everything off. Raises msgspec.MsgspecError when it is no such JSON.
    """
    text = template.metadata.annotations.get(METRICS) if template.metadata is not None else None
    if text is None:
        return otherwise
    given = msgspec.json.decode(text, type=_Given | bool)
    if isinstance(given, bool):
        return otherwise if given else NOTHING
    patterns = given.patterns
    return MetricRules(
        patterns=otherwise.patterns
        if patterns is msgspec.UNSET
        else None
        if patterns is None
        else patterns_of(patterns),
        files=otherwise.files if given.files is msgspec.UNSET else given.files,
        event_files=otherwise.event_files if given.event_files is msgspec.UNSET else given.event_files,
    )


def annotation_of(rules: MetricRules) -> str:
    """The annotation that carries the rules, for readers of formats that have rules of their own."""
    return msgspec.json.encode(
        {"patterns": rules.patterns, "files": rules.files, "event_files": rules.event_files}
    ).decode()
