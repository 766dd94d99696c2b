"""The container runtimes: a step is a container of its own image, run by podman or docker.

It knows what a step is in the engine's words; what the engine answers is `engine`'s to know.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from argosy.errors import EnvironmentTrouble
from argosy.runners.local.runtimes.engine import Engine, last_line
from argosy.runners.local.runtimes.host import Programs
from argosy.runners.local.runtimes.runtime import Exit, Mount, Spawn, StartFailure, StepSpec

ENGINE_FAILED = 125
KEPT = "argosy.keep=true"
PULL_POLICIES = {"": "missing", "IfNotPresent": "missing", "Always": "always", "Never": "never"}
# podman can use the image that is here when the registry cannot be reached.
PODMAN_PULL_POLICIES = PULL_POLICIES | {"Always": "newer"}
# The engine's client needs its own values of these, so a step's go on its command line; all others it is handed in
# its environment and passes on, which keeps secrets out of the list of processes.
PODMAN_INITS = ("/usr/libexec/podman/catatonit", "/usr/lib/podman/catatonit", "/usr/bin/catatonit")
INIT_FAILED = "failed to exec pid1"
CLIENTS_OWN = ("PATH", "HOME", "TMPDIR", "SHELL", "USER", "LANG")
# What of them a secret must not be: it would change what the engine's client does.
STEERING_PREFIXES = (
    *("LD_", "XDG_", "STORAGE_", "DBUS_", "GODEBUG", "SSL_CERT_", "CONTAINERS_", "CONTAINER_HOST", "CONTAINER_SSHKEY"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS", "DOCKER_API_VERSION"),
)
CLIENTS_OWN_PREFIXES = ("LD_", "XDG_", "DOCKER_", "CONTAINER", "BUILDAH_", "STORAGE_", "SSL_", "GO", "LC_", "DBUS_")


class ContainerRuntime:
    """Runs steps with a container engine, "podman" or "docker".

    allow_privileged: whether a template may ask for `privileged: true`. logins: as `Engine` has them.
    A container writes its log itself (podman), so it outlives its engine's client; a container whose client was
    killed is killed, and its exit is `lost`.
    """

    def __init__(self, engine: str, *, allow_privileged: bool = False, logins: Path | None = None) -> None:
        self._engine = Engine(engine, logins)
        self._allow_privileged = allow_privileged
        self._client = dict(os.environ)
        self._logs: dict[str, tuple[str, str]] = {}
        self._containers: dict[str, tuple[str, int | None, bool]] = {}
        path = self._client.get("PATH", os.defpath)
        self._program = self._engine.program = Programs().find(engine, path)
        # A first process of the engine's own, as Argo has one: a step that signals itself ends by it.
        self._has_init = engine == "docker" or any(os.path.exists(one) for one in PODMAN_INITS)

    @property
    def name(self) -> str:
        return self._engine.name

    def trouble(self) -> str:
        return self._engine.trouble()

    def image_trouble(self, image: str, pull_policy: str = "") -> str:
        """Pulls nothing: an image that is not there is trouble only if the policy forbids to pull it."""
        if pull_policy != "Never" or self._engine.has(image):
            return ""
        return f"The image {image!r} is not on this machine, and its imagePullPolicy is Never"

    def image_mark(self, image: str) -> str:
        """The image's hash. One that is not here is fetched, as a step would: its name could stand for another soon."""
        return self._engine.id_of(image) if image and not self.fetch(image) else ""

    def fetch(self, image: str) -> str:
        """Make sure that an image is here, pulling it if need be; why it cannot be had, or ""."""
        return "" if self._engine.has(image) else self._engine.pull(image)

    def bases(self) -> Mapping[str, Mapping[str, str]]:
        return {"engine": self._client}

    def address(self, run_uid: str, id: str) -> str:
        return self._engine.address(container_name(run_uid, id))

    def spawn(self, spec: StepSpec, run_uid: str) -> Spawn:
        if not spec.image:
            raise EnvironmentTrouble(f"Step {spec.id!r} names no image, and {self.name} needs one.")
        if trouble := self.image_trouble(spec.image, spec.pull_policy):
            raise EnvironmentTrouble(f"{trouble}.", hint="Pull or build it, or use another runtime.")
        if any("\0" in word for word in (*spec.command, *spec.args)):
            # Engines take it in JSON, and the container fails on it without saying of what.
            raise StartFailure(126, "no argument of a process can hold a NUL character")
        name = container_name(run_uid, spec.continues or spec.id)
        if spec.continues:
            return self._again(spec, name)
        passed = {
            key: value for key, value in spec.environment.items() if key in spec.private or not _is_clients_own(key)
        }
        self._check_private(spec)
        named = [key if key in passed else f"{key}={value}" for key, value in spec.environment.items()]
        entrypoint, rest = self._entrypoint(spec)
        argv = [
            *(
                self._program,
                *self._engine.before_command,
                "run",
                *self._engine.of_pulls,
                "--name",
                name,
                "--label",
                f"argosy.run={run_uid}",
                "--label",
                f"argosy.step={spec.id}",
            ),
            *self._keeping(spec),
            *(word for variable in named for word in ("--env", variable)),
            *self._placing(spec),
            *self._security(spec),
            *entrypoint,
            spec.image,
            *rest,
        ]
        return self._client_of(spec, name, argv, passed)

    def _check_private(self, spec: StepSpec) -> None:
        """A secret can come from the client's environment only, where such a variable would steer the client."""
        for variable in spec.private:
            if variable in CLIENTS_OWN or variable.startswith(STEERING_PREFIXES):
                raise EnvironmentTrouble(
                    f"Step {spec.id!r} gets the variable {variable} from a Secret, and {self.name} would follow it.",
                    hint="Give the variable another name, or mount the Secret as a volume.",
                )

    def _again(self, spec: StepSpec, name: str) -> Spawn:
        """Another try in the container of the first one, with the files that it left."""
        return self._client_of(spec, name, [self._program, "start", "--attach", name], {})

    def _client_of(self, spec: StepSpec, name: str, argv: list[str], environment: dict[str, str]) -> Spawn:
        self._logs[spec.id] = (spec.stderr, spec.command[0] if spec.command else spec.image)
        self._containers[spec.id] = (name, spec.memory_bytes, spec.keep)
        return Spawn(
            id=spec.id,
            argv=tuple(argv),
            base="engine",
            environment=environment,
            directory=spec.folder,
            stdout=spec.stdout,
            stderr=spec.stderr,
            engine_kill=(self._program, "kill", "--signal", "{signal}", name),
        )

    def _keeping(self, spec: StepSpec) -> list[str]:
        """What is kept of the container: one with a limit on memory stays until it was asked whether it met it."""
        options = [] if spec.memory_bytes or spec.keep else ["--rm"]
        if spec.keep:
            options += ("--label", KEPT)
        if self._has_init:
            options.append("--init")
        policies = PODMAN_PULL_POLICIES if self.name == "podman" else PULL_POLICIES
        options += ["--pull", policies.get(spec.pull_policy, "missing")]
        if spec.tty:
            options.append("--tty")
        if self.name == "podman":
            # The container writes to the log files itself, but to a terminal; the host's labels stay as they are.
            driver = "none" if spec.tty else "passthrough"
            options += ["--quiet", "--log-driver", driver, "--security-opt", "label=disable"]
        return options

    def _entrypoint(self, spec: StepSpec) -> tuple[list[str], tuple[str, ...]]:
        """Kubernetes: a command replaces the image's entrypoint and default arguments, args the arguments only."""
        if not spec.command:
            return [], spec.args
        if self.name == "podman":
            return ["--entrypoint", msgspec.json.encode(spec.command).decode()], spec.args
        return ["--entrypoint", spec.command[0]], spec.command[1:] + spec.args

    def _placing(self, spec: StepSpec) -> list[str]:
        """Files, folders, resources, network."""
        options: list[str] = []
        tmp = f"{spec.folder}/tmp"
        targets = {os.path.normpath(mount.target) for mount in spec.mounts}
        mounts = spec.mounts if "/tmp" in targets else (Mount(source=tmp, target="/tmp"), *spec.mounts)
        for mount in sorted(mounts, key=lambda mount: mount.target.count("/")):
            options += ("--mount", _mount_option(spec, mount))
        if spec.working_dir:
            options += ("--workdir", spec.working_dir)
            inside = any(_is_within(spec.working_dir, target) for target in targets | {"/tmp"})
            if not inside and self._engine.lacks_folder(spec.image, spec.working_dir):
                options += ("--volume", spec.working_dir)
        if spec.cpus is not None:
            options += ("--cpus", f"{spec.cpus:g}")
        if spec.memory_bytes:
            options += ("--memory", str(spec.memory_bytes), "--memory-swap", str(spec.memory_bytes))
        if spec.gpus:
            options += self._gpu_options(spec.gpus)
        if spec.network:
            options += ("--network", spec.network)
        if spec.network not in ("host", "none"):
            for port in spec.published:
                options += ("--publish", f"127.0.0.1:{port}:{port}")
        return options

    def _gpu_options(self, gpus: tuple[int, ...]) -> list[str]:
        if self.name == "docker":
            return ["--gpus", f'"device={",".join(str(index) for index in gpus)}"']
        return [word for index in gpus for word in ("--device", f"nvidia.com/gpu={index}")]

    def _security(self, spec: StepSpec) -> list[str]:
        """Kubernetes' securityContext in the engine's words; what the engine cannot do is refused by name."""
        options: list[str] = []
        for key, value in (spec.security or {}).items():
            if value is None or (key == "privileged" and not value):
                continue
            if key not in _SECURITY:
                raise EnvironmentTrouble(
                    f"Step {spec.id!r} asks for securityContext.{key}, which {self.name} is not told about.",
                    hint=f"Understood are {', '.join(sorted(_SECURITY))}. Remove it, or run on a cluster.",
                )
            options += _SECURITY[key](value)
        self._check_privileges(spec)
        user = _user_option(spec.security or {})
        if user or "--user" in options:
            os.chmod(f"{spec.folder}/tmp", 0o1777)
        return [*options, *user]

    def _check_privileges(self, spec: StepSpec) -> None:
        wanted = spec.security or {}
        if wanted.get("privileged") and not self._allow_privileged:
            raise EnvironmentTrouble(
                f"Step {spec.id!r} asks for a privileged container, which could do anything to this machine.",
                hint="If you trust the workflow, allow it with --allow-privileged.",
            )
        if wanted.get("runAsNonRoot"):
            user = wanted.get("runAsUser")
            named = self._engine.user_of(spec.image).partition(":")[0] if user is None else str(user)
            if named in ("", "0", "root"):
                raise EnvironmentTrouble(
                    f"Step {spec.id!r} asks for runAsNonRoot, and the image {spec.image!r} would run as root.",
                    hint="Set securityContext.runAsUser.",
                )

    def after_exit(self, exit: Exit) -> Exit:
        """Tells the engine's failures from the step's, out of memory, and a client that was killed."""
        name, memory_bytes, keep = self._containers.pop(exit.id, ("", None, False))
        log, program = self._logs.pop(exit.id, ("", ""))
        if exit.signal and name:
            self._engine.remove(name)
            return msgspec.structs.replace(exit, lost=True, message=f"the client of {self.name} was killed")
        if memory_bytes and name:
            exit = self._look_at_memory(exit, name, memory_bytes, keep)
        if exit.code in (ENGINE_FAILED, 126, 127) and not exit.message:
            return self._explain(exit, log)
        if exit.code == 1 and self._has_init:
            return _explain_init(exit, log, program)
        return exit

    def _look_at_memory(self, exit: Exit, name: str, memory_bytes: int, keep: bool) -> Exit:
        state = self._engine.state(name) if exit.code == 137 else None
        if not keep:
            self._engine.remove(name)
        if state is None:
            return exit
        message = f"OOMKilled: it may use {memory_bytes} bytes"
        if not state.out_of_memory:
            message = f"killed by signal 9; it may use {memory_bytes} bytes of memory"
        return msgspec.structs.replace(exit, message=message)

    def _explain(self, exit: Exit, log: str) -> Exit:
        """A code of the engine's own comes with its complaint as the log's last line; otherwise it is the step's."""
        complaint = last_line(_tail(log))
        if not complaint.startswith(("Error: ", "docker: ")):
            return exit
        if exit.code == ENGINE_FAILED:
            return msgspec.structs.replace(exit, refused=True, message=complaint)
        return msgspec.structs.replace(exit, message=f"StartError: {complaint}")

    def retrieve(self, run_uid: str, id: str, path: str, target: str) -> bool:
        """A path without a slash in front is below the image's working folder."""
        return self._engine.copy_out(container_name(run_uid, id.partition("~")[0]), path, target)

    def release(self, run_uid: str, ids: Sequence[str]) -> None:
        self._engine.remove(*(container_name(run_uid, id) for id in ids))

    def clean_up(self, run_uid: str) -> None:
        """What has ended and waits for its outputs to be retrieved stays until `release`."""
        label = f"argosy.run={run_uid}"
        waiting = self._engine.labelled(label, KEPT, status="exited")
        self._engine.remove(*(id for id in self._engine.labelled(label) if id not in waiting))


def _explain_init(exit: Exit, log: str, program: str) -> Exit:
    """The first process could not start the step's own: that is the step's failure to start, by its usual code."""
    complaint = last_line(_tail(log))
    if not complaint.startswith("ERROR (catatonit") or INIT_FAILED not in complaint:
        return exit
    reason = complaint.rpartition(": ")[2]
    code = 127 if "No such file" in reason else 126
    return msgspec.structs.replace(exit, code=code, message=f"StartError: {program!r} cannot be executed: {reason}")


def container_name(run_uid: str, id: str) -> str:
    """The container's name, made before the container, from what will find it again."""
    import hashlib

    return "argosy-" + hashlib.blake2b(f"{run_uid}\0{id}".encode(), digest_size=10).hexdigest()


def _is_clients_own(variable: str) -> bool:
    return variable in CLIENTS_OWN or variable.startswith(CLIENTS_OWN_PREFIXES)


def _is_within(path: str, folder: str) -> bool:
    return os.path.normpath(path) == folder or os.path.normpath(path).startswith(folder.rstrip("/") + "/")


def _mount_option(spec: StepSpec, mount: Mount) -> str:
    if not os.path.lexists(mount.source):
        raise EnvironmentTrouble(
            f"Step {spec.id!r} is to see {mount.source} at {mount.target}, and there is no such file or folder."
        )
    if mount.memory_bytes is not None:
        size = [f"tmpfs-size={mount.memory_bytes}"] if mount.memory_bytes else []
        return ",".join(["type=tmpfs", f"target={mount.target}", "tmpfs-mode=0777", *size])
    fields = ["type=bind", f"source={os.path.abspath(mount.source)}", f"target={mount.target}"]
    if mount.read_only:
        fields.append("readonly")
    return ",".join('"' + field.replace('"', '""') + '"' if set(field) & set(',"\n') else field for field in fields)


def _capabilities(value: Mapping[str, Any]) -> list[str]:
    options: list[str] = []
    for option, key in (("--cap-drop", "drop"), ("--cap-add", "add")):
        for capability in value.get(key) or ():
            options += (option, str(capability))
    return options


def _seccomp(value: Mapping[str, Any]) -> list[str]:
    kind = value.get("type", "RuntimeDefault")
    if kind == "Unconfined":
        return ["--security-opt", "seccomp=unconfined"]
    if kind == "RuntimeDefault":
        return []
    raise EnvironmentTrouble(f"securityContext.seccompProfile of type {kind!r} names a file of a cluster's node.")


def _user_option(security: Mapping[str, Any]) -> list[str]:
    user, group = security.get("runAsUser"), security.get("runAsGroup")
    if user is None and group is None:
        return []
    return ["--user", f"{0 if user is None else user}" + ("" if group is None else f":{group}")]


def _nothing(_: Any) -> list[str]:
    return []


_SECURITY: dict[str, Callable[[Any], list[str]]] = {
    "runAsUser": _nothing,  # these three are looked at together
    "runAsGroup": _nothing,
    "runAsNonRoot": _nothing,
    "privileged": lambda _: ["--privileged"],
    "capabilities": _capabilities,
    "allowPrivilegeEscalation": lambda allowed: [] if allowed else ["--security-opt", "no-new-privileges"],
    "readOnlyRootFilesystem": lambda wanted: ["--read-only"] if wanted else [],
    "seccompProfile": _seccomp,
    "supplementalGroups": lambda groups: [word for group in groups for word in ("--group-add", str(group))],
}


def _tail(path: str) -> str:
    """The last kilobytes of a log; "" if there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4096))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
