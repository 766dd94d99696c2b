"""The engine beside ninja, make and doit, and against its own aims: `python benchmarks/engine.py [SECTION ...]`.

Sections: tools, memory, simulated, planned, runtimes, start; all of them without one. `--rounds N` repeats what is
short (the least counts, the median is shown), `--nodes N` makes the fan-out smaller, `--jobs N` is what argosy, ninja,
make and doit run at once. Everything is recorded as in any run: journal with sync, folders and logs of steps. Each
command is a process of its own; the tools take turns, so that a busy moment of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import graphs
import msgspec

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
MIB = 1 << 20
HELLO = HERE.parent / "examples" / "argo" / "hello-world.yaml"


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """What one command took. peak_bytes: of its largest process; supervisor_bytes: of argosy's supervisor."""

    seconds: float
    peak_bytes: int
    supervisor_bytes: int = 0


def program(name: str) -> str | None:
    """A command of this environment, or of the system. The wheel of ninja only wraps one, so the system comes first."""
    return shutil.which(name) or shutil.which(name, path=str(BIN))


ARGOSY = str(BIN / "argosy")


class Failed(Exception):
    """A command that did not end well."""


def timed(command: list[str], folder: Path, *, mark: str = "") -> Took:
    """Run a command to its end. mark: text in the command line of a supervisor that belongs to it."""
    done, peak = threading.Event(), [0]
    watcher = threading.Thread(target=watch_supervisor, args=(mark, done, peak), daemon=True)
    if mark:
        watcher.start()
    with (folder / "said").open("wb") as said:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    done.set()
    if process.returncode:
        raise Failed(f"{' '.join(command)} failed:\n{(folder / 'said').read_text()[-2000:]}")
    return Took(seconds=seconds, peak_bytes=used.ru_maxrss * 1024, supervisor_bytes=peak[0])


def watch_supervisor(mark: str, done: threading.Event, peak: list[int]) -> None:
    """Keep the peak of the supervisor's memory: it is no child of the driver that could be waited for."""
    found = ""
    while not done.wait(0.2):
        found = found or next((pid for pid in os.listdir("/proc") if pid.isdigit() and is_supervisor(pid, mark)), "")
        try:
            status = Path(f"/proc/{found}/status").read_text() if found else ""
        except OSError:
            continue
        line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "")
        peak[0] = max(peak[0], int(line.split()[1]) * 1024 if line else 0)


def is_supervisor(pid: str, mark: str) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return "supervisor.py" in line and mark in line


def show(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    print(f"\n{title}")
    for row in (head, *rows):
        print(
            "  "
            + "  ".join(
                word.ljust(width) if not place else word.rjust(width)
                for place, (word, width) in enumerate(zip(row, widths, strict=True))
            )
        )
    sys.stdout.flush()


# -- argosy beside the others


class Bench:
    """A folder on the disk where this file is, not in /tmp: that may be memory, where nothing waits for a disk."""

    def __init__(self, rounds: int, jobs: int, nodes: int) -> None:
        self.rounds, self.jobs, self.nodes = rounds, jobs, nodes
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=HERE))
        self._homes = 0

    def argosy(self, file: Path, *, runtime: str = "process", jobs: int | None = None) -> Took:
        """One run in a home of its own, which stays until the end.

        ext4 passes over inodes that were deleted a moment ago one by one, so that making files takes ten times as long
        for minutes after many were deleted: a round that deleted its home would slow down the next.
        """
        self._homes += 1
        home = self.folder / f"home-{self._homes}"
        width = ["--jobs", str(jobs or self.jobs)]
        command = [ARGOSY, "run", str(file), "--runtime", runtime, *width, "-q", "--home", str(home)]
        try:
            return timed(command, self.folder, mark=home.name)
        except Failed as problem:
            listed = subprocess.run([ARGOSY, "list", "--home", str(home)], capture_output=True, text=True).stdout
            nodes = subprocess.run([ARGOSY, "get", "@latest", "--home", str(home)], capture_output=True, text=True)
            wrong = [line for line in nodes.stdout.splitlines() if "Failed" in line or "Error" in line]
            sys.exit("\n".join((str(problem), listed, *wrong[:20])))

    def tools(self) -> None:
        """Fan-out and chain, each tool on the same graph."""
        for title, graph in (
            (f"fan-out of {self.nodes}", graphs.fan_out(self.nodes)),
            ("chain of 1000", graphs.chain(1000)),
        ):
            self._side_by_side(title, graph)

    def _side_by_side(self, title: str, graph: graphs.Graph) -> None:
        commands = self._commands(graph)
        times: dict[str, list[Took]] = {name: [] for name in commands}
        for _ in range(self.rounds):
            for name, run in commands.items():
                times[name].append(run())
        best = {name: min(one.seconds for one in taken) for name, taken in times.items()}
        rows: list[tuple[str, ...]] = []
        for name, taken in times.items():
            peak = max(one.peak_bytes + one.supervisor_bytes for one in taken)
            ratio = f"{best['argosy'] / best[name]:.2f}" if name != "argosy" else ""
            middle = statistics.median(one.seconds for one in taken)
            rows.append(
                (
                    name,
                    f"{best[name]:.2f}",
                    f"{middle:.2f}",
                    f"{best[name] / len(graph) * 1e6:.0f}",
                    f"{peak / MIB:.0f}",
                    ratio,
                )
            )
        head = (f"-j{self.jobs}", "least s", "median s", "us a step", "peak MiB", "argosy / it")
        show(f"{title} no-op steps, everything recorded (aim: 1.00 of ninja, 300 MiB)", head, rows)

    def _commands(self, graph: graphs.Graph) -> dict[str, Callable[[], Took]]:
        folder, jobs = self.folder, str(self.jobs)
        graphs.write_argosy(graph, folder / "graph.yaml")
        graphs.write_ninja(graph, folder / "build.ninja")
        graphs.write_make(graph, folder / "Makefile")
        graphs.write_doit(graph, folder / "dodo.py")
        found: dict[str, Callable[[], Took]] = {"argosy": lambda: self.argosy(folder / "graph.yaml")}
        if path := program("ninja"):
            found["ninja"] = lambda path=path: self._fresh([path, f"-j{jobs}", "--quiet"])
        if path := program("make"):
            found["make"] = lambda path=path: self._fresh([path, "-s", f"-j{jobs}"])
        if path := program("doit"):
            found["doit"] = lambda path=path: self._fresh([path, "-n", jobs, "-v", "0"])
        for name in ("ninja", "make", "doit"):
            if name not in found:
                print(f"{name} is not here: pip install '.[bench]' brings ninja and doit, the system brings make")
        return found

    def _fresh(self, command: list[str]) -> Took:
        """Without what an earlier build remembers."""
        for pattern in (".ninja_*", ".doit.db*"):
            for path in self.folder.glob(pattern):
                path.unlink()
        return timed(command, self.folder)

    def memory(self) -> None:
        """Peak memory by the number of steps."""
        rows: list[tuple[str, ...]] = []
        for nodes in sorted({1000, self.nodes}):
            graphs.write_argosy(graphs.fan_out(nodes), self.folder / "graph.yaml")
            took = self.argosy(self.folder / "graph.yaml")
            rows.append((str(nodes), f"{took.peak_bytes / MIB:.0f}", f"{took.supervisor_bytes / MIB:.0f}"))
        show("memory of a fan-out (aim: 300 MiB at 10,000)", ("steps", "driver MiB", "supervisor MiB"), rows)

    def runtimes(self) -> None:
        """sandbox beside process."""
        graph = graphs.fan_out(min(self.nodes, 2000))
        graphs.write_argosy(graph, self.folder / "graph.yaml")
        taken: dict[str, list[float]] = {"process": [], "sandbox": []}
        for _ in range(self.rounds):
            for runtime, times in taken.items():
                times.append(self.argosy(self.folder / "graph.yaml", runtime=runtime).seconds)
        rows: list[tuple[str, ...]] = [
            (
                name,
                f"{min(times):.2f}",
                f"{min(times) / len(graph) * 1e6:.0f}",
                f"{min(times) / min(taken['process']):.2f}",
            )
            for name, times in taken.items()
        ]
        show(
            f"runtimes, {len(graph)} steps (aim: sandbox at most 4.00)",
            ("runtime", "least s", "us a step", "of process"),
            rows,
        )

    def start(self) -> None:
        """What the command line costs before it does anything."""
        home = str(self.folder / "home-hello")
        commands = {
            "python -c 'import click'": [sys.executable, "-c", "import click"],
            "argosy --help": [ARGOSY, "--help"],
            "argosy run hello-world": [ARGOSY, "run", str(HELLO), "--runtime", "process", "-q", "--home", home],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(max(10, self.rounds)):
            for name, command in commands.items():
                taken[name].append(timed(command, self.folder).seconds)
        first = min(taken["python -c 'import click'"])
        rows = [
            (name, f"{min(times) * 1e3:.0f}", f"{statistics.median(times) * 1e3:.0f}", f"{min(times) / first:.2f}")
            for name, times in taken.items()
        ]
        title = "start (aims: --help at most 2.00 of click, hello-world under 400 ms)"
        show(title, ("command", "least ms", "median ms", "of click"), rows)

    # -- without processes

    def simulated(self) -> None:
        """Cost of a step in the real loop, journal and folders, on the scripted runner."""
        rows: list[tuple[str, ...]] = []
        first = 0.0
        for nodes in (1_000, 10_000, 100_000):
            seconds, peak = self._apart("simulated", nodes)
            first = first or seconds / nodes
            rows.append(
                (f"{nodes:,}", f"{seconds:.2f}", f"{seconds / nodes * 1e6:.0f}", f"{seconds / nodes / first:.2f}", peak)
            )
        title = "layered DAG, real loop and record, scripted runner (aim: 1.20 at 100,000)"
        show(title, ("steps", "s", "us a step", "of 1,000", "peak MiB"), rows)

    def planned(self) -> None:
        """A large DAG read, checked and planned to its end."""
        rows: list[tuple[str, ...]] = []
        for nodes in (10_000, 100_000):
            seconds, peak, *parts = self._apart("planned", nodes)
            rows.append((f"{nodes:,}", *parts, f"{seconds:.2f}", peak))
        title = "layered DAG from its file to the last decision, no record (aim at 100,000: 20 s, 1024 MiB)"
        show(title, ("nodes", "read s", "check s", "plan s", "all s", "peak MiB"), rows)

    def _apart(self, section: str, nodes: int) -> tuple[float, str, *tuple[str, ...]]:
        """A measurement in a process of its own, so that one does not warm the next: seconds, peak MiB, parts."""
        command = [sys.executable, __file__, "--apart", section, "--nodes", str(nodes)]
        said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.folder).stdout.split()
        return float(said[0]), said[1], *said[2:]


def simulate_here(nodes: int, folder: Path) -> None:
    """Drive a whole run on the scripted runner and print seconds and peak."""
    import planning

    from argosy.artifacts.repositories import Repository
    from argosy.artifacts.store import Store
    from argosy.model.events import RunStarted
    from argosy.plan.plan import Plan, RunIdentity
    from argosy.record.cache import Cache
    from argosy.record.journal import Journal, NewRun
    from argosy.record.locks import Locks
    from argosy.record.ownership import this_process
    from argosy.runners.local.context import RunContext
    from argosy.runners.local.loop import Driver
    from argosy.runners.local.runtimes.fake import FakeRunner
    from argosy.runners.local.staging import StagingOptions

    workflow = planning.layers(nodes)
    identity = RunIdentity(name="bench", uid="uid", created_at=1.0)
    journal = Journal.open(folder / "journal.db", now=time.time)
    run = journal.create_run(NewRun(name="bench", uid="uid", namespace="default", created_at=1.0, manifest=EMPTY))
    lease = journal.acquire(run, owner=this_process(), seconds=3600)
    runner = FakeRunner()
    context = RunContext(
        identity=identity,
        workflow=workflow,
        folder=folder / "run",
        claims=folder / "claims",
        store=Store.open(folder / "store"),
        repository=Repository(root=folder / "repository"),
    )
    began = time.perf_counter()
    plan = Plan(workflow, identity)
    started = RunStarted(at=runner.now())
    journal.append(lease, [started])
    plan.apply(started)
    driver = Driver(
        journal=journal,
        lease=lease,
        plan=plan,
        context=context,
        runner=runner,
        locks=Locks(journal.database, now=runner.now),
        cache=Cache(journal.database),
        options=StagingOptions(),
    )
    phase = driver.drive()
    seconds = time.perf_counter() - began
    assert phase == "Succeeded", phase
    print(seconds, peak_of_this())


def plan_here(nodes: int, folder: Path) -> None:
    """Read, check and plan a file, and print seconds, peak and the three parts."""
    import planning

    from argosy.checks.catalog import DocumentCatalog
    from argosy.checks.check import check
    from argosy.dialects import argo
    from argosy.model.manifest import Workflow
    from argosy.syntax.limits import LARGEST_FILE_BYTES, Limits

    path = folder / "graph.yaml"
    graphs.write_argosy(graphs.layered(nodes), path)
    moments = [time.perf_counter()]
    # Far more than a file may have that people write.
    limits = Limits(size_bytes=LARGEST_FILE_BYTES, nodes=4_000_000)
    loaded = argo.load(path.read_text(), path.name, limits=limits).checked()
    moments.append(time.perf_counter())
    found = check(loaded.documents[0].value, DocumentCatalog())
    assert not any(one.severity == "error" for one in found), found[:3]
    moments.append(time.perf_counter())
    workflow = loaded.documents[0].value
    assert isinstance(workflow, Workflow)
    plan = planning.run(workflow)
    moments.append(time.perf_counter())
    assert len(plan.nodes) == nodes + 1, len(plan.nodes)
    parts = (f"{after - before:.2f}" for before, after in pairwise(moments))
    print(moments[-1] - moments[0], peak_of_this(), *parts)


def peak_of_this() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"


EMPTY = b'{"metadata": {}, "spec": {}}'
SECTIONS = ("tools", "memory", "simulated", "planned", "runtimes", "start")


def main() -> None:
    """The sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--apart", choices=("simulated", "planned"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if wrong := [one for one in given.sections if one not in SECTIONS]:
        parser.error(f"there is no section {wrong[0]}; there are {', '.join(SECTIONS)}")
    if given.apart:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=HERE) as name:
            (simulate_here if given.apart == "simulated" else plan_here)(given.nodes, Path(name))
        return
    bench = Bench(given.rounds, given.jobs, given.nodes)
    try:
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before it began")
        for section in given.sections or SECTIONS:
            getattr(bench, section)()
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
