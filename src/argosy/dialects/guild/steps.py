"""Operations with steps: a workflow whose steps run one after the other, or at once where that was asked for.

It knows Guild's steps. What a step requires of an operation comes from a step before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from argosy.dialects.guild.at_once import task_of
from argosy.dialects.guild.flags import OperationFlags, parameter_name
from argosy.dialects.guild.lower import Lowered, Lowering, template_name
from argosy.dialects.guild.names import fits
from argosy.dialects.guild.operations import Found, script_of
from argosy.dialects.guild.requirements import Required, required_of
from argosy.dialects.guild.schema import Step
from argosy.dialects.guild.step_values import StepValues, Wanted
from argosy.dialects.guild.step_words import WITHOUT_EFFECT, read_step
from argosy.model.inputs import Input
from argosy.model.manifest import (
    Arguments,
    Artifact,
    ContinueOn,
    DAGTemplate,
    Inputs,
    Parameter,
    Template,
    WorkflowStep,
)
from argosy.syntax.diagnostics import did_you_mean
from argosy.syntax.span import Span

_DEEPEST = 8
_PARAMETER = re.compile(r"\{\{workflow\.parameters\.([^}]+)\}\}")


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """What the steps before have given: their names, by operation, the latest last."""

    step: str
    found: Found


def pipeline(lowering: Lowering, found: Found, flags: OperationFlags) -> Lowered | None:
    """The workflow of an operation with steps; None behind an error."""
    made = _Pipeline(lowering, found, flags, ())
    whole = made.templates(template_name(found.whole_name))
    if whole is None:
        return None
    own = Input(name="", path=("steps",))
    overrides = tuple(
        msgspec.structs.replace(own, name=name, display_name=given, aliases=(given,), default=None)
        for given, name in made.values.overrides.items()
    )
    return lowering.finished(found, flags.inputs + made.choices + overrides, whole, made.used, tuple(made.tags))


class _Pipeline:
    def __init__(
        self,
        lowering: Lowering,
        found: Found,
        flags: OperationFlags,
        around: tuple[str, ...],
        outer: Mapping[str, str] | None = None,
    ) -> None:
        """outer: of a pipeline in a pipeline, its parameters as the whole workflow can tell them."""
        self.lowering = lowering
        self.found = found
        self.flags = flags
        self.around = (*around, found.whole_name)
        self.findings = lowering.findings
        self.values = StepValues(lowering, found, flags, outer)
        self.others: list[Template] = []
        self.used: list[Found] = []
        self.tags: dict[str, None] = {}
        self.choices: tuple[Input, ...] = ()
        self.names: set[str] = set()

    def templates(self, name: str) -> tuple[Template, ...] | None:
        """The template with the steps first, then those that they call."""
        operation = self.found.operation
        assert operation is not None
        assert operation.steps is not None
        wanted: list[Wanted] = []
        for index, step in enumerate(operation.steps):
            one = self._wanted(step, self.found.places.span(("steps", index)))
            if one is not None:
                wanted.append(one)
        if len(wanted) < len(operation.steps):
            return None
        before: list[_Made] = []
        steps: list[WorkflowStep] = []
        for one in wanted:
            for step in self._steps(one, before, name):
                steps.append(step)
                before.append(_Made(step=step.name, found=one.found))
        parameters = tuple(
            Parameter(name=one.name, value=f"{{{{workflow.parameters.{one.name}}}}}") for one in self.flags.inputs
        )
        if len(self.around) > 1:
            parameters = tuple(Parameter(name=one.name) for one in self.flags.inputs)
        whole = Template(name=name, inputs=Inputs(parameters=parameters) if parameters else None)
        if operation.parallel or self.lowering.parallel:
            whole = msgspec.structs.replace(whole, dag=DAGTemplate(tasks=tuple(task_of(one) for one in steps)))
        else:
            whole = msgspec.structs.replace(whole, steps=tuple((one,) for one in steps))
        return (whole, *self.others)

    # -- what a step says

    def _wanted(self, step: Step, span: Span) -> Wanted | None:
        text = read_step(step.run)
        for problem in text.problems:
            self.findings.at("guild-step", problem.message, span, severity=problem.severity, hint=problem.hint)
        found = self._operation(list(text.names), span) if text.whole else None
        if found is None:
            return None
        for name in text.options:
            if name in WITHOUT_EFFECT:
                message = f"--{name.replace('_', '-')} of a step has no effect here"
                self.findings.at("guild-no-effect", message, span, severity="warning")
        merged: Step = msgspec.structs.replace(step, **text.options)
        called = template_name(step.name or text.names[0])
        flags = text.flags | dict(step.flags)
        self.tags |= dict.fromkeys((*found.operation.tags, *merged.tags) if found.operation else ())
        return Wanted(found=found, name=called, flags=flags, step=merged, span=span, files=text.files)

    def _no(self, message: str, span: Span, hint: str) -> None:
        self.findings.at("guild-step", message, span, hint=hint)

    def _operation(self, names: list[str], span: Span) -> Found | None:
        if len(names) != 1:
            message = "a step names one operation" + (f", not {' '.join(names)}" if names else "")
            self._no(message, span, "flags are written NAME=VALUE")
            return None
        (name,) = names
        all = self.lowering.operations
        whole = f"{self.found.model}:{name}" if self.found.model and ":" not in name else name
        found = all.get(whole) or all.get(name.removeprefix(":"))
        found = found or script_of(name, self.lowering.surroundings, self.found.places)
        if found is None:
            near = did_you_mean(name, [one.name for one in all.values()] + list(all))
            hint = f"did you mean `{near}`?" if near else f"it defines {', '.join(all)}"
            self._no(f"operation {name!r} is not defined for this project", span, hint)
            return None
        if found.whole_name in self.around or len(self.around) > _DEEPEST:
            self._no(f"{found.whole_name} is a step of itself", span, "remove one of them")
            return None
        if found.operation is None or not self.lowering.has_work(found):
            self._no(f"operation {name!r} cannot be run", span, f"argosy lint tells what is wrong with {name}")
            return None
        return found

    # -- steps

    def _steps(self, one: Wanted, before: list[_Made], parent: str) -> list[WorkflowStep]:
        """The steps that one step is: several when a flag has several values."""
        flags = self.lowering.flags(one.found)
        operation = one.found.operation
        assert operation is not None
        required = Required()
        if operation.steps is None:
            required = required_of(one.found, flags, self.lowering.surroundings, self.findings)
        chosen = self.values.chosen(one, required)
        texts = self.values.texts(one, flags, chosen.keys())
        trials = self.values.trials(texts, flags, one)
        found: list[WorkflowStep] = []
        for trial in trials:
            name = self._free_name(one.name)
            known = {flags.names[flag]: text for flag, text in trial.items()} | chosen
            refs = {parameter: self.values.in_workflow(text) for parameter, text in known.items()}
            template, artifacts = self._template(one, flags, required, refs, before, name, parent)
            arguments = [
                Parameter(name=flags.names[flag], value=self.values.value(text)) for flag, text in trial.items()
            ]
            fails = len(trials) > 1 and not one.step.fail_on_trial_error
            found.append(
                WorkflowStep(
                    name=name,
                    template=template,
                    arguments=Arguments(parameters=tuple(arguments), artifacts=artifacts)
                    if arguments or artifacts
                    else None,
                    continue_on=ContinueOn(failed=True, error=True) if fails else None,
                )
            )
        return found

    def _free_name(self, name: str) -> str:
        """The step's name; with a number when there is one of that name, as Guild does with an underscore."""
        free, number = name, 1
        while free in self.names:
            number += 1
            free = f"{name}-{number}"
        self.names.add(free)
        return free

    # -- what a step calls

    def _template(
        self,
        one: Wanted,
        flags: OperationFlags,
        required: Required,
        refs: Mapping[str, str],
        before: list[_Made],
        name: str,
        parent: str,
    ) -> tuple[str, tuple[Artifact, ...]]:
        """The template of a step, made when it is not there, and the artifacts that it is given.

        refs: what is known of its parameters before it runs, which says what files it takes.
        """
        operation = one.found.operation
        assert operation is not None
        self.used += [one.found] if one.found not in self.used else []
        if operation.steps is not None:
            return self._nested(one, flags, refs), ()
        given, wanted = self._artifacts(one, required, refs, before)
        called = self._called(one, name, parent)
        there = next((template for template in self.others if template.name == called), None)
        if there is not None and (there.inputs.artifacts if there.inputs is not None else ()) != wanted:
            # It takes other files than the step that the template was made for.
            called, there = f"{parent}-{name}", None
        if there is not None:
            return called, given
        parameters = tuple(Parameter(name=known.name) for known in flags.inputs)
        leaf = self.lowering.leaf(
            one.found,
            called,
            flags,
            required,
            parameters,
            wanted,
            expect=one.step.expect,
            env=self._environment(one.step),
            seconds=self._seconds(one),
        )
        self.others.append(leaf)
        return called, given

    def _called(self, one: Wanted, name: str, parent: str) -> str:
        """A template's name: the operation's, unless the step differs from others of that operation."""
        step = one.step
        special = bool(step.expect or step.gpus or step.no_gpus or step.stop_after or not step.isolate_runs)
        base = template_name(one.found.whole_name)
        called = f"{parent}-{name}" if special else base
        return f"{called}-operation" if called == parent else called

    def _artifacts(
        self, one: Wanted, required: Required, refs: Mapping[str, str], before: list[_Made]
    ) -> tuple[tuple[Artifact, ...], tuple[Artifact, ...]]:
        """What the step is given by steps before it, and the inputs of its template."""
        operations = dict(required.operations)
        given: list[Artifact] = []
        wanted: list[Artifact] = []
        for artifact in required.artifacts:
            asked = operations.get(artifact.name)
            artifact, said = _with_refs(artifact, refs)
            if asked is None or said:
                self._take(artifact, required, wanted)
                continue
            made = self._made_before(asked, before)
            if made is not None:
                output = parameter_name(made.found.whole_name)
                source = f"{{{{steps.{made.step}.outputs.artifacts.{output}}}}}"
                given.append(Artifact(name=artifact.name, from_=source))
                wanted.append(msgspec.structs.replace(artifact, named=None))
            elif not one.step.isolate_runs:
                self._take(artifact, required, wanted)
            elif not artifact.optional:
                names = ", ".join(each.found.whole_name for each in before) or "none"
                message = (
                    f"no suitable run for {asked}: steps see what steps before them made; before this one: {names}"
                )
                self._no(message, one.span, f"add a step {asked} before it, or give it `isolate-runs: no`")
        return tuple(given), tuple(wanted)

    def _take(self, artifact: Artifact, required: Required, wanted: list[Artifact]) -> None:
        """Take what is looked up when the run is made, with the parameter by which a person chooses another."""
        wanted.append(artifact)
        known = {one.name for one in (*self.choices, *self.flags.inputs)}
        named = artifact.named.ref if artifact.named is not None else ""
        asked = (one for one in required.choices if f"{{{{workflow.parameters.{one.name}}}}}" in named)
        self.choices += tuple(one for one in asked if one.name not in known)

    def _made_before(self, asked: str, before: list[_Made]) -> _Made | None:
        for one in reversed(before):
            operation = one.found.operation
            if operation is not None and operation.steps is None and fits(asked, one.found.whole_name):
                return one
        return None

    def _nested(self, one: Wanted, flags: OperationFlags, refs: Mapping[str, str]) -> str:
        """A step that has steps itself."""
        name = template_name(one.found.whole_name)
        if any(template.name == name for template in self.others):
            return name
        inside = _Pipeline(self.lowering, one.found, flags, self.around, refs)
        inside.others = self.others
        made = inside.templates(name)
        if made is not None:
            known = {template.name for template in self.others}
            self.others += [template for template in made if template.name not in known]
            self.used += [found for found in inside.used if found not in self.used]
            there = {choice.name for choice in (*self.choices, *self.flags.inputs)}
            self.choices += tuple(choice for choice in inside.choices if choice.name not in there)
            self.tags |= inside.tags
            self.values.overrides |= inside.values.overrides
        return name

    def _environment(self, step: Step) -> Mapping[str, str]:
        if step.no_gpus:
            return {"CUDA_VISIBLE_DEVICES": ""}
        return {"CUDA_VISIBLE_DEVICES": step.gpus} if step.gpus else {}

    def _seconds(self, one: Wanted) -> int | None:
        """How long it may take: stop-after is in minutes."""
        given = one.step.stop_after
        if given is None:
            return None
        try:
            return max(1, round(float(given) * 60))
        except (TypeError, ValueError):
            self._no(f"stop-after is a number of minutes, not {given!r}", one.span, "")
            return None


def _with_refs(artifact: Artifact, refs: Mapping[str, str]) -> tuple[Artifact, bool]:
    """The artifact with what is known of the parameters that name it, and whether these say which run or file."""
    named = artifact.named
    if named is None:
        return artifact, False
    ref = _PARAMETER.sub(lambda found: refs.get(found[1], found[0]), named.ref)
    changed = msgspec.structs.replace(artifact, named=msgspec.structs.replace(named, ref=ref))
    return changed, ref not in (named.ref, "null")
