"""kill -9 of the driver of a Gradient spec: volumes, strings and datasets are whole, and each version is made once.

ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest
from driven import Folder, kill

SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))
CHAIN = 8
LIMIT = 80

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


def spec() -> str:
    """A chain of jobs: each adds a line to the volume of the one before, and makes a version of what it has."""
    jobs = ["defaults: {resources: {instance-type: C1}}", "jobs:"]
    for number in range(CHAIN):
        before = f"j{number - 1}"
        needs = f"[{before}]" if number else "[]"
        inputs = f"{{lines: {before}.outputs.lines, count: {before}.outputs.count}}" if number else "{}"
        script = "sleep 0.05; cp /inputs/lines/all /outputs/lines/all 2>/dev/null; "
        script += f"echo {number} >> /outputs/lines/all; cp /outputs/lines/all /outputs/made/; "
        script += "wc -l < /outputs/lines/all > /outputs/count"
        jobs += [
            f"  j{number}:",
            "    uses: container@v1",
            f"    needs: {needs}",
            f"    inputs: {inputs}",
            f'    with: {{image: x, command: sh, args: [-c, "{script}"]}}',
            "    outputs:",
            "      lines: {type: volume}",
            "      made: {type: dataset, with: {ref: made}}",
            "      count: {type: string}",
        ]
    return "\n".join(jobs) + "\n"


def test_what_is_handed_on_is_whole(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    folder = Folder(tmp_path)
    folder.write(spec(), "spec.yaml")
    assert folder.call("datasets", "create", "made")[0] == 0
    code, _, errors = folder.call("run", "spec.yaml", "--name", "chain", "--runtime", "sandbox", "--detach")
    assert code == 0, errors
    kills = 0
    while folder.phases()["chain"] != "Succeeded":
        assert kills < LIMIT, SEED
        for pid in folder.drivers():
            time.sleep(chance.uniform(0.0, 0.2))
            kill(pid)
            kills += 1
        code, _, errors = folder.call("resume", "chain", "--detach")
        assert code == 0 or folder.phases()["chain"] == "Succeeded", (SEED, errors)
    assert kills > 0
    code, output, errors = folder.call("datasets", "versions", "made", "-o", "json")
    assert code == 0, errors
    assert sorted(one["version"] for one in json.loads(output)["versions"]) == list(range(1, CHAIN + 1)), SEED
    assert folder.call("datasets", "get", f"made:{CHAIN}", "-d", "there")[0] == 0
    assert (tmp_path / "there" / "all").read_text().split() == [str(number) for number in range(CHAIN)], SEED
    count = folder.node("chain", f"j{CHAIN - 1}")["outputs"]["parameters"][0]["value"]
    assert count.strip() == str(CHAIN)
