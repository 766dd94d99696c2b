"""Workflows whose steps run on the host, written so that a cluster runs them: with images, and the code beside them.

It knows what such a step has on this machine and gives it the same in a pod; what Argo lacks it refuses by name.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import posixpath
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from argosy.errors import UsageError
from argosy.model.host_templates import ASSUMED, CODE_FOLDER, FUNCTION, HOST, annotation, is_host, main_container
from argosy.model.manifest import (
    Artifact,
    ArtifactFields,
    ConfigMap,
    ContainerFields,
    EnvVar,
    Metadata,
    ObjectMeta,
    Parameter,
    Template,
    Volume,
    VolumeMount,
    Workflow,
)

if TYPE_CHECKING:
    from argosy.project.project import Project

# Where a pod finds the code, and the name of its volume.
BUNDLE_FOLDER = "/argosy/bundle"
BUNDLE_FILE = "code.tar.gz"
VOLUME = "argosy-code"
# Kubernetes keeps objects of at most about a megabyte; base64 makes four bytes of three.
LARGEST_BYTES = 700_000
# Below the code: the modules of this package that a step imports.
LIBRARY = ".argosy-library"
# Unpacks the code, and becomes the step's own command.
_BEGIN = (
    "import os,sys,tarfile;"
    f"os.makedirs('{CODE_FOLDER}',exist_ok=True);"
    f"tarfile.open('{BUNDLE_FOLDER}/{BUNDLE_FILE}').extractall('{CODE_FOLDER}');"
    "os.execvp(sys.argv[1],sys.argv[1:])"
)


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """How steps run there. image: of those that name none. code_in_image: the images hold the code and argosy already.

    artifacts: where files are that the workflow takes by a path, by the input's name, as fields of an Argo artifact.
    """

    image: str
    code_in_image: bool = False
    artifacts: Mapping[str, Any] = {}


def location_of(url: str) -> dict[str, Any]:
    """The fields of an artifact that is at a URL: s3, gs, http or https. Raises UsageError."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme in ("s3", "gs") and bucket and key:
        return {"s3" if scheme == "s3" else "gcs": {"bucket": bucket, "key": key}}
    if scheme in ("http", "https") and rest:
        return {"http": {"url": url}}
    raise UsageError(
        f"{url!r} is no place that a cluster reaches", hint="write s3://BUCKET/KEY, gs://... or https://..."
    )


def for_cluster(project: Project, workflow: Workflow, cluster: Cluster) -> tuple[ConfigMap | None, Workflow]:
    """The workflow as a cluster runs it, and the ConfigMap with its code when it needs one. Raises UsageError."""
    workflow = _with_locations(workflow, cluster)
    defaults = workflow.spec.template_defaults
    templates = workflow.spec.templates
    if not any(_on_host(one, defaults) for one in templates):
        return None, workflow
    bundle = None if cluster.code_in_image else _bundle(project, workflow)
    volumes = workflow.spec.volumes
    if bundle is not None:
        volumes = (*volumes, Volume(name=VOLUME, config_map={"name": bundle.metadata.name}))
    made = tuple(
        _template(one, cluster, with_code=bundle is not None) if _on_host(one, defaults) else one for one in templates
    )
    spec = replace(workflow.spec, templates=made, volumes=volumes)
    return bundle, replace(workflow, spec=spec)


def _on_host(template: Template, defaults: Template | None) -> bool:
    main = main_container(template)
    return main is not None and (is_host(template, defaults) or annotation(template, HOST, defaults) != "")


# -- one template


def _template(template: Template, cluster: Cluster, *, with_code: bool) -> Template:
    main = main_container(template)
    assert main is not None
    made: dict[str, Any] = {
        "container" if template.container is not None else "script": _container(main, cluster, with_code)
    }
    if template.inputs is not None:
        artifacts = tuple(_placed(one, template) for one in template.inputs.artifacts)
        made["inputs"] = replace(template.inputs, artifacts=artifacts)
    if template.outputs is not None:
        made["outputs"] = replace(
            template.outputs,
            artifacts=tuple(_placed(one, template) for one in template.outputs.artifacts),
            parameters=tuple(_placed_parameter(one) for one in template.outputs.parameters),
        )
    metadata = template.metadata or Metadata()
    kept = {name: one for name, one in metadata.annotations.items() if name not in (HOST, FUNCTION, ASSUMED)}
    return replace(template, metadata=replace(metadata, annotations=kept), **made)


def _container(main: Any, cluster: Cluster, with_code: bool) -> ContainerFields:
    command = (*main.command, *(main.args if not hasattr(main, "source") else ()))
    folder = _absolute(main.working_dir) if main.working_dir else CODE_FOLDER
    path = f"{CODE_FOLDER}/{LIBRARY}"
    known = next((one.value for one in main.env if one.name == "PYTHONPATH"), None)
    env = tuple(one for one in main.env if one.name != "PYTHONPATH")
    variable = EnvVar(name="PYTHONPATH", value=f"{known}:{path}" if known else path)
    made = replace(
        main,
        image=main.image or cluster.image,
        working_dir="" if with_code else folder,
        env=(*env, variable) if with_code else main.env,
    )
    if not with_code:
        return made
    # The folder is there only once the code is unpacked, so the step goes there itself.
    begin = f"{_BEGIN.rpartition('os.execvp')[0]}os.chdir('{folder}');os.execvp(sys.argv[1],sys.argv[1:])"
    mounts = (*main.volume_mounts, VolumeMount(name=VOLUME, mount_path=BUNDLE_FOLDER, read_only=True))
    changed: dict[str, Any] = {"command": ("python", "-c", begin, *command), "volume_mounts": mounts}
    if not hasattr(main, "source"):
        changed["args"] = ()
    return replace(made, **changed)


def _absolute(path: str) -> str:
    if not path or path.startswith(("/", "{{")):
        return path
    return posixpath.normpath(posixpath.join(CODE_FOLDER, path))


def _placed(artifact: Any, template: Template) -> Any:
    if posixpath.normpath(artifact.path or "x") == ".":
        raise UsageError(
            f"{template.name} gives all that it writes into its folder, and Argo takes files at fixed paths only",
            hint="run it on this machine, or name the files that it makes as artifacts",
        )
    return replace(artifact, path=_absolute(artifact.path))


def _placed_parameter(parameter: Parameter) -> Parameter:
    source = parameter.value_from
    if source is None or not source.path:
        return parameter
    return replace(parameter, value_from=replace(source, path=_absolute(source.path)))


# -- files that are given by name or path


def _with_locations(workflow: Workflow, cluster: Cluster) -> Workflow:
    """The workflow with locations for data of this machine. Raises UsageError that names what has none."""
    used: set[str] = set()

    def located(artifact: Artifact) -> Artifact:
        if artifact.named is None:
            return artifact
        given = cluster.artifacts.get(artifact.name)
        if given is None:
            raise UsageError(
                f"{artifact.name} is data of this machine, which a cluster does not reach",
                hint=f"say where it is: --artifact {artifact.name}=s3://BUCKET/KEY",
            )
        used.add(artifact.name)
        fields = msgspec.convert(given, ArtifactFields)
        location = {name: getattr(fields, name) for name in ("s3", "gcs", "oss", "azure", "http", "git", "raw", "hdfs")}
        return replace(artifact, named=None, **location)

    templates = tuple(
        replace(one, inputs=replace(one.inputs, artifacts=tuple(map(located, one.inputs.artifacts))))
        if one.inputs is not None and one.inputs.artifacts
        else one
        for one in workflow.spec.templates
    )
    arguments = workflow.spec.arguments
    if used and arguments is not None:
        # The path on this machine is no parameter there.
        parameters = tuple(one for one in arguments.parameters if one.name not in used)
        arguments = replace(arguments, parameters=parameters)
    return replace(workflow, spec=replace(workflow.spec, templates=templates, arguments=arguments))


# -- the code


def _bundle(project: Project, workflow: Workflow) -> ConfigMap:
    """The code of the project, and of this package what Python steps import, as an object that pods mount."""
    data = _packed([*_code(project, workflow), *_library(workflow)])
    if len(data) > LARGEST_BYTES:
        raise UsageError(
            f"the code is {len(data) >> 10} KiB, packed, and a ConfigMap holds at most {LARGEST_BYTES >> 10}",
            hint="leave files out by rules under [code] in argosy.toml, or build an image with it: --code-in-image",
        )
    name = f"code-{hashlib.sha256(data).hexdigest()[:16]}"
    metadata = ObjectMeta(name=name, namespace=workflow.metadata.namespace)
    binary = {BUNDLE_FILE: base64.b64encode(data).decode("ascii")}
    return ConfigMap(api_version="v1", kind="ConfigMap", metadata=metadata, binary_data=binary)


def _code(project: Project, workflow: Workflow) -> Iterator[tuple[str, Path]]:
    from argosy.experiments.code_files import list_code
    from argosy.model.programs import with_files
    from argosy.project.hosting import rules_of

    rules = with_files(rules_of(workflow) or project.configuration.code, workflow.metadata.annotations)
    listing = list_code(project.folder, rules, project.home.folder)
    for one in listing.files:
        yield posixpath.join(rules.dest, one.path), listing.root / one.path


def _library(workflow: Workflow) -> Iterator[tuple[str, Path]]:
    if not any(annotation(one, FUNCTION) for one in workflow.spec.templates):
        return
    from argosy.dsl.places import PACKAGE
    from argosy.experiments.function_package import package_files

    for path in package_files():
        yield f"{LIBRARY}/argosy/{path.relative_to(PACKAGE).as_posix()}", path


def _packed(files: Iterable[tuple[str, Path]]) -> bytes:
    """An archive that is the same for the same files."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, path in sorted(files):
            info = archive.gettarinfo(path, name)
            info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
            info.type = tarfile.REGTYPE if path.is_file() else info.type
            if path.is_file():
                info.size = path.stat().st_size
                with path.open("rb") as file:
                    archive.addfile(info, file)
            else:
                archive.addfile(info)
    return packed.getvalue()
