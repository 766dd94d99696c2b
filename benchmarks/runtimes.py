"""What a no-op step costs, two at a time, against a plain Popen loop: `python benchmarks/runtimes.py [STEPS]`.

bwrap: that loop, with a sandbox of bubblewrap's own around each program, as the sandbox runtime would have it made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

from argosy.runners.local.runtimes.choose import make
from argosy.runners.local.runtimes.runner import SupervisedRunner
from argosy.runners.local.runtimes.runtime import StepSpec

AT_ONCE = 2
NOTHING = "/bin/true"


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def step(number: int, folder: Path) -> StepSpec:
    return StepSpec(
        id=f"bench-{number}.0/main",
        command=(NOTHING,),
        image="docker.io/library/alpine:3.23",
        folder=str(folder),
        stdout=str(folder / "log"),
        stderr=str(folder / "log"),
    )


def supervised(name: str, steps: int, folder: Path) -> str:
    runtime = make(name)
    if trouble := runtime.trouble():
        return f"{name:8}  {trouble}"
    runner = SupervisedRunner.open(runtime, folder / f"supervisor-{name}", f"benchmark-{name}")
    specs = [step(number, folder) for number in range(steps)]
    began, own = time.perf_counter(), time.process_time()
    runner.start(specs[:AT_ONCE])
    started, ended = AT_ONCE, 0
    while ended < steps:
        exits = runner.wait(60)
        assert exits, "no exit for a minute"
        assert not any(exit.code for exit in exits), exits
        ended += len(exits)
        if more := specs[started : started + len(exits)]:
            runner.start(more)
            started += len(more)
    took, own = time.perf_counter() - began, time.process_time() - own
    pid = runner._supervision._supervisor_pid  # pyright: ignore[reportPrivateUsage]
    other = processor_seconds(pid)
    runner.close()
    return f"{name:8} {took / steps * 1e3:8.3f} {own / steps * 1e6:10.0f} {other / steps * 1e6:10.0f}"


def by_bubblewrap(steps: int, folder: Path) -> str:
    runtime = make("sandbox")
    if trouble := runtime.trouble():
        return f"{'bwrap':8}  {trouble}"
    return plain("bwrap", runtime.spawn(step(0, folder), "benchmark").argv, steps, folder)


def plain(name: str, argv: tuple[str, ...], steps: int, folder: Path) -> str:
    running: deque[subprocess.Popen[bytes]] = deque()
    began = time.perf_counter()
    with open(folder / "plain.log", "ab") as log:
        for _ in range(steps):
            if len(running) == AT_ONCE:
                running.popleft().wait()
            running.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        for process in running:
            process.wait()
    return f"{name:8} {(time.perf_counter() - began) / steps * 1e3:8.3f}"


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name).absolute()
        for part in ("work", "tmp"):
            (folder / part).mkdir()
        print("runtime   ms/step  driver us  supervisor us")
        print(plain("Popen", (NOTHING,), steps, folder))
        print(supervised("process", steps, folder))
        print(supervised("sandbox", steps // 2, folder))
        print(by_bubblewrap(steps // 4, folder))
        print(supervised("podman", max(10, steps // 100), folder))


main()
