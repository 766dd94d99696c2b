"""Workflows that came of Python programs: what is kept of that on a document, and what steps need of the program.

It knows the annotations and their values, and how Hera's steps call a program's functions; not how one is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from argosy.model.host_templates import HOST, IN_IMAGE, CodeRule, CodeRules, annotation, main_container
from argosy.model.manifest import (
    ContainerFields,
    CronWorkflow,
    Document,
    EnvVar,
    Metadata,
    ObjectMeta,
    Template,
    Workflow,
    WorkflowSpec,
    WorkflowTemplate,
)

# On a workflow or template: FILE.py:NAME, the program below the project's folder and the name in it.
PROGRAM = "argosy.dev/program"
# On a workflow: the files of the program's own modules, one in a line, which its code has in any case.
FILES = "argosy.dev/program-files"
PYTHONPATH = "PYTHONPATH"
# What Hera's steps run to call a function of the program, where it is not pasted into the manifest.
RUNNER = ("-m", "hera.workflows.runner")
_PLAIN_PYTHON = r"(?:docker\.io/)?(?:library/)?python(?::[\w.-]+)?(?:@.*)?"


class _Metadata(msgspec.Struct, frozen=True):
    annotations: dict[str, str] = {}


class _Kept(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """Where a document came from.

    file: below the project's folder. name: of the object in it. kind: "argosy" or "hera", by which API it was written.
    folders: those that the program's modules are imported from; files: these modules; relative to the project's.
    """

    file: str
    name: str
    kind: str
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """As people name it on a command line."""
        return f"{self.file}:{self.name}" if self.name else self.file


def is_of_program(annotations: Mapping[str, str]) -> bool:
    """Whether a workflow came of a program, by its annotations."""
    return PROGRAM in annotations


def of_program(manifest: bytes) -> dict[str, str]:
    """The annotations of a kept manifest that say which program it came of."""
    if PROGRAM.encode() not in manifest:
        return {}
    annotations = msgspec.json.decode(manifest, type=_Kept).metadata.annotations
    return {name: annotations[name] for name in (PROGRAM, FILES) if name in annotations}


def marked(document: Document, program: Program) -> Document:
    """The document with a word on where it came from; of Hera's, steps that import the program get its code."""
    marks = {PROGRAM: program.ref, FILES: "\n".join(program.files)}
    if isinstance(document, CronWorkflow):
        spec = document.spec
        own = spec.workflow_metadata or ObjectMeta()
        workflow_spec = _coded(spec.workflow_spec, program)
        spec = replace(spec, workflow_spec=workflow_spec, workflow_metadata=_annotated(own, marks))
        return replace(document, metadata=_annotated(document.metadata, marks), spec=spec)
    if isinstance(document, (Workflow, WorkflowTemplate)):
        metadata = _annotated(document.metadata, marks)
        return replace(document, metadata=metadata, spec=_coded(document.spec, program))
    return document


def with_files(rules: CodeRules, annotations: Mapping[str, str]) -> CodeRules:
    """The rules on a run's code with the files of its program, whatever else they leave out."""
    prefix = f"{rules.root.strip('/')}/" if rules.root.strip("/.") else ""
    files = [one.removeprefix(prefix) for one in annotations.get(FILES, "").splitlines() if one.startswith(prefix)]
    more = tuple(CodeRule(include=True, pattern=_as_pattern(one)) for one in files)
    return replace(rules, rules=(*rules.rules, *more))


def _as_pattern(path: str) -> str:
    # From the root on, not by its last name.
    return "/" + re.sub(r"([*?\[])", r"[\1]", path)


def as_workflow(document: Document) -> Workflow | None:
    """A document that is no workflow as a run of it; None if there is nothing to begin with."""
    if isinstance(document, CronWorkflow):
        given = document.spec.workflow_metadata or ObjectMeta()
        metadata = replace(given, generate_name=f"{document.metadata.name}-")
        return Workflow(kind="Workflow", metadata=metadata, spec=document.spec.workflow_spec)
    if not isinstance(document, WorkflowTemplate) or not document.spec.entrypoint:
        return None
    own = document.metadata
    metadata = ObjectMeta(generate_name=f"{own.name}-", labels=own.labels, annotations=own.annotations)
    return Workflow(kind="Workflow", metadata=metadata, spec=document.spec)


def _annotated(metadata: ObjectMeta, marks: dict[str, str]) -> ObjectMeta:
    return replace(metadata, annotations={**metadata.annotations, **marks})


def _coded(spec: WorkflowSpec, program: Program) -> WorkflowSpec:
    if program.kind != "hera":
        return spec
    return replace(spec, templates=tuple(_with_program(one, program, spec.template_defaults) for one in spec.templates))


def _with_program(template: Template, program: Program, defaults: Template | None) -> Template:
    container = main_container(template)
    if container is None or not _calls_program(container) or annotation(template, HOST, defaults):
        return _with_inline(template, program, defaults)
    metadata = template.metadata or Metadata()
    # In the image that it names: only the code is ours to give.
    metadata = replace(metadata, annotations={**metadata.annotations, HOST: IN_IMAGE})
    container = replace(container, env=with_path(container.env, program.folders or (".",)))
    return replace(template, metadata=metadata, **{"script" if template.script is not None else "container": container})


def lacks_packages(container: ContainerFields) -> bool:
    """Whether it is one of Hera's steps that import the program, in an image with nothing but Python."""
    return _calls_program(container) and re.fullmatch(_PLAIN_PYTHON, container.image) is not None


def _with_inline(template: Template, program: Program, defaults: Template | None) -> Template:
    if template.dag is None or not any(one.inline is not None for one in template.dag.tasks):
        return template
    tasks = tuple(
        replace(one, inline=_with_program(one.inline, program, defaults)) if one.inline is not None else one
        for one in template.dag.tasks
    )
    return replace(template, dag=replace(template.dag, tasks=tasks))


def _calls_program(container: ContainerFields) -> bool:
    words = (*container.command, *container.args)
    return any(words[place : place + 2] == RUNNER for place in range(len(words)))


def with_path(env: tuple[EnvVar, ...], folders: tuple[str, ...]) -> tuple[EnvVar, ...]:
    """The variables with these folders first where Python looks for modules."""
    given = next((one.value for one in env if one.name == PYTHONPATH and one.value), "")
    path = ":".join((*folders, given) if given else folders)
    return (*(one for one in env if one.name != PYTHONPATH), EnvVar(name=PYTHONPATH, value=path))
