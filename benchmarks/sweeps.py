"""What a trial costs: `python benchmarks/sweeps.py [--trials N]`.

A sweep of trials that do nothing, one at once and four, beside as many calls of `argosy run` from a shell loop, and one
run with as many steps: the difference is what makes each trial a run of its own. Then what a Bayesian search adds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ARGOSY = str(Path(sys.executable).parent / "argosy")
ONE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: one-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: x, value: "1"}]}
  templates:
    - {name: main, container: {image: none, command: [echo, "loss: {{workflow.parameters.x}}"]}}
"""
STEPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: steps-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: count, value: "1"}]}
  templates:
    - name: main
      steps: [[{name: step, template: step, withSequence: {count: "{{workflow.parameters.count}}"}}]]
    - {name: step, container: {image: none, command: ["true"]}}
"""


def timed(what: str, count: int, folder: Path, *words: str) -> None:
    start = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    print(f"{what:<40} {seconds:8.2f} s {seconds / count:8.3f} s each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=50)
    count = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one.yaml").write_text(ONE)
        (folder / "steps.yaml").write_text(STEPS)
        run = (ARGOSY, "run", "--runtime", "process", "-q")
        print(f"{count} trials")
        timed("one run of as many steps", count, folder, *run, "steps.yaml", f"count={count}")
        loop = f"for x in $(seq {count}); do {' '.join(run)} one.yaml x=$x || exit 1; done"
        timed("argosy run in a shell loop", count, folder, "sh", "-c", loop)
        grid = f"x=range[1:{count}]"
        for jobs in ("1", "4"):
            timed(f"a sweep, {jobs} at once", count, folder, *run, "one.yaml", grid, "-j", jobs)
        search = ("x=uniform[0.0:1]", "--minimize", "loss", "--max-trials", str(count))
        timed("a Bayesian search, one at once", count, folder, *run, "one.yaml", *search)


if __name__ == "__main__":
    main()
