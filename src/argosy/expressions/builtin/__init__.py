"""The functions that expr-lang brings itself, a family a file.

It only gathers them.
"""

from __future__ import annotations

from argosy.expressions.builtin import collections, conversion, dates, numbers, texts
from argosy.expressions.signatures import Function

BUILTINS: dict[str, Function] = {
    function.name: function
    for family in (texts, numbers, collections, conversion, dates)
    for function in family.FUNCTIONS
}
