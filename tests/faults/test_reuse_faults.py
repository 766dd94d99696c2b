"""Reuse under faults: drivers killed at random moments, two runs at once, bits flipped in what would be used again.

ARGOSY_REUSE_KILLS says how many kills (12 unless told), ARGOSY_FLIPS how many bits. ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from driven import Folder, ended

from argosy.artifacts.store import Store
from argosy.model.events import CacheRead, ContainerEnd
from argosy.model.manifest import Artifact, Outputs
from argosy.runners.local.reusing import checked

KILLS = int(os.environ.get("ARGOSY_REUSE_KILLS", "12"))
FLIPS = int(os.environ.get("ARGOSY_FLIPS", "1000"))
SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))
STEPS = 30

# Each step notes that it ran, and leaves an artifact; the last one takes them all in turn.
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: many-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - name: make
        template: make
        arguments: {parameters: [{name: id, value: "{{item}}"}]}
        withSequence: {count: "30"}
    - - name: fail
        template: fail
        continueOn: {failed: true}
  - name: make
    inputs: {parameters: [{name: id}]}
    outputs: {artifacts: [{name: out, path: out}]}
    container:
      image: alpine
      command: [sh, -c]
      args: ["echo {{inputs.parameters.id}} >> NOTES; echo {{inputs.parameters.id}} > out"]
  - name: fail
    container: {image: alpine, command: [sh, -c], args: ["echo fail >> NOTES; exit 1"]}
"""


@pytest.fixture
def home(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write(WORKFLOW)
    return folder


def start(home: Folder, name: str):
    return home.start("run", "workflow.yaml", "-q", "--cache", "--runtime", "process", "--jobs", "4", "--name", name)


def hits(home: Folder, name: str) -> int:
    return sum(one.get("memoizationStatus", {}).get("hit", False) for one in home.status(name)["nodes"].values())


def test_kill_9_while_outcomes_are_stored_and_used(home: Folder) -> None:
    print(f"ARGOSY_SEED={SEED}")
    chance = random.Random(SEED)
    # Until one run is through: killed and resumed, what it did is done once.
    driver = start(home, "first")
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.6))
        driver.kill()
        driver.communicate()
        if home.call("get", "first")[0] == 4:
            driver = start(home, "first")
            continue
        if home.phases()["first"] == "Succeeded":
            break
        driver = home.start("resume", "first", "-q")
    ended(driver)
    assert home.phases()["first"] == "Succeeded"
    once = [*map(str, range(STEPS)), "fail"]
    assert sorted(home.lines()) == sorted(once)
    home.notes.unlink()
    # All that succeeded was stored, by whichever driver saw it end.
    driver = start(home, "second")
    for _ in range(3):
        time.sleep(chance.uniform(0.1, 0.4))
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
        if home.call("get", "second")[0] == 4:
            driver = start(home, "second")
            continue
        if home.phases()["second"] == "Succeeded":
            break
        driver = home.start("resume", "second", "-q")
    ended(driver)
    assert home.phases()["second"] == "Succeeded"
    assert home.lines() == ["fail"]
    assert hits(home, "second") == STEPS
    code, output, errors = home.call("check", "--read-data")
    assert code == 0, output + errors


def test_two_runs_at_once(home: Folder) -> None:
    drivers = [start(home, name) for name in ("first", "second")]
    for driver in drivers:
        code, _, errors = ended(driver)
        assert code == 0, errors
    ran = [line for line in home.lines() if line != "fail"]
    assert len(ran) + hits(home, "first") + hits(home, "second") == 2 * STEPS
    assert set(ran) == {str(number) for number in range(STEPS)}
    home.notes.unlink()
    assert ended(start(home, "third"))[0] == 0
    assert hits(home, "third") == STEPS
    assert home.lines() == ["fail"]


def test_no_flipped_bit_is_used_again(tmp_path: Path) -> None:
    print(f"ARGOSY_SEED={SEED}")
    chance = random.Random(SEED)
    store = Store.open(tmp_path / "store")
    answers: list[CacheRead] = []
    for number in range(20):
        folder = tmp_path / f"made-{number}"
        (folder / "below").mkdir(parents=True)
        for name in ("one", "below/two"):
            (folder / name).write_bytes(chance.randbytes(chance.randrange(1, 5000)))
        artifacts = tuple(
            Artifact(name=name, digest=store.put(folder / path)) for name, path in (("file", "one"), ("folder", "."))
        )
        # Of a container set, a container may have outputs too.
        own, other = Outputs(artifacts=artifacts[:1]), Outputs(artifacts=artifacts[1:])
        end = ContainerEnd(name="two", phase="Succeeded", outputs=other)
        answers.append(CacheRead(at=1.0, node="n", hit=True, key="k", outputs=own, containers=(end,)))
    assert all(checked(answer, Store.open(store.root)).hit for answer in answers)
    objects = sorted(path for kind in ("objects", "trees") for path in (store.root / kind).glob("*/*"))
    for _ in range(FLIPS):
        path = chance.choice(objects)
        whole, mode = path.read_bytes(), path.stat().st_mode
        bit = chance.randrange(len(whole) * 8)
        path.chmod(0o644)
        path.write_bytes(whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :])
        fresh = Store.open(store.root)
        seen = any(not checked(answer, fresh).hit for answer in answers)
        assert seen, f"a flipped bit in {path} was not seen"
        assert not path.exists()
        path.write_bytes(whole)
        path.chmod(mode)
    assert all(checked(answer, Store.open(store.root)).hit for answer in answers)
