"""Conditions in expr-lang: what hooks and retries are decided by.

It knows an expression and a scope, not what is decided.
"""

from __future__ import annotations

from collections.abc import Mapping

from argosy.errors import ExpressionError


def expr_bool(text: str, names: Mapping[str, object]) -> bool:
    """The truth that an expression gives. Raises ExpressionError when it gives something else."""
    from argosy.expressions import expr

    value = expr.evaluate(text, names)
    if not isinstance(value, bool):
        raise ExpressionError(f"the expression '{text}' gives no boolean but {value!r}")
    return value


def reads_only(text: str, prefix: str) -> bool:
    """True when every name that an expression reads begins with `prefix`. False for one that cannot be parsed."""
    from argosy.expressions import expr

    try:
        return all(name.startswith(prefix) for name in expr.parse(text).names())
    except ExpressionError:
        return False
