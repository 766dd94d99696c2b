"""What a workflow needs of its surroundings: documents, images, resources of the machine.

It knows manifests, and asks the catalog for documents that a manifest names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from argosy.checks.catalog import Catalog
from argosy.checks.finding import Finding, Path
from argosy.checks.texts import structs
from argosy.errors import EnvironmentTrouble, InvalidFile
from argosy.model.manifest import (
    ContainerFields,
    Part,
    Template,
    TemplateRef,
    ValueFrom,
    Workflow,
    WorkflowTemplate,
)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """The documents that a run reads, as they were when it was made: what a replay must see again.

    templates: by "cluster/NAME" or "namespaced/NAME". config_maps: values by name and key, for parameters.
    """

    templates: dict[str, WorkflowTemplate] = {}
    config_maps: dict[str, dict[str, str]] = {}


def template_key(name: str, cluster_scope: bool) -> str:
    """The key of a template among surroundings."""
    return f"{'cluster' if cluster_scope else 'namespaced'}/{name}"


def surroundings_of(workflow: Workflow, catalog: Catalog) -> Surroundings:
    """Everything that the workflow and the templates it refers to read of the catalog."""
    templates: dict[str, WorkflowTemplate] = {}
    config_maps: dict[str, dict[str, str]] = {}
    waiting: list[Part] = [workflow]
    while waiting:
        for _, struct in structs(waiting.pop()):
            if isinstance(struct, TemplateRef) and struct.name:
                key = template_key(struct.name, struct.cluster_scope)
                found = catalog.workflow_template(struct.name, struct.cluster_scope) if key not in templates else None
                if found is not None:
                    templates[key] = found
                    waiting.append(found)
            elif isinstance(struct, ValueFrom) and struct.config_map_key_ref is not None:
                name = struct.config_map_key_ref.name
                config_map = catalog.config_map(name) if name not in config_maps else None
                if config_map is not None:
                    config_maps[name] = dict(config_map.data)
    return Surroundings(templates=templates, config_maps=config_maps)


def containers_of(document: Part) -> list[tuple[Path, ContainerFields]]:
    """The containers of a document whose image is known before it runs, each with its place."""
    return [
        (path, struct)
        for path, struct in structs(document)
        if isinstance(struct, ContainerFields) and struct.image and "{{" not in struct.image
    ]


def images_of(containers: Iterable[tuple[Path, ContainerFields]], surroundings: Surroundings) -> list[str]:
    """The images that steps may run in, as far as they are known. containers: the workflow's own."""
    others = (one for template in surroundings.templates.values() for one in containers_of(template))
    return list(dict.fromkeys(container.image for _, container in (*containers, *others)))


def without_command(
    containers: Iterable[tuple[Path, ContainerFields]], entrypoint_trouble: Callable[[str], str]
) -> tuple[Finding, ...]:
    """A warning for each image that containers leave the command to, where nothing here knows what it runs.

    entrypoint_trouble: why the entrypoint of an image is not known, "" if it is. The steps may never be reached, so
    this stops nothing.
    """
    found: dict[str, Finding] = {}
    for path, container in containers:
        image = container.image
        if not container.command and image not in found and entrypoint_trouble(image):
            found[image] = Finding(
                rule="image-entrypoint",
                severity="warning",
                path=path,
                message=f"no command is given, and what {image} runs is not known: this step will fail here",
                why="images are looked into by a container engine only",
                hint=f'say it in argosy.toml ([images."{image}"] entrypoint = [...]), add a command to the '
                "template, or use --runtime podman",
            )
    return tuple(found.values())


def templates_of(workflow: Workflow, surroundings: Surroundings) -> Iterator[Template]:
    """Every template in reach, those written in place too."""
    for document in (workflow, *surroundings.templates.values()):
        for _, struct in structs(document):
            if isinstance(struct, Template):
                yield struct


def check_resources(workflow: Workflow, surroundings: Surroundings, gpus: str) -> None:
    """Raises EnvironmentTrouble when a step asks for more than this machine will ever have, UsageError for gpus."""
    from argosy.runners.local.resources import asks, machine_capacity, request_of

    asking = [one for one in templates_of(workflow, surroundings) if asks(one)]
    if not asking and not gpus:
        return
    capacity = machine_capacity(gpus)
    for template in asking:
        try:
            reason = capacity.never_fits(request_of(template))
        except InvalidFile:
            # A tag stands in it: the step itself will tell.
            continue
        if reason:
            raise EnvironmentTrouble(
                f"The template {template.name} can never run here: {reason}",
                hint="run it with --ignore-resources to start its steps all the same",
            )
