"""expr-lang's functions on dates. It knows moments, durations and zones, not the languages that call it."""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from argosy.errors import ExpressionError
from argosy.expressions import layouts
from argosy.expressions.budget import Budget
from argosy.expressions.moments import Duration, Moment, Zone
from argosy.expressions.signatures import Function, plain

_TRIED = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    layouts.RFC3339,
    layouts.RFC822,
    layouts.RFC850,
    layouts.RFC1123,
)


def _date(budget: Budget, *arguments: object) -> Moment:
    zone = arguments[0] if isinstance(arguments[0], Zone) else Zone.named("UTC")
    texts = arguments[1:] if isinstance(arguments[0], Zone) else arguments
    words = [text for text in texts if isinstance(text, str)]
    if not 1 <= len(words) <= 3 or len(words) < len(texts):
        raise ExpressionError("date() takes a text, and if need be a layout and a time zone's name")
    if len(words) == 3:
        zone = Zone.named(words[2])
    if len(words) > 1:
        return Moment.read(words[0], words[1], zone.info)
    for layout in _TRIED:
        try:
            return Moment.read(words[0], layout, zone.info)
        except ExpressionError:
            continue
    raise ExpressionError(f"invalid date {words[0][:100]}", hint="a second argument says its layout")


def _now(budget: Budget, zone: Zone | None = None) -> Moment:
    return Moment.now() if zone is None else Moment.now(zone.info)


FUNCTIONS = (
    Function("now", "|z", _now),
    Function("duration", "s", plain(Duration.read)),
    Function("date", "*|***", _date),
    Function("timezone", "s", plain(Zone.named)),
)
