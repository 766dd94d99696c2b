"""Metrics of a run whose driver is killed: those of each step are there once. ARGOSY_SEED repeats a failure."""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from driven import Folder, ended, kill

from argosy.experiments import gathering
from argosy.experiments.gathering import Gatherer, Places
from argosy.model.events import AttemptExited
from argosy.model.metric_rules import MetricRules
from argosy.model.status import Node, NodeType, Phase
from argosy.record.database import Database
from argosy.record.experiments import Experiments
from argosy.record.journal import Journal, NewRun

SEED = int(os.environ.get("ARGOSY_SEED", str(random.randrange(1 << 32))))
ROUNDS = 6
STEPS = 12

LOOP = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: loop}
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - name: say
        template: say
        withSequence: {count: "12"}
        arguments: {parameters: [{name: n, value: "{{item}}"}]}
  - name: say
    inputs: {parameters: [{name: n}]}
    container: {image: none, command: [sh, -c], args: ["echo 'n: {{inputs.parameters.n}}'; echo 'n: 100'"]}
"""


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_killed_run_has_every_metric_once(tmp_path: Path, number: int) -> None:
    chance = random.Random(SEED + number)
    folder = Folder(tmp_path)
    folder.write(LOOP)
    process = folder.run("killed")
    time.sleep(0.3 + chance.random() * 0.7)
    kill(process.pid, signal.SIGKILL)
    ended(process)
    code, listed, _ = folder.call("list", "-o", "name")
    if "killed" not in listed:
        return
    code, _, errors = folder.call("resume", "killed") if "Succeeded" not in folder.phases()["killed"] else (0, "", "")
    assert code == 0, f"seed {SEED}: {errors}"
    _, text, _ = folder.call("metrics", "killed", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert Counter(row["value"] for row in rows) == Counter({"100": STEPS} | {str(n): 1 for n in range(STEPS)}), SEED


class Killed(BaseException):
    """As a kill: nothing handles it."""


def of_run(record: Path, folder: Path, *, killed_at: int = -1) -> tuple[Gatherer, dict[str, Node]]:
    """A gatherer of a run of seven steps that ended, with one step a commit."""
    nodes: dict[str, Node] = {}
    for n in range(7):
        attempt = folder / "steps" / f"n{n}"
        attempt.mkdir(parents=True, exist_ok=True)
        (attempt / "main.log").write_text(f"n: {n}\nn: 100\n")
        nodes[f"n{n}"] = Node(id=f"n{n}", name=f"n{n}", display_name=f"n{n}", type=NodeType.POD, phase=Phase.SUCCEEDED)
    count = [0]

    def read_log(path: Path, start: int) -> Iterator[bytes]:
        if count[0] == killed_at:
            raise Killed
        count[0] += 1
        yield path.read_bytes()

    places = Places(folder=folder, generation=1, runtime="sandbox", rules=MetricRules())
    return Gatherer(run_id=1, places=places, read_log=read_log, open_database=lambda: Database.open(record)), nodes


@pytest.mark.parametrize("moment", range(7))
def test_gathering_that_was_cut_short_is_done_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    monkeypatch.setattr(gathering, "_BATCH", 1)
    record = tmp_path / "argosy.db"
    journal = Journal.open(record, now=time.time)
    manifest = msgspec.json.encode({"metadata": {}, "spec": {}})
    journal.create_run(NewRun(name="a", uid="a", namespace="x", created_at=1.0, manifest=manifest))
    journal.database.execute("UPDATE runs SET finished = 1")
    gatherer, nodes = of_run(record, tmp_path, killed_at=moment)
    with pytest.raises(Killed):
        gatherer.finish(nodes)
    experiments = Experiments(journal.database)
    assert experiments.not_gathered() == [1]
    assert len(experiments.metrics([1])[1]) == moment
    gatherer, nodes = of_run(record, tmp_path)
    gatherer.finish(nodes)
    assert experiments.not_gathered() == []
    assert [(one.node, one.count, one.first) for one in experiments.metrics([1])[1]] == [
        (f"n{n}", 2, float(n)) for n in range(7)
    ]
    journal.close()


def test_a_long_run_is_gathered_as_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "argosy.db"
    journal = Journal.open(record, now=time.time)
    manifest = msgspec.json.encode({"metadata": {}, "spec": {}})
    journal.create_run(NewRun(name="a", uid="a", namespace="x", created_at=1.0, manifest=manifest))
    monkeypatch.setattr(gathering, "LOOK_SECONDS", 0.0)
    gatherer, nodes = of_run(record, tmp_path)
    gatherer.look({"n0": nodes["n0"]})
    gatherer.close()
    experiments = Experiments(journal.database)
    assert [one.node for one in experiments.metrics([1])[1]] == ["n0"]
    gatherer.look(nodes)
    assert gatherer.finish(nodes) == []
    assert len(experiments.metrics([1])[1]) == 7
    journal.close()


def test_steps_that_left_nothing_are_not_looked_at_again(tmp_path: Path) -> None:
    record = tmp_path / "argosy.db"
    journal = Journal.open(record, now=time.time)
    manifest = msgspec.json.encode({"metadata": {}, "spec": {}})
    journal.create_run(NewRun(name="a", uid="a", namespace="x", created_at=1.0, manifest=manifest))
    gatherer, nodes = of_run(record, tmp_path)
    for n in (1, 2):
        (tmp_path / "steps" / f"n{n}" / "main.log").write_text("")
        (tmp_path / "steps" / f"n{n}" / "work").mkdir()
    gatherer.note([AttemptExited(at=1.0, node=f"n{n}", phase="Succeeded") for n in (0, 1)])
    gatherer.glance(nodes)
    # Nobody writes into a step's folder once it has ended: what comes here shows who is looked at after all.
    for n in range(7):
        (tmp_path / "steps" / f"n{n}" / "main.log").write_text(f"late: {n}\n")
    gatherer.finish(nodes)
    assert {one.node for one in Experiments(journal.database).metrics([1])[1]} == {"n0", "n2", "n3", "n4", "n5", "n6"}
    journal.close()
