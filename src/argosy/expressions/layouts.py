"""Dates written and read by Go's layouts, where `2006-01-02 15:04:05` shows how the reference time would look.

It knows layouts and moments in civil form, not languages. Source: Go's time package.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import lru_cache

from argosy.errors import ExpressionError

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

ANSIC = "Mon Jan _2 15:04:05 2006"
UNIX_DATE = "Mon Jan _2 15:04:05 MST 2006"
RUBY_DATE = "Mon Jan 02 15:04:05 -0700 2006"
RFC822 = "02 Jan 06 15:04 MST"
RFC850 = "Monday, 02-Jan-06 15:04:05 MST"
RFC1123 = "Mon, 02 Jan 2006 15:04:05 MST"
RFC3339 = "2006-01-02T15:04:05Z07:00"
RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00"
KITCHEN = "3:04PM"

_CHUNK = (
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|__2|_2(?!006)|2|3|4|5|PM|pm"
    r"|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0+|9+)(?!\d)"
)

_READ: dict[str, str] = {
    "January": f"(?P<month_name>{'|'.join(MONTHS)})",
    "Jan": f"(?P<month_short>{'|'.join(name[:3] for name in MONTHS)})",
    "Monday": f"(?:{'|'.join(DAYS)})",
    "Mon": f"(?:{'|'.join(name[:3] for name in DAYS)})",
    "MST": r"(?P<zone_name>[A-Z]{3,5}(?:[+-]\d{1,2})?)",
    "002": r"(?P<year_day>\d{3})",
    "__2": r"(?P<year_day>[ \d]{2}\d)",
    "1": r"(?P<month>\d{1,2})",
    "01": r"(?P<month>\d{2})",
    "2": r"(?P<day>\d{1,2})",
    "_2": r"(?P<day> ?\d{1,2})",
    "02": r"(?P<day>\d{2})",
    "15": r"(?P<hour>\d{2})",
    "3": r"(?P<hour12>\d{1,2})",
    "03": r"(?P<hour12>\d{2})",
    "4": r"(?P<minute>\d{1,2})",
    "04": r"(?P<minute>\d{2})",
    "5": r"(?P<second>\d{1,2})(?:[.,](?P<fraction>\d+))?",
    "05": r"(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?",
    "2006": r"(?P<year>\d{4})",
    "06": r"(?P<year2>\d{2})",
    "PM": "(?P<half>AM|PM)",
    "pm": "(?P<half>am|pm)",
}


def _zone_text(seconds: int, form: str) -> str:
    if form.startswith("Z") and seconds == 0:
        return "Z"
    sign, rest = "-" if seconds < 0 else "+", abs(seconds)
    hours, minutes, left = rest // 3600, rest // 60 % 60, rest % 60
    colon = ":" if ":" in form else ""
    text = f"{sign}{hours:02d}"
    if len(form) > 3:
        text += f"{colon}{minutes:02d}"
    return text + (f"{colon}{left:02d}" if len(form) > 6 else "")


def _zone_name(civil: datetime.datetime) -> str:
    name = civil.tzname() or "UTC"
    return (
        _zone_text(_offset(civil), "-0700" if _offset(civil) % 3600 else "-07") if name[:3] == "UTC" != name else name
    )


def _offset(civil: datetime.datetime) -> int:
    offset = civil.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


_WRITE: dict[str, Callable[[datetime.datetime], str]] = {
    "January": lambda civil: MONTHS[civil.month - 1],
    "Jan": lambda civil: MONTHS[civil.month - 1][:3],
    "Monday": lambda civil: DAYS[civil.weekday()],
    "Mon": lambda civil: DAYS[civil.weekday()][:3],
    "MST": _zone_name,
    "002": lambda civil: f"{civil.timetuple().tm_yday:03d}",
    "__2": lambda civil: f"{civil.timetuple().tm_yday:3d}",
    "1": lambda civil: str(civil.month),
    "01": lambda civil: f"{civil.month:02d}",
    "2": lambda civil: str(civil.day),
    "_2": lambda civil: f"{civil.day:2d}",
    "02": lambda civil: f"{civil.day:02d}",
    "15": lambda civil: f"{civil.hour:02d}",
    "3": lambda civil: str(civil.hour % 12 or 12),
    "03": lambda civil: f"{civil.hour % 12 or 12:02d}",
    "4": lambda civil: str(civil.minute),
    "04": lambda civil: f"{civil.minute:02d}",
    "5": lambda civil: str(civil.second),
    "05": lambda civil: f"{civil.second:02d}",
    "2006": lambda civil: f"{civil.year:04d}",
    "06": lambda civil: f"{civil.year % 100:02d}",
    "PM": lambda civil: "PM" if civil.hour >= 12 else "AM",
    "pm": lambda civil: "pm" if civil.hour >= 12 else "am",
}


def written(civil: datetime.datetime, layout: str, nanoseconds: int) -> str:
    """The moment in the layout's form. nanoseconds: of the second, as a datetime holds only microseconds."""

    def put(chunk: re.Match[str]) -> str:
        form = chunk.group()
        if form in _WRITE:
            return _WRITE[form](civil)
        if form[0] in "-Z":
            return _zone_text(_offset(civil), form)
        digits = f"{nanoseconds:09d}"[: len(form) - 1]
        if form[1] == "9":
            digits = digits.rstrip("0")
        return form[0] + digits if digits else ""

    return re.sub(_CHUNK, put, layout)


@lru_cache(maxsize=256)
def _reader(layout: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    pattern: list[str] = []
    last, zones = 0, 0
    used: set[str] = set()
    for chunk in re.finditer(_CHUNK, layout):
        pattern.append(re.escape(layout[last : chunk.start()]))
        last = chunk.end()
        form = chunk.group()
        part = _READ.get(form)
        if part is None and form[0] in "-Z":
            zones += 1
            part = "(?P<zone>" + ("Z|" if form[0] == "Z" else "") + r"[+-]\d\d(?::?\d\d){0,2})"
        elif part is None:
            before = "".join(pattern)
            taken = before.endswith(r"(?P<fraction>\d+))?")
            part = (
                ""
                if taken
                else r"(?:[.,](?P<fraction>\d+))?"
                if form[1] == "9"
                else rf"[.,](?P<fraction>\d{{{len(form) - 1}}})"
            )
        for name in re.findall(r"\?P<(\w+)>", part):
            if name in used:
                raise ExpressionError(f"the layout '{layout}' has the same part twice")
            used.add(name)
        pattern.append(part)
    pattern.append(re.escape(layout[last:]))
    return re.compile("".join(pattern)), tuple(used)


def read(text: str, layout: str, zone: datetime.tzinfo) -> tuple[datetime.datetime, int]:
    """The civil moment that the text shows, and the nanoseconds of its second. Raises ExpressionError.

    zone: where a text without a zone is. A missing year is year 1 (Go's is 0, which Python does not have).
    """
    if len(text) > 200 or len(layout) > 200:
        raise ExpressionError("a date or its layout is longer than 200 characters")
    pattern, _ = _reader(layout)
    found = pattern.fullmatch(text)
    if found is None:
        raise ExpressionError(f"'{text}' is not a date in the form '{layout}'")
    parts = {name: value for name, value in found.groupdict().items() if value is not None}
    fraction = int((parts.get("fraction", "") + "000000000")[:9])
    try:
        civil = _civil(parts, zone).replace(microsecond=fraction // 1000)
    except (ValueError, OverflowError) as problem:
        raise ExpressionError(f"'{text}' is not a date in the form '{layout}': {problem}") from None
    return civil, fraction


def _civil(parts: dict[str, str], zone: datetime.tzinfo) -> datetime.datetime:
    year = int(parts.get("year", "1"))
    if "year2" in parts:
        short = int(parts["year2"])
        year = short + (1900 if short >= 69 else 2000)
    month, day = int(parts.get("month", "1")), int(parts.get("day", "1"))
    if "month_name" in parts:
        month = MONTHS.index(parts["month_name"]) + 1
    if "month_short" in parts:
        month = [name[:3] for name in MONTHS].index(parts["month_short"]) + 1
    hour = int(parts.get("hour", "0"))
    if "hour12" in parts:
        hour = int(parts["hour12"])
        if hour > 12:
            raise ValueError("hour out of range")
        half = parts.get("half", "").upper()
        hour = hour % 12 + 12 if half == "PM" else 0 if half == "AM" and hour == 12 else hour
    where = _zone_of(parts, zone)
    civil = datetime.datetime(
        max(year, 1), month, day, hour, int(parts.get("minute", "0")), int(parts.get("second", "0")), tzinfo=where
    )
    if "year_day" in parts:
        civil = civil.replace(month=1, day=1) + datetime.timedelta(days=int(parts["year_day"]) - 1)
    return civil


def _zone_of(parts: dict[str, str], zone: datetime.tzinfo) -> datetime.tzinfo:
    written_zone = parts.get("zone")
    if written_zone is None:
        name = parts.get("zone_name")
        return datetime.UTC if name in ("UTC", "GMT") or (name is None and zone is datetime.UTC) else zone
    if written_zone == "Z":
        return datetime.UTC
    digits = written_zone[1:].replace(":", "") + "0000"
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    offset = datetime.timedelta(seconds=-seconds if written_zone[0] == "-" else seconds)
    return datetime.timezone(offset) if seconds else datetime.UTC
