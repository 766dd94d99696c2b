"""The sandboxed runtime: a step is a host process in mount and pid namespaces of its own, as bubblewrap makes them.

It knows nothing of images' contents: programs and libraries are the host's, read-only. It is there so that steps do
not meet each other by accident, not to hold a hostile program.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from argosy.errors import EnvironmentTrouble
from argosy.runners.local.runtimes.host import Images, Programs, gpu_environment, host_environment
from argosy.runners.local.runtimes.layers import HostLayers, Layers
from argosy.runners.local.runtimes.places import ROOT
from argosy.runners.local.runtimes.runtime import Exit, ImageMeaning, Spawn, StartFailure, StepSpec

# bubblewrap itself and its init in the new pid namespace are not the step's. (A zygote knows what it makes itself.)
SHIELD = 2
HOME = "/tmp/home"
# Where a step finds its working folder when a volume covers the place where that is.
UNCOVERED = "/argosy-work"
# Root in the sandbox keeps what a container's root has; what would undo the read-only binds goes.
DROPPED = ("CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_BOOT", "CAP_SYS_TIME", "CAP_MKNOD")
_HINT = "Install bubblewrap (Debian: apt install bubblewrap), or use --runtime process or podman."


class SandboxRuntime:
    """Runs steps under bubblewrap: an empty root, the host's folders read-only in it, a private /tmp and /dev/shm.

    images: what images mean here. pass_environment: names of further host variables that steps see.
    Memory and CPU requests are honoured in placement only.
    """

    name = "sandbox"

    def __init__(
        self, images: Mapping[str, ImageMeaning] | None = None, pass_environment: tuple[str, ...] = ()
    ) -> None:
        self._images = Images(images or {})
        self._base = host_environment(pass_environment) | {"HOME": HOME, "TMPDIR": "/tmp"}
        self._programs = Programs()
        self._bwrap = self._programs.find("bwrap", self._base["PATH"])
        self._host = HostLayers()
        self._shell = (self._bwrap, *self._host.options)
        self._real: dict[str, str] = {}
        self._tail = ("--unshare-pid", "--die-with-parent")
        if os.geteuid() == 0:
            self._tail += tuple(word for capability in DROPPED for word in ("--cap-drop", capability))

    def trouble(self) -> str:
        """Tries an empty sandbox, once: bubblewrap may be there and user namespaces forbidden."""
        import subprocess

        if "/" not in self._bwrap:
            return f"bubblewrap (bwrap) is not installed. {_HINT}"
        argv = [
            self._bwrap,
            "--ro-bind",
            "/",
            "/",
            "--dev-bind",
            "/dev",
            "/dev",
            "--proc",
            "/proc",
            *self._tail,
            "true",
        ]
        try:
            tried = subprocess.run(argv, capture_output=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap does not work: {error}"
        return f"bubblewrap does not work: {tried.stderr.decode(errors='replace').strip()}" if tried.returncode else ""

    def image_mark(self, image: str) -> str:
        return self._images.mark(image)

    def image_trouble(self, image: str, pull_policy: str = "") -> str:
        return self._images.trouble(image)

    def fetch(self, image: str) -> str:
        return self._images.trouble(image)

    def address(self, run_uid: str, id: str) -> str:
        return "127.0.0.1"

    def bases(self) -> Mapping[str, Mapping[str, str]]:
        return {"host": self._base}

    def spawn(self, spec: StepSpec, run_uid: str) -> Spawn:
        meaning = self._images.meaning(spec.image)
        command = self._images.argv(spec, meaning)
        work = self._work(spec)
        layers = self._layers(spec, meaning, work)
        directory = self._directory(spec, meaning, work)
        environment = self._environment(spec, meaning)
        program = self._program(command[0], environment.get("PATH", self._base["PATH"]), directory, layers)
        options = layers.options()
        if _is_covered(HOME, spec):
            environment.setdefault("HOME", work)
        else:
            options += ("--dir", HOME)
        if spec.working_dir or meaning is not None:
            options += layers.options_for_folder(directory)
        if spec.network == "none":
            options.append("--unshare-net")
        return Spawn(
            id=spec.id,
            argv=(self._bwrap, *options, *self._tail, "--chdir", directory, "--", program, *command[1:]),
            base="host",
            environment=environment,
            directory=spec.folder,
            stdout=spec.stdout,
            stderr=spec.stderr,
            shield=SHIELD,
            shell=self._shell,
        )

    def _layers(self, spec: StepSpec, meaning: ImageMeaning | None, work: str) -> Layers:
        root = ""
        if spec.outputs:
            root = f"{spec.folder}/{ROOT}"
            os.makedirs(root, exist_ok=True)
        layers = Layers(self._host, root)
        layers.open_for(spec.outputs)
        layers.add_existing(f"{spec.folder}/tmp", "/tmp")
        for path in _hidden_by_tmp(meaning):
            layers.add(path, path, read_only=True)
        layers.add_existing(f"{self._real_folder(spec.folder)}/work", work)
        for target, source in meaning.files.items() if meaning is not None else ():
            layers.add(source, target, read_only=True)
        for mount in sorted(spec.mounts, key=lambda mount: mount.target.count("/")):
            if not os.path.lexists(mount.source):
                raise EnvironmentTrouble(
                    f"Step {spec.id!r} is to see {mount.source} at {mount.target}, and there is no such file or folder."
                )
            if mount.memory_bytes is not None:
                layers.add_memory(mount.source, mount.target, mount.memory_bytes)
            else:
                layers.add(mount.source, mount.target, read_only=mount.read_only)
        return layers

    def _real_folder(self, folder: str) -> str:
        """`folder` without symbolic links in what is above it; that is the same for all steps of a run."""
        above, name = os.path.split(folder)
        if above not in self._real:
            self._real[above] = os.path.realpath(above)
        return os.path.join(self._real[above], name)

    def _work(self, spec: StepSpec) -> str:
        """Where the step finds its working folder: where it is, if it can be seen there."""
        work = f"{self._real_folder(spec.folder)}/work"
        return UNCOVERED if _is_covered(work, spec) else work

    def _directory(self, spec: StepSpec, meaning: ImageMeaning | None, work: str) -> str:
        wanted = spec.working_dir or (meaning.working_dir if meaning is not None else "")
        return os.path.normpath(os.path.join(work, wanted)) if wanted else work

    def _environment(self, spec: StepSpec, meaning: ImageMeaning | None) -> dict[str, str]:
        environment: dict[str, str] = {}
        if meaning is not None:
            environment |= meaning.environment
            if meaning.path:
                path = environment.get("PATH", self._base["PATH"])
                environment["PATH"] = os.pathsep.join((*meaning.path, path))
        environment |= gpu_environment(spec.gpus)
        environment |= spec.environment
        return environment

    def _program(self, name: str, path: str, directory: str, layers: Layers) -> str:
        """The program's path in the sandbox. Looked for here: bubblewrap's exit code would not tell."""
        found = self._programs.find(name, path)
        # The step's own /tmp hides the host's: what was found there may not be what the step finds.
        if "/" not in found or ("/" not in name and found.startswith("/tmp/")):
            candidates = [os.path.join(folder, name) for folder in path.split(os.pathsep) if folder]
            found = next((path for path in candidates if os.access(layers.source_of(path) or "", os.X_OK)), "")
            if not found:
                raise StartFailure(127, f"{name!r} is not found on PATH ({path})")
        elif "/" in name and not found.startswith(("/dev/", "/proc/")):
            source = layers.source_of(os.path.join(directory, found))
            if source is None or not os.path.exists(source):
                raise StartFailure(127, f"{name!r} is not found")
            if os.path.isdir(source) or not os.access(source, os.X_OK):
                raise StartFailure(126, f"{name!r} cannot be executed: Permission denied")
        return found

    def after_exit(self, exit: Exit) -> Exit:
        return exit

    def retrieve(self, run_uid: str, id: str, path: str, target: str) -> bool:
        """All that a step leaves is on the host."""
        return False

    def release(self, run_uid: str, ids: Sequence[str]) -> None:
        """Nothing is kept of a step but its folder."""

    def clean_up(self, run_uid: str) -> None:
        """Nothing is out of the supervisor's reach: a sandbox's first process dies with it, and all in it with that."""


def _is_covered(path: str, spec: StepSpec) -> bool:
    """Whether one of the step's mounts is above a path."""
    return any(path.startswith(f"{mount.target.rstrip('/')}/") for mount in spec.mounts)


def _hidden_by_tmp(meaning: ImageMeaning | None) -> list[str]:
    """What an image means that is in the host's /tmp, which the step's own /tmp would hide."""
    if meaning is None:
        return []
    # A folder of programs is useless without what is beside it: a virtual environment's bin.
    folders = [os.path.dirname(path) if os.path.basename(path) == "bin" else path for path in meaning.path]
    return [path for path in (*folders, *meaning.entrypoint[:1]) if path.startswith("/tmp/") and os.path.exists(path)]
