"""What a step raised, shown from the user's own lines on.

It knows tracebacks, and which frames are this package's or the import system's.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType

_OURS = (os.path.dirname(__file__), "<frozen importlib", "<frozen runpy")


def own_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without what is above the user's first line; None if there is none of theirs."""
    left = trace
    while left is not None and left.tb_frame.f_code.co_filename.startswith(_OURS):
        left = left.tb_next
    return left


def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As `sys.excepthook`, of a process that is a step from its start."""
    error.__traceback__ = own_part(trace)
    sys.__excepthook__(kind, error, error.__traceback__)
