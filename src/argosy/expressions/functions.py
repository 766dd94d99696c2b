"""Every function that an expression in an Argo manifest may call: expr-lang's own, Argo's, and sprig's.

It knows which there are, not what most of them do. Source: Argo docs: variables.md, section on expressions.
"""

# The kinds of all arguments are checked against the signature beside each function, which a type checker cannot see.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from functools import lru_cache

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.builtin import BUILTINS
from argosy.expressions.builtin.conversion import from_json, to_float, to_int
from argosy.expressions.formatting import json_text
from argosy.expressions.signatures import Function, plain

MAX_DOCUMENT = 200_000


def to_json(budget: Budget, value: object) -> str:
    """Compact JSON."""
    budget.measure(value)
    return json_text(value)


def _json_path(budget: Budget, text: str, path: str) -> object:
    from argosy.expressions.jsonpaths import query

    if len(text) > MAX_DOCUMENT:
        raise ExpressionError(f"jsonpath(): the JSON has {len(text)} characters; at most {MAX_DOCUMENT} are allowed")
    return query(budget, from_json(budget, text), path)


ARGO: dict[str, Function] = {
    "asInt": Function("asInt", "*", plain(to_int)),
    "asFloat": Function("asFloat", "*", plain(to_float)),
    "toJson": Function("toJson", "*", to_json),
    "jsonpath": Function("jsonpath", "ss", _json_path),
}


@lru_cache(maxsize=2)
def functions(*, with_sprig: bool = True) -> dict[str, Function]:
    """All of them, by name; sprig's as `sprig.name`, which take 20 ms to load and may be left out."""
    if not with_sprig:
        return {**BUILTINS, **ARGO}
    from argosy.expressions.sprig import SPRIG

    return {**BUILTINS, **ARGO, **SPRIG}


def refused(*, with_sprig: bool = True) -> dict[str, str]:
    """Functions that exist elsewhere and may not be called here, and why."""
    if not with_sprig:
        return {}
    from argosy.expressions.sprig import REFUSED

    return REFUSED
