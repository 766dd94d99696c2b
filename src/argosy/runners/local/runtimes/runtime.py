"""What a step's process is to the driver, and the interface of everything that can run one.

It knows no engine and no workflow: a `StepSpec` is complete, all tags replaced, all files staged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import msgspec

from argosy.artifacts.redaction import Spellings
from argosy.runners.local.supervision import Exit, Spawn

__all__ = ["Exit", "ImageMeaning", "Mount", "Runner", "Runtime", "Spawn", "StartFailure", "StepSpec"]


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder of the host, `source`, that the step sees at the absolute path `target`.

    memory_bytes: a folder in memory is there instead, which is gone when the step is over, of at most so many bytes;
    0 means half of the machine's memory. A plain process has no such folder.
    """

    source: str
    target: str
    read_only: bool = False
    memory_bytes: int | None = None


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """The function that the command of a step calls. root: the folder with its program, which nobody changes."""

    target: str
    root: str


class StepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a step: its main container, a sidecar, an init container.

    id: unique for ever, made before the process, e.g. "<node id>.<n>/main". command and args: as in Kubernetes, no
    command means the image's entrypoint, no args its default ones if there is no command either. folder: the
    attempt's folder on the host, with work/ (where the step starts, unless working_dir or the image say otherwise)
    and tmp/ (its /tmp), both made by the caller. mounts: artifacts, volumes, scripts. stdout and stderr: log files,
    perhaps the same one. gpus: the indices handed out. security: Kubernetes' securityContext. network: "" (what the
    engine's configuration says), "host" or "none". outputs: absolute paths, in no mount and not in /tmp, at which the
    step will leave what is wanted of it: after its exit and `Runtime.retrieve` it is at the same path below root/ of
    the folder. keep: its container stays until `Runtime.release`. continues: the id of an earlier try, with `keep`,
    whose files this one goes on with. delay_seconds: it is to wait so long before it starts. private: the names of
    variables that are secrets. hidden: what stdout and stderr, and messages, are to be without; None for a step that
    was given no secrets. function: what the command calls, where that is known: a runtime may have another way to it.
    published: ports of a container that this machine's loopback has under the same numbers. tty: it is to have a
    terminal, where the runtime can give one.
    """

    id: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    image: str = ""
    environment: dict[str, str] = {}
    working_dir: str = ""
    folder: str
    mounts: tuple[Mount, ...] = ()
    stdout: str
    stderr: str
    cpus: float | None = None
    memory_bytes: int | None = None
    gpus: tuple[int, ...] = ()
    security: Mapping[str, Any] | None = None
    pull_policy: str = ""
    network: str = ""
    outputs: tuple[str, ...] = ()
    keep: bool = False
    continues: str = ""
    delay_seconds: float = 0.0
    private: tuple[str, ...] = ()
    hidden: Spellings | None = None
    function: Function | None = None
    published: tuple[int, ...] = ()
    tty: bool = False


# What an image that means nothing else here means, among images' meanings.
ANY = "*"


class ImageMeaning(msgspec.Struct, frozen=True, kw_only=True):
    """What an image stands for where no container engine is; a project says so in `argosy.toml`.

    entrypoint: what runs when a step has no command. cmd: its arguments when the step has none either. path: folders
    that come first on PATH (a virtual environment's bin). working_dir: where it starts. environment: added beneath
    the step's own. files: what the image has at an absolute path, and where this machine has it.
    """

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    working_dir: str = ""
    environment: dict[str, str] = {}
    files: dict[str, str] = {}


class StartFailure(Exception):
    """The step's program cannot be started: that is the step's own exit, not trouble with the machine.

    code: 127 not found, 126 cannot be executed.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = f"StartError: {message}"


class Runtime(Protocol):
    """How one step runs: a translation of `StepSpec` into processes for the supervisor. Holds no run's state.

    Call order: `trouble` once; then any number of `spawn`, each followed at some time by `after_exit` with its exit.
    `clean_up` after a supervisor's death, before anything is started again. One thread at a time. `trouble`,
    `image_trouble` and `clean_up` may be called again at any time; `spawn` is a pure translation (a container engine
    may pull an image), so calling it twice does no harm, and neither does a second `after_exit`.
    Every EnvironmentTrouble is final: the same spec on the same machine would meet it again.
    """

    @property
    def name(self) -> str:
        """The name that a person chooses it by: process, sandbox, podman, docker."""
        ...

    def trouble(self) -> str:
        """Why it cannot work on this machine, in a sentence; "" if it can."""
        ...

    def image_trouble(self, image: str, pull_policy: str = "") -> str:
        """Why a step without a command cannot run from this image; "" if it can. Pulls nothing."""
        ...

    def image_mark(self, image: str) -> str:
        """What the image's name stands for now, so that a change shows: its hash, or what the project says of it."""
        ...

    def bases(self) -> Mapping[str, Mapping[str, str]]:
        """The shared environments that its spawns refer to, by key."""
        ...

    def fetch(self, image: str) -> str:
        """Get the image, pulling it if need be, however long that takes; why it cannot be had, or ""."""
        ...

    def address(self, run_uid: str, id: str) -> str:
        """The IP address that other steps reach a running step by; "" if it has none."""
        ...

    def spawn(self, spec: StepSpec, run_uid: str) -> Spawn:
        """What the supervisor starts for the step.

        Raises EnvironmentTrouble, it can never start here, and StartFailure, which is an exit of the step.
        """
        ...

    def after_exit(self, exit: Exit) -> Exit:
        """The exit with what only the runtime can tell (out of memory), and nothing left behind."""
        ...

    def retrieve(self, run_uid: str, id: str, path: str, target: str) -> bool:
        """Copy what a step that has ended left at `path`, one of its outputs, to `target`, where nothing is.

        False if it left nothing there, or if it is on the host already.
        """
        ...

    def release(self, run_uid: str, ids: Sequence[str]) -> None:
        """Remove what is kept of steps that have ended. May be called again."""
        ...

    def clean_up(self, run_uid: str) -> None:
        """Kill what the run still has outside the supervisor's reach: containers."""
        ...


class Runner(Protocol):
    """The steps of one run, running: what the loop calls. One thread at a time.

    `adopt` first, once, when the run is taken up; then `start`, `wait` and `stop` in any order; `close` last.
    Nothing is lost when the driver dies in between: a later `adopt` tells what became of every id.
    """

    # Whether `start` heeds a width.
    holds_back: ClassVar[bool]

    def adopt(self) -> dict[str, Exit | None]:
        """Every id that was ever started in this run: its exit, or None while it runs.

        An id that is missing never started, and may be started now. May be called again.
        """
        ...

    def start(self, specs: list[StepSpec], width: int = 0) -> None:
        """Start them all, in order. An id that was ever started is ignored; one that cannot start becomes an exit.

        width: how many of the processes that were started with one may run at once; those beyond wait, also when the
        driver is gone, and have an exit of SIGTERM's when they are stopped before. 0: they run at once.
        """
        ...

    def wait(self, timeout_seconds: float | None = None) -> list[Exit]:
        """The exits since the last call, waiting for the first so long at most; [] at once if nothing runs.

        The exits that `adopt` tells are not handed out again.
        """
        ...

    def stop(self, id: str, grace_seconds: float) -> None:
        """SIGTERM now and SIGKILL to the whole tree after the grace; does not wait. The exit comes from `wait`.

        May be called again, with a shorter grace too. Nothing happens if the id does not run.
        """
        ...

    def signal(self, id: str, number: int) -> None:
        """Send one signal to the step's processes. Nothing happens if the id does not run."""
        ...

    def address(self, id: str) -> str:
        """The IP address that other steps reach a running step by; "" if it has none."""
        ...

    def now(self) -> float:
        """The runner's clock, in seconds since the epoch: simulated runners have their own."""
        ...

    def fileno(self) -> int:
        """A descriptor that becomes readable when `wait(0)` has news, or -1."""
        ...

    def close(self) -> None:
        """Let go. What runs, runs on and can be adopted. May be called twice."""
        ...
