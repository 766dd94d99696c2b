"""Regular expressions in Go's dialect, matched in linear time.

It knows patterns and texts, not who asks. Go's regexp package is RE2, and so is the library behind this file; the
usual backtracking engine would let a short pattern run for hours.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any, Protocol

from argosy.errors import ExpressionError

MAX_PATTERN = 4096
MAX_PROGRAM_BYTES = 4 << 20


class Match(Protocol):
    """One place where a pattern fits."""

    def group(self, index: int | str = 0, /) -> str | None: ...
    def groups(self) -> tuple[str | None, ...]: ...
    def start(self, group: int = 0, /) -> int: ...
    def end(self, group: int = 0, /) -> int: ...


class Pattern(Protocol):
    """A compiled pattern."""

    groupindex: dict[str, int]
    groups: int

    def search(self, text: str) -> Match | None: ...
    def fullmatch(self, text: str) -> Match | None: ...
    def finditer(self, text: str) -> Any: ...


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """The pattern, ready for use. Raises ExpressionError when it is not a regular expression, or a giant one."""
    if len(pattern) > MAX_PATTERN:
        raise ExpressionError(f"a regular expression has {len(pattern)} characters; at most {MAX_PATTERN} are allowed")
    library: Any = importlib.import_module("re2")  # here, because it takes 5 ms and few manifests need it
    options: Any = library.Options()
    options.log_errors = False
    options.max_mem = MAX_PROGRAM_BYTES
    try:
        return library.compile(pattern, options)
    except (library.error, UnicodeError) as problem:
        said = problem.args[0] if problem.args else problem
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ExpressionError(f"'{pattern}' is not a regular expression: {reason}") from None


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern fits somewhere in the text. Raises ExpressionError."""
    try:
        return compiled(pattern).search(text) is not None
    except UnicodeError:
        raise ExpressionError("a text that is not valid Unicode cannot be matched") from None
