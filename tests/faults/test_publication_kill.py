"""kill -9 of the driver at random moments: every output with a name becomes one version, none is missing, none twice.

ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

from driven import Folder, kill

SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))
STEPS = 12
LIMIT = 60

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: made-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: make, template: make, withSequence: {count: "%d"},
         arguments: {parameters: [{name: i, value: "{{item}}"}]}}
  - name: make
    inputs: {parameters: [{name: i}]}
    container: {image: none, command: [sh, -c], args: ["sleep 0.04; echo {{inputs.parameters.i}} > out"]}
    outputs:
      artifacts:
      - {name: own, path: out, named: {kind: dataset, ref: "own-{{inputs.parameters.i}}:done"}}
      - {name: all, path: out, named: {kind: model, ref: all}}
"""


def versions(folder: Folder, *arguments: str) -> list[dict[str, object]]:
    code, output, errors = folder.call(*arguments, "-o", "json")
    assert code == 0, errors
    return json.loads(output)["versions"]


def test_each_output_is_published_once(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    folder = Folder(tmp_path)
    folder.write(WORKFLOW % STEPS)
    code, _, errors = folder.call(
        "run", "workflow.yaml", "--name", "made", "--runtime", "process", "--detach", "-j", "2"
    )
    assert code == 0, errors
    kills = 0
    while folder.phases()["made"] != "Succeeded":
        assert kills < LIMIT, SEED
        for pid in folder.drivers():
            time.sleep(chance.uniform(0.0, 0.15))
            kill(pid)
            kills += 1
        code, _, errors = folder.call("resume", "made", "--detach")
        assert code == 0 or folder.phases()["made"] == "Succeeded", (SEED, errors)
    assert kills > 0
    assert folder.phases() == {"made": "Succeeded"}
    made = versions(folder, "models", "get", "all", "--versions")
    origins = {json.dumps(one["origin"], sort_keys=True) for one in made}
    assert len(made) == len(origins) == STEPS, (SEED, kills)
    assert sorted(int(str(one["version"])) for one in made) == list(range(1, STEPS + 1))
    for number in range(STEPS):
        own = versions(folder, "datasets", "versions", f"own-{number}")
        assert [(one["version"], one["tags"]) for one in own] == [(1, ["done"])], (SEED, kills)
