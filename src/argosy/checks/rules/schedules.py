"""Rules on CronWorkflows: schedules that can be read, and policies that there are.

Whether a time zone exists is asked of the zones that Python knows.
Source: Argo docs: cron-workflows.md.
"""

from __future__ import annotations

import re

from argosy.checks.finding import Rule
from argosy.checks.report import Report
from argosy.checks.survey import Subject
from argosy.model.manifest import CronWorkflow

SCHEDULE_INVALID = Rule(
    id="schedule-invalid",
    meaning="A CronWorkflow has no schedule, or one that cannot be read.",
    bad='schedules: ["every day"]',
    fix='write five fields (minute hour day month weekday), or @daily, @every 1h: schedules: ["0 4 * * *"]',
)
TIMEZONE_INVALID = Rule(
    id="timezone-invalid",
    meaning="A time zone is not known.",
    bad="timezone: Mars/Olympus",
    fix="use a name of the IANA database, such as Europe/Berlin",
)
CONCURRENCY_INVALID = Rule(
    id="concurrency-invalid",
    meaning="A CronWorkflow's policy or deadline is not one that there is.",
    bad="concurrencyPolicy: Never",
    fix="use Allow, Forbid or Replace; startingDeadlineSeconds is 0 or more",
)
RULES = (SCHEDULE_INVALID, TIMEZONE_INVALID, CONCURRENCY_INVALID)

_POLICIES = ("Allow", "Forbid", "Replace")
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = r"@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+"
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {name: n for n, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)


def check_document(subject: Subject, report: Report) -> None:
    """When and how often a CronWorkflow runs."""
    document = subject.document
    if not isinstance(document, CronWorkflow):
        return
    spec = document.spec
    if not spec.schedules:
        report.add(SCHEDULE_INVALID, ("spec", "schedules"), "cron workflow must have at least one schedule")
    for index, schedule in enumerate(spec.schedules):
        problem = schedule_problem(schedule)
        if problem:
            message = f"cron schedule {schedule} is malformed: {problem}"
            report.add(SCHEDULE_INVALID, ("spec", "schedules", index), message)
    if spec.timezone and not _is_zone(spec.timezone):
        report.add(TIMEZONE_INVALID, ("spec", "timezone"), f'invalid timezone "{spec.timezone}"')
    if spec.concurrency_policy and spec.concurrency_policy not in _POLICIES:
        message = f"'{spec.concurrency_policy}' is not a valid concurrencyPolicy"
        hint = report.suggest(spec.concurrency_policy, _POLICIES)
        report.add(CONCURRENCY_INVALID, ("spec", "concurrencyPolicy"), message, hint=hint)
    if spec.starting_deadline_seconds is not None and spec.starting_deadline_seconds < 0:
        path = ("spec", "startingDeadlineSeconds")
        report.add(CONCURRENCY_INVALID, path, "startingDeadlineSeconds must be positive")


def _is_zone(name: str) -> bool:
    if name == "Local":
        return True
    # Few documents name a zone: the others need not wait for this import.
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def schedule_problem(text: str) -> str:
    """What is wrong with a schedule, or ""."""
    zone, schedule = "", text.strip()
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        zone, _, schedule = schedule.partition(" ")
        if not _is_zone(zone.partition("=")[2]):
            return f"unknown time zone in '{zone}'"
    schedule = schedule.strip()
    if schedule.startswith("@"):
        known = schedule in _DESCRIPTORS or re.fullmatch(_EVERY, schedule)
        return "" if known else f"unrecognized descriptor '{schedule}'"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly {len(_FIELDS)} fields, found {len(fields)}"
    problems = (_field_problem(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True))
    return next((problem for problem in problems if problem), "")


def _field_problem(field: str, name: str, least: int, most: int, words: dict[str, int]) -> str:
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and int(step) > 0):
            return f"{name}: '{part}' has no whole step above 0"
        if span in ("*", "?"):
            continue
        ends = [_number(end, words) for end in span.split("-")]
        if len(ends) > 2 or any(end is None for end in ends):
            return f"{name}: '{part}' is not a number or a range"
        numbers = [end for end in ends if end is not None]
        if numbers[0] < least or numbers[-1] > most or numbers[0] > numbers[-1]:
            return f"{name}: '{part}' is not within {least} to {most}"
    return ""


def _number(text: str, words: dict[str, int]) -> int | None:
    if text.isdecimal():
        return int(text)
    return words.get(text.lower())
