"""Whether the references of a spec lead somewhere: needs, inputs from outputs, what an action demands of its job.

It knows jobs and types, not the catalog nor manifests.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from argosy.dialects.gradient.actions import Action
from argosy.dialects.gradient.notes import Notes
from argosy.dialects.gradient.reader import EARLY
from argosy.dialects.gradient.schema import FOLDERS, Data, Job, Reference, Spec
from argosy.syntax.diagnostics import did_you_mean

REFERENCE = "gradient-reference"
TYPE = "gradient-type"


def checked_references(spec: Spec, notes: Notes) -> Spec:
    """The spec with early forms made whole; every reference that leads nowhere is noted."""
    jobs = {name: _Checker(spec, job, notes).checked() for name, job in spec.jobs.items()}
    _check_circles(spec, notes)
    return msgspec.structs.replace(spec, jobs=jobs)


def type_of(spec: Spec, given: Data | Reference) -> str:
    """The type of what an input gets; "" when its reference leads nowhere."""
    if isinstance(given, Data):
        return given.type
    if not given.job:
        return spec.inputs[given.name].type if given.name in spec.inputs else ""
    job = spec.jobs.get(given.job)
    return job.outputs[given.name].type if job is not None and given.name in job.outputs else ""


def with_volumes_as_outputs(job: Job, action: Action, notes: Notes) -> Job:
    """The job with its volumes among the outputs, where an action has files to put somewhere: an early form."""
    volumes = {name: one for name, one in job.inputs.items() if isinstance(one, Data) and one.type == "volume"}
    if not volumes or not _takes_folders(action) or any(one.type in FOLDERS for one in job.outputs.values()):
        return job
    for name, one in volumes.items():
        message = f"`{name}` is where {job.uses} puts its files: as an input that is the early form"
        notes.report(EARLY, message, one.place, severity="warning", hint="write it under `outputs`")
    inputs = {name: one for name, one in job.inputs.items() if name not in volumes}
    return msgspec.structs.replace(job, inputs=inputs, outputs={**job.outputs, **volumes})


def check_demands(spec: Spec, job: Job, action: Action, notes: Notes) -> None:
    """What the action demands of the job's inputs and outputs."""
    for name, slot in action.inputs.items():
        given = job.inputs.get(name)
        if given is None:
            if slot.required:
                message = f"{job.uses} takes the {slot.type} to work on from an input called `{name}`"
                notes.report("field-missing", message, job.place, hint=f"add `{name}: ...` under `inputs`")
        elif (kind := type_of(spec, given)) and kind != slot.type:
            place = given.place
            message = f"the input `{name}` of {job.uses} is a {slot.type}, and this is a {kind}"
            notes.report(TYPE, message, place, hint=f"give it a {slot.type}")
    for name, output in job.outputs.items():
        slot = action.outputs.get(name)
        if slot is not None and slot.type != output.type:
            message = f"the output `{name}` of {job.uses} is a {slot.type}, not a {output.type}"
            notes.report(TYPE, message, output.place, hint=f"write `type: {slot.type}`")
        elif action.closed and slot is None and (output.type == "string" or not _takes_folders(action)):
            near = did_you_mean(name, action.outputs)
            hint = f"did you mean `{near}`?" if near else "remove it"
            notes.report(TYPE, f"{job.uses} gives no {output.type} `{name}`", output.place, hint=hint)
    if action.closed:
        for name, given in job.inputs.items():
            if name not in action.inputs:
                message = f"{job.uses} has no use for the input `{name}`"
                notes.report(TYPE, message, given.place, severity="warning", hint="remove it")


def _takes_folders(action: Action) -> bool:
    return any(field.type == "output-path" for field in action.with_.values())


class _Checker:
    """One job of a spec."""

    def __init__(self, spec: Spec, job: Job, notes: Notes) -> None:
        self.spec, self.job, self.notes = spec, job, notes

    def checked(self) -> Job:
        for name, place in self.job.needs:
            if name == self.job.name:
                self.notes.report(REFERENCE, f"the job `{name}` needs itself", place, hint="remove it from `needs`")
            elif name not in self.spec.jobs:
                self._unknown_job(f"the job `{self.job.name}` needs `{name}`, and there is no such job", name, place)
        inputs: dict[str, Data | Reference] = {}
        for name, given in self.job.inputs.items():
            if isinstance(given, Data) and given.type == "volume":
                inputs[name] = self._by_name(name, given)
                continue
            if isinstance(given, Data):
                self._check_value(name, given)
            elif given.job:
                self._check_output(name, given)
            elif given.name not in self.spec.inputs:
                self._unknown_input(name, given)
            inputs[name] = given
        return msgspec.structs.replace(self.job, inputs=inputs)

    def _unknown_job(self, message: str, name: str, place: int) -> None:
        near = did_you_mean(name, [one for one in self.spec.jobs if one != self.job.name])
        hint = f"did you mean `{near}`?" if near else f"the jobs are {', '.join(self.spec.jobs)}"
        self.notes.report(REFERENCE, message, place, hint=hint)

    def _unknown_input(self, name: str, given: Reference) -> None:
        near = did_you_mean(given.name, self.spec.inputs)
        hint = f"did you mean `workflow.inputs.{near}`?" if near else f"add `{given.name}` to the workflow's `inputs`"
        message = f"the input `{name}`: the workflow has no input `{given.name}`"
        self.notes.report(REFERENCE, message, given.place, hint=hint)

    def _check_output(self, name: str, given: Reference) -> None:
        job = self.spec.jobs.get(given.job)
        if job is None:
            self._unknown_job(f"the input `{name}`: there is no job `{given.job}`", given.job, given.place)
            return
        if given.job not in self.job.needed:
            message = f"the input `{name}` is an output of `{given.job}`, which `{self.job.name}` does not need"
            hint = f"add `{given.job}` to its `needs`"
            self.notes.report(REFERENCE, message, given.place, hint=hint)
        if given.name not in job.outputs and job.whole:
            near = did_you_mean(given.name, job.outputs)
            known = ", ".join(job.outputs) or "none"
            hint = f"did you mean `{given.job}.outputs.{near}`?" if near else f"its outputs: {known}"
            message = f"the input `{name}`: the job `{given.job}` has no output `{given.name}`"
            self.notes.report(REFERENCE, message, given.place, hint=hint)

    def _check_value(self, name: str, given: Data) -> None:
        missing = not given.ref if given.type == "dataset" else given.value is None
        if missing:
            word = "ref" if given.type == "dataset" else "value"
            message = f"the input `{name}`: a {given.type} needs `with.{word}`"
            hint = f"add `with: {{{word}: ...}}`, or write a reference"
            self.notes.report("field-missing", message, given.place, hint=hint)

    def _by_name(self, name: str, given: Data) -> Data | Reference:
        """The early form `{type: volume}`: the volume of that name that a job before this one gave."""
        before = self._before()
        found = [one for one in before if name in one.outputs and one.outputs[name].type == "volume"]
        if not found:
            message = f"the input `{name}`: no job that `{self.job.name}` needs gives a volume `{name}`"
            elsewhere = next((o.name for o in self.spec.jobs.values() if name in o.outputs and o is not self.job), "")
            hint = "write `JOB.outputs.NAME`"
            if elsewhere:
                hint = f"add `{elsewhere}` to `needs`, and write `{name}: {elsewhere}.outputs.{name}`"
            self.notes.report(REFERENCE, message, given.place, hint=hint)
            return given
        job = found[0]
        message = f"`type: volume` of an input is the early form; this is `{job.name}.outputs.{name}`"
        hint = f"write `{name}: {job.name}.outputs.{name}`"
        self.notes.report(EARLY, message, given.place, severity="warning", hint=hint)
        return Reference(job=job.name, name=name, place=given.place)

    def _before(self) -> list[Job]:
        """The jobs that are over when this one begins, the nearest first."""
        found: dict[str, Job] = {}
        waiting = list(reversed(self.job.needed))
        while waiting:
            job = self.spec.jobs.get(waiting.pop(0))
            if job is not None and job.name not in found and job.name != self.job.name:
                found[job.name] = job
                waiting += reversed(job.needed)
        return list(found.values())


def _check_circles(spec: Spec, notes: Notes) -> None:
    """Note each circle of needs once, where it is entered."""
    done: set[str] = set()
    for start in spec.jobs:
        path: list[str] = []
        waiting: list[tuple[str, Iterable[str]]] = []
        _enter(start, spec, path, waiting, done)
        while waiting:
            name, rest = waiting[-1]
            following = next(iter(rest), None)
            if following is None:
                waiting.pop()
                path.pop()
                done.add(name)
            elif following in path and following != name:
                circle = [*path[path.index(following) :], following]
                place = next(place for needed, place in spec.jobs[name].needs if needed == following)
                notes.report(REFERENCE, f"jobs need one another in a circle: {' -> '.join(circle)}", place)
                done.update(path)
            else:
                _enter(following, spec, path, waiting, done)


def _enter(name: str, spec: Spec, path: list[str], waiting: list[tuple[str, Iterable[str]]], done: set[str]) -> None:
    if name in spec.jobs and name not in done and name not in path:
        path.append(name)
        waiting.append((name, iter(spec.jobs[name].needed)))
