"""A bench for runtimes: each real one in turn, a runner on it, and specs that need nothing but a shell."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.runners.local.leftovers import processes_of
from argosy.runners.local.runtimes.container import ContainerRuntime, container_name
from argosy.runners.local.runtimes.function import FunctionRuntime
from argosy.runners.local.runtimes.process import ProcessRuntime
from argosy.runners.local.runtimes.runner import SupervisedRunner
from argosy.runners.local.runtimes.runtime import Exit, Function, Runtime, Spawn, StepSpec
from argosy.runners.local.runtimes.sandbox import SandboxRuntime
from argosy.runners.local.supervisor.children import children_of

IMAGE = "docker.io/library/alpine:3.23"
KINDS = ("process", "function", "sandbox", "bubblewrap", "podman")
WARM_UP = "warm-up"
# What a step of the function runtime calls, so that the suite's shell runs in its fork.
PROGRAM = """
import json, os
def becomes():
    command = json.loads(os.environ.pop("ARGOSY_COMMAND"))
    os.execvp(command[0], command)
"""


class AllByBubblewrap(SandboxRuntime):
    """The sandbox where no zygote can be had, or none for a step."""

    def spawn(self, spec: StepSpec, run_uid: str) -> Spawn:
        return msgspec.structs.replace(super().spawn(spec, run_uid), shell=())


def made(kind: str) -> Runtime:
    runtimes = {
        "process": ProcessRuntime,
        "function": FunctionRuntime,
        "sandbox": SandboxRuntime,
        "bubblewrap": AllByBubblewrap,
        "podman": lambda: ContainerRuntime("podman"),
    }
    runtime: Runtime = runtimes[kind]()
    if trouble := runtime.trouble():
        pytest.skip(trouble)
    if kind == "podman" and subprocess.run(["podman", "image", "exists", IMAGE], check=False).returncode:
        pytest.skip(f"the image {IMAGE} is not here: scripts/make-test-images makes it")
    return runtime


class Bench:
    """One run on one runtime. `folder` is the step's, shared by the steps of a test."""

    def __init__(self, runtime: Runtime, tmp_path: Path) -> None:
        self.runtime = runtime
        # A function runtime is a process runtime, but for how it starts the shell.
        self.kind = "process" if runtime.name == "function" else runtime.name
        self.root = tmp_path
        self.folder = tmp_path / "step"
        self.uid = f"bench-{os.getpid()}-{tmp_path.name}"
        for name in ("work", "tmp", "shared"):
            (self.folder / name).mkdir(parents=True)
        self.log = self.folder / "log"
        self.runner = self.open()
        if type(runtime) is SandboxRuntime:
            # A zygote makes the sandboxes from the second one on.
            assert self.run(self.spec(WARM_UP, "true")).code == 0
            self.log.unlink()

    def open(self) -> SupervisedRunner:
        return SupervisedRunner.open(self.runtime, self.root / "supervisor", self.uid)

    def forget(self) -> None:
        """End the driver's side as its death does, and come back as another driver."""
        self.runner._supervision._disconnect()  # pyright: ignore[reportPrivateUsage]
        self.runner = self.open()

    def spec(self, id: str, *command: str, **more: object) -> StepSpec:
        values: dict[str, object] = {
            "id": id,
            "command": command,
            "image": IMAGE,
            "folder": str(self.folder),
            "stdout": str(self.log),
            "stderr": str(self.log),
        }
        return StepSpec(**(values | more))  # type: ignore[arg-type]

    def sh(self, id: str, script: str, **more: object) -> StepSpec:
        command = ("sh", "-c", script)
        if self.kind == self.runtime.name or "working_dir" in more:
            return self.spec(id, *command, **more)
        return self.forked(id, command, **more)

    def forked(self, id: str, command: tuple[str, ...], **more: Any) -> StepSpec:
        """A step that is a call of a function, which becomes the command."""
        environment = {"ARGOSY_COMMAND": json.dumps(command), **more.pop("environment", {})}
        return self.call(id, "becomes", environment=environment, **more)

    def call(self, id: str, name: str, **more: object) -> StepSpec:
        """A step that calls a function of the program."""
        program, target = self.root / "code" / "program.py", f"program.py:{name}"
        if not program.exists():
            program.parent.mkdir(exist_ok=True)
            program.write_text(PROGRAM)
        function = Function(target=target, root=str(program.parent))
        work = self.folder / "work" / "program.py"
        if not work.is_symlink():
            work.symlink_to(program)
        return self.spec(id, sys.executable, "-m", "argosy.dsl.inside", target, function=function, **more)

    def wait_all(self, count: int = 1) -> dict[str, Exit]:
        exits: dict[str, Exit] = {}
        deadline = time.monotonic() + 60
        while len(exits) < count:
            assert time.monotonic() < deadline, f"{count} exits were to come, {sorted(exits)} came"
            exits |= {exit.id: exit for exit in self.runner.wait(5)}
        return exits

    def run(self, spec: StepSpec) -> Exit:
        self.runner.start([spec])
        return self.wait_all()[spec.id]

    def output(self, script: str, **more: object) -> str:
        ended = self.run(self.sh("output", script, **more))
        assert ended.code == 0, (ended, self.log.read_text())
        return self.log.read_text()

    def wait_for(self, path: Path) -> str:
        deadline = time.monotonic() + 30
        while not (path.exists() and path.read_text().strip()):
            assert time.monotonic() < deadline, f"{path} never appeared"
            time.sleep(0.01)
        return path.read_text()

    def tmp_of(self) -> str:
        """How a step's script names the folder that is `folder/tmp` here."""
        return str(self.folder / "tmp") if self.kind == "process" else "/tmp"

    def leftovers(self) -> list[object]:
        found: list[object] = [pid for pid in processes_of(self.uid) if pid not in self.warm()]
        if self.kind == "podman":
            label = f"label=argosy.run={self.uid}"
            done = subprocess.run(["podman", "ps", "-aq", "--filter", label], capture_output=True, check=True)
            found += done.stdout.split()
        return found

    def warm(self) -> list[int]:
        """The warm interpreters: a fork says in its environment which step it is."""
        found: list[int] = []
        for pid in processes_of(self.uid):
            with contextlib.suppress(OSError):
                if b"ARGOSY_WARM= " in Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(pid)
        return found

    def zygotes(self) -> list[int]:
        """What makes sandboxes for this run."""
        found: list[int] = []
        for pid in children_of(self.supervisor_pid()):
            try:
                # The first process of a sandbox begins as a copy, with a pid of its own inside.
                status = Path(f"/proc/{pid}/status").read_text()
                is_outside = len(status.partition("NSpid:")[2].splitlines()[0].split()) == 1
                if is_outside and b"zygote.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
            except OSError:
                continue
        return found

    def container(self, id: str) -> str:
        return container_name(self.uid, id)

    def supervisor_pid(self) -> int:
        folder = str(self.root / "supervisor").encode()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                argv = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if len(argv) > 4 and argv[3].endswith(b"supervisor.py") and argv[4] == folder:
                return int(path.parent.name)
        pytest.fail("there is no supervisor")

    def close(self) -> None:
        for id, exit in self.runner.adopt().items():
            if exit is None:
                self.runner.stop(id, 0)
        while None in self.runner.adopt().values():
            self.runner.wait(5)
        self.runner.close()
        self.runtime.clean_up(self.uid)


def open_files(pid: int) -> int:
    """How many descriptors a process has."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
