"""A call of a template, as a body of steps or tasks makes it: its tags replaced, its arguments found.

It knows the fields of a step or a task and a scope, not when it runs. Source: Argo docs: variables.md,
conditional-artifacts-parameters.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Arguments, Artifact, CallFields, ContinueOn, Parameter
from argosy.model.status import Phase
from argosy.plan import items
from argosy.plan.inputs import ABSENT
from argosy.plan.substitution import substitute, substitute_text, text_of

Names = Mapping[str, object]

_WHOLE_TAG = r"\s*\{\{\s*([^{}=][^{}]*?)\s*\}\}\s*"


class PlannedCall:
    """A step or a task, and what is derived from it once."""

    __slots__ = ("_bare", "_bare_text", "_passed", "call", "hooks", "loops", "name", "watched")

    def __init__(self, call: CallFields) -> None:
        self.call = call
        self.name = cast("str", getattr(call, "name", ""))
        self.hooks = call.hooks
        # Whether hooks other than that of the exit wait for something.
        self.watched = any(key != "exit" for key in call.hooks)
        self.loops = items.loops(call)
        # Artifacts that are passed on are followed by name; their tags do not stand for text.
        given = call.arguments.artifacts if call.arguments is not None else ()
        self._passed = tuple(one for one in given if one.from_ or one.from_expression)
        self._bare = self._without(call)
        text = text_of(self._bare)
        self._bare_text = text if "{{" in text else ""

    def _without(self, call: CallFields) -> CallFields:
        """The call without its loop, and without what has other names to see: hooks, a template written in place."""
        arguments = call.arguments
        if self._passed and arguments is not None:
            kept = tuple(one for one in arguments.artifacts if not (one.from_ or one.from_expression))
            arguments = msgspec.structs.replace(arguments, artifacts=kept)
        if not (call.hooks or call.inline or call.when or self.loops or self._passed or call.with_items is not None):
            return call
        return msgspec.structs.replace(
            call,
            hooks={},
            inline=None,
            when="",
            arguments=arguments,
            with_items=None,
            with_param="",
            with_sequence=None,
        )

    @property
    def tagged(self) -> bool:
        """True when `resolved` has something to do."""
        return bool(self._bare_text or self._passed)

    @property
    def plain(self) -> CallFields:
        """The call as it is, when it is not `tagged`."""
        return self._bare

    def when_text(self, scope: Names) -> str:
        """The `when` text with its tags replaced. Raises ExpressionError."""
        return substitute_text(self.call.when, scope, strict=True)

    def skipped_because(self, scope: Names) -> str:
        """Why the call is skipped, "" if its `when` holds. Raises ExpressionError."""
        from argosy.expressions.condition import evaluate_when

        condition = self.when_text(scope)
        return "" if evaluate_when(condition) else f"when '{condition}' evaluated false"

    def items(self, scope: Names) -> Sequence[object]:
        """The items of the call's loop. Raises ExpressionError."""
        call = self.call
        loop = CallFields(with_items=call.with_items, with_param=call.with_param, with_sequence=call.with_sequence)
        try:
            return items.of(substitute(loop, scope, strict=True)) or ()
        except ExpressionError:
            if not self._false_without_items(scope):
                raise
            return ()

    def _false_without_items(self, scope: Names) -> bool:
        """True when the call's condition is false whatever its items are."""
        try:
            return self.skipped_because(scope) != ""
        except ExpressionError:
            return False

    def resolved(self, scope: Names, *, strict: bool = True) -> CallFields:
        """The call with its tags replaced and its artifacts found. Raises ExpressionError."""
        call = self._bare
        if self._bare_text:
            marked = self._without_absent(call, scope)
            call = substitute(marked, scope, text=self._bare_text if marked is call else None, strict=strict)
        if self._passed:
            arguments = call.arguments or Arguments()
            found = (follow(artifact, scope) for artifact in self._passed)
            artifacts = arguments.artifacts + tuple(one for one in found if one is not None)
            call = msgspec.structs.replace(call, arguments=msgspec.structs.replace(arguments, artifacts=artifacts))
        return call

    def _without_absent(self, call: CallFields, scope: Names) -> CallFields:
        arguments = call.arguments
        if arguments is None or not arguments.parameters:
            return call
        found = without_absent(arguments, scope)
        return call if found is arguments else msgspec.structs.replace(call, arguments=found)


def without_absent(arguments: Arguments, scope: Names) -> Arguments:
    """The arguments, with those that only name an output which a skipped node never gave marked as ABSENT."""
    parameters = tuple(_marked(one, scope) for one in arguments.parameters)
    if all(new is old for new, old in zip(parameters, arguments.parameters, strict=True)):
        return arguments
    return msgspec.structs.replace(arguments, parameters=parameters)


def _marked(parameter: Parameter, scope: Names) -> Parameter:
    match = re.fullmatch(_WHOLE_TAG, parameter.value or "")
    if match is None or not match.group(1).startswith(("steps.", "tasks.")):
        return parameter
    try:
        value = scope[match.group(1)]
    except KeyError:
        return parameter
    return parameter if value is not None else msgspec.structs.replace(parameter, value=ABSENT)


def resolved_arguments(arguments: Arguments, scope: Names, *, strict: bool) -> Arguments:
    """The arguments with their tags replaced and their artifacts found. Raises ExpressionError."""
    return PlannedCall(CallFields(arguments=arguments)).resolved(scope, strict=strict).arguments or Arguments()


def follow(artifact: Artifact, scope: Names) -> Artifact | None:
    """The artifact with its `from` or `fromExpression` followed; None when it is optional and leads nowhere."""
    if artifact.from_:
        name = artifact.from_.strip().removeprefix("{{").removesuffix("}}").strip()
        if "{{" in name:
            name = substitute_text(name, scope)
        source = scope.get(name)
        reason = f"unable to resolve artifact {artifact.name}: {artifact.from_}"
    elif artifact.from_expression:
        from argosy.expressions import expr

        try:
            source = expr.evaluate(artifact.from_expression, scope)
        except ExpressionError:
            if artifact.optional:
                return None
            raise
        reason = f"the fromExpression of artifact {artifact.name} gave no artifact"
    else:
        return artifact
    if not isinstance(source, Artifact):
        if artifact.optional:
            return None
        raise ExpressionError(reason)
    sub_path = substitute_text(artifact.sub_path, scope) if artifact.sub_path else ""
    return msgspec.structs.replace(
        source,
        name=artifact.name,
        path=artifact.path,
        optional=artifact.optional,
        global_name=artifact.global_name,
        archive=artifact.archive or source.archive,
        mode=artifact.mode,
        recurse_mode=artifact.recurse_mode,
        sub_path="/".join(part for part in (source.sub_path.strip("/"), sub_path.strip("/")) if part),
        from_="",
        from_expression="",
    )


def tolerates(continue_on: ContinueOn | None, phase: Phase) -> bool:
    """True when a call's end in `phase` lets its body go on."""
    if continue_on is None:
        return False
    return (phase is Phase.FAILED and continue_on.failed) or (phase is Phase.ERROR and continue_on.error)
