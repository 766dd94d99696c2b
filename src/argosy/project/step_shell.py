"""A command of a person's own in the surroundings of a step: its files, its environment, its sandbox or image.

It knows the record of an attempt and asks the runtime for the process; starting that is the caller's.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from argosy.errors import NotFound
from argosy.runners.local.runtimes.runtime import Mount, StepSpec
from argosy.runners.local.staging import ATTEMPT_FILE

if TYPE_CHECKING:
    from argosy.model.status import Node
    from argosy.project.project import Project
    from argosy.record.queries import RunSummary

ENGINES = ("podman", "docker")


class _Container(msgspec.Struct, rename="camel"):
    name: str
    id: str
    folder: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    working_dir: str = ""
    mounts: tuple[Mount, ...] = ()
    outputs: tuple[str, ...] = ()
    gpus: tuple[int, ...] = ()
    secret_environment: dict[str, str] = {}


class _Attempt(msgspec.Struct):
    runtime: str
    containers: tuple[_Container, ...]


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """A process that can be started. absent: variables of the step whose values are secrets and are not set."""

    argv: tuple[str, ...]
    program: str
    environment: dict[str, str]
    directory: str
    absent: tuple[str, ...]
    own: dict[str, str]

    def text(self) -> str:
        """The same as a line for a shell."""
        variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in self.own.items())
        words = shlex.join((self.program, *self.argv[1:]))
        return f"cd {shlex.quote(self.directory)} && {'env ' + variables + ' ' if variables else ''}{words}"


def invocation(
    project: Project,
    summary: RunSummary,
    node: Node,
    *,
    container: str = "",
    command: tuple[str, ...] | None = None,
    terminal: bool,
    with_secrets: bool,
) -> Invocation:
    """The process of a step again, with another command, or with its own if None. Raises NotFound, StartFailure."""
    from argosy.project.step_files import attempt_folder
    from argosy.project.submission import runtime_options
    from argosy.project.views import options_of
    from argosy.runners.local.runtimes.choose import make

    folder = attempt_folder(project.home.run(summary.uid), node.id, summary.generation)
    attempt = _read(folder, node)
    chosen = _chosen(attempt, container)
    python = options_of(project, summary.id).python
    runtime = make(attempt.runtime, runtime_options(project.configuration, python))
    secrets = _secrets(project, summary, chosen.secret_environment) if with_secrets else {}
    spec = StepSpec(
        # Not the step's own id: what runs now is another process.
        id=f"{chosen.id}-shell-{os.getpid()}",
        command=chosen.command if command is None else command,
        args=chosen.args if command is None else (),
        image=chosen.image,
        environment=chosen.environment | secrets | ({"TERM": os.environ.get("TERM", "dumb")} if terminal else {}),
        working_dir=chosen.working_dir,
        folder=chosen.folder,
        mounts=tuple(mount for mount in chosen.mounts if os.path.lexists(mount.source)),
        # A container with outputs would be kept for them; what a sandbox left is in its folder.
        outputs=() if attempt.runtime in ENGINES else chosen.outputs,
        stdout=os.devnull,
        stderr=os.devnull,
        gpus=chosen.gpus,
        private=tuple(secrets),
    )
    spawn = runtime.spawn(spec, summary.uid)
    argv = _interactive(spawn.argv) if terminal and attempt.runtime in ENGINES else spawn.argv
    base = dict(runtime.bases().get(spawn.base, {})) if spawn.base else dict(os.environ)
    return Invocation(
        argv=argv,
        program=spawn.program or argv[0],
        environment=base | dict(spawn.environment),
        directory=spawn.directory,
        absent=tuple(name for name in chosen.secret_environment if name not in secrets),
        own=dict(spawn.environment),
    )


def _read(folder: Path | None, node: Node) -> _Attempt:
    path = folder / ATTEMPT_FILE if folder is not None else None
    if path is None or not path.exists():
        raise NotFound(
            f"The step {node.name} has no files: it is {node.type} and {node.phase}",
            hint="argosy why tells why; only steps that began have files",
        )
    return msgspec.json.decode(path.read_bytes(), type=_Attempt, strict=False)


def _chosen(attempt: _Attempt, name: str) -> _Container:
    names = [one.name for one in attempt.containers]
    wanted = name or ("main" if "main" in names else names[-1])
    for one in attempt.containers:
        if one.name == wanted:
            return one
    raise NotFound(f"The step has no container {wanted!r}", hint=f"it has {', '.join(names)}")


def _interactive(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The engine's command with a terminal; podman lets no terminal through to a log."""
    place = argv.index("run") + 1
    words = ["none" if word == "passthrough" else word for word in argv]
    return (*words[:place], "--interactive", "--tty", *words[place:])


def _secrets(project: Project, summary: RunSummary, sources: dict[str, str]) -> dict[str, str]:
    """The values of secret variables, as far as the catalog still has them. sources: SECRET/KEY by variable."""
    from argosy.model.manifest import KeySelector
    from argosy.project.driving import context_of
    from argosy.project.views import manifest_of

    if not sources:
        return {}
    context = context_of(project, summary, manifest_of(project, summary.id))
    found: dict[str, str] = {}
    for variable, source in sources.items():
        name, _, key = source.partition("/")
        value = context.secret_value(KeySelector(name=name, key=key))
        if value is not None:
            found[variable] = value.decode("utf-8", "surrogateescape")
    return found
