"""Resource templates may handle Secrets; what they tell of them is told without the values.

It knows where the values of a Secret stand, not what is done with it.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from typing import Any, cast

import msgspec

from argosy.artifacts.redaction import Spellings, hidden, spellings
from argosy.errors import ArgosyError
from argosy.model.events import AttemptExited
from argosy.model.manifest import Parameter
from argosy.plan.actions import Start
from argosy.runners.local.context import Objects, RunContext

Leaf = Callable[[Start, RunContext, Callable[[], bool]], AttemptExited]
_FIELDS = ("data", "stringData")


def run_without_values(run: Leaf, start: Start, context: RunContext, cancelled: Callable[[], bool]) -> AttemptExited:
    """Run the leaf; its outputs, messages and errors are without the values of the Secrets that it read or wrote."""
    if context.objects is None:
        return run(start, context, cancelled)
    objects = _NotingObjects(context.objects)
    try:
        fact = run(start, msgspec.structs.replace(context, objects=objects), cancelled)
    except ArgosyError as problem:
        values = objects.values()
        problem.message, problem.hint = hidden(problem.message, values), hidden(problem.hint, values)
        problem.args = (problem.message,)
        raise
    return _shown(fact, objects.values())


class _NotingObjects(Objects):
    """Objects that remember the values of the Secrets that pass."""

    def __init__(self, objects: Objects) -> None:
        # All else that objects can do stays as it is.
        vars(self).update(vars(objects))
        self.get, self.put = self._got, self._kept
        self._objects = objects
        self._noted: list[bytes] = []

    def _got(self, kind: str, name: str) -> bytes | None:
        found = self._objects.get(kind, name)
        if found is not None:
            self._note(kind, found)
        return found

    def _kept(self, kind: str, name: str, data: bytes, must_be_new: bool) -> None:
        self._note(kind, data)
        self._objects.put(kind, name, data, must_be_new)

    def _note(self, kind: str, data: bytes) -> None:
        if kind != "Secret":
            return
        document = cast("dict[str, Any]", msgspec.json.decode(data))
        for field in _FIELDS:
            values: dict[str, Any] = document.get(field) or {}
            for value in map(str, values.values()):
                self._noted.append(value.encode("utf-8", "surrogateescape"))
                if field == "data":
                    with contextlib.suppress(ValueError):
                        self._noted.append(base64.b64decode(value))

    def values(self) -> Spellings:
        return spellings(self._noted)


def _shown(fact: AttemptExited, values: Spellings) -> AttemptExited:
    """Outputs are recorded in the clear, so the values are hidden in them."""
    outputs = fact.outputs
    if not values.texts or outputs is None:
        return fact
    shown = tuple(_parameter(one, values) for one in outputs.parameters)
    changed = [new.name for old, new in zip(outputs.parameters, shown, strict=True) if old is not new]
    if not changed:
        return fact
    message = f"secrets are hidden in the output {', '.join(changed)}: give the Secret itself to steps that need it"
    return msgspec.structs.replace(
        fact, message=fact.message or message, outputs=msgspec.structs.replace(outputs, parameters=shown)
    )


def _parameter(parameter: Parameter, values: Spellings) -> Parameter:
    if not isinstance(parameter.value, str):
        return parameter
    text = hidden(parameter.value, values)
    return parameter if text == parameter.value else msgspec.structs.replace(parameter, value=text)
