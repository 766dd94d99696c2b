"""Runs written out and taken in elsewhere: nothing is lost, nothing changed is believed, no secret comes along."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_samples import Argosy

RUN = """\
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData: {value: canary-7f3a9e}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: train}
spec:
  entrypoint: main
  arguments: {parameters: [{name: lr, value: "0.1"}]}
  templates:
  - name: main
    script:
      image: none
      command: [sh]
      source: |
        echo "loss: 0.5"; echo "loss: nan"; echo "most: inf"; echo "token $TOKEN"
        mkdir -p out/below; echo data > out/below/file; ln -s below/file out/link
        echo '#!/bin/sh' > out/do; chmod +x out/do
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: token, key: value}}}]
    outputs: {artifacts: [{name: out, path: out}]}
"""


@pytest.fixture
def trained(argosy: Argosy, folder: Path) -> str:
    (folder / "train.yaml").write_text(RUN)
    assert argosy("run", "train.yaml", "-q").code == 0
    assert argosy("label", "train", "a label", "--home", ".argosy").code == 0
    assert argosy("label", "train", "--tag", "paper").code == 0
    return "train"


@pytest.mark.parametrize("target", ["train.tar.gz", "train.zip", "a folder"])
def test_a_run_goes_out_and_comes_in_whole(argosy: Argosy, trained: str, folder: Path, target: str) -> None:
    assert argosy("export", trained, target).out == f"{target}\n"
    taken = argosy("import", target, "--home", "other")
    assert (taken.code, taken.out) == (0, "train\n")
    for command in (
        ("get", "train", "-o", "json"),
        ("logs", "train"),
        ("metrics", "train", "-o", "csv"),
        ("runs", "-o", "json"),
        ("artifacts", "train", "-o", "json"),
    ):
        assert argosy(*command, "--home", "other").out == argosy(*command).out
    assert argosy("artifacts", "train", "--get", "out", "-d", "got", "--home", "other").code == 0
    assert (folder / "got" / "link").read_text() == "data\n"
    assert (folder / "got" / "do").stat().st_mode & 0o100
    assert argosy("check", "--read-data", "--home", "other").code == 0


def test_no_secret_comes_along(argosy: Argosy, trained: str, folder: Path) -> None:
    assert argosy("export", trained, "out").code == 0
    files = [path for path in (folder / "out").rglob("*") if path.is_file()]
    assert any(b"token " in path.read_bytes() for path in files)
    assert not any(b"canary-7f3a9e" in path.read_bytes() for path in files)


def test_a_run_that_is_here_is_refused(argosy: Argosy, trained: str) -> None:
    assert argosy("export", trained, "out").code == 0
    again = argosy("import", "out")
    assert (again.code, "is here already" in again.err) == (2, True)
    there = argosy("export", trained, "out")
    assert (there.code, "already" in there.err) == (2, True)


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _object(folder: Path) -> Path:
    return next((folder / "objects").iterdir())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "run.json").unlink(), "no exported run"),
        (lambda folder: (folder / "run.json").write_text("{"), "run.json"),
        (lambda folder: _change(folder / "run.json", "argosy.run/v1", "argosy.run/v9"), "the form"),
        (lambda folder: _change(folder / "run.json", '"uid":"', '"uid":"../'), "no uid"),
        (lambda folder: _change(folder / "run.json", '"name":"train"', '"name":"../x"'), "name"),
        (
            lambda folder: _change(folder / "run.json", '"generation":1,"phase"', '"generation":9,"phase"'),
            "generations",
        ),
        (lambda folder: (folder / "facts-1.jsonl").unlink(), "facts-1.jsonl"),
        (lambda folder: (folder / "facts-1.jsonl").write_text('{"event":"Nonsense","at":1}\n'), "Fact 1"),
        (lambda folder: _change(folder / "metrics.jsonl", '"steps":[0,1]', '"steps":[0]'), "as many values"),
        (lambda folder: (_object(folder) / "below" / "file").write_text("other"), "was changed"),
        (lambda folder: (folder / "logs" / "x").symlink_to("/etc"), "no folder of logs"),
        (lambda folder: (next((folder / "logs").iterdir()) / "x.log").symlink_to("/etc/passwd"), "no log"),
    ],
)
def test_what_was_changed_is_refused_and_leaves_nothing(
    argosy: Argosy, trained: str, folder: Path, change: Callable[[Path], object], said: str
) -> None:
    assert argosy("export", trained, "out").code == 0
    change(folder / "out")
    refused = argosy("import", "out", "--home", "other")
    assert refused.code in (2, 3)
    assert said in refused.err
    assert argosy("runs", "-o", "name", "--home", "other").out == ""
    left = folder / "other" / "runs"
    assert not left.exists() or not list(left.iterdir())
    assert not list((folder / "other").glob(".import*"))


def test_an_archive_that_leads_out_of_its_folder_is_refused(argosy: Argosy, folder: Path) -> None:
    (folder / "x").write_text("x")
    with tarfile.open(folder / "evil.tar.gz", "w:gz") as tar:
        tar.add(folder / "x", "../../evil")
    assert argosy("import", "evil.tar.gz").code != 0
    assert not (folder.parent / "evil").exists()
    assert argosy("import", "x").code != 0
    assert argosy("import", "nothing").code == 4


def test_several_runs_go_into_a_folder(argosy: Argosy, trained: str, folder: Path) -> None:
    assert argosy("run", "train.yaml", "-q", "--name", "second").code == 0
    assert argosy("export", "-w", "lr = 0.1", "all").out == "all/second\nall/train\n"
    assert json.loads((folder / "all" / "train" / "run.json").read_text())["notes"]["label"] == "a label"
    assert argosy("export", "train", "second", "x.tar.gz").code == 2
    assert argosy("export", "train").code == 2
    shutil.rmtree(folder / ".argosy")
    assert argosy("import", "all/second", "all/train").out == "second\ntrain\n"
    assert argosy("runs", "-w", "tag = paper", "-o", "name").out == "train\n"
