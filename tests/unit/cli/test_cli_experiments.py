"""Runs as experiments through the command line: metrics, filters, comparisons, notes."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from cli_samples import Argosy

TRAIN = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: train-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: lr, value: "0.1"}, {name: net, value: cnn}]}
  templates:
  - name: main
    steps:
    - - {name: prep, template: prep}
    - - {name: fit, template: fit}
  - name: prep
    script: {image: none, command: [sh], source: 'echo "rows: 100"; echo silence >&2'}
  - name: fit
    script:
      image: none
      command: [sh]
      source: |
        for i in 1 2 3; do echo "step: ${i}0"; echo "loss: {{workflow.parameters.lr}}$i"; done
        printf 0.75 > score
    outputs: {parameters: [{name: score, valueFrom: {path: score}}]}
"""


@pytest.fixture
def train(folder: Path) -> str:
    (folder / "train.yaml").write_text(TRAIN)
    return "train.yaml"


@pytest.fixture
def two(argosy: Argosy, train: str) -> tuple[str, str]:
    """Two runs that ended, of different parameters."""
    first = argosy("run", train, "--name", "first", "-q")
    second = argosy("run", train, "--name", "second", "-q", "-p", "lr=0.01")
    assert (first.code, second.code) == (0, 0)
    return "first", "second"


def test_a_run_has_the_metrics_of_its_steps(argosy: Argosy, two: tuple[str, str]) -> None:
    found = json.loads(argosy("metrics", "first", "-o", "json").out)["metrics"]
    shown = {one["name"]: (one["step"], one["last"], one["count"], one["source"]) for one in found}
    assert shown == {
        "loss": ("fit", 0.13, 3, "output"),
        "rows": ("prep", 100, 1, "output"),
        "score": ("fit", 0.75, 1, "parameter"),
    }
    loss = json.loads(argosy("metrics", "first", "loss", "-o", "json").out)["metrics"][0]
    assert (loss["steps"], loss["values"]) == ([10, 20, 30], [0.11, 0.12, 0.13])
    drawn = argosy("metrics", "first", "loss", "--history")
    assert "3 values" in drawn.out
    assert "step 10 to 30" in drawn.out
    rows = list(csv.reader(io.StringIO(argosy("metrics", "first", "loss", "-o", "csv").out)))
    assert rows[1] == ["loss", "fit", "10", "0.11", ""]
    wrong = argosy("metrics", "first", "lost")
    assert (wrong.code, "did you mean loss" in wrong.err) == (4, True)


def test_runs_are_filtered_sorted_and_shown(argosy: Argosy, two: tuple[str, str]) -> None:
    assert argosy("runs", "-w", "loss < 0.1", "-o", "name").out.split() == ["second"]
    assert argosy("runs", "-s", "loss", "-o", "name").out.split() == ["second", "first"]
    assert argosy("runs", "-s", "-loss", "-n", "1", "-o", "name").out.split() == ["first"]
    table = argosy("runs", "-n", "1")
    assert "1 of 2" in table.err
    head, row = table.out.splitlines()
    assert head.split() == ["NAME", "STATUS", "AGE", "TOOK", "lr", "net", "loss", "rows", "score"]
    assert row.split()[-3:] == ["0.013", "100", "0.75"]
    chosen = argosy("runs", "-c", "name, fit#loss as final, =lr", "-o", "csv").out
    assert list(csv.reader(io.StringIO(chosen))) == [
        ["name", "final", "lr"],
        ["second", "0.013", "0.01"],
        ["first", "0.13", "0.1"],
    ]
    found = json.loads(argosy("runs", "-o", "json").out)
    assert (found["total"], found["runs"][0]["parameters"]) == (2, {"lr": "0.01", "net": "cnn"})
    wrong = argosy("runs", "-w", "los < 3")
    assert wrong.code == 2
    assert "  los < 3\n  ^^^\n" in wrong.err


def test_no_runs_is_an_answer(argosy: Argosy) -> None:
    assert argosy("runs").code == 0
    assert json.loads(argosy("runs", "-o", "json").out)["runs"] == []
    assert argosy("label", "x", "y").code == 4


def test_notes_are_kept_and_found(argosy: Argosy, two: tuple[str, str]) -> None:
    assert argosy("label", "first", "second", "tuned well").code == 0
    assert argosy("label", "second", "--clear").code == 0
    assert argosy("label", "-w", "lr = 0.1", "--tag", "paper").code == 0
    assert argosy("mark", "first").code == 0
    assert argosy("comment", "first", "one\ntwo").code == 0
    assert argosy("comment", "first").out == "one\ntwo\n"
    assert argosy("runs", "-w", "label contains TUNED and marked and tag = paper", "-o", "name").out == "first\n"
    assert "* tuned well #paper" in argosy("runs").out
    assert argosy("unmark", "first").code == 0
    assert argosy("runs", "-w", "marked", "-o", "name").out == ""
    assert argosy("label", "first").code == 2
    assert argosy("mark").code == 2
    assert "no run is like that" in argosy("mark", "-w", "lr = 9").err
    assert argosy("comment", "first", "--clear").code == 0
    assert argosy("comment", "first").out == ""


def test_runs_are_compared(argosy: Argosy, two: tuple[str, str]) -> None:
    shown = argosy("compare", "first", "second", "--diff-only").out.splitlines()
    assert shown[0].split() == ["first", "second"]
    assert [line.split()[0] for line in shown[1:]] == ["lr", "loss"]
    lines = {one["name"]: one for one in json.loads(argosy("compare", "-o", "json").out)["lines"]}
    assert (lines["net"]["same"], lines["lr"]["values"]) == (True, ["0.01", "0.1"])
    rows = list(csv.DictReader(io.StringIO(argosy("compare", "-w", "loss > 0", "-s", "loss", "-o", "csv").out)))
    assert [(row["run"], row["score"]) for row in rows] == [("second", "0.75"), ("first", "0.75")]
    assert "same parameters" in argosy("compare", "first", "first", "-d").err
    assert argosy("compare", "third").code == 4


def test_metrics_that_a_killed_driver_left_out_are_gathered_when_asked_for(
    argosy: Argosy, two: tuple[str, str], folder: Path
) -> None:
    """As after a kill between the end of the run in the record and its metrics."""
    with sqlite3.connect(folder / ".argosy" / "argosy.db") as record:
        record.execute("DELETE FROM run_metrics WHERE run = 1")
        record.execute("DELETE FROM metric_histories WHERE run = 1")
        record.execute("UPDATE gathering SET done = 0 WHERE run = 1")
    record.close()
    assert argosy("runs", "-w", "loss > 0.1", "-o", "name").out == "first\n"
    assert json.loads(argosy("metrics", "first", "loss", "-o", "json").out)["metrics"][0]["count"] == 3


def test_patterns_of_the_project_and_gathering_again(argosy: Argosy, two: tuple[str, str], folder: Path) -> None:
    toml = folder / "argosy.toml"
    before = toml.read_text()
    toml.write_text(before + "[metrics]\npatterns = ['^step: (?P<stage>\\step)']\n")
    found = json.loads(argosy("metrics", "first", "--again", "-o", "json").out)["metrics"]
    assert {one["name"]: one["last"] for one in found} == {"score": 0.75, "stage": 30}
    toml.write_text(before + "[metrics]\npatterns = ['(']\n")
    wrong = argosy("metrics", "first", "--again")
    assert (wrong.code, "not a regular expression" in wrong.err) == (3, True)


def test_a_retried_step_has_the_metrics_of_its_last_attempt_only(argosy: Argosy, folder: Path) -> None:
    (folder / "flaky.yaml").write_text(
        """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: flaky}
spec:
  entrypoint: main
  arguments: {parameters: [{name: code, value: "1"}]}
  templates:
  - name: main
    script:
      image: none
      command: [sh]
      source: |
        test {{workflow.parameters.code}} = 0 || echo "bad: 1"
        echo "all: 2"
        exit {{workflow.parameters.code}}
"""
    )
    assert argosy("run", "flaky.yaml", "-q").code == 1
    assert argosy("runs", "-w", "bad = 1", "-o", "name").out == "flaky\n"
    assert argosy("retry", "flaky", "-p", "code=0").code == 0
    assert [one["name"] for one in json.loads(argosy("metrics", "flaky", "-o", "json").out)["metrics"]] == ["all"]
    assert argosy("runs", "-w", "code = 0", "-o", "name").out == "flaky\n"


def test_a_run_whose_folder_is_gone_keeps_its_metrics(argosy: Argosy, two: tuple[str, str], folder: Path) -> None:
    shutil.rmtree(folder / ".argosy" / "runs")
    assert argosy("runs", "-w", "loss > 0", "-o", "name").out.split() == ["second", "first"]


def test_a_report_is_one_page(argosy: Argosy, folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: bad}
spec:
  entrypoint: main
  arguments: {parameters: [{name: html, value: "<b>bold</b>"}]}
  templates:
  - name: main
    script:
      image: none
      command: [sh]
      source: |
        printf 'loss: 1\\nloss: 2\\n<script>alert(1)</script>\\n'
        mkdir out; printf '\\211PNG....' > out/plot.png
        exit 3
    outputs: {artifacts: [{name: plots, path: out}]}
"""
    )
    assert argosy("run", "bad.yaml", "-q").code == 1
    written = argosy("report", "bad")
    assert written.out == "bad.html\n"
    text = (folder / "bad.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert 'src="data:image/png;base64,iVBORy4uLi4="' in text
    assert 'class="curve"' in text
    assert "exit code 3" in text
    assert argosy("report", "bad", "-o", "-").out.startswith("<!DOCTYPE html>")
    assert argosy("report", "nope").code == 4


def test_a_file_may_label_and_tag_its_runs(argosy: Argosy, folder: Path) -> None:
    (folder / "labelled.yaml").write_text(
        """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: labelled-
  annotations: {argosy.dev/label: "a base line", argosy.dev/tags: "paper, digits,"}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: none, command: ["true"]}
"""
    )
    assert argosy("run", "labelled.yaml", "-q").code == 0
    (found,) = json.loads(argosy("runs", "-w", "workflow = labelled", "-o", "json").out)["runs"]
    assert (found["label"], found["tags"]) == ("a base line", ["digits", "paper"])


def test_a_damaged_run_is_told_of_once(argosy: Argosy, two: tuple[str, str], folder: Path) -> None:
    with sqlite3.connect(folder / ".argosy" / "argosy.db") as record:
        record.execute("UPDATE generations SET status = x'7b' WHERE run = 1")
        record.execute("UPDATE gathering SET done = 0 WHERE run = 1")
    record.close()
    assert "damaged" in argosy("runs").err
    again = argosy("runs", "-o", "name")
    assert (again.err, again.out.split()) == ("", ["second", "first"])


def test_a_deleted_run_takes_all_of_it_along(argosy: Argosy, two: tuple[str, str], folder: Path) -> None:
    argosy("label", "first", "second", "x")
    argosy("label", "first", "--tag", "y")
    assert argosy("delete", "first", "second", "--yes").code == 0, argosy("delete", "--help").out
    with sqlite3.connect(folder / ".argosy" / "argosy.db") as record:
        for table in ("run_parameters", "run_metrics", "metric_histories", "gathering", "run_notes", "run_tags"):
            assert record.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    record.close()
