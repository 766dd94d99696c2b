"""Runs logged to MLflow, by its own client into a store of its own; in processes of their own, since it is heavy."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

TRAIN = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: train-, labels: {team: a}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: lr, value: "0.1"}]}
  templates:
  - name: main
    script:
      image: none
      command: [sh]
      source: 'for i in 1 2; do echo "step: $i"; echo "loss: 0.$i"; done; echo "odd(name): nan"; echo x > out'
    outputs: {artifacts: [{name: out, path: out}]}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "argosy.toml").write_text('[run]\nruntime = "process"\n[mlflow]\nexperiment = "mine"\n')
    (tmp_path / "train.yaml").write_text(TRAIN)
    return tmp_path


def argosy(folder: Path, uri: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "ARGOSY"))}
    environment |= {"MLFLOW_TRACKING_URI": uri} if uri else {}
    environment["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    return subprocess.run(
        [sys.executable, "-m", "argosy", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def rows(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "ml.db")) as store:
        return store.execute(statement).fetchall()


def test_a_run_is_logged_at_its_end_and_once(place: Path) -> None:
    uri = f"sqlite:///{place}/ml.db"
    ran = argosy(place, uri, "run", "train.yaml", "--name", "first")
    assert (ran.returncode, "MLflow" in ran.stderr) == (0, False)
    assert rows(place, "SELECT name, status FROM runs") == [("first", "FINISHED")]
    assert rows(place, "SELECT name FROM experiments WHERE name <> 'Default'") == [("mine",)]
    assert rows(place, "SELECT key, value FROM params") == [("lr", "0.1")]
    found = rows(place, "SELECT key, value, step, is_nan FROM metrics ORDER BY key, step")
    assert found == [("loss", 0.1, 1, 0), ("loss", 0.2, 2, 0), ("odd_name_", 0.0, 2, 1)]
    tags = dict(rows(place, "SELECT key, value FROM tags"))
    assert (tags["label.team"], tags["argosy.status"]) == ("a", "Succeeded")
    assert '"name":"out"' in tags["argosy.artifacts"]
    again = argosy(place, uri, "mlflow", "first")
    assert "first was logged already" in again.stderr
    assert len(rows(place, "SELECT * FROM metrics")) == 3


def test_a_server_that_is_away_fails_no_run(place: Path) -> None:
    ran = argosy(place, "http://user:canary@127.0.0.1:9", "run", "train.yaml", "--name", "first")
    assert ran.returncode == 0
    assert "note: the run is not in MLflow" in ran.stderr
    assert "canary" not in ran.stderr
    asked = argosy(place, "http://127.0.0.1:9", "mlflow", "first")
    assert (asked.returncode, "MLflow did not take it" in asked.stderr) == (5, True)
    nowhere = argosy(place, "", "mlflow", "first")
    assert (nowhere.returncode, "tracking_uri" in nowhere.stderr) == (2, True)
