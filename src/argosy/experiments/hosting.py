"""Host templates made ready to run: the code among their inputs, an image where a container runs them.

It knows manifests and digests, not where anything is kept. Doing it again, for another runtime or with other code,
gives the same as doing it first.
"""

from __future__ import annotations

import posixpath
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from argosy.experiments.function_package import with_package
from argosy.model.host_templates import (
    CODE_ARTIFACT,
    CODE_DEST,
    CODE_FOLDER,
    ENVIRONMENTS,
    ENVIRONMENTS_FOLDER,
    ENVIRONMENTS_VOLUME,
    FUNCTION,
    HOST,
    HOST_IMAGE,
    NO_CODE,
    TRUE,
    annotation,
    is_host,
    main_container,
    needs_image,
)
from argosy.model.manifest import (
    Artifact,
    Inputs,
    Metadata,
    Template,
    Volume,
    VolumeMount,
    Workflow,
    WorkflowTemplate,
)

Document = TypeVar("Document", Workflow, WorkflowTemplate)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where host templates are to run. image: of containers, "" where no container engine is.

    code: the digest of the folder with the code, "" for none. dest: where it goes in the working folder. nothing: the
    digest of an empty folder, where a container runs them: it has no working folder but what is mounted. package: the
    folder with what steps that call functions import, and for containers its digest.
    environments: the folder of this machine where virtual environments of steps are kept that have a home of their own.
    """

    image: str = ""
    code: str = ""
    nothing: str = ""
    dest: str = ""
    package: str = ""
    package_digest: str = ""
    environments: str = ""


def hosted(document: Document, setting: Setting, defaults: Template | None) -> Document:
    """The document with its host templates ready to run there; the same one if it has none."""
    spec = document.spec
    templates = tuple(_template(one, setting, defaults) for one in spec.templates)
    if all(new is old for new, old in zip(templates, spec.templates, strict=True)):
        return document
    return replace(document, spec=replace(spec, templates=templates))


def _template(template: Template, setting: Setting, defaults: Template | None) -> Template:
    if is_host(template, defaults):
        return _hosted(template, setting, defaults)
    if template.steps is not None:
        steps = tuple(tuple(_call(one, setting, defaults) for one in group) for group in template.steps)
        if any(
            new is not old
            for group, was in zip(steps, template.steps, strict=True)
            for new, old in zip(group, was, strict=True)
        ):
            return replace(template, steps=steps)
    if template.dag is not None:
        tasks = tuple(_call(one, setting, defaults) for one in template.dag.tasks)
        if any(new is not old for new, old in zip(tasks, template.dag.tasks, strict=True)):
            return replace(template, dag=replace(template.dag, tasks=tasks))
    return template


def _call(call: Any, setting: Setting, defaults: Template | None) -> Any:
    if call.inline is None:
        return call
    inline = _template(call.inline, setting, defaults)
    return call if inline is call.inline else replace(call, inline=inline)


def _hosted(template: Template, setting: Setting, defaults: Template | None) -> Template:
    container = main_container(template)
    assert container is not None
    metadata = template.metadata or Metadata()
    named = metadata.annotations.get(HOST_IMAGE, container.image)
    # A function is named by its place in the code, seen from where the step begins.
    dest = annotation(template, CODE_DEST, defaults) or ("" if annotation(template, FUNCTION) else setting.dest)
    container = replace(
        container,
        image=named if needs_image(template, defaults) else (named or setting.image) if setting.image else HOST,
        working_dir=_placed(_named(container.working_dir), setting) or (CODE_FOLDER if setting.image else ""),
    )
    container, volumes = _with_environments(template, container, setting)
    inputs = template.inputs or Inputs()
    artifacts = tuple(
        replace(one, path=_placed(_named(one.path), setting)) for one in inputs.artifacts if one.name != CODE_ARTIFACT
    )
    code, dest = (setting.code, dest) if dest != NO_CODE and setting.code else (setting.nothing, "")
    if code:
        # First: what else the template takes is laid over it.
        path = _placed(posixpath.normpath(dest) if dest else ".", setting)
        artifacts = (Artifact(name=CODE_ARTIFACT, path=path, digest=code), *artifacts)
    made = replace(
        template,
        metadata=replace(metadata, annotations={**metadata.annotations, HOST_IMAGE: named}),
        inputs=replace(inputs, artifacts=artifacts) if artifacts or template.inputs is not None else None,
        volumes=volumes,
        **{"container" if template.container is not None else "script": container},
    )
    return with_package(made, setting.package, setting.package_digest)


def _with_environments(template: Template, container: Any, setting: Setting) -> tuple[Any, tuple[Volume, ...]]:
    """The container and the volumes of a template, with the place where its virtual environments are kept."""
    volumes = tuple(one for one in template.volumes if one.name != ENVIRONMENTS_VOLUME)
    mounts = tuple(one for one in container.volume_mounts if one.name != ENVIRONMENTS_VOLUME)
    if setting.environments and annotation(template, ENVIRONMENTS).lower() in TRUE:
        place = {"path": setting.environments, "type": "DirectoryOrCreate"}
        volumes += (Volume(name=ENVIRONMENTS_VOLUME, host_path=place),)
        mounts += (VolumeMount(name=ENVIRONMENTS_VOLUME, mount_path=ENVIRONMENTS_FOLDER),)
    return replace(container, volume_mounts=mounts), volumes


def _named(path: str) -> str:
    """A path as the file named it: relative, where a container has it below its working folder."""
    if path == CODE_FOLDER:
        return ""
    return path.removeprefix(f"{CODE_FOLDER}/")


def _placed(path: str, setting: Setting) -> str:
    """A path as the step sees it: in a container, what is relative is below the working folder."""
    if not setting.image or not path or path.startswith(("/", "{{")):
        return path
    return posixpath.normpath(posixpath.join(CODE_FOLDER, path))
