"""The Gradient front-end: the text of a spec to a Workflow, what it takes, and everything that is wrong with it.

It knows the order: read, check references, check what actions are given, lower.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

import msgspec

from argosy.dialects.argo import Loaded, LoadedDocument
from argosy.dialects.gradient.actions import Library
from argosy.dialects.gradient.given import given_values
from argosy.dialects.gradient.instances import INSTANCES, Instance, instance_of
from argosy.dialects.gradient.lower import Ready, lowered
from argosy.dialects.gradient.notes import Notes, words_as_written
from argosy.dialects.gradient.reader import read_spec
from argosy.dialects.gradient.references import check_demands, checked_references, with_volumes_as_outputs
from argosy.dialects.gradient.schema import Job, Spec
from argosy.dialects.translated import TranslatedMap
from argosy.errors import InvalidFile
from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Node, Scalar
from argosy.syntax.parse import DEFAULT_LIMITS, parse


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a project says. actions: the folder of its own. instances: its own machines. project: its name.

    fitted: one of the usual machines as far as this one can be it, and what it lacks, in words or "".
    """

    actions: Path | None = None
    instances: Mapping[str, Instance] = {}
    project: str = ""
    fitted: Callable[[Instance], tuple[Instance, str]] = lambda instance: (instance, "")


def load(
    text: str | bytes,
    file: str,
    *,
    strict: bool = True,
    limits: Limits = DEFAULT_LIMITS,
    setting: Setting | None = None,
) -> Loaded:
    """Read a spec. Nothing is raised for what is wrong with it: `Loaded.checked` does that.

    Raises InvalidFile when an action of the project is not written right.
    """
    parsed = parse(text, file, limits=limits)
    notes = Notes(parsed.source, strict=strict)
    notes.found += parsed.diagnostics
    loading = _Loading(notes, setting or Setting(), file, hashlib.sha256(_bytes(text)).hexdigest())
    documents = [
        document
        for node in parsed.documents
        if not (isinstance(node, Scalar) and node.value is None)
        if (document := loading.document(node)) is not None
    ]
    if not loading.seen and not parsed.diagnostics:
        notes.report("file-empty", "there is no spec in this file", 0, hint="a spec has `jobs: {...}`")
    documents = [msgspec.structs.replace(one, index=index) for index, one in enumerate(documents)]
    found = tuple(sorted(notes.found, key=_position))[: limits.problems]
    return Loaded(documents=tuple(documents), diagnostics=found, source=parsed.source)


class _Loading:
    """The documents of one file."""

    def __init__(self, notes: Notes, setting: Setting, file: str, digest: str) -> None:
        self.notes, self.setting, self.file, self.digest = notes, setting, file, digest
        self.library = Library(setting.actions)
        self.seen = 0

    def document(self, node: Node) -> LoadedDocument | None:
        notes = self.notes
        self.seen += 1
        words_as_written(node, notes.source)
        spec = read_spec(node, notes)
        if spec is None:
            return None
        jobs = {name: self._with_outputs(job) for name, job in spec.jobs.items()}
        spec = checked_references(msgspec.structs.replace(spec, jobs=jobs), notes)
        ready = [self._ready(spec, job) for job in spec.jobs.values()]
        whole = [one for one in ready if one is not None]
        if len(whole) < len(ready) or any(one.severity == "error" for one in notes.found):
            return None
        try:
            made = lowered(spec, whole, stem=PurePath(self.file).stem, digest=self.digest, project=self.setting.project)
        except InvalidFile as problem:
            notes.report("gradient-action", problem.message, node.place, hint=problem.hint)
            return None
        return LoadedDocument(
            value=made.workflow,
            source_map=TranslatedMap(node, notes.source, made.origins),
            file=self.file,
            index=0,
            signature=made.signature,
        )

    def _with_outputs(self, job: Job) -> Job:
        action = self.library.find(job.uses) if job.whole else None
        return job if action is None else with_volumes_as_outputs(job, action, self.notes)

    def _ready(self, spec: Spec, job: Job) -> Ready | None:
        if not job.whole:
            return None
        action = self.library.find(job.uses)
        if action is None:
            hint = self.library.hint(job.uses)
            self.notes.report("gradient-action", f"there is no action `{job.uses}`", job.uses_place, hint=hint)
            return None
        check_demands(spec, job, action, self.notes)
        values = given_values(job, action, self.notes)
        return Ready(job=job, action=action, values=values, machine=self._machine(job))

    def _machine(self, job: Job) -> Instance | None:
        name = job.instance_type
        if not name:
            hint = "add `resources: {instance-type: C5}`, here or under `defaults`"
            message = f"the job `{job.name}` has no instance-type: here it asks for nothing"
            self.notes.report("gradient-instance", message, job.place, severity="warning", hint=hint)
            return None
        own = self.setting.instances
        instance = instance_of(name, own)
        if instance is None:
            near = did_you_mean(name, [*own, *INSTANCES])
            hint = f"did you mean `{near}`? " if near else ""
            hint += f"[instance-types.{name}] in argosy.toml can say what it is: cpu = 4"
            message = f"the instance-type `{name}` is not known: here the job asks for nothing"
            self.notes.report("gradient-instance", message, job.instance_place, severity="warning", hint=hint)
            return None
        if instance is instance_of(name, {}):
            instance, lacking = self.setting.fitted(instance)
            if lacking:
                message = f"the instance-type `{name}` has {lacking}: the job runs with what is there"
                self.notes.report("gradient-instance", message, job.instance_place, severity="note")
        return instance


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _position(found: Diagnostic) -> tuple[int, int]:
    return (found.span.line, found.span.column) if found.span else (0, 0)
