"""Moments, durations and time zones as values of the languages, with the methods that may be called on them.

It knows no languages. Methods are found in a table, by name; nothing of Python can be reached through one of these
values. Source: Go's time package.
"""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from argosy.errors import ExpressionError
from argosy.expressions import layouts
from argosy.expressions.formatting import Spoken

SECOND = 1_000_000_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_UNITS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


class Duration(Spoken):
    """A length of time, in nanoseconds (a signed number of 64 bits)."""

    __slots__ = ("nanoseconds",)
    type_name = "time.Duration"

    def __init__(self, nanoseconds: int) -> None:
        self.nanoseconds = nanoseconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.nanoseconds == other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    @classmethod
    def of_float(cls, nanoseconds: float) -> Duration:
        """A whole number of nanoseconds. Raises ExpressionError when they are too many."""
        if not abs(nanoseconds) < 1 << 63:
            raise ExpressionError("a duration is out of range")
        return cls(int(nanoseconds))

    @classmethod
    def read(cls, text: str) -> Duration:
        """What a text like `1h15m30.5s` says. Raises ExpressionError."""
        sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        if rest == "0":
            return cls(0)
        total, offset = 0, 0
        while found := _PART.match(rest, offset):
            number, unit = found.groups()
            integer, _, fraction = number.partition(".")
            scale = _UNITS[unit]
            total += int(integer or "0") * scale + int((fraction or "0")[:18]) * scale // 10 ** len(
                (fraction or "0")[:18]
            )
            offset = found.end()
        if offset == 0 or offset < len(rest) or total >= 1 << 63:
            raise ExpressionError(f"'{text}' is not a duration", hint="write it like 1h15m30s")
        return cls(sign * total)

    def text(self) -> str:
        """As Go shows it: `1h15m30.5s`."""
        rest = abs(self.nanoseconds)
        sign = "-" if self.nanoseconds < 0 else ""
        if rest == 0:
            return "0s"
        if rest < SECOND:
            unit, scale = ("ns", 1) if rest < 1000 else ("µs", 1000) if rest < 1_000_000 else ("ms", 1_000_000)
            return f"{sign}{_decimal(rest, scale)}{unit}"
        minutes, left = divmod(rest, 60 * SECOND)
        hours, minutes = divmod(minutes, 60)
        head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
        return f"{sign}{head}{_decimal(left, SECOND)}s"

    def json(self) -> object:
        """Nanoseconds."""
        return self.nanoseconds


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    return f"{whole}.{rest:0{len(str(scale)) - 1}d}".rstrip("0").rstrip(".") if rest else str(whole)


class Zone(Spoken):
    """A time zone."""

    __slots__ = ("info", "name")
    type_name = "*time.Location"

    def __init__(self, name: str, info: datetime.tzinfo) -> None:
        self.name = name
        self.info = info

    def text(self) -> str:
        """Its name."""
        return self.name

    @classmethod
    def named(cls, name: str) -> Zone:
        """The zone of that name in the time zone database. Raises ExpressionError."""
        if name in ("", "UTC", "Local"):
            return cls(name or "UTC", datetime.UTC)
        from zoneinfo import ZoneInfo

        if len(name) > 100 or not re.fullmatch(r"[A-Za-z][-+\w]*(/[-+\w]+)*", name, re.ASCII):
            raise ExpressionError(f"unknown time zone {name[:100]}")
        try:
            return cls(name, ZoneInfo(name))
        except (LookupError, ValueError, OSError):
            raise ExpressionError(f"unknown time zone {name}") from None


class Moment(Spoken):
    """A moment in a zone. instant: nanoseconds since 1970."""

    __slots__ = ("instant", "zone")
    type_name = "time.Time"

    def __init__(self, instant: int, zone: datetime.tzinfo) -> None:
        self.instant = instant
        self.zone = zone
        self.civil()  # a moment that no calendar of ours can show is refused now

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moment) and self.instant == other.instant

    def __hash__(self) -> int:
        return hash(self.instant)

    @classmethod
    def now(cls, zone: datetime.tzinfo = datetime.UTC) -> Moment:
        """The present moment."""
        return cls.of(datetime.datetime.now(zone))

    @classmethod
    def of(cls, civil: datetime.datetime, nanoseconds: int | None = None) -> Moment:
        """The moment of a datetime with a zone. nanoseconds: of its second, if more exact."""
        since = civil - _EPOCH
        fine = civil.microsecond * 1000 if nanoseconds is None else nanoseconds
        return cls((since.days * 86400 + since.seconds) * SECOND + fine, civil.tzinfo or datetime.UTC)

    @classmethod
    def read(cls, text: str, layout: str, zone: datetime.tzinfo = datetime.UTC) -> Moment:
        """The moment that a text shows in a layout. Raises ExpressionError."""
        return cls.of(*layouts.read(text, layout, zone))

    def civil(self) -> datetime.datetime:
        """Year, month, day and so on, in its zone; microseconds at the finest."""
        try:
            plain = _EPOCH + datetime.timedelta(
                seconds=self.instant // SECOND, microseconds=self.instant % SECOND // 1000
            )
            return plain.astimezone(self.zone)
        except (OverflowError, ValueError):
            raise ExpressionError("a date is out of range: years 1 to 9999 are known") from None

    def plus(self, duration: Duration) -> Moment:
        """The moment so much later."""
        return Moment(self.instant + duration.nanoseconds, self.zone)

    def since(self, other: Moment) -> Duration:
        """The time from the other moment to this one."""
        return Duration(max(min(self.instant - other.instant, (1 << 63) - 1), -(1 << 63)))

    def written(self, layout: str) -> str:
        """In the form of a layout."""
        return layouts.written(self.civil(), layout, self.instant % SECOND)

    def text(self) -> str:
        """As Go's `%v` shows it."""
        return self.written("2006-01-02 15:04:05.999999999 -0700 MST")

    def json(self) -> object:
        """RFC 3339."""
        return self.written(layouts.RFC3339_NANO)


def _add_date(moment: Moment, years: int, months: int, days: int) -> Moment:
    civil = moment.civil()
    month = civil.month - 1 + months
    try:
        first = civil.replace(year=civil.year + years + month // 12, month=month % 12 + 1, day=1)
        return Moment.of(first + datetime.timedelta(days=civil.day - 1 + days), moment.instant % SECOND)
    except (OverflowError, ValueError):
        raise ExpressionError("a date is out of range: years 1 to 9999 are known") from None


def _rounded(moment: Moment, step: Duration, up: bool) -> Moment:
    if step.nanoseconds <= 0:
        return moment
    origin = -62_135_596_800 * SECOND  # Go counts from the year 1
    rest = (moment.instant - origin) % step.nanoseconds
    more = up and rest * 2 >= step.nanoseconds
    return Moment(moment.instant - rest + (step.nanoseconds if more else 0), moment.zone)


def _round_duration(value: Duration, step: Duration, half_up: bool) -> Duration:
    if step.nanoseconds <= 0:
        return value
    size, unit = abs(value.nanoseconds), step.nanoseconds
    rest = size % unit
    size += unit - rest if half_up and rest * 2 >= unit else -rest
    return Duration(-size if value.nanoseconds < 0 else size)


# Methods: the kinds of their arguments (i int, s string, t time, d duration, z zone) and what they do.
Method = tuple[str, Callable[..., object]]

MOMENT_METHODS: dict[str, Method] = {
    "Year": ("", lambda moment: moment.civil().year),
    "Month": ("", lambda moment: moment.civil().month),
    "Day": ("", lambda moment: moment.civil().day),
    "Hour": ("", lambda moment: moment.civil().hour),
    "Minute": ("", lambda moment: moment.civil().minute),
    "Second": ("", lambda moment: moment.civil().second),
    "Nanosecond": ("", lambda moment: moment.instant % SECOND),
    "Weekday": ("", lambda moment: moment.civil().isoweekday() % 7),
    "YearDay": ("", lambda moment: moment.civil().timetuple().tm_yday),
    "Unix": ("", lambda moment: moment.instant // SECOND),
    "UnixMilli": ("", lambda moment: moment.instant // 1_000_000),
    "UnixMicro": ("", lambda moment: moment.instant // 1000),
    "UnixNano": ("", lambda moment: moment.instant),
    "UTC": ("", lambda moment: Moment(moment.instant, datetime.UTC)),
    "Local": ("", lambda moment: Moment(moment.instant, datetime.UTC)),
    "String": ("", lambda moment: moment.text()),
    "Format": ("s", lambda moment, layout: moment.written(layout)),
    "In": ("z", lambda moment, zone: Moment(moment.instant, zone.info)),
    "Add": ("d", lambda moment, duration: moment.plus(duration)),
    "AddDate": ("iii", _add_date),
    "Sub": ("t", lambda moment, other: moment.since(other)),
    "Before": ("t", lambda moment, other: moment.instant < other.instant),
    "After": ("t", lambda moment, other: moment.instant > other.instant),
    "Equal": ("t", lambda moment, other: moment.instant == other.instant),
    "Compare": ("t", lambda moment, other: (moment.instant > other.instant) - (moment.instant < other.instant)),
    "IsZero": ("", lambda moment: moment.instant == -62_135_596_800 * SECOND),
    "Truncate": ("d", lambda moment, step: _rounded(moment, step, False)),
    "Round": ("d", lambda moment, step: _rounded(moment, step, True)),
}

DURATION_METHODS: dict[str, Method] = {
    "Hours": ("", lambda duration: duration.nanoseconds / (3600 * SECOND)),
    "Minutes": ("", lambda duration: duration.nanoseconds / (60 * SECOND)),
    "Seconds": ("", lambda duration: duration.nanoseconds / SECOND),
    "Milliseconds": ("", lambda duration: int(duration.nanoseconds / 1_000_000)),
    "Microseconds": ("", lambda duration: int(duration.nanoseconds / 1000)),
    "Nanoseconds": ("", lambda duration: duration.nanoseconds),
    "String": ("", lambda duration: duration.text()),
    "Abs": ("", lambda duration: Duration(abs(duration.nanoseconds))),
    "Round": ("d", lambda duration, step: _round_duration(duration, step, True)),
    "Truncate": ("d", lambda duration, step: _round_duration(duration, step, False)),
}

ZONE_METHODS: dict[str, Method] = {"String": ("", lambda zone: zone.name)}

Moment.methods = MOMENT_METHODS
Duration.methods = DURATION_METHODS
Zone.methods = ZONE_METHODS
