"""successCondition and failureCondition of resource templates: Kubernetes' label selectors over an object's fields.

It knows selectors and plain values, not objects' kinds. A field is a dotted path, an element of a list by its number.
Source: Argo docs: walk-through/kubernetes-resources.md; Kubernetes docs: labels (set-based requirements).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import msgspec

from argosy.errors import ExpressionError
from argosy.expressions.formatting import json_text, text_of

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(
    rf"""\s*(?:
        !\s*(?P<absent>{_KEY})
      | (?P<key>{_KEY})\s*(?:
            (?P<sign>==|=|!=|>|<)\s*(?P<value>-?{_VALUE}|)
          | \b(?P<set>in|notin)\s*\((?P<values>[^()]*)\)
        )?
    )\s*(?P<next>,|$)""",
    re.VERBOSE,
)
_ONE = re.compile(rf"(?:{_VALUE})?")
_NUMBER = re.compile(r"[-+]?[0-9]+")


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """What one field has to be. operator: ==, !=, in, notin, >, <, exists or !."""

    path: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator in ("in", "notin"):
            return f"{self.path} {self.operator} ({','.join(sorted(self.values))})"
        if self.operator == "exists":
            return self.path
        if self.operator == "!":
            return f"!{self.path}"
        return f"{self.path}{self.operator}{self.values[0]}"

    def holds(self, document: object) -> bool:
        """Whether the object is so."""
        return self._holds(*field_of(document, self.path))

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is meant, the path being a label's name."""
        return self._holds(self.path in labels, labels.get(self.path, ""))

    def _holds(self, found: bool, value: str) -> bool:
        match self.operator:
            case "exists":
                return found
            case "!":
                return not found
            case "==" | "in":
                return found and value in self.values
            case "!=" | "notin":
                return not found or value not in self.values
            case _:
                return found and _compared(value, self.operator, self.values[0])


def requirements(text: str) -> tuple[Requirement, ...]:
    """The requirements of a selector. Raises ExpressionError with the position."""
    found: list[Requirement] = []
    position, more = 0, bool(text.strip())
    while more:
        match = _REQUIREMENT.match(text, position)
        if match is None:
            raise ExpressionError(
                f"the condition '{text}' cannot be read from character {position + 1} on",
                position=position,
                hint="It is like status.phase == Succeeded, or status.phase in (Failed, Error), joined by commas.",
            )
        found.append(_requirement(text, match))
        position, more = match.end(), match["next"] == ","
    return tuple(found)


def _requirement(text: str, match: re.Match[str]) -> Requirement:
    if match["absent"]:
        return Requirement(path=match["absent"], operator="!")
    if match["set"]:
        values = tuple(one.strip() for one in match["values"].split(","))
        if wrong := next((one for one in values if not _ONE.fullmatch(one)), None):
            raise ExpressionError(
                f"the condition '{text}' has the value '{wrong}'; letters, digits and -_. are allowed"
            )
        return Requirement(path=match["key"], operator=match["set"], values=values)
    sign = match["sign"]
    if sign is None:
        return Requirement(path=match["key"], operator="exists")
    if sign in "<>" and not _NUMBER.fullmatch(match["value"]):
        raise ExpressionError(f"the condition '{text}' compares with '{match['value']}', which is no whole number")
    return Requirement(path=match["key"], operator="==" if sign == "=" else sign, values=(match["value"],))


def field_of(document: object, path: str) -> tuple[bool, str]:
    """Whether there is such a field, and its value as text."""
    value = document
    for name in path.split("."):
        if isinstance(value, dict) and name in value:
            value = cast("dict[str, object]", value)[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(cast("list[object]", value)):
            value = cast("list[object]", value)[int(name)]
        else:
            return False, ""
    if value is None:
        return True, ""
    if isinstance(value, (dict, list)):
        return True, json_text(cast("object", value), escape_html=False)
    return True, text_of(value)


def _compared(value: str, sign: str, limit: str) -> bool:
    if not _NUMBER.fullmatch(value):
        return False
    return int(value) > int(limit) if sign == ">" else int(value) < int(limit)
