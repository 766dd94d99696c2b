"""What a Python step that does nothing costs, beside other programs: `python benchmarks/functions.py [VENV]`.

VENV is a virtual environment that has some of dask[distributed], ray, luigi and prefect; those that are not in it are
named. A fan-out of N steps (--steps) on two processors, each program in a process of its own: how long that takes from
its start to its end, shared out among the steps, and what one more step costs, for which the same with one step is
taken off. They do not promise the same: see the column on the right.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ARGOSY = str(Path(sys.executable).parent / "argosy")

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: fan-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: count, value: "1"}]}
  templates:
    - name: main
      steps: [[{name: step, template: step, withSequence: {count: "{{workflow.parameters.count}}"}}]]
    - name: step
      metadata: {annotations: {argosy.dev/host: "true", argosy.dev/function: "step.py:step"}}
      container: {command: [python, -m, argosy.dsl.inside, "step.py:step"]}
"""
STEP = "def step():\n    pass\n"
OURS = """
import os
from argosy import step, workflow

@step
def nothing() -> None:
    pass

def fan() -> None:
    for _ in range({count}):
        nothing()

fan = workflow(fan)
"""
DASK = """
import sys
from dask.distributed import Client, LocalCluster

def step(number):
    pass

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.gather(client.map(step, range(int(sys.argv[1])), pure=False))
"""
RAY = """
import sys
import ray

@ray.remote
def step(number):
    pass

ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
ray.get([step.remote(number) for number in range(int(sys.argv[1]))])
"""
LUIGI = """
import os, sys
import luigi

class Step(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(os.path.join(sys.argv[2], str(self.number)))

    def run(self):
        with self.output().open("w"):
            pass

steps = [Step(number=number) for number in range(int(sys.argv[1]))]
assert luigi.build(steps, local_scheduler=True, workers=2, log_level="ERROR")
"""
PREFECT = """
import sys
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

@task
def step(number):
    pass

@flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
def fan(count):
    for future in step.map(range(count)):
        future.wait()

fan(int(sys.argv[1]))
"""
OTHERS = {
    "dask": ("distributed", DASK, "two workers that are shared; nothing kept"),
    "ray": ("ray", RAY, "two workers that are shared; nothing kept"),
    "luigi": ("luigi", LUIGI, "a process each; an empty file says that it ran"),
    "prefect": ("prefect", PREFECT, "two threads that are shared; runs kept in SQLite"),
}
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
}

Run = Callable[[int, Path], list[str]]


def ours(runtime: str) -> Run:
    def words(count: int, folder: Path) -> list[str]:
        (folder / "flow.yaml").write_text(MANIFEST)
        (folder / "step.py").write_text(STEP)
        return [ARGOSY, "run", "--runtime", runtime, "-q", "flow.yaml", f"count={count}"]

    return words


def our_program(count: int, folder: Path) -> list[str]:
    (folder / "program.py").write_text(OURS.format(count=count))
    return [ARGOSY, "run", "-q", "program.py"]


def other(python: Path, text: str) -> Run:
    def words(count: int, folder: Path) -> list[str]:
        (folder / "program.py").write_text(text)
        (folder / "made").mkdir()
        return [str(python), "program.py", str(count), str(folder / "made")]

    return words


class Failed(Exception):
    """A program did not run."""


def seconds(run: Run, count: int) -> float:
    """How long a fan-out takes, in a folder of its own on the disk of this one."""
    with tempfile.TemporaryDirectory(dir=".", ignore_cleanup_errors=True) as name:
        folder = Path(name).absolute()
        (folder / "argosy.toml").touch()
        words = run(count, folder)
        environment = os.environ | QUIET | {"PREFECT_HOME": str(folder / "prefect")}
        began = time.perf_counter()
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        took = time.perf_counter() - began
        if done.returncode:
            said = f"{done.stdout}{done.stderr}".strip().splitlines()
            raise Failed(said[-1] if said else f"it ended with {done.returncode}")
        return took


def has(python: Path, module: str) -> bool:
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def show(name: str, run: Run, count: int, rounds: int, promise: str) -> None:
    try:
        whole = statistics.median(seconds(run, count) for _ in range(rounds))
        alone = statistics.median(seconds(run, 1) for _ in range(rounds))
    except Failed as failed:
        print(f"{name:18} does not work here: {failed}", flush=True)
        return
    share, more = whole / count * 1e3, (whole - alone) / (count - 1) * 1e3
    print(f"{name:18} {whole:7.2f} s {alone:7.2f} s {share:8.2f} ms {more:8.2f} ms   {promise}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("venv", nargs="?", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    recorded = "a process, folder and log each; all of it recorded"
    print(f"{'':18} {f'{given.steps} steps':>9} {'1 step':>9} {'a step':>11} {'one more':>11}")
    show("argosy, manifest", ours("function"), given.steps, given.rounds, recorded)
    show("argosy, Python", our_program, given.steps, given.rounds, recorded)
    absent: list[str] = []
    for name, (module, text, promise) in OTHERS.items():
        python = given.venv.absolute() / "bin" / "python" if given.venv is not None else None
        if python is None or not has(python, module):
            absent.append(name)
            continue
        show(name, other(python, text), given.steps, given.rounds, promise)
    few = max(2, given.steps // 10)
    show(f"no fork ({few})", ours("process"), few, given.rounds, "an interpreter each, all of it recorded")
    if absent:
        print(f"not there: {', '.join(absent)}")


if __name__ == "__main__":
    main()
