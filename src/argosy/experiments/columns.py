"""What the names in conditions, sorts and tables stand for, and how each is asked of the record: parameterised SQL.

It knows the tables of the record; every value and every name that a person wrote is a parameter of the statement.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from argosy.experiments.where import (
    Aggregate,
    Both,
    Compare,
    Condition,
    Either,
    Has,
    In,
    Name,
    Not,
    Place,
    Value,
    WhereError,
    parse,
    parse_name,
)
from argosy.model.status import Phase
from argosy.record.experiments import Experiments, number_of

Kind = Literal["text", "phase", "number", "time", "duration", "flag", "tag", "either"]
INTERRUPTED = "Interrupted"
# In the statement runs are r, their notes n. ?now and ?interrupted are put in by `Statement`.
_PHASE = "CASE WHEN r.finished = 0 AND r.id IN (SELECT value FROM json_each(?)) THEN 'Interrupted' ELSE r.phase END"
_DURATION = "CASE WHEN r.started_at > 0 THEN CASE WHEN r.finished = 1 THEN r.finished_at ELSE ? END - r.started_at END"
_ATTRIBUTES: dict[str, tuple[Kind, str]] = {
    "name": ("text", "r.name"),
    "uid": ("text", "r.uid"),
    "status": ("phase", _PHASE),
    "label": ("text", "n.label"),
    "comment": ("text", "n.comment"),
    "marked": ("flag", "coalesce(n.marked, 0)"),
    "tag": ("tag", "(SELECT group_concat(tag, ' ') FROM run_tags t WHERE t.run = r.id)"),
    "workflow": ("text", "CASE r.template WHEN '' THEN r.workflow ELSE r.template END"),
    "message": ("text", "r.message"),
    "created": ("time", "r.created_at"),
    "started": ("time", "nullif(r.started_at, 0)"),
    "finished": ("time", "nullif(r.finished_at, 0)"),
    "duration": ("duration", _DURATION),
    "steps": ("text", "r.progress"),
    "generation": ("number", "r.generation"),
}
_ALIASES = {
    "phase": "status",
    "mark": "marked",
    "tags": "tag",
    "took": "duration",
    "template": "workflow",
    "operation": "workflow",
    "run": "name",
    "id": "uid",
    "age": "created",
    "progress": "steps",
}
ATTRIBUTES = tuple(_ATTRIBUTES)
# Words of other systems for phases.
_PHASES = {"completed": "Succeeded", "done": "Succeeded", "failure": "Failed", "terminated": "Failed"}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be known of each run. step: of a metric, the step that gave it, "" for the last that did."""

    table: Literal["attribute", "parameter", "metric", "label"]
    name: str
    kind: Kind
    step: str = ""
    aggregate: Aggregate = "last"
    title: str = ""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for a whole question. interrupted: JSON list of the runs that nobody drives any more."""

    experiments: Experiments
    now: float
    interrupted: str = "[]"
    clock: Callable[[], float] = time.time


class Sql(msgspec.Struct, frozen=True):
    """A piece of a statement with its parameters."""

    text: str
    parameters: tuple[object, ...] = ()


def column_of(asking: Asking, name: Name, text: str, title: str = "") -> Column:
    """What a name stands for: an attribute, a parameter or a metric that some run has. Raises WhereError.

    A leading `=` means a parameter and a leading `.` an attribute, as in Guild's columns.
    """
    word, title = name.text, title or text[name.place.start : name.place.end]
    table, colon, rest = word.partition(":")
    if word.startswith(".") and len(word) > 1:
        return _attribute(asking, word[1:], name, text, title)
    if colon and rest and table in ("param", "parameter", "flag"):
        return _known(asking, "parameter", rest, "", name, text, title)
    if colon and rest and table in ("metric", "scalar"):
        step, _, metric = rest.rpartition("#")
        return _known(asking, "metric", metric, step, name, text, title)
    if colon and rest and table == "label":
        if '"' in rest:
            raise WhereError(f"a label's key has no quotes: {rest}", text, name.place)
        return Column(table="label", name=rest, kind="text", title=title)
    if word.lower() in _ATTRIBUTES or word.lower() in _ALIASES:
        return _attribute(asking, word, name, text, title)
    step, sharp, metric = word.rpartition("#")
    if sharp and metric:
        return _known(asking, "metric", metric, step, name, text, title)
    return _bare(asking, name, text, title)


def _bare(asking: Asking, name: Name, text: str, title: str) -> Column:
    parameter = asking.experiments.has_name("run_parameters", name.text)
    metric = asking.experiments.has_name("run_metrics", name.text)
    if parameter and metric:
        raise WhereError(
            f"{name.text!r} is a parameter and a metric",
            text,
            name.place,
            hint=f"write param:{name.text} or metric:{name.text}",
        )
    if not parameter and not metric:
        raise _unknown(asking, name, text)
    return _known(asking, "parameter" if parameter else "metric", name.text, "", name, text, title)


def _attribute(asking: Asking, word: str, name: Name, text: str, title: str) -> Column:
    key = _ALIASES.get(word.lower(), word.lower())
    if key not in _ATTRIBUTES:
        raise _unknown(asking, name, text)
    if name.aggregate != "last":
        raise WhereError(f"{name.aggregate}() is for metrics, and {word} is none", text, name.place)
    return Column(table="attribute", name=key, kind=_ATTRIBUTES[key][0], title=title)


def _known(
    asking: Asking, table: Literal["parameter", "metric"], word: str, step: str, name: Name, text: str, title: str
) -> Column:
    rows: Literal["run_parameters", "run_metrics"] = "run_parameters" if table == "parameter" else "run_metrics"
    if not asking.experiments.has_name(rows, word):
        near = _near(word, asking.experiments.names(rows))
        raise WhereError(f"no run has a {table} {word!r}", text, name.place, hint=near)
    if table == "parameter" and name.aggregate != "last":
        raise WhereError(f"{name.aggregate}() is for metrics, and {word} is a parameter", text, name.place)
    kind: Kind = "either" if table == "parameter" else "number"
    return Column(table=table, name=word, kind=kind, step=step, aggregate=name.aggregate, title=title)


def _unknown(asking: Asking, name: Name, text: str) -> WhereError:
    experiments = asking.experiments
    names = [*ATTRIBUTES, *experiments.names("run_metrics"), *experiments.names("run_parameters")]
    return WhereError(
        f"{name.text!r} is no attribute, parameter or metric of any run",
        text,
        name.place,
        hint=_near(name.text.lstrip("=."), names),
    )


def _near(word: str, names: Sequence[str]) -> str:
    from argosy.syntax.diagnostics import did_you_mean

    near = did_you_mean(word, names)
    if near:
        return f"did you mean {near}?"
    some = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"there are {some}" if names else ""


def columns_of(asking: Asking, text: str) -> list[Column]:
    """The columns of a list such as `name, loss, train#loss as final, min(acc), =lr`. Raises WhereError."""
    found: list[Column] = []
    for part in (one.strip() for one in re.split(r",(?![^(]*\))", text)):
        if not part:
            continue
        expression, title = _titled(part)
        if expression.startswith(("=", ".")):
            title = title or expression[1:]
        if expression.startswith("="):
            expression = f"param:{expression[1:]}"
        first, blank, rest = expression.partition(" ")
        if blank and first in ("min", "max", "first", "last", "mean", "count"):
            expression = f"{first}({rest.strip()})"
        found.append(column_of(asking, parse_name(expression), expression, title))
    if not found:
        raise WhereError("a column is missing", text, Place(0, len(text)), hint="as in name, loss, lr")
    return found


def _titled(part: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.+?)\s+as\s+(.+)", part)
    return (match[1], match[2].strip()) if match else (part, "")


def value_sql(asking: Asking, column: Column) -> Sql:
    """The value of a column as one expression. Of a parameter it is a number if it can be one."""
    if column.table == "attribute":
        text = _ATTRIBUTES[column.name][1]
        if column.name == "status":
            return Sql(text, (asking.interrupted,))
        return Sql(text, (asking.now,)) if column.name == "duration" else Sql(text)
    if column.table == "label":
        return Sql("json_extract(CASE WHEN json_valid(r.labels) THEN r.labels END, ?)", (f'$."{column.name}"',))
    if column.table == "parameter":
        return Sql(
            "(SELECT coalesce(p.number, p.value) FROM run_parameters p WHERE p.run = r.id AND p.name = ?)",
            (column.name,),
        )
    return _metric_sql(column, column.aggregate)


def _metric_sql(column: Column, what: str) -> Sql:
    of_step, parameters = "", [column.name]
    if column.step:
        # Members of a loop and attempts of a retry are called NAME(...).
        of_step = " AND (m.step = ? OR substr(m.step, 1, ?) = ?)"
        parameters += [column.step, len(column.step) + 1, f"{column.step}("]
    return Sql(
        f"(SELECT m.{what} FROM run_metrics m WHERE m.run = r.id AND m.name = ?{of_step}"
        " ORDER BY m.at DESC, m.node DESC LIMIT 1)",
        tuple(parameters),
    )


def condition_sql(asking: Asking, text: str) -> Sql:
    """A condition as SQL. A run that lacks what is compared does not fulfil the comparison. Raises WhereError."""
    return _condition(asking, parse(text), text)


def _condition(asking: Asking, condition: Condition, text: str) -> Sql:
    match condition:
        case Both(parts=parts):
            return _joined(" AND ", [_condition(asking, part, text) for part in parts])
        case Either(parts=parts):
            return _joined(" OR ", [_condition(asking, part, text) for part in parts])
        case Not(part=part):
            inner = _condition(asking, part, text)
            return Sql(f"NOT {inner.text}", inner.parameters)
        case Has(name=name):
            return _has(asking, column_of(asking, name, text))
        case In(name=name, values=values):
            column = column_of(asking, name, text)
            return _joined(" OR ", [_compared(asking, column, "=", value, text) for value in values])
        case Compare(name=name, operator=operator, value=value):
            return _compared(asking, column_of(asking, name, text), operator, value, text)


def _joined(word: str, parts: Sequence[Sql]) -> Sql:
    return Sql(
        "(" + word.join(part.text for part in parts) + ")", tuple(one for part in parts for one in part.parameters)
    )


def _has(asking: Asking, column: Column) -> Sql:
    value = value_sql(asking, column)
    if column.kind == "flag":
        return Sql(f"({value.text} = 1)", value.parameters)
    if column.table == "metric":
        counted = _metric_sql(column, "count")
        return Sql(f"(coalesce({counted.text}, 0) > 0)", counted.parameters)
    return Sql(f"(coalesce({value.text}, '') <> '')", value.parameters)


def _compared(asking: Asking, column: Column, operator: str, value: Value, text: str) -> Sql:
    if column.kind == "tag" and operator in ("=", "!="):
        word = "" if operator == "=" else "NOT "
        return Sql(f"({word}EXISTS (SELECT 1 FROM run_tags t WHERE t.run = r.id AND t.tag = ?))", (value.text,))
    left = value_sql(asking, column)
    if operator == "contains":
        return Sql(f"(coalesce(instr(lower({left.text}), lower(?)), 0) > 0)", (*left.parameters, value.text))
    operator = {"=": "=", "!=": "<>"}.get(operator, operator)
    wanted = _wanted(asking, column, value, text)
    if column.kind == "either":
        return _parameter_compared(column, operator, wanted)
    if column.kind == "phase" and operator not in ("=", "<>"):
        raise WhereError("a status is only = or !=", text, value.place)
    return Sql(f"(coalesce({left.text} {operator} ?, 0))", (*left.parameters, wanted))


def _parameter_compared(column: Column, operator: str, wanted: object) -> Sql:
    """Numbers are compared with numbers and texts with texts; they are unequal to one another."""
    own, other = ("number", "value") if isinstance(wanted, float) else ("value", "number")
    unlike = f" OR (p.number IS NULL AND p.{other} IS NOT NULL)" if operator == "<>" and own == "number" else ""
    return Sql(
        "(EXISTS (SELECT 1 FROM run_parameters p WHERE p.run = r.id AND p.name = ?"
        f" AND (p.{own} {operator} ?{unlike})))",
        (column.name, wanted),
    )


def _wanted(asking: Asking, column: Column, value: Value, text: str) -> object:
    """The value to compare with, in the column's unit."""
    number = None if value.quoted else number_of(value.text)
    if value.ago and column.kind != "time":
        raise WhereError(f"{column.title} is no time", text, value.place)
    match column.kind:
        case "either":
            return value.text if number is None else number
        case "number":
            if number is None:
                raise WhereError(f"{column.title} is a number, and {value.text!r} is none", text, value.place)
            return number
        case "time":
            return _time(asking, value, text)
        case "duration":
            return _seconds(value, text)
        case "flag":
            return _yes(value, text)
        case "phase":
            return _phase(value, text)
        case "text" | "tag":
            return value.text


def _phase(value: Value, text: str) -> str:
    phases = {one.value.lower(): one.value for one in Phase} | {INTERRUPTED.lower(): INTERRUPTED} | _PHASES
    found = phases.get(value.text.lower())
    if found is None:
        raise WhereError(
            f"{value.text!r} is no status", text, value.place, hint=_near(value.text, [*map(str, Phase), INTERRUPTED])
        )
    return found


def _yes(value: Value, text: str) -> int:
    if value.text.lower() in ("yes", "true", "1"):
        return 1
    if value.text.lower() in ("no", "false", "0"):
        return 0
    raise WhereError(f"{value.text!r} is neither yes nor no", text, value.place)


def _seconds(value: Value, text: str) -> float:
    match = _SPAN.fullmatch(value.text)
    if match is None:
        raise WhereError(f"{value.text!r} is no duration", text, value.place, hint="write 90s, 30m, 12h, 7d or 2w")
    return float(match[1]) * _SECONDS[match[2]]


def _time(asking: Asking, value: Value, text: str) -> float:
    word = value.text.lower()
    if value.ago or (_SPAN.fullmatch(word) and word[-1:] in _SECONDS and word[-1:]):
        return asking.now - _seconds(value, text)
    midnight = datetime.fromtimestamp(asking.now).replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("today", "yesterday"):
        return (midnight - timedelta(days=word == "yesterday")).timestamp()
    try:
        return datetime.fromisoformat(value.text).timestamp()
    except ValueError:
        raise WhereError(
            f"{value.text!r} is no time", text, value.place, hint="write 2026-11-20, '2026-11-20 14:30', today, 2h ago"
        ) from None
