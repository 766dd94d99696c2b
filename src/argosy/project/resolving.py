"""The data that a run names, looked up before the run is made, and kept with it.

It knows which question goes to which room: names to the catalog, runs and their outputs to the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from argosy.artifacts.troubles import ArtifactNotFound
from argosy.catalog.refs import Kind, checked_kind
from argosy.catalog.resolution import Question, asked_of, resolve
from argosy.catalog.uses import Use
from argosy.checks.finding import Finding, Path
from argosy.checks.texts import structs
from argosy.errors import ArgosyError, InvalidFile, NotFound
from argosy.model.manifest import Outputs, Workflow
from argosy.project import operations
from argosy.project.runs_inside import WORKFLOW, behind_tag, latest_run, parts_of
from argosy.syntax.diagnostics import did_you_mean

if TYPE_CHECKING:
    from argosy.catalog.names import Version
    from argosy.project.needs import Surroundings
    from argosy.project.project import Project
    from argosy.project.submission import Prepared, RunOptions
    from argosy.record.queries import RunSummary

_MARK = b'"named":'
# On a workflow that was kept under a name: the version of that name which it is.
WORKFLOW_VERSION = "argosy.dev/workflow-version"
RUN, TEMPLATE, SAVED = "run", "template", "workflow"
# How a run that is over may have ended.
ENDED = ("Succeeded", "Failed", "Error")


def with_data(project: Project, prepared: Prepared) -> Prepared:
    """The run with the data that it names, as it is now.

    The data of its options is that of the run that this one repeats: it stays, as far as the templates did.

    Raises NotFound for a name that means nothing, with what was meant; InvalidFile for one that cannot be a name.
    """
    options = prepared.options
    others = _documents_used(project, prepared.workflow, options.surroundings)
    if not names_data(prepared.workflow, options.surroundings):
        if not others and not options.data:
            return prepared
        return msgspec.structs.replace(prepared, options=msgspec.structs.replace(options, data=others))
    before = _of_same_templates(options.data, others)
    workflow, surroundings, uses = looked_up(project, prepared.workflow, options.surroundings, before)
    options = msgspec.structs.replace(options, surroundings=surroundings, data=(*uses, *others))
    findings = (*prepared.findings, *_new_names(project, workflow))
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        from argosy.project.submission import Refused

        raise Refused(errors[0].message, findings, hint=errors[0].hint)
    return msgspec.structs.replace(prepared, workflow=workflow, options=options, findings=findings)


def _of_same_templates(before: tuple[Use, ...], others: tuple[Use, ...]) -> tuple[Use, ...]:
    """What was found for templates that are still the same version."""
    same = {one.place.removeprefix("templateRef/") for one in others if one in before}
    return tuple(one for one in before if "/".join(one.place.split("/", 2)[:2]) in same)


def again(
    project: Project, summary: RunSummary, workflow: Workflow, options: RunOptions
) -> tuple[Workflow, RunOptions]:
    """A run's workflow after its parameters changed: names that they changed are looked up, others stay as they were.

    What is found is kept as the run's data.
    """
    if not names_data(workflow, options.surroundings):
        return workflow, options
    workflow, surroundings, uses = looked_up(project, workflow, options.surroundings)
    uses = (*uses, *(one for one in options.data if one.kind in (TEMPLATE, SAVED)))
    project.uses.record(summary.uid, summary.name, uses)
    return workflow, msgspec.structs.replace(options, surroundings=surroundings, data=uses)


def _documents_used(project: Project, workflow: Workflow, surroundings: Surroundings) -> tuple[Use, ...]:
    """The templates that the run refers to and the named workflow that it is, each as of now."""
    found: list[Use] = []
    reference = workflow.spec.workflow_template_ref
    if reference is not None and reference.name:
        found += _template_used(project, "workflowTemplateRef", reference.name, reference.cluster_scope)
    for key in surroundings.templates:
        scope, _, name = key.partition("/")
        found += _template_used(project, f"templateRef/{key}", name, scope == "cluster")
    ref = workflow.metadata.annotations.get(WORKFLOW_VERSION, "")
    if ref:
        try:
            version = project.names.version(SAVED, ref)
        except NotFound:
            return tuple(found)
        found.append(
            Use(
                place="workflow",
                kind=SAVED,
                asked=version.whole_name,
                found=version.ref,
                digest=version.content.digest,
                version=version.id,
            )
        )
    return tuple(found)


def _template_used(project: Project, place: str, name: str, cluster_scope: bool) -> list[Use]:
    version = project.documents.template_version(name, cluster_scope)
    plain = name.partition("@")[0]
    return [Use(place=place, kind=TEMPLATE, asked=name, found=f"{plain}@{version}")] if version else []


def names_data(workflow: Workflow, surroundings: Surroundings) -> bool:
    """Whether any artifact of these names data."""
    return _MARK in msgspec.json.encode(workflow) or (
        bool(surroundings.templates) and _MARK in msgspec.json.encode(surroundings.templates)
    )


def looked_up(
    project: Project, workflow: Workflow, surroundings: Surroundings, before: tuple[Use, ...] = ()
) -> tuple[Workflow, Surroundings, tuple[Use, ...]]:
    """The workflow and the templates around it with digests for names, and what was found.

    before: what names in the templates around it meant to the run that this one repeats.
    """
    known = {(one.place, one.kind, one.asked): one for one in before}
    around = ""

    def find(question: Question) -> Use | None:
        kept = known.get((f"{around}{question.place}", question.named.kind, question.asked))
        if kept is not None:
            return msgspec.structs.replace(kept, place=question.place)
        try:
            return _found(project, question)
        except NotFound as problem:
            if question.optional:
                return None
            problem.message = f"{question.place}: {problem.message}"
            problem.args = (problem.message,)
            raise

    given = workflow.spec.arguments.parameters if workflow.spec.arguments is not None else ()
    parameters = {one.name: one.value for one in given if one.value is not None}
    resolved, uses = resolve(workflow, find, parameters)
    templates = dict(surroundings.templates)
    for key, template in templates.items():
        around = f"{key}/"
        templates[key], more = resolve(template, find, parameters)
        uses += [msgspec.structs.replace(one, place=f"{key}/{one.place}") for one in more]
    return resolved, msgspec.structs.replace(surroundings, templates=templates), tuple(uses)


def _found(project: Project, question: Question) -> Use:
    if question.named.kind in operations.KINDS:
        return operations.found(project, question)
    use = _of_run(project, question) if question.named.kind == RUN else _of_name(project, question)
    if question.digest:
        return use
    if not question.named.path:
        _hold(project, use)
        return use
    try:
        digest = project.store.descend(use.digest, question.named.path)
    except ArtifactNotFound:
        raise NotFound(
            f"There is no {question.named.path!r} in the {question.named.kind} {use.found}",
            hint="correct named.path",
        ) from None
    return msgspec.structs.replace(use, digest=digest)


def _hold(project: Project, use: Use) -> None:
    if not project.store.has(use.digest):
        raise NotFound(
            f"The content of {use.found} is not in the store any more",
            hint="argosy check names all that is missing; add it again",
        )


def _of_name(project: Project, question: Question) -> Use:
    named, kind = question.named, checked_kind(question.named.kind)
    if question.digest:
        # Found before, for the run that this one repeats: it stays what it was, even if the name is no more.
        try:
            id = project.names.version(kind, named.found).id
        except NotFound:
            id = 0
        return Use(
            place=question.place,
            kind=kind,
            asked=question.asked,
            found=named.found,
            digest=question.digest,
            version=id,
        )
    version, digest = _meant(project, kind, question)
    return Use(
        place=question.place,
        kind=kind,
        asked=question.asked,
        found=version.ref,
        digest=digest,
        version=version.id,
        from_run=version.origin.run if kind == "tag" else "",
    )


def _meant(project: Project, kind: Kind, question: Question) -> tuple[Version, str]:
    """The version that a name means, and the digest of what is asked for of it."""
    from argosy.catalog.contents import combined

    named = question.named
    try:
        version = project.names.version(kind, question.asked)
    except NotFound:
        found = behind_tag(project, question.asked.removeprefix(":")) if kind == "tag" else None
        if found is None:
            raise
        version, parts = found
        if named.artifact:
            return version, _artifact_of([msgspec.to_builtins(one) for one in parts], named.artifact, version.ref)
        digest = combined(project.store, parts)
        project.store.sync()
        return version, digest
    if named.artifact:
        return version, _artifact_of(version.details.get("artifacts", []), named.artifact, version.ref)
    return version, version.content.digest


def _artifact_of(kept: object, artifact: str, found: str) -> str:
    """The digest of one output among those that a tag names."""
    from argosy.catalog.contents import Part
    from argosy.project.named_data import chosen_part

    return chosen_part(msgspec.convert(kept, list[Part]), artifact, found).digest


def _of_run(project: Project, question: Question) -> Use:
    """The outputs of the latest run of a workflow that succeeded, or of the run with that very name."""
    from argosy.catalog.contents import combined
    from argosy.project.named_data import chosen_part, outputs_of
    from argosy.project.views import view

    named = question.named
    name = named.found if question.digest else _run_named(project, question.asked)
    try:
        summary = project.find(name)
    except NotFound:
        if not question.digest:
            raise
        return Use(place=question.place, kind=RUN, asked=question.asked, found=name, digest=question.digest)
    digest = question.digest
    if not digest:
        run = view(project, summary)
        parts, _ = outputs_of(run.nodes, of_all=summary.phase != "Succeeded")
        parts = parts_of(run, question.asked.strip(), parts)
        if not parts:
            raise NotFound(f"Run {name} left no artifacts in the store", hint="give its steps output artifacts")
        if named.artifact:
            digest = chosen_part(parts, named.artifact, name).digest
        else:
            digest = combined(project.store, parts)
            project.store.sync()
    return Use(place=question.place, kind=RUN, asked=question.asked, found=name, digest=digest, from_run=summary.uid)


def _run_named(project: Project, asked: str) -> str:
    wanted = [one.strip() for one in asked.split(",") if one.strip()]
    latest = latest_run(project, wanted)
    if latest is not None:
        return latest[1]
    for name in wanted:
        row = project.journal.database.row("SELECT phase FROM runs WHERE name = ?", (name,))
        if row is not None and row[0] in ENDED:
            return name
        if row is not None:
            raise NotFound(f"Run {name} is {row[0].lower()}: only the outputs of one that is over can be used")
    known = project.uses.workflows()
    if asked in known:
        hint = "it has runs, none of which has succeeded yet: argosy list shows them"
        raise NotFound(f"There is no run of the workflow {asked!r} that succeeded", hint=hint)
    near = did_you_mean(asked, known)
    hint = f"did you mean {near}?" if near else "run it first: argosy list shows the runs there are"
    raise NotFound(f"There is no run of the workflow {asked!r} that succeeded", hint=hint)


def _missing_name(project: Project, kind: Kind, name: str, where: Path) -> Finding:
    near = did_you_mean(name, [one.whole_name for one in project.names.list(kind)])
    hint = f"argosy {kind}s create {name} makes it"
    return Finding(
        rule="named-data-missing",
        severity="error",
        path=where,
        message=f"there is no {kind} {name}, and the run does not make one",
        hint=f"did you mean {near}? {hint}" if near else hint,
    )


def _new_names(project: Project, workflow: Workflow) -> list[Finding]:
    """A note for each name that outputs of the run will make, as it may be a name mistyped; an error where it may not.

    Raises InvalidFile.
    """
    from argosy.catalog.refs import parse_ref

    given = workflow.spec.arguments.parameters if workflow.spec.arguments is not None else ()
    scope = {f"workflow.parameters.{one.name}": one.value for one in given if one.value is not None}
    found: list[Finding] = []
    for path, struct in structs(workflow):
        if not isinstance(struct, Outputs):
            continue
        for index, artifact in enumerate(struct.artifacts):
            if artifact.named is None or "{{" in (asked := asked_of(artifact.named.ref, scope)):
                continue
            kind = checked_kind(artifact.named.kind)
            where = (*path, "artifacts", index, "named", "ref")
            try:
                ref = parse_ref(kind, asked)
            except ArgosyError as problem:
                raise InvalidFile(f"{'.'.join(map(str, where))}: {problem.message}", hint=problem.hint) from None
            if ref.version:
                raise InvalidFile(f"{'.'.join(map(str, where))}: a version cannot be made again", hint=ref.whole_name)
            if kind != "tag" and not project.names.exists(kind, asked):
                if artifact.named.existing:
                    found.append(_missing_name(project, kind, ref.whole_name, where))
                    continue
                message = f"the {kind} {ref.whole_name} is new: the run makes it"
                near = did_you_mean(ref.whole_name, [one.whole_name for one in project.names.list(kind)])
                hint = f"did you mean {near}?" if near else ""
                found.append(Finding(rule="named-data-new", severity="note", path=where, message=message, hint=hint))
    return found


def with_workflow_name(prepared: Prepared, given: str) -> Prepared:
    """The run with the name of its workflow, by which its latest run is found. given: the name in its file."""
    if prepared.options.workflow_name:
        return prepared
    name = workflow_name(prepared.workflow, given)
    return msgspec.structs.replace(prepared, options=msgspec.structs.replace(prepared.options, workflow_name=name))


def workflow_name(workflow: Workflow, given: str) -> str:
    """By which name the runs of a workflow are found. given: the name that its file gives it."""
    metadata = workflow.metadata
    reference = workflow.spec.workflow_template_ref
    template = reference.name.partition("@")[0] if reference is not None else ""
    return metadata.annotations.get(WORKFLOW) or template or given or metadata.generate_name.rstrip("-")
