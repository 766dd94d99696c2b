"""The plain runtime: a step is a host process in its own working folder.

It knows no namespaces: a step that needs a file at an absolute path of its own is refused, by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from argosy.errors import EnvironmentTrouble
from argosy.runners.local.runtimes.host import Images, Programs, gpu_environment, host_environment
from argosy.runners.local.runtimes.runtime import Exit, ImageMeaning, Mount, Spawn, StepSpec


class ProcessRuntime:
    """Runs steps as host processes. Memory and CPU requests are honoured in placement only.

    images: what images mean here. pass_environment: names of further host variables that steps see.
    """

    name = "process"

    def __init__(
        self, images: Mapping[str, ImageMeaning] | None = None, pass_environment: tuple[str, ...] = ()
    ) -> None:
        self._images = Images(images or {})
        self._base = host_environment(pass_environment)
        self._programs = Programs()

    def trouble(self) -> str:
        return "" if hasattr(os, "posix_spawn") else "this system cannot spawn POSIX processes"

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
        for mount in spec.mounts:
            self._check_mount(spec, mount)
        if spec.network == "none":
            raise EnvironmentTrouble(f"Step {spec.id!r} wants no network, and a plain process has the host's.")
        meaning = self._images.meaning(spec.image)
        argv = self._images.argv(spec, meaning)
        if meaning is not None and argv[0] in meaning.files:
            argv = (meaning.files[argv[0]], *argv[1:])
        environment = {"TMPDIR": f"{spec.folder}/tmp", "PWD": self._directory(spec, meaning)}
        path = self._base["PATH"]
        if meaning is not None:
            environment |= meaning.environment
            path = environment.get("PATH", path)
            if meaning.path:
                path = environment["PATH"] = os.pathsep.join((*meaning.path, path))
        environment |= gpu_environment(spec.gpus)
        environment |= spec.environment
        return Spawn(
            id=spec.id,
            argv=argv,
            program=self._programs.find(argv[0], environment.get("PATH", path)),
            base="host",
            environment=environment,
            directory=environment["PWD"],
            stdout=spec.stdout,
            stderr=spec.stderr,
        )

    def _directory(self, spec: StepSpec, meaning: ImageMeaning | None) -> str:
        wanted = spec.working_dir or (meaning.working_dir if meaning is not None else "")
        work = f"{spec.folder}/work"
        return os.path.join(work, wanted) if wanted else work

    def _check_mount(self, spec: StepSpec, mount: Mount) -> None:
        """A file can only be where it is: within the step's folder, or where the host has it already."""
        target = os.path.normpath(mount.target)
        if target == os.path.normpath(mount.source) or target.startswith(os.path.normpath(spec.folder) + "/"):
            return
        raise EnvironmentTrouble(
            f"Step {spec.id!r} needs a file or folder of its own at {mount.target}, "
            "which a plain process cannot have: two steps would clash there.",
            hint="Use --runtime sandbox or --runtime podman, or a path relative to the working folder.",
        )

    def after_exit(self, exit: Exit) -> Exit:
        return exit

    def retrieve(self, run_uid: str, id: str, path: str, target: str) -> bool:
        """All that a step leaves is on the host."""
        return False

    def release(self, run_uid: str, ids: Sequence[str]) -> None:
        """Nothing is kept of a step but its folder."""

    def clean_up(self, run_uid: str) -> None:
        """Nothing is out of the supervisor's reach."""
