"""Values of steps: what each flag of a step is, in one trial or in several.

It knows flags, trials and what a pipeline's own flags are called; not what a step runs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from argosy.dialects.guild.flags import OperationFlags, parameter_name, text_of
from argosy.dialects.guild.lower import Lowering
from argosy.dialects.guild.operations import Found
from argosy.dialects.guild.references import references, with_tags
from argosy.dialects.guild.requirements import Required
from argosy.dialects.guild.schema import Step
from argosy.dialects.guild.surroundings import Asked
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.span import Span

# How many trials a batch in a step has at most, where nobody says.
MOST_TRIALS = 20


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One step as it is wanted: its operation, flags as texts with ${references}, options over its attributes."""

    found: Found
    name: str
    flags: dict[str, Any]
    step: Step
    span: Span
    # Of trials.
    files: tuple[str, ...] = ()


class StepValues:
    """The values of the steps of one pipeline."""

    def __init__(
        self, lowering: Lowering, found: Found, flags: OperationFlags, outer: Mapping[str, str] | None
    ) -> None:
        """outer: of a pipeline in a pipeline, its parameters as the whole workflow can tell them."""
        self.lowering = lowering
        self.found = found
        self.flags = flags
        self.outer = outer
        self.findings = lowering.findings
        # Values that a person gives for a flag of a step: as given, and the parameter that it becomes.
        self.overrides: dict[str, str] = {}

    def chosen(self, one: Wanted, required: Required) -> dict[str, str]:
        """The runs and files that the step chooses for what its operation requires, by parameter."""
        names = {name: choice.name for choice in required.choices for name in (choice.name, *choice.aliases)}
        return {names[name]: str(value) for name, value in one.flags.items() if name in names and value is not None}

    def in_workflow(self, text: str) -> str:
        """A step's text as the whole workflow can tell it."""
        if self.outer is None:
            return self.value(text, "workflow.parameters")

        def put(found: re.Match[str]) -> str:
            name = self.flags.names.get(found[1])
            return self.outer.get(name, found[0]) if self.outer is not None and name else found[0]

        return re.sub(r"\$\{([^}]*)\}", put, text)

    def texts(self, one: Wanted, flags: OperationFlags, chosen: Collection[str]) -> dict[str, str]:
        """Each flag of the step's operation as text: the operation's default, the step's value, the parent's word."""
        texts = {name: flags.default(name) for name in flags.names}
        unknown: list[str] = []
        for name, value in one.flags.items():
            known = self._flag(name, flags)
            if known is None:
                unknown += [name] if parameter_name(name) not in chosen and name not in chosen else []
            elif value is not None:
                texts[known] = value if isinstance(value, str) else text_of(value)
        if unknown and flags.known and not one.step.force_flags:
            self._unsupported(unknown, flags, one)
        for prefix in (one.name, one.step.name, one.found.whole_name, one.found.name):
            for name in flags.names:
                parent = f"{prefix}:{name}"
                if prefix and parent in self.flags.names:
                    texts[name] = f"${{{parent}}}"
                elif prefix and parent in self.lowering.given:
                    self.overrides[parent] = parameter_name(parent)
                    texts[name] = f"${{{parent}}}"
        for text in texts.values():
            self._check_references(text, one)
        return texts

    def _unsupported(self, names: list[str], flags: OperationFlags, one: Wanted) -> None:
        near = did_you_mean(names[0], flags.names)
        hint = f"did you mean `{near}`?" if near else f"it has {', '.join(flags.names) or 'none'}"
        if flags.others.issuperset(names):
            hint = "its module has them: add `flags-import: all` to the operation"
        shown = ", ".join(repr(name) for name in names)
        what = "unsupported flag" if len(names) == 1 else "unsupported flags"
        self._no(f"{what} {shown} of {one.found.whole_name}", one.span, hint)

    def _flag(self, name: str, flags: OperationFlags) -> str | None:
        if name in flags.names:
            return name
        return next(
            (known for one in flags.inputs if name in one.aliases for known, p in flags.names.items() if p == one.name),
            None,
        )

    def _check_references(self, text: str, one: Wanted) -> None:
        for name in references(text):
            if name not in self.flags.names and name not in self.overrides:
                near = did_you_mean(name, self.flags.names)
                hint = f"did you mean `${{{near}}}`?" if near else f"it has {', '.join(self.flags.names) or 'no flags'}"
                message = f"the step refers to `${{{name}}}`, which is no flag of {self.found.whole_name}"
                self._no(message, one.span, hint)

    def trials(self, texts: dict[str, str], flags: OperationFlags, one: Wanted) -> list[dict[str, str]]:
        """The combinations of the values of flags that have several; at most so many of them."""
        types = {known.name: known.type for known in flags.inputs}
        around = self.lowering.surroundings
        several: dict[str, str] = {}
        for name, text in texts.items():
            if "${" not in text and types.get(flags.names[name]) != "list" and around.several(text):
                several[name] = text
        if not several and not one.files:
            return [texts]
        files = tuple((name, text) for name in one.files if (text := self._trial_file(name, one)) is not None)
        most = one.step.max_trials or MOST_TRIALS
        found = around.trials(Asked(spaces=several, files=files, most=most, seed=one.step.random_seed or 0))
        if found.problem:
            self._no(found.problem, one.span, "")
        if found.left_out:
            message = f"{len(found.rows) + found.left_out} combinations, of which {most} are run"
            self.findings.at("guild-step", message, one.span, severity="note", hint="max-trials says how many")
        return [texts | self._known_flags(row, flags, one) for row in found.rows]

    def _trial_file(self, name: str, one: Wanted) -> str | None:
        text = self.lowering.surroundings.read(name)
        if text is None:
            self._no(f"cannot find the trials {name!r}", one.span, "a path is relative to the guild.yml")
        return text

    def _known_flags(self, row: dict[str, str], flags: OperationFlags, one: Wanted) -> dict[str, str]:
        """A trial's values by the names of the flags."""
        named = {name: self._flag(name, flags) for name in row}
        unknown = [name for name, known in named.items() if known is None]
        if unknown and flags.known and not one.step.force_flags:
            self._unsupported(unknown, flags, one)
        return {known: row[name] for name, known in named.items() if known is not None}

    def value(self, text: str, scope: str = "inputs.parameters") -> str:
        """A flag's text with tags for the parent's flags."""
        for given, parameter in self.overrides.items():
            text = text.replace(f"${{{given}}}", f"{{{{workflow.parameters.{parameter}}}}}")
        return with_tags(text, self.flags, scope)

    def _no(self, message: str, span: Span, hint: str) -> None:
        self.findings.at("guild-step", message, span, hint=hint)
