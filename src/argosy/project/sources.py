"""What a person names to be run: a file, standard input, or a template of the catalog.

It knows where workflows come from and where findings about them stand; running them is not its matter.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.checks.catalog import Catalog, DocumentCatalog, Options
from argosy.checks.finding import Finding
from argosy.dialects.argo import Loaded, LoadedDocument
from argosy.dialects.detect import told
from argosy.dialects.secret_text import without_values
from argosy.errors import InvalidFile, NotFound, UsageError
from argosy.model.inputs import Input, Signature, names_of
from argosy.model.manifest import CronWorkflow, Document, ObjectMeta, Workflow, WorkflowSpec, WorkflowTemplateRef
from argosy.model.programs import PROGRAM, of_program
from argosy.project import files
from argosy.project.submission import Refused, is_gradient, takes_of
from argosy.project.workflows import WORKFLOW_WORDS, read_kept
from argosy.syntax.diagnostics import Diagnostic, Severity, did_you_mean
from argosy.syntax.span import Source as FileText

if TYPE_CHECKING:
    from argosy.project.project import Project, Submitted
    from argosy.project.submission import Wanted

_TEMPLATE_WORDS = {
    "template": "WorkflowTemplate",
    "workflowtemplate": "WorkflowTemplate",
    "wftmpl": "WorkflowTemplate",
    "clusterworkflowtemplate": "ClusterWorkflowTemplate",
    "cwftmpl": "ClusterWorkflowTemplate",
    "cronworkflow": "CronWorkflow",
    "cronwf": "CronWorkflow",
}
# Only files with names like these have readers of their own.
_SPECIAL = (".py", "guild.yml", "guild.yaml")

# The parameter whose value a run is named after (Onepanel).
RUN_NAME = "workflow-execution-name"
# On what is kept: what it takes. As Onepanel's front-end has it, which most runs need not import.
INPUTS = "argosy.dev/inputs"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that may be run, and the document that it is, if it is one of a file."""

    workflow: Workflow
    document: LoadedDocument | None = None

    def replaced(self, workflow: Workflow) -> Candidate:
        """The same place in the file, with another workflow."""
        return msgspec.structs.replace(self, workflow=workflow)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What was named. text: as it was written. file: what it is called. others: documents that are no workflows.

    parameters: values that were kept with it, which those of the command line replace. rest: the words behind its name
    that are left for its inputs; None for all of them.
    """

    text: str
    file: str = ""
    workflows: tuple[Candidate, ...]
    others: tuple[Document, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    parameters: Mapping[str, str] = {}
    rest: tuple[str, ...] | None = None

    @property
    def shown(self) -> FileText | str | None:
        """Where lines of findings are from; None for what has no text. Findings in other files are no lines of it."""
        return FileText(self.text, self.file) if self.file and self.text else self.text or None


def source_of(
    project: Project,
    name: str,
    *,
    strict: bool = True,
    reuse: bool = False,
    selected: tuple[str, ...] | None = None,
    given: tuple[str, ...] = (),
    parallel: bool = False,
    words: tuple[str, ...] = (),
) -> Source:
    """The source that a name means. Raises NotFound, InvalidFile when anything is wrong with its reading.

    reuse: of a dstack workflow, what it would run first is taken from its latest run. selected: which workflow of the
    file is meant, () for its default, None for all; given: names of values that a person gives; parallel: steps may
    run at the same time. Only a guild.yml, which may have much to read for each, takes these. words: all that stand
    behind the name; only dstack's workflows and providers take some of these.
    """
    if not os.path.isfile(name) or name.endswith(_SPECIAL) or "." not in os.path.basename(name):
        special = _special(project, name, strict, selected, given, parallel)
        if special is not None:
            return special
    word, slash, rest = name.partition("/")
    if slash and word.lower() in _TEMPLATE_WORDS and not os.path.exists(name):
        return Source(text="", workflows=(Candidate(workflow=_of_catalog(project, word.lower(), rest)),))
    if slash and word.lower() in WORKFLOW_WORDS and not os.path.exists(name):
        return _kept(project, rest, strict)
    if not os.path.exists(name) and name != files.STANDARD_INPUT:
        from argosy.project.dstack_files import load_asked

        named = load_asked(Path.cwd(), name, words, reuse=reuse)
        if named is not None:
            return msgspec.structs.replace(_source(project, name, named.loaded.checked()), rest=named.rest)
    if reuse:
        raise UsageError("--reuse is for a workflow of .dstack by its name", hint="--cache uses outcomes of any again")
    try:
        loaded = files.read(name, strict=strict, stdin=sys.stdin.buffer.read)
    except NotFound as error:
        raise _meant_template(project, name, error) from None
    if selected is not None and name != files.STANDARD_INPUT and told(loaded.source.text, name) == "guild":
        # A file of operations under another name: one of them is meant, never all.
        from argosy.project import guild_files

        operation = next(iter(selected), "")
        return _source(project, name, guild_files.operation(project, name, operation, given, parallel))
    return _source(project, name, loaded.checked())


def _meant_template(project: Project, name: str, error: NotFound) -> NotFound:
    """The error for a file that there is not, which says so where a template of the catalog has its name."""
    catalog = project.documents_if_any
    if catalog is None or catalog.workflow_template(name.partition("@")[0], False) is None:
        return error
    return NotFound(error.message, hint=f"template/{name} is the template of that name")


def _special(
    project: Project, name: str, strict: bool, selected: tuple[str, ...] | None, given: tuple[str, ...], parallel: bool
) -> Source | None:
    """What a program or a guild.yml is as a source; None if neither is meant. Most runs need not load their readers."""
    from argosy.project import guild_files
    from argosy.project.programs import meant, ready

    program = meant(name) is not None and not guild_files.is_guild(name.partition(":")[0])
    guild = guild_files.meant(name) if not program or os.path.isfile(name) else None
    if program and guild is None:
        return _source(project, name, ready(files.read(name, strict=strict).checked()))
    if guild is None or not (guild[1] or selected is not None):
        return None
    operation = guild[1] or next(iter(selected or ()), "")
    return _source(project, name, guild_files.operation(project, guild[0], operation, given, parallel))


def _kept(project: Project, ref: str, strict: bool) -> Source:
    """A workflow that was kept under a name, with the inputs that were kept with it."""
    from argosy.project.resolving import WORKFLOW_VERSION
    from argosy.project.runs_inside import WORKFLOW

    kept = read_kept(project, ref)
    found = _source(project, f"workflow/{ref}", files.read_bytes(kept.data, kept.file, strict=strict).checked())
    marks = {WORKFLOW: kept.version.whole_name, WORKFLOW_VERSION: kept.version.ref}

    def marked(one: Candidate) -> Candidate:
        metadata = one.workflow.metadata
        annotations = dict(metadata.annotations) | marks
        prefix = metadata.generate_name or f"{kept.version.whole_name.rpartition('/')[2].lower().replace('_', '-')}-"
        named = msgspec.structs.replace(metadata, annotations=annotations, generate_name=prefix)
        return msgspec.structs.replace(one, workflow=msgspec.structs.replace(one.workflow, metadata=named))

    workflows = tuple(marked(one) for one in found.workflows)
    return msgspec.structs.replace(found, workflows=workflows, parameters=kept.inputs)


def _source(project: Project, name: str, loaded: Loaded) -> Source:
    workflows = tuple(
        Candidate(workflow=one.value, document=one) for one in loaded.documents if isinstance(one.value, Workflow)
    )
    if not workflows:
        workflows = tuple(_of_program(loaded))
    if not workflows:
        raise _no_workflow(name, loaded)
    others = [one for one in loaded.documents if not isinstance(one.value, Workflow)]
    findings = [*loaded.diagnostics, *checked_documents(project, loaded, others)]
    return Source(
        text=loaded.source.text,
        file=loaded.source.file,
        workflows=workflows,
        others=tuple(one.value for one in others),
        findings=tuple(findings),
    )


def source_of_program(project: Project, loaded: Loaded) -> Source:
    """The source that workflows of a program are. Raises InvalidFile."""
    from argosy.project.programs import ready

    return _source(project, loaded.source.file, ready(loaded.checked()))


def _of_program(loaded: Loaded) -> Iterator[Candidate]:
    """What a program that makes no workflow runs: its schedules and templates, each as if it were due."""
    from argosy.model.programs import as_workflow

    for one in loaded.documents:
        workflow = as_workflow(one.value) if one.program is not None else None
        if workflow is not None:
            yield Candidate(workflow=workflow, document=one)


def source_of_bytes(project: Project, data: bytes, file: str, *, strict: bool = True) -> Source:
    """The source that a file's content is. Raises NotFound, InvalidFile."""
    return _source(project, file, files.read_bytes(data, file, strict=strict).checked())


def run_of(project: Project, source: Source, name: str) -> Source:
    """The source as runs of a workflow that is kept under a name, with those of its inputs that this one takes.

    Raises NotFound when there is no such workflow.
    """
    from argosy.project.runs_inside import WORKFLOW

    named = project.names.named("workflow", name)
    inputs = read_kept(project, name).inputs if named.latest else {}

    def marked(one: Candidate) -> Candidate:
        metadata = one.workflow.metadata
        annotations = {**metadata.annotations, WORKFLOW: named.whole_name}
        given = msgspec.structs.replace(metadata, annotations=annotations)
        return msgspec.structs.replace(one, workflow=msgspec.structs.replace(one.workflow, metadata=given))

    taken = {known for one in source.workflows for known in names_of(takes(project, one).inputs)}
    return msgspec.structs.replace(
        source,
        workflows=tuple(marked(one) for one in source.workflows),
        parameters={key: value for key, value in inputs.items() if key in taken},
    )


def checked_documents(project: Project, loaded: Loaded, documents: Iterable[LoadedDocument]) -> list[Diagnostic]:
    """The warnings about documents of a file, which know one another. Raises InvalidFile when one is wrong."""
    from argosy.checks.check import check

    together = DocumentCatalog([one.value for one in loaded.documents], project.documents_if_any)
    found: list[Diagnostic] = []
    for one in documents:
        found.extend(files.diagnostics_of(check(one.value, together, options=Options()), one))
    errors = [one for one in found if one.severity == "error"]
    if errors:
        raise InvalidFile(f"{loaded.source.file}: {errors[0].message}", diagnostics=tuple(found))
    return found


def _of_catalog(project: Project, word: str, name: str) -> Workflow:
    kind = _TEMPLATE_WORDS[word]
    # Says what is like it when there is none.
    plain, at, version = name.partition("@")
    kept = project.catalog.get(kind, plain).manifest
    versions, place = project.catalog.versions, project.catalog.place_of(kind, plain)
    if versions.standing(place).archived_at is not None:
        raise UsageError(f"{kind} {plain} is archived", hint=f"argosy templates unarchive {plain} brings it back")
    if at:
        if not version.isdecimal():
            raise UsageError(f"{version!r} is no version of {plain}", hint=f"argosy templates versions {plain}")
        kept = versions.get(place, int(version)).manifest
    labels = _labels(project, kept, place, version)
    metadata = ObjectMeta(generate_name=f"{plain}-", labels=labels, annotations=of_program(kept))
    if kind == "CronWorkflow":
        cron = msgspec.json.decode(kept, type=CronWorkflow, strict=False)
        given = cron.spec.workflow_metadata or ObjectMeta()
        labels = metadata.labels | given.labels
        annotations = metadata.annotations | given.annotations
        if (inputs := cron.metadata.annotations.get(INPUTS)) is not None:
            # Its format says more of what it takes than Argo's.
            annotations[INPUTS] = inputs
        metadata = msgspec.structs.replace(metadata, labels=labels, annotations=annotations)
        return Workflow(kind="Workflow", metadata=metadata, spec=cron.spec.workflow_spec)
    reference = WorkflowTemplateRef(name=name, cluster_scope=kind == "ClusterWorkflowTemplate")
    return Workflow(kind="Workflow", metadata=metadata, spec=WorkflowSpec(workflow_template_ref=reference))


def _labels(project: Project, manifest: bytes, place: tuple[str, str, str], version: str) -> dict[str, str]:
    """What Onepanel's runs say of the template that they came of."""
    from argosy.project.onepanel import labels_of

    return labels_of(manifest, place[2], version or str(project.catalog.versions.latest(place)))


def _no_workflow(name: str, loaded: Loaded) -> NotFound:
    kinds = sorted({one.value.kind for one in loaded.documents})
    if not kinds:
        return NotFound(f"{name} holds no workflow", hint="argosy run lists the workflow files of this folder")
    for one in loaded.documents:
        word = {"WorkflowTemplate": "template", "ClusterWorkflowTemplate": "cwftmpl", "CronWorkflow": "cronwf"}.get(
            one.value.kind
        )
        if word:
            hint = f"argosy apply -f {name}, then argosy run {word}/{one.value.metadata.name}"
            return NotFound(f"{name} holds no Workflow, only {', '.join(kinds)}", hint=hint)
    return NotFound(f"{name} holds no Workflow, only {', '.join(kinds)}", hint=f"argosy apply -f {name} keeps them")


def chosen(source: Source, names: Iterable[str], file: str) -> list[Candidate]:
    """The workflows of the file with these names, all if there are none. Raises NotFound."""
    wanted = list(names)
    found = [one for one in source.workflows if not wanted or not _names(one).isdisjoint(wanted)]
    for name in wanted:
        known = sorted(known for one in source.workflows for known in _names(one))
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"did you mean {near}?" if near else f"it holds {', '.join(known) or 'one without a name'}"
            raise NotFound(f"{file} holds no workflow {name!r}", hint=f"{hint}; a value is written NAME=VALUE")
    return found


def check_one(candidates: list[Candidate], file: str) -> None:
    """Raises UsageError for several workflows of one of dstack's files: some of them run others first."""
    metadata = [one.workflow.metadata for one in candidates]
    if len(metadata) > 1 and all("argosy.dev/dstack-dialect" in one.annotations for one in metadata):
        names = ", ".join(one.annotations.get("argosy.dev/workflow", "") for one in metadata)
        raise UsageError(f"{file} holds {len(metadata)} workflows", hint=f"name one of them: {names}")


def _names(candidate: Candidate) -> set[str]:
    metadata = candidate.workflow.metadata
    own = metadata.annotations.get("argosy.dev/workflow", "")
    program = metadata.annotations.get(PROGRAM, "").rpartition(":")[2]
    names = (
        metadata.name,
        metadata.generate_name,
        metadata.generate_name.rstrip("-"),
        own,
        own.rpartition(":")[2],
        program,
    )
    return {one for one in names if one}


def takes(project: Project, candidate: Candidate) -> Signature:
    """What a run of the workflow takes, each input with its place in the file."""
    document = candidate.document
    found = document.signature if document is not None else None
    spec = candidate.workflow.spec
    catalog = project.documents_if_any or DocumentCatalog([])
    if spec.workflow_template_ref is not None:
        kept, spec = _kept_takes(catalog, spec.workflow_template_ref, spec)
        found = found or kept
    if document is None and found is None and INPUTS in candidate.workflow.metadata.annotations:
        from argosy.project.onepanel import kept_inputs

        found = kept_inputs(candidate.workflow.metadata.annotations)
    if found is None:
        found = takes_of(candidate.workflow, catalog)
    if project.configuration.node_pools:
        from argosy.project.onepanel import with_pool_choices

        found = with_pool_choices(found, spec, project.configuration.node_pools)
    if document is None:
        return found
    inputs = [
        msgspec.structs.replace(one, place=_place_of(one, document)) if one.path and not one.place else one
        for one in found.inputs
    ]
    return msgspec.structs.replace(found, inputs=tuple(inputs))


def _kept_takes(
    catalog: Catalog, reference: WorkflowTemplateRef, own: WorkflowSpec
) -> tuple[Signature | None, WorkflowSpec]:
    """What a template of the catalog takes, as far as it says so itself, and its spec."""
    from argosy.project.onepanel import kept_inputs

    stored = catalog.workflow_template(reference.name, reference.cluster_scope) if reference.name else None
    if stored is None:
        return None, own
    return (None if own.arguments is not None else kept_inputs(stored.metadata.annotations)), stored.spec


def _place_of(one: Input, document: LoadedDocument) -> str:
    span = document.source_map.key_span(one.path)
    return f"{span.file}:{span.line}"


def submit(project: Project, source: Source, candidate: Candidate, wanted: Wanted) -> Submitted:
    """Put a run of the workflow into the record. Raises InvalidFile with findings at their places in the file."""
    if source.parameters:
        wanted = msgspec.structs.replace(wanted, parameters=dict(source.parameters) | dict(wanted.parameters))
    if wanted.signature is None:
        wanted = msgspec.structs.replace(wanted, signature=takes(project, candidate))
    workflow = candidate.workflow
    if not wanted.name and wanted.signature is not None and wanted.signature.find(RUN_NAME) is not None:
        from argosy.project.onepanel import named_by_parameter

        workflow = named_by_parameter(workflow, wanted.signature, wanted.parameters)
    try:
        check_format(project, workflow, wanted)
        return project.submit(workflow, wanted, without_values(source.text))
    except Refused as refused:
        raise refusal(refused, candidate) from None


def check_format(project: Project, workflow: Workflow, wanted: Wanted) -> None:
    """What a format wants to be there before a run, besides what is checked of all. Raises Refused."""
    if is_gradient(workflow):
        from argosy.project.gradient_runs import check

        check(project, workflow, wanted.signature or Signature(), wanted.parameters)


def refusal(refused: Refused, candidate: Candidate) -> InvalidFile:
    """The error with its findings at their places in the file."""
    errors = [one for one in placed(refused.findings, candidate) if one.severity == "error"]
    return InvalidFile(refused.message, diagnostics=tuple(errors), hint=refused.hint)


def placed(findings: Iterable[Finding], candidate: Candidate) -> list[Diagnostic]:
    """The findings at their places in the file, or at none."""
    if candidate.document is not None:
        return files.diagnostics_of(findings, candidate.document)
    return [
        Diagnostic(
            rule=one.rule,
            severity=_severity(one),
            message=f"{'.'.join(str(part) for part in one.path)}: {one.message}",
            why=one.why,
            hint=one.hint,
        )
        for one in findings
    ]


def _severity(finding: Finding) -> Severity:
    return finding.severity
