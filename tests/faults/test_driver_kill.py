"""kill -9 of the driver at random moments: no finished step runs again, none twice at once, the end is the same.

ARGOSY_KILLS says how often (200 unless told); `make torture` says more. ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = int(os.environ.get("ARGOSY_KILLS", "200"))
SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))
ARGOSY = [sys.executable, "-m", "argosy"]

# Five stages of ten steps; each step notes when it begins and ends, and its result is made of those before it.
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: fifty-}
spec:
  entrypoint: main
  arguments:
    parameters: [{name: notes}]
  templates:
  - name: main
    dag:
      tasks:
      - {name: s0, template: stage, arguments: {parameters: [{name: seen, value: "0"}]}}
%s
    outputs:
      parameters:
      - name: total
        valueFrom: {parameter: "{{tasks.s4.outputs.parameters.sums}}"}
        globalName: total
  - name: stage
    inputs:
      parameters: [{name: seen}]
    steps:
    - - name: one
        template: note
        arguments: {parameters: [{name: id, value: "{{item}}"}, {name: seen, value: "{{inputs.parameters.seen}}"}]}
        withSequence: {count: "10"}
    outputs:
      parameters:
      - name: sums
        valueFrom: {expression: "toJson(steps.one.outputs.parameters.sum)"}
  - name: note
    inputs:
      parameters: [{name: id}, {name: seen}]
    container:
      image: alpine
      command: [sh, -c]
      args:
      - |
        echo "begin {{node.name}}" >> {{workflow.parameters.notes}}
        printf '%%s%%s' '{{inputs.parameters.id}}' '{{inputs.parameters.seen}}' | cksum | cut -c1-8 > sum
        echo "end {{node.name}}" >> {{workflow.parameters.notes}}
    outputs:
      parameters:
      - name: sum
        valueFrom: {path: sum}
"""


def _workflow() -> str:
    tasks = [
        f"      - {{name: s{n}, template: stage, dependencies: [s{n - 1}], arguments: "
        f'{{parameters: [{{name: seen, value: "{{{{tasks.s{n - 1}.outputs.parameters.sums}}}}"}}]}}}}'
        for n in range(1, 5)
    ]
    return WORKFLOW % "\n".join(tasks)


class Bench:
    """A home, a workflow file, and commands on them."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.file = folder / "fifty.yaml"
        self.file.write_text(_workflow())
        self.notes = folder / "notes"

    def run(self, name: str) -> list[str]:
        notes = self.notes / name
        notes.parent.mkdir(exist_ok=True)
        return ["run", str(self.file), "--name", name, "-p", f"notes={notes}", "--runtime", "process"]

    def argosy(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*ARGOSY, *arguments, "--home", str(self.home)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def kill_after(self, seconds: float, *arguments: str) -> bool:
        """Start a command and kill it; True if it was still alive."""
        process = self.argosy(*arguments)
        time.sleep(seconds)
        alive = process.poll() is None
        if alive:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return alive

    def finish(self, name: str) -> None:
        """Drive a run to its end, whatever state it was left in."""
        for arguments in (["resume", name], self.run(name)):
            process = self.argosy(*arguments)
            _, errors = process.communicate(timeout=120)
            if process.returncode == 0:
                return
            # 4: it was killed before the run was recorded. 1 or 2: it had already finished.
            if process.returncode != 4:
                break
        assert self.status(name)["phase"] == "Succeeded", errors.decode()

    def status(self, name: str) -> dict[str, object]:
        process = self.argosy("get", name, "-o", "json")
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
        return json.loads(output)["status"]


def _outputs(status: dict[str, object]) -> object:
    return {one["name"]: one["value"] for one in status["outputs"]["parameters"]}  # type: ignore[index]


@pytest.mark.parametrize("kills", [KILLS])
def test_a_killed_driver_loses_nothing_and_repeats_nothing(tmp_path: Path, kills: int) -> None:
    print(f"ARGOSY_SEED={SEED}")
    chance = random.Random(SEED)
    bench = Bench(tmp_path)
    began = time.monotonic()
    undisturbed = bench.argosy(*bench.run("undisturbed"))
    _, errors = undisturbed.communicate(timeout=120)
    assert undisturbed.returncode == 0, errors.decode()
    whole = time.monotonic() - began
    expected = _outputs(bench.status("undisturbed"))
    landed, number = 0, 0
    while landed < kills:
        number += 1
        name = f"killed-{number}"
        alive = bench.kill_after(chance.uniform(0.0, whole), *bench.run(name))
        landed += alive
        # The first run may have met a busy moment: later ones are over before they can be killed, and that tells.
        whole *= 1.03 if alive else 0.95
        while alive and chance.random() < 0.6:
            alive = bench.kill_after(chance.uniform(0.0, whole), "resume", name)
            landed += alive
        bench.finish(name)
        status = bench.status(name)
        assert status["phase"] == "Succeeded"
        assert _outputs(status) == expected
        lines = (bench.notes / name).read_text().splitlines()
        assert len(lines) == len(set(lines)) == 100, f"{name}: a step ran twice or not at all"
    listed = bench.argosy("list", "-o", "json")
    output, _ = listed.communicate(timeout=60)
    assert "Running" not in {run["phase"] for run in json.loads(output)["runs"]}
