"""What is not being recorded yet: parts of workflows of jobs, which decorators meet before there is a trace.

It knows that there are such parts, so that `when` and the loops can leave to them what is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast


class Deferred:
    """A value of a job, a condition on such values, or a job."""

    def decorate(self, kind: str, function: Callable[..., Any], **words: Any) -> Callable[..., Any]:
        """The function that gives what `function` gives, under this condition or for each item of this."""
        raise AssertionError


def several_jobs(made: object) -> bool:
    """Whether a function's result is a job, or jobs that follow one another."""
    if isinstance(made, (list, tuple)):
        several = cast("Sequence[object]", made)
        return bool(several) and all(isinstance(one, Deferred) for one in several)
    return isinstance(made, Deferred)
