"""From a decision to start a leaf to the containers of its attempt: folders, inputs, volumes, scripts, environments.

It knows what a template's containers mean here, not how they run nor how they end. Source: Argo's createWorkflowPod.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec

from argosy.artifacts.redaction import Spellings, spellings
from argosy.artifacts.troubles import disk_errors
from argosy.errors import EnvironmentTrouble, InvalidFile
from argosy.model.host_templates import CODE_ARTIFACT
from argosy.model.manifest import ContainerFields, ContainerNode, ScriptTemplate, Template, UserContainer, Volume
from argosy.plan.actions import Start
from argosy.runners.local.context import RunContext
from argosy.runners.local.environment import PodFields, Values, environment_of
from argosy.runners.local.patches import Patched, is_patched, patched
from argosy.runners.local.pod import Piece, Pod
from argosy.runners.local.ports import ports_of, variables_of
from argosy.runners.local.resources import GPU_RESOURCES, limits_of
from argosy.runners.local.runtimes.places import ENGINES, FUNCTION_RUNTIME, mount_at, needs_retrieval
from argosy.runners.local.runtimes.runtime import Function, Mount, Runtime, StepSpec
from argosy.runners.local.shared_code import SharedCode, function_of, lay, without_code
from argosy.runners.local.spares import PARTS

ATTEMPT_FILE = "attempt.json"
CONTAINERS = "containers"
_NO_DEADLINE = "0001-01-01T00:00:00Z"
_MAIN = "main"
_encoder = msgspec.json.Encoder()


def _nothing_to_retrieve(id: str, path: str, target: str) -> bool:
    """Of runtimes whose steps' files are all on the host."""
    return False


def _nothing_to_release(ids: Sequence[str]) -> None:
    """Of runtimes that keep nothing of a step."""


def _no_spare(target: str) -> bool:
    """Of drivers that make no folders ahead."""
    return False


class StagingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How this run's steps are run. Make it with `of`.

    runtime: its name, "process" for every one whose steps see the machine as it is. code: where steps that are calls of
    functions share the code of the run; None where they are processes. gpus: the indices that the step was given.
    retrieve, release: the runtime's. take_spare: puts the folder of a new attempt that has only a container main at a
    path, if one was made ahead.
    """

    runtime: str = "process"
    code: SharedCode | None = None
    gpus: tuple[int, ...] = ()
    retrieve: Callable[[str, str, str], bool] = _nothing_to_retrieve
    release: Callable[[Sequence[str]], None] = _nothing_to_release
    take_spare: Callable[[str], bool] = _no_spare

    @classmethod
    def of(cls, runtime: Runtime, run_uid: str) -> StagingOptions:
        """The options of a run on this runtime."""
        if runtime.name == FUNCTION_RUNTIME:
            return cls(runtime="process", code=SharedCode())
        if runtime.name not in ENGINES:
            return cls(runtime=runtime.name)
        return cls(
            runtime=runtime.name,
            retrieve=lambda id, path, target: runtime.retrieve(run_uid, id, path, target),
            release=lambda ids: runtime.release(run_uid, ids),
        )


def needs_transfer(start: Start, options: StagingOptions | None = None) -> bool:
    """Whether preparing it may take long, so that it belongs in a thread."""
    inputs = start.template.inputs
    if inputs is None or not inputs.artifacts:
        return False
    if options is not None and options.code is not None and function_of(start.template):
        return any(artifact.raw is None and artifact.name != CODE_ARTIFACT for artifact in inputs.artifacts)
    return any(artifact.raw is None for artifact in inputs.artifacts)


def prepare(start: Start, context: RunContext, options: StagingOptions) -> Pod:
    """Make the attempt's folder and all that is in it, and say what its containers are.

    Safe to call again: once the attempt file is there a step may be running, and nothing that it uses is touched.
    Raises ArgosyError: the attempt cannot be made.
    """
    return _Staging(start, context, options).pod()


class _Staging:
    """One call of `prepare`."""

    __slots__ = (
        "attempt",
        "context",
        "fields",
        "folder",
        "fresh",
        "function",
        "hidden",
        "options",
        "patch",
        "records",
        "secrets",
        "start",
        "template",
    )

    def __init__(self, start: Start, context: RunContext, options: StagingOptions) -> None:
        self.start, self.context, self.options = start, context, options
        self.attempt = context.attempt(start.node)
        self.folder = context.attempt_place(start.node)
        self.template = start.template
        self.fields = PodFields(context, start.template, node=start.node, node_name=start.name, pod_name=start.pod_name)
        self.patch: Patched | None = None
        if is_patched(self.template, context.workflow):
            self.patch = patched(self.template, context.workflow, workflow_scope(context, start.pod_name))
            self.template = self.patch.template
        self.function: Function | None = None
        if options.code is not None and (target := function_of(self.template)):
            self.template, digest = without_code(self.template)
            self.function = Function(target=target, root=options.code.folder(digest, context))
        # What is written down of each container: what `_record` takes.
        self.records: list[tuple[str, ContainerFields, StepSpec, Values, Sequence[str], Sequence[str]]] = []
        # What the containers are given of Secrets: their names, and all that is to be hidden.
        self.secrets: set[str] = set()
        self.hidden: list[bytes] = []
        self.fresh = True

    def pod(self) -> Pod:
        template = self.template
        main = template.container or template.script
        with disk_errors("make", self.folder):
            if main is not None and is_simple(template, main):
                if not self.options.take_spare(self.folder):
                    _make_folder(self.folder)
                self._lay_code()
                return self._simple_pod(main)
            existed = _make_folder(self.folder)
            self.fresh = not existed or not os.path.exists(f"{self.folder}/{ATTEMPT_FILE}")
            if existed and self.fresh:
                self._clear()
            if self.fresh:
                self._lay_code()
            pod = self._whole_pod()
            if self.fresh:
                self._write_record()
        return pod

    def _lay_code(self) -> None:
        if self.function is not None:
            inputs = self.template.inputs.artifacts if self.template.inputs is not None else ()
            lay(
                self.function.root,
                f"{self.folder}/work",
                tuple(artifact.path for artifact in inputs),
                wanted_paths(self.template),
            )

    def _simple_pod(self, main: ContainerFields) -> Pod:
        """A pod that needs nothing but its folder. What is written down of it can wait until it runs.

        Not so when it is given secrets: whoever shows its log must know which.
        """
        pod = self._pod(mains=(Piece(name=_MAIN, spec=self._spec(main, _MAIN, self.folder, ())),))
        if any(values.secrets for _, _, _, values, _, _ in self.records):
            self._write_record()
        else:
            pod.write_record = self._write_record
        return pod

    def _pod(self, **pieces: Any) -> Pod:
        patch = self.patch
        if self.hidden:
            # Containers of a pod can see one another's files: each may say what any of them was given.
            values = spellings(self.hidden)
            pieces = {kind: tuple(_hiding(piece, values) for piece in given) for kind, given in pieces.items()}
        return Pod(
            attempt=self.attempt,
            node=self.start.node,
            name=self.start.pod_name,
            is_set=self.template.container_set is not None,
            is_daemon=bool(self.template.daemon),
            grace_seconds=patch.grace_seconds if patch else None,
            deadline_seconds=patch.deadline_seconds if patch else None,
            **pieces,
        )

    def _clear(self) -> None:
        """Remove what a driver left that died before it had made all of it."""
        for name in os.listdir(self.folder):
            if name not in PARTS:
                import shutil

                path = f"{self.folder}/{name}"
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)

    # -- the containers

    def _whole_pod(self) -> Pod:
        from argosy.runners.local.fetching import place_inputs
        from argosy.runners.local.volumes import Volumes

        template, context = self.template, self.context
        volumes = Volumes(
            context, template, self.folder, self.fields, fresh=self.fresh, spec=workflow_volumes(context, self.start)
        )
        mains = self._main_containers()
        self._check_inputs()
        mounts = {name: self._mounts(container, volumes) for name, container, _ in mains}
        central = next((name for name, _, _ in mains if name == _MAIN), "")
        inputs = template.inputs
        if inputs is not None and inputs.artifacts and central:
            placed = place_inputs(
                inputs.artifacts, mounts[central], context, self.folder, self.options.runtime, fresh=self.fresh
            )
            mounts[central] += placed
        others = (*template.init_containers, *template.sidecars)
        for other in others:
            mirrored = mounts[central] if other.mirror_volume_mounts and central else ()
            mounts[other.name] = _without_twins(self._mounts(other, volumes) + mirrored)
        self.secrets |= volumes.secrets
        self.hidden += volumes.hidden
        shared = len(mains) + len(template.sidecars) > 1
        retries, seconds = _set_retries(template)
        pieces = tuple(
            Piece(
                name=name,
                spec=self._spec(container, name, self._folder_of(name), mounts[name], shared=shared, keep=retries > 0),
                needs=needs,
                retries=retries,
                retry_seconds=seconds,
            )
            for name, container, needs in mains
        )
        return self._pod(
            mains=pieces,
            inits=tuple(self._beside(one, mounts, shared=False) for one in template.init_containers),
            sidecars=tuple(self._beside(one, mounts, shared=shared) for one in template.sidecars),
        )

    def _main_containers(self) -> list[tuple[str, ContainerFields, tuple[str, ...]]]:
        template = self.template
        if template.container_set is None:
            main = template.container or template.script
            if main is None:
                raise InvalidFile(f"Template {template.name!r} has no container to run.")
            return [(_MAIN, main, ())]
        shared = template.container_set.volume_mounts
        found: list[tuple[str, ContainerFields, tuple[str, ...]]] = []
        for container in template.container_set.containers:
            whole: ContainerNode = msgspec.structs.replace(container, volume_mounts=container.volume_mounts + shared)
            found.append((container.name, whole, container.dependencies))
        return found

    def _beside(self, container: UserContainer, mounts: dict[str, tuple[Mount, ...]], *, shared: bool) -> Piece:
        name = container.name
        return Piece(name=name, spec=self._spec(container, name, self._folder_of(name), mounts[name], shared=shared))

    def _folder_of(self, name: str) -> str:
        """A container's own folder: the attempt's for main, and for each other one a folder in it."""
        if name == _MAIN:
            return self.folder
        folder = f"{self.folder}/{CONTAINERS}/{name}"
        if self.fresh:
            os.makedirs(f"{folder}/work", exist_ok=True)
            os.makedirs(f"{folder}/tmp", exist_ok=True)
        return folder

    def _mounts(self, container: ContainerFields, volumes: Any) -> tuple[Mount, ...]:
        if not container.volume_mounts:
            return ()
        values = environment_of(container, self.context, self.fields)
        return tuple(volumes.mount(mount, values) for mount in container.volume_mounts)

    # -- one container

    def _spec(
        self,
        container: ContainerFields,
        name: str,
        folder: str,
        mounts: tuple[Mount, ...],
        *,
        shared: bool = False,
        keep: bool = False,
    ) -> StepSpec:
        """The process of a container. shared: it speaks to others of its pod, which then share the host's network."""
        values = environment_of(container, self.context, self.fields)
        command, args = container.command, container.args
        runtime = self.options.runtime
        # A script without a source is a container, as in Argo.
        if isinstance(container, ScriptTemplate) and container.source:
            from argosy.runners.local.scripts import place_script

            path, more = place_script(self.folder, container.source, runtime, fresh=self.fresh)
            args, mounts = (*args, path), mounts + more
        if values.hidden:
            self.secrets.update(source.partition("/")[0] for source in values.secrets.values())
            self.hidden += values.hidden
        ports: tuple[int, ...] = ()
        if name == _MAIN and runtime in ENGINES and self.fresh and self.template.metadata is not None:
            ports = ports_of(self.template)
        log = f"{self.folder}/{name}.log"
        capture = self.start.capture_result and name == _MAIN
        limits = limits_of(container.resources) if container.resources is not None else None
        spec = StepSpec(
            id=f"{self.attempt}/{name}",
            command=tuple(values.expand(word) for word in command),
            args=tuple(values.expand(word) for word in args),
            image=container.image,
            environment=values.all | self._promised(name, folder) | variables_of(ports),
            working_dir=container.working_dir,
            folder=folder,
            mounts=mounts,
            stdout=f"{self.folder}/{name}.stdout" if capture else log,
            stderr=log,
            cpus=limits.cpus if limits is not None else None,
            memory_bytes=limits.memory_bytes if limits is not None else None,
            gpus=self._gpus(container, name),
            security=self._security(container),
            pull_policy=container.image_pull_policy,
            network="host" if shared and runtime in ENGINES else "",
            published=ports,
            tty=container.tty,
            keep=keep and runtime in ENGINES,
            private=tuple(values.secrets),
            function=self.function if name == _MAIN else None,
        )
        if name == _MAIN and (wanted := wanted_paths(self.template)):
            spec = self._with_outputs(spec, wanted)
        self._check_reach(spec)
        self.records.append((name, container, spec, values, command, args))
        return spec

    def _promised(self, name: str, folder: str) -> dict[str, str]:
        """What Argo gives each container besides its own environment."""
        start = self.start
        deadline = _NO_DEADLINE
        if start.deadline:
            from argosy.model.status import timestamp

            deadline = timestamp(start.deadline)
        tmp = f"{folder}/tmp" if self.options.runtime == "process" else "/tmp"
        return {
            "ARGO_CONTAINER_NAME": name,
            "ARGO_NODE_ID": start.node,
            "ARGO_WORKFLOW_NAME": self.context.identity.name,
            "ARGO_INCLUDE_SCRIPT_OUTPUT": "true" if start.capture_result else "false",
            "ARGO_DEADLINE": deadline,
            "ARGO_PROGRESS_FILE": f"{tmp}/argo-progress",
        }

    def _gpus(self, container: ContainerFields, name: str) -> tuple[int, ...]:
        """The step's GPUs go to the containers that ask for some, to main if none says so."""
        if not self.options.gpus:
            return ()
        resources = container.resources
        asks = resources is not None and any(one in {**resources.limits, **resources.requests} for one in GPU_RESOURCES)
        return self.options.gpus if asks or name == _MAIN else ()

    def _security(self, container: ContainerFields) -> dict[str, Any] | None:
        """The pod's securityContext under the container's own. Volumes are everybody's: fsGroup is a group more."""
        pod = self.template.security_context or self.context.workflow.spec.security_context
        if not pod and not container.security_context:
            return None
        wanted = {**cast("dict[str, Any]", pod or {}), **cast("dict[str, Any]", container.security_context or {})}
        wanted.pop("fsGroupChangePolicy", None)
        if (group := wanted.pop("fsGroup", None)) is not None:
            wanted["supplementalGroups"] = [*(wanted.get("supplementalGroups") or ()), group]
        return wanted

    def _with_outputs(self, spec: StepSpec, wanted: Sequence[str]) -> StepSpec:
        """The step with the paths at which it will leave what no mount brings out."""
        runtime = self.options.runtime
        if runtime == "process":
            for path in wanted:
                self._check_path(path, spec.mounts)
            return spec
        outputs = tuple(path for path in wanted if needs_retrieval(spec, path, runtime))
        if not outputs:
            return spec
        return msgspec.structs.replace(spec, outputs=outputs, keep=runtime in ENGINES)

    def _check_reach(self, spec: StepSpec) -> None:
        if self.options.runtime == "process":
            for mount in spec.mounts:
                if posixpath.normpath(mount.target) != posixpath.normpath(mount.source):
                    self._check_path(mount.target, ())

    def _check_inputs(self) -> None:
        """What can never be given to the step is not fetched first."""
        inputs = self.template.inputs
        if self.options.runtime == "process" and inputs is not None:
            for artifact in inputs.artifacts:
                if artifact.path.startswith("/") and not (self.template.container or ContainerFields()).volume_mounts:
                    self._check_path(artifact.path, ())

    def _check_path(self, path: str, mounts: Sequence[Mount]) -> None:
        """Raises EnvironmentTrouble for a path that is neither the step's own nor in a folder of the host's it has."""
        if not path.startswith("/") or path.startswith(f"{self.folder}/"):
            return
        around = mount_at(posixpath.normpath(path), mounts)
        if around is not None and posixpath.normpath(around.source) == posixpath.normpath(around.target):
            return
        raise EnvironmentTrouble(
            f"Step {self.start.name!r} needs {path} for its own, which a plain process cannot have: two steps would "
            "clash there.",
            hint="Use --runtime sandbox or --runtime podman, or a path relative to the working folder.",
        )

    # -- the record

    def _write_record(self) -> None:
        """Write down what runs, with secrets by name only. Last: its presence says that all the rest is there."""
        record: dict[str, object] = {
            "node": self.start.node,
            "name": self.start.name,
            "pod": self.start.pod_name,
            "template": self.template.name,
            "runtime": self.options.runtime,
            "containers": [_record(*one) for one in self.records],
        }
        if self.secrets:
            record["secrets"] = {name: self.context.secret_version(name) for name in sorted(self.secrets)}
            record["masked"] = True
        path = f"{self.folder}/{ATTEMPT_FILE}"
        data = _encoder.encode(record)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)


def _hiding(piece: Piece, values: Spellings) -> Piece:
    return msgspec.structs.replace(piece, spec=msgspec.structs.replace(piece.spec, hidden=values))


def is_simple(template: Template, main: ContainerFields) -> bool:
    """Whether there is nothing to make for a template but its folder."""
    inputs = template.inputs
    return (
        template.script is None
        and not main.volume_mounts
        and (inputs is None or not inputs.artifacts)
        and not template.sidecars
        and not template.init_containers
    )


def wanted_paths(template: Template) -> tuple[str, ...]:
    """The paths of a template's outputs, as the step names them."""
    outputs = template.outputs
    if outputs is None:
        return ()
    paths = [artifact.path for artifact in outputs.artifacts if artifact.path]
    paths += [one.value_from.path for one in outputs.parameters if one.value_from is not None and one.value_from.path]
    return tuple(dict.fromkeys(paths))


def workflow_scope(context: RunContext, pod_name: str) -> dict[str, object]:
    """The values of tags in what stands at the workflow's level: workflow.*, and the name of the pod."""
    from argosy.plan.workflow_names import WorkflowNames
    from argosy.runners.local.environment import config_map_key

    def read(selector: Any) -> str | None:
        value = config_map_key(context, selector)
        return None if value is None else value.decode()

    return {**WorkflowNames(context.workflow, context.identity, read), "pod.name": pod_name}


def workflow_volumes(context: RunContext, start: Start) -> tuple[Volume, ...]:
    """The workflow's volumes with their tags replaced."""
    volumes = context.workflow.spec.volumes
    if volumes and b"{{" in msgspec.json.encode(volumes):
        from argosy.plan.substitution import substitute

        scope = workflow_scope(context, start.pod_name)
        return tuple(substitute(volume, scope) for volume in volumes)
    return volumes


def _make_folder(folder: str) -> bool:
    """Make an attempt's folder with its parts in it; whether it was there."""
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        os.makedirs(folder)
    except FileExistsError:
        for part in PARTS:
            os.makedirs(f"{folder}/{part}", exist_ok=True)
        return True
    for part in PARTS:
        os.mkdir(f"{folder}/{part}")
    return False


def _set_retries(template: Template) -> tuple[int, float]:
    strategy = template.container_set.retry_strategy if template.container_set is not None else None
    if strategy is None:
        return 0, 0.0
    try:
        retries = int(strategy.retries)
        if not strategy.duration:
            return retries, 0.0
        from argosy.expressions.moments import Duration

        return retries, Duration.read(strategy.duration).nanoseconds / 1e9
    except ValueError as problem:
        raise InvalidFile(
            f"The retryStrategy of the container set of {template.name!r} is not valid: {problem}.",
            hint="retries is a whole number, duration one like 5s.",
        ) from None


def _without_twins(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    """One mount for each target; the first counts."""
    found: dict[str, Mount] = {}
    for mount in mounts:
        found.setdefault(posixpath.normpath(mount.target), mount)
    return tuple(found.values())


def _record(
    name: str,
    container: ContainerFields,
    spec: StepSpec,
    values: Values,
    command: Sequence[str],
    args: Sequence[str],
) -> dict[str, object]:
    """What is written down of a container: values of secrets are not in it, names of them are."""
    record: dict[str, object] = {
        "name": name,
        "id": spec.id,
        "image": spec.image,
        "command": [values.expand_shown(word) for word in command],
        "args": [values.expand_shown(word) for word in args],
        "environment": {key: value for key, value in spec.environment.items() if key not in values.secrets},
        "workingDir": spec.working_dir,
        "folder": spec.folder,
        "stdout": spec.stdout,
        "stderr": spec.stderr,
    }
    if values.secrets:
        record["secretEnvironment"] = values.secrets
    if spec.mounts:
        record["mounts"] = spec.mounts
    if spec.gpus:
        record["gpus"] = spec.gpus
    if spec.outputs:
        record["outputs"] = spec.outputs
    return record
