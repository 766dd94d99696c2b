"""What one evaluation may cost, so that no expression can hold a run up.

It counts; it does not know languages. A step is about 0.4 microseconds, a byte is an estimate.
"""

from __future__ import annotations

from typing import cast

from argosy.errors import ExpressionError

MAX_STEPS = 120_000
MAX_BYTES = 12 << 20

_ELEMENT_BYTES = 40


class Budget:
    """Steps and bytes that are left. Raises ExpressionError when either runs out."""

    __slots__ = ("bytes", "steps")

    def __init__(self, steps: int = MAX_STEPS, size_bytes: int = MAX_BYTES) -> None:
        self.steps = steps
        self.bytes = size_bytes

    def spend(self, steps: int) -> None:
        """Pay for work that is about to be done."""
        self.steps -= steps
        if self.steps < 0:
            raise ExpressionError("the expression takes too long", hint="do such work in a step of the workflow")

    def reserve(self, size_bytes: int) -> None:
        """Pay for memory that is about to be used, and for the time to fill it."""
        self.bytes -= size_bytes
        if self.bytes < 0:
            raise ExpressionError("memory budget exceeded", hint="do such work in a step of the workflow")
        self.spend(size_bytes >> 9)

    def reserve_list(self, length: int) -> None:
        """Pay for a list or map of so many elements."""
        self.reserve(64 + max(length, 0) * _ELEMENT_BYTES)
        self.spend(max(length, 0) >> 3)

    def measure(self, value: object) -> None:
        """Pay for looking at every element of a value; one that holds itself many times over costs each time."""
        pending = [value]
        while pending:
            inner = pending.pop()
            if isinstance(inner, str | bytes):
                self.spend(1 + (len(inner) >> 6))
            elif isinstance(inner, list | tuple):
                self.spend(1 + len(cast("list[object]", inner)))
                pending.extend(cast("list[object]", inner))
            elif isinstance(inner, dict):
                self.spend(1 + len(cast("dict[object, object]", inner)))
                pending.extend(cast("dict[object, object]", inner).values())

    def reserve_value(self, value: object) -> None:
        """Pay for a result: the outermost text or list; what is inside was paid for when it was made."""
        if isinstance(value, str | bytes):
            self.reserve(len(value) * 2)
        elif isinstance(value, list | dict | tuple):
            self.reserve_list(len(value))  # pyright: ignore[reportUnknownArgumentType] # only the length is looked at
