"""Rules on containers: images, mounts, container sets, and names that the engine keeps for itself.

Source: Argo docs: container-set-template.md, walk-through/sidecars.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from argosy.checks.finding import Path, Rule
from argosy.checks.graph import find_cycle
from argosy.checks.report import Report
from argosy.checks.rules.dags import DAG_CYCLE, DEPENDENCY_UNDEFINED
from argosy.checks.rules.names import check_names
from argosy.checks.survey import Place, Subject
from argosy.model.host_templates import HOST, TRUE, annotation, is_host, main_container
from argosy.model.manifest import Artifact, ContainerFields, Template, VolumeMount

IMAGE_MISSING = Rule(
    id="image-missing",
    meaning="A container or script names no image, and templateDefaults gives none.",
    bad="container: {command: [echo]}",
    fix="set image, here or in spec.templateDefaults",
)
HOST_COMMAND = Rule(
    id="host-command",
    meaning="A template that runs on the host gives no command, and there is no image to have one.",
    bad='metadata: {annotations: {argosy.dev/host: "true"}} with container: {args: [train.py]}',
    fix="give a command: [python], or [sh]",
)
HOST_KIND = Rule(
    id="host-kind",
    meaning="A template that is neither a container nor a script says that it runs on the host.",
    bad='metadata: {annotations: {argosy.dev/host: "true"}} with dag: {tasks: []}',
    fix="put the annotation on the templates that it calls",
)
MOUNT_TWICE = Rule(
    id="mount-twice",
    meaning="Two mounts, or a mount and an artifact, have the same path.",
    bad="volumeMounts: [{name: a, mountPath: /x}, {name: b, mountPath: /x}]",
    fix="give each a path of its own",
)
CONTAINER_NAME = Rule(
    id="container-name",
    meaning="A container has no name, or one that is kept for the engine's own containers.",
    bad="sidecars: [{name: wait, image: alpine}]",
    fix="choose another name (not wait, supervisor or artifact-plugin-...)",
)
CONTAINER_SET_EMPTY = Rule(
    id="container-set-empty",
    meaning="A container set has no container.",
    bad="containerSet: {containers: []}",
    fix="add a container",
)
CONTAINER_SET_MAIN = Rule(
    id="container-set-main",
    meaning="A container set has inputs or outputs, but no container called main to have them.",
    bad="containerSet: {containers: [{name: a, image: alpine}]} with outputs",
    fix='name one of the containers "main"',
)
SECRET_IN_COMMAND = Rule(
    id="secret-in-command",
    severity="warning",
    meaning="A secret variable is put into a command with $(NAME): the list of processes shows it to everybody.",
    bad="args: [--token, $(TOKEN)] with env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}]",
    fix="let the program read the variable, or a file of a secret volume",
)
RULES = (
    *(IMAGE_MISSING, HOST_COMMAND, HOST_KIND, MOUNT_TWICE, CONTAINER_NAME, CONTAINER_SET_EMPTY, CONTAINER_SET_MAIN),
    SECRET_IN_COMMAND,
)

_RESERVED = ("wait", "supervisor")
_RESERVED_PREFIX = "artifact-plugin-"


def check_place(subject: Subject, place: Place, report: Report) -> None:
    """The containers of one template."""
    template = place.template
    for index, container in enumerate(template.init_containers):
        if not container.name:
            path = (*place.path, "initContainers", index)
            report.add(CONTAINER_NAME, path, f"{place.label} initContainers must all have container name")
    for index, sidecar in enumerate(template.sidecars):
        _check_reserved(sidecar.name, (*place.path, "sidecars", index), f"{place.label}.sidecars", report)
    _check_images(place, report)
    for path, one in _containers(template):
        if one.env:
            _check_command(one, (*place.path, *path), place, report)
    container = template.container
    if container is not None:
        inputs = template.inputs.artifacts if template.inputs is not None else ()
        _check_mounts(container.volume_mounts, inputs, (*place.path, "container"), place, report)
    if template.container_set is not None:
        _check_set(place, report)


def _check_reserved(name: str, path: Path, label: str, report: Report) -> None:
    if name in _RESERVED or name.startswith(_RESERVED_PREFIX):
        report.add(CONTAINER_NAME, (*path, "name"), f'{label}: "{name}" is a reserved Argo container name')


def _containers(template: Template) -> Iterator[tuple[Path, ContainerFields]]:
    """All containers of a template, with their paths in it."""
    for key, one in (("container", template.container), ("script", template.script)):
        if one is not None:
            yield (key,), one
    yield from ((("initContainers", index), one) for index, one in enumerate(template.init_containers))
    yield from ((("sidecars", index), one) for index, one in enumerate(template.sidecars))
    if template.container_set is not None:
        for index, one in enumerate(template.container_set.containers):
            yield ("containerSet", "containers", index), one


def _check_command(container: ContainerFields, path: Path, place: Place, report: Report) -> None:
    secret = [
        variable.name
        for variable in container.env
        if variable.value_from is not None and variable.value_from.secret_key_ref is not None
    ]
    for key, words in (("command", container.command), ("args", container.args)) if secret else ():
        for index, word in enumerate(words):
            for name in secret:
                if f"$({name})" in word.replace("$$", ""):
                    message = f"{place.label}: the secret variable '{name}' is put on the command line"
                    report.add(SECRET_IN_COMMAND, (*path, key, index), message)


def _check_images(place: Place, report: Report) -> None:
    """An image may come from the defaults of the document that holds the template; on the host none is needed."""
    defaults = place.home.spec.template_defaults
    if _runs_on_host(place, defaults, report):
        return
    for key, container, default in (
        ("container", place.template.container, defaults.container if defaults else None),
        ("script", place.template.script, defaults.script if defaults else None),
    ):
        if container is not None and not container.image and not (default is not None and default.image):
            report.add(IMAGE_MISSING, (*place.path, key), f"{place.label}.{key}.image may not be empty")


def _runs_on_host(place: Place, defaults: Template | None, report: Report) -> bool:
    template = place.template
    main = main_container(template)
    if main is None:
        if annotation(template, HOST).lower() in TRUE:
            message = f"{place.label}: only a container or a script can run on the host"
            report.add(HOST_KIND, (*place.path, "metadata"), message)
        return False
    if not is_host(template, defaults):
        return False
    key = "container" if template.container is not None else "script"
    default = main_container(defaults) if defaults is not None else None
    if not main.command and not (default is not None and default.command):
        report.add(HOST_COMMAND, (*place.path, key), f"{place.label}.{key}.command may not be empty on the host")
    return True


def _check_mounts(
    mounts: Sequence[VolumeMount], artifacts: Sequence[Artifact], path: Path, place: Place, report: Report
) -> None:
    taken: dict[str, str] = {}
    for index, mount in enumerate(mounts):
        if mount.mount_path in taken:
            message = f"{place.label}.container.volumeMounts[{index}].mountPath '{mount.mount_path}' already mounted in"
            report.add(MOUNT_TWICE, (*path, "volumeMounts", index), f"{message} {taken[mount.mount_path]}")
        taken[mount.mount_path] = f"container.volumeMounts.{mount.name}"
    for index, artifact in enumerate(artifacts):
        if artifact.path and artifact.path in taken:
            message = f"{place.label}.inputs.artifacts[{index}].path '{artifact.path}' already mounted in"
            report.add(MOUNT_TWICE, (*place.path, "inputs", "artifacts", index), f"{message} {taken[artifact.path]}")
        taken[artifact.path] = f"inputs.artifacts.{artifact.name}"


def _check_set(place: Place, report: Report) -> None:
    template = place.template
    container_set = template.container_set
    assert container_set is not None
    path = (*place.path, "containerSet")
    label = f"{place.label}.containerSet"
    containers = container_set.containers
    if not containers:
        report.add(CONTAINER_SET_EMPTY, path, f"{label}.containers must have at least one container")
    check_names(report, [c.name for c in containers], (*path, "containers"), f"{label}.containers")
    names = {container.name for container in containers}
    for index, container in enumerate(containers):
        where = (*path, "containers", index)
        _check_reserved(container.name, where, f"{label}.containers", report)
        for at, name in enumerate(container.dependencies):
            if name not in names:
                message = f"{label}.containers.{container.name} dependency '{name}' not defined"
                hint = report.suggest(name, names)
                report.add(DEPENDENCY_UNDEFINED, (*where, "dependencies", at), message, hint=hint)
    cycle = find_cycle({container.name: container.dependencies for container in containers})
    if cycle:
        message = f"{label}.containers dependency cycle detected: {'->'.join(cycle)}"
        report.add(DAG_CYCLE, (*path, "containers"), message)
    _check_mounts(container_set.volume_mounts, (), path, place, report)
    inputs, outputs = template.inputs, template.outputs
    has_files = (inputs is not None and inputs.artifacts) or (
        outputs is not None and (outputs.parameters or outputs.artifacts)
    )
    if has_files and "main" not in names:
        message = f'{label}.containers must have a container named "main" for input or output'
        report.add(CONTAINER_SET_MAIN, (*path, "containers"), message)
