"""expr-lang: the language of `{{=...}}`, of retry and hook expressions, of valueFrom.expression and fromExpression.

It knows texts and a mapping of dotted names, not tags and not workflows. Values are texts, numbers, booleans, nil,
lists, maps and opaque things that pass through; no attribute of a Python object can be reached. Source: expr-lang's
language definition, version 1.17.8; Argo docs: variables.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from argosy.errors import ExpressionError
from argosy.expressions.budget import Budget
from argosy.expressions.evaluator import Compiler, State
from argosy.expressions.functions import functions, refused
from argosy.expressions.parser import parse_tree
from argosy.expressions.reads import names_read, names_required

__all__ = ["Budget", "Program", "evaluate", "parse"]

BRACKETS = "a name with a hyphen is written in brackets: "

_MAX_CACHED_TEXT = 4096
_HYPHENED = re.compile(r"([A-Za-z_][\w.]*)\.(\w+(?:-\w+)+)")


class Program:
    """A parsed expression, to be evaluated as often as needed."""

    __slots__ = ("_names", "_required", "_slots", "_step", "text")

    def __init__(self, text: str) -> None:
        node = parse_tree(text)
        sprig = "sprig" in text
        compiler = Compiler(functions(with_sprig=sprig), refused(with_sprig=sprig))
        try:
            self._step = compiler.compile(node)
        except RecursionError:
            raise ExpressionError("the expression is nested too deep") from None
        self._slots = compiler.slots
        self._names = names_read(node)
        self._required = names_required(node)
        self.text = text

    def names(self) -> tuple[str, ...]:
        """The dotted names it reads, each once: `a['b-c'].d` is `a.b-c.d`."""
        return self._names

    def required(self) -> tuple[str, ...]:
        """The names without which it cannot be evaluated: not those that `??` or `?.` guards."""
        return self._required

    def evaluate(self, names: Mapping[str, object], *, budget: Budget | None = None) -> object:
        """The value, with the names of a flat scope. Raises ExpressionError, also when it costs too much."""
        limits = budget or Budget()
        try:
            value = self._step(State(names, limits, self._slots))
            limits.measure(value)
            return value
        except RecursionError:
            raise ExpressionError("the expression or its values are nested too deep") from None
        except ExpressionError as problem:
            problem.hint = problem.hint or _bracket_hint(self.text, names)
            raise


def _bracket_hint(text: str, names: Mapping[str, object]) -> str:
    """What to write instead of `a.b-c`, which is a subtraction, when the scope has a name `a.b-c`."""
    for found in _HYPHENED.finditer(text):
        base, last = found.groups()
        if f"{base}.{last}" in names:
            return f"{BRACKETS}{base}['{last}']"
    return ""


@lru_cache(maxsize=2048)
def _parsed(text: str) -> Program | ExpressionError:
    try:
        return Program(text)
    except ExpressionError as problem:
        return problem


def parse(text: str) -> Program:
    """The program of an expression; the same one for the same text. Raises ExpressionError with the position."""
    found = _parsed(text) if len(text) <= _MAX_CACHED_TEXT else Program(text)
    if isinstance(found, ExpressionError):
        raise ExpressionError(found.message, position=found.position, hint=found.hint)
    return found


def evaluate(text: str, names: Mapping[str, object]) -> object:
    """The value of an expression. Raises ExpressionError."""
    return parse(text).evaluate(names)
