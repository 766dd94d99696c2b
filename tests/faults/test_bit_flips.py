"""A thousand one-bit flips in stored objects: a check finds each, none is served, none is reused, and all can heal.

ARGOSY_SEED repeats a failure.
"""

from __future__ import annotations

import filecmp
import json
import os
import random
from pathlib import Path

import pytest
from driven import Folder

from argosy.artifacts.pruning import stored_objects
from argosy.artifacts.store import Store
from argosy.artifacts.trees import Digest
from argosy.artifacts.troubles import ArtifactNotFound, StoreTrouble

SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))
FLIPS = 1000

USE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: use-}
spec:
  entrypoint: main
  templates:
  - name: main
    inputs: {artifacts: [{name: d, path: in, named: {kind: dataset, ref: many}}]}
    container: {image: none, command: [sh, -c], args: ["echo began >> NOTES"]}
"""

MEMOIZED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: memo-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: make, template: make}
    - - name: take
        template: take
        arguments: {artifacts: [{name: d, from: "{{steps.make.outputs.artifacts.out}}"}]}
  - name: make
    memoize: {key: one, cache: {configMap: {name: made}}}
    container: {image: none, command: [sh, -c], args: ["echo made >> NOTES; mkdir out; echo whole > out/a"]}
    outputs: {artifacts: [{name: out, path: out}]}
  - name: take
    inputs: {artifacts: [{name: d, path: d}]}
    container: {image: none, command: [sh, -c], args: ["cat d/a >> NOTES"]}
"""


def fill(folder: Path, chance: random.Random) -> None:
    """Some 1,200 files of many sizes, a few of them large, in 60 folders; no two alike."""
    for number in range(1200):
        inside = folder / f"{number % 60:02d}"
        inside.mkdir(parents=True, exist_ok=True)
        size = chance.choice((1, 10, 400, 5000, 40_000)) if number % 200 else 300_000
        (inside / f"{number}").write_bytes(number.to_bytes(4, "big") + chance.randbytes(size))


def flip(path: Path, chance: random.Random) -> None:
    """One bit of a stored object."""
    bit = chance.randrange(path.stat().st_size * 8)
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))


def flipped(root: Path, chance: random.Random) -> list[Digest]:
    objects = sorted(stored_objects(root), key=lambda pair: str(pair[0]))
    chosen = chance.sample(objects, FLIPS)
    for _, path in chosen:
        flip(path, chance)
    return [digest for digest, _ in chosen]


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)


@pytest.fixture
def folder(tmp_path: Path, chance: random.Random) -> Folder:
    made = Folder(tmp_path)
    fill(tmp_path / "many", chance)
    assert made.call("datasets", "add", "many", "many")[0] == 0
    return made


def test_none_is_served(folder: Folder, chance: random.Random, tmp_path: Path) -> None:
    root = folder.home / "store"
    hurt = flipped(root, chance)
    store = Store.open(root)
    for number, digest in enumerate(hurt):
        target = tmp_path / "served" / str(number)
        # A folder inside a damaged one may have been found out on the way.
        with pytest.raises((StoreTrouble, ArtifactNotFound)):
            store.materialize(str(digest), target, writable=bool(number % 2))
        assert not target.exists(), (SEED, digest)


def test_a_check_finds_all_and_adding_again_heals(folder: Folder, chance: random.Random, tmp_path: Path) -> None:
    hurt = flipped(folder.home / "store", chance)
    code, output, _ = folder.call("check", "--read-data", "-o", "json")
    assert code == 1
    assert set(json.loads(output)["corrupt"]) == {str(one) for one in hurt}, SEED
    code, _, errors = folder.call("datasets", "get", "many", "-d", "got")
    assert code not in (0, 1), errors
    assert not (tmp_path / "got").exists()
    # The damaged ones are out of use, so the same content is stored anew.
    assert folder.call("datasets", "add", "many", "many")[0] == 0
    assert folder.call("datasets", "get", "many", "-d", "got")[0] == 0
    assert same(tmp_path / "many", tmp_path / "got")
    code, output, _ = folder.call("check", "--read-data", "-o", "json")
    assert (code, json.loads(output)["corrupt"], json.loads(output)["missing"]) == (0, [], [])


def same(left: Path, right: Path) -> bool:
    compared = filecmp.dircmp(left, right)
    if compared.left_only or compared.right_only or compared.funny_files:
        return False
    _, differ, troubles = filecmp.cmpfiles(left, right, compared.common_files, shallow=False)
    return not differ and not troubles and all(same(left / one, right / one) for one in compared.common_dirs)


def test_a_step_never_gets_damaged_data(folder: Folder, chance: random.Random) -> None:
    flipped(folder.home / "store", chance)
    folder.write(USE)
    process = folder.run("use")
    assert process.wait(60) != 0
    process.communicate()
    assert folder.lines() == []


def test_a_reused_output_is_never_damaged(tmp_path: Path, chance: random.Random) -> None:
    folder = Folder(tmp_path)
    folder.write(MEMOIZED)
    assert folder.call("run", "workflow.yaml", "--runtime", "process")[0] == 0
    assert folder.call("run", "workflow.yaml", "--runtime", "process")[0] == 0
    assert folder.lines() == ["made", "whole", "whole"]
    for _, path in list(stored_objects(folder.home / "store")):
        if path.read_bytes() == b"whole\n":
            flip(path, chance)
    # It is made anew, and what is stored anew is whole.
    assert folder.call("run", "workflow.yaml", "--runtime", "process")[0] == 0
    assert folder.lines() == ["made", "whole", "whole", "made", "whole"]
    assert folder.call("check", "--read-data")[0] == 0
