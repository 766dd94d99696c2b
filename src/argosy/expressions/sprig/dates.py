"""sprig's functions on dates. It knows moments, not the languages that call it. `Local` is UTC, as in Argo's pods."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import datetime
import re

from argosy.errors import ExpressionError
from argosy.expressions.moments import SECOND, Duration, Moment, Zone
from argosy.expressions.signatures import Function, plain

_ZERO = -62_135_596_800 * SECOND  # what Go gives for a date that cannot be read


def _moment(value: object) -> Moment:
    """A date, or an int as seconds since 1970; anything else, a text too, is the present (so it is in sprig)."""
    if isinstance(value, Moment):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Moment(value * SECOND, datetime.UTC)
    return Moment.now()


def _date_in_zone(layout: str, value: object, zone: str = "UTC") -> str:
    try:
        info = Zone.named(zone).info
    except ExpressionError:
        info = datetime.UTC
    return Moment(_moment(value).instant, info).written(layout)


def _modified(text: str, date: Moment) -> Moment:
    try:
        return date.plus(Duration.read(text))
    except ExpressionError:
        return date


def _to_date(layout: str, text: str) -> Moment:
    try:
        return Moment.read(text, layout)
    except ExpressionError:
        return Moment(_ZERO, datetime.UTC)


def _ago(value: object) -> str:
    seconds = (Moment.now().instant - _moment(value).instant + SECOND // 2) // SECOND
    return Duration.of_float(seconds * SECOND).text()


def _duration(value: object) -> str:
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"[+-]?[0-9]{1,18}", value) else 0
    seconds = value if isinstance(value, int) and not isinstance(value, bool) else 0
    return Duration.of_float(seconds * SECOND).text()


_UNITS = (("y", 365 * 86400), ("mo", 30 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def _rough(value: object) -> str:
    nanoseconds = 0
    if isinstance(value, str):
        try:
            nanoseconds = Duration.read(value).nanoseconds
        except ExpressionError:
            nanoseconds = 0
    elif isinstance(value, Moment):
        nanoseconds = Moment.now().since(value).nanoseconds
    elif isinstance(value, Duration):
        nanoseconds = value.nanoseconds
    elif isinstance(value, int) and not isinstance(value, bool):
        nanoseconds = value
    size = abs(nanoseconds)
    return next((f"{size // (unit * SECOND)}{name}" for name, unit in _UNITS if size > unit * SECOND), "0s")


FUNCTIONS = (
    Function("now", "", plain(Moment.now)),
    Function("date", "s*", plain(_date_in_zone)),
    Function("dateInZone", "s*s", plain(_date_in_zone)),
    Function("date_in_zone", "s*s", plain(_date_in_zone)),
    Function("htmlDate", "*", plain(lambda value: _date_in_zone("2006-01-02", value))),
    Function("htmlDateInZone", "*s", plain(lambda value, zone: _date_in_zone("2006-01-02", value, zone))),
    Function("dateModify", "st", plain(_modified)),
    Function("date_modify", "st", plain(_modified)),
    Function("mustDateModify", "st", plain(lambda text, date: date.plus(Duration.read(text)))),
    Function("must_date_modify", "st", plain(lambda text, date: date.plus(Duration.read(text)))),
    Function("toDate", "ss", plain(_to_date)),
    Function("mustToDate", "ss", plain(lambda layout, text: Moment.read(text, layout))),
    Function("ago", "*", plain(_ago)),
    Function("duration", "*", plain(_duration)),
    Function("durationRound", "*", plain(_rough)),
    Function("unixEpoch", "t", plain(lambda date: str(date.instant // SECOND))),
)
