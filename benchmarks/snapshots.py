"""What keeping the code of a run costs: `python benchmarks/snapshots.py [--files N] [--steps N]`.

A project of so many small files under git is kept for the first time, again unchanged, and after one edit, beside
`cp -r` and git's own `add -A` with `write-tree`. Then a run of steps that each get a copy of a smaller project.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from argosy.artifacts.store import Store
from argosy.experiments.snapshot import take
from argosy.model.host_templates import CodeRules

ARGOSY = str(Path(sys.executable).parent / "argosy")
COPIED_FILES = 100
RUN = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: bench-}}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{{name: step, template: step, withSequence: {{count: {steps}}}}}]]
    - name: step
      metadata: {{annotations: {{argosy.dev/host: "true"}}}}
      container: {{command: ["true"]}}
"""


def timed(what: str, action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    seconds = time.perf_counter() - start
    print(f"{what:<52} {seconds:8.3f} s")
    return seconds


def project_of(folder: Path, files: int) -> None:
    for number in range(files):
        place = folder / f"part{number // 100}" / f"module{number}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"# module {number}\n" + "x = 1\n" * 50)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.email=a@example.com", "-c", "user.name=A", "commit", "-qm", "a")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def measure_snapshots(root: Path, files: int) -> None:
    project, home = root / "project", root / "home"
    project_of(project, files)
    store = Store.open(home / "store")
    # What has just been written is hashed again; wait until times can be trusted.
    time.sleep(2.5)
    print(f"{files} files of 320 bytes, in git")
    timed("cp -r", lambda: subprocess.run(["cp", "-r", project, root / "copy"], check=True))
    shutil.rmtree(root / "copy" / ".git")
    git(root / "copy", "init", "-q")
    timed(
        "git add -A, git write-tree: first", lambda: (git(root / "copy", "add", "-A"), git(root / "copy", "write-tree"))
    )
    timed(
        "git add -A, git write-tree: again", lambda: (git(root / "copy", "add", "-A"), git(root / "copy", "write-tree"))
    )
    timed("snapshot: first", lambda: take(store, project, CodeRules(), home))
    timed("snapshot: again", lambda: take(store, project, CodeRules(), home))
    (project / "part0" / "module0.py").write_text("x = 2\n")
    timed("snapshot: one file edited", lambda: take(store, project, CodeRules(), home))


def measure_steps(root: Path, steps: int) -> None:
    project = root / "run"
    project_of(project, COPIED_FILES)
    (project / "run.yaml").write_text(RUN.format(steps=steps))
    print(f"{steps} steps of `true` on the host, whole process")

    def run(*more: str) -> None:
        subprocess.run([ARGOSY, "run", "run.yaml", "-q", *more], cwd=project, check=True, capture_output=True)

    run()
    without = timed("without code", lambda: run("--no-code"))
    with_code = timed(f"each with a copy of {COPIED_FILES} files", run)
    print(f"a copy of {COPIED_FILES} files: {(with_code - without) / steps * 1000:.1f} ms a step")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure_snapshots(Path(folder), given.files)
        measure_steps(Path(folder), given.steps)


if __name__ == "__main__":
    main()
