"""Inputs on the command line: shown, given, refused, asked for."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import Argosy

TRAIN = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: train-}
spec:
  entrypoint: main
  arguments:
    parameters:
    - {name: net, value: vgg, enum: [vgg, resnet]}
    - {name: seed, description: where chance begins}
  templates:
  - name: main
    container: {image: alpine, command: [sh, -c, "echo {{workflow.parameters.net}} {{workflow.parameters.seed}}"]}
"""


@pytest.fixture
def train(folder: Path) -> str:
    (folder / "train.yaml").write_text(TRAIN)
    return "train.yaml"


def test_params_shows_what_a_file_takes(argosy: Argosy, train: str) -> None:
    answer = argosy("params", train)
    assert answer.code == 0
    assert answer.out.splitlines()[0].split() == ["NAME", "TYPE", "DEFAULT", "ALLOWED", "WHAT"]
    assert "vgg, resnet" in answer.out
    assert "(required)" in answer.out
    assert "where chance begins" in answer.out
    document = json.loads(argosy("params", train, "train", "-o", "json").out)
    assert document["schema"] == "argosy.params/v1"
    (one,) = document["workflows"]
    assert [given["name"] for given in one["inputs"]] == ["net", "seed"]
    assert one["inputs"][1]["place"] == "train.yaml:9"


def test_params_of_a_workflow_that_is_not_there(argosy: Argosy, train: str) -> None:
    answer = argosy("params", train, "trian")
    assert answer.code == 4
    assert "did you mean train" in answer.err


def test_values_after_the_file(argosy: Argosy, train: str) -> None:
    assert argosy("run", train, "seed=4", "net=resnet", "-q").code == 0
    assert argosy("logs", "@latest", "--no-prefix").out.strip().endswith("resnet 4")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("seed=1", "net=resnt"), "net is one of vgg, resnet, not 'resnt'", "did you mean 'resnet'?; train.yaml:8"),
        (("seed=1", "nett=vgg"), "no parameter 'nett'", "did you mean net?"),
        ((), "seed needs a value", "write seed=VALUE"),
        (("seed=1", "--nett", "vgg"), "No such option", "argosy run --help"),
        (("seed=1", "--net", "vgg"), "No such option: --net (write net=VALUE)", "argosy run --help"),
        (("seed=1", "--jbos", "3"), "Did you mean '--jobs'", "argosy run --help"),
        (("seed=1", "seed=2"), "seed is given twice", "leave one of them out"),
        (("seed=1", "=2"), "'=2' is no value", "NAME=VALUE"),
    ],
)
def test_refusals_say_what_is_allowed(
    argosy: Argosy, train: str, words: tuple[str, ...], message: str, hint: str
) -> None:
    answer = argosy("run", train, *words)
    assert answer.code == 2
    assert message in answer.err
    assert hint in answer.err
    assert argosy("list", "-o", "name").out == ""


def test_a_misspelt_option_before_the_file(argosy: Argosy, train: str) -> None:
    answer = argosy("run", "--quite", train)
    assert answer.code == 2
    assert "Did you mean '--quiet'" in answer.err


def test_the_run_keeps_what_it_takes(argosy: Argosy, train: str, folder: Path) -> None:
    from argosy.project.project import Project

    argosy("run", train, "seed=4", "-q")
    project = Project.open(None, folder=folder)
    kept = project.view("@latest").options.inputs
    project.close()
    assert [(one.name, one.default, one.required) for one in kept] == [("net", "vgg", False), ("seed", None, True)]


def test_resubmit_checks_values_too(argosy: Argosy, train: str) -> None:
    argosy("run", train, "seed=4", "-q")
    answer = argosy("resubmit", "@latest", "-p", "net=alexnet")
    assert answer.code == 2
    assert "net is one of vgg, resnet" in answer.err


def test_ask_needs_a_terminal(argosy: Argosy, train: str) -> None:
    answer = argosy("run", train, "--ask")
    assert answer.code == 2
    assert "needs a terminal" in answer.err


def test_ask_on_a_terminal(argosy: Argosy, train: str, folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "argosy.cli.main", "run", train, "--ask", "-q"],
        cwd=folder,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
    )
    os.close(theirs)
    # A word that is no choice, then the second choice by number; a required value left empty, then given.
    os.write(ours, b"alexnet\n2\n\n7\n")
    said = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
    assert process.wait() == 0
    assert process.stdout is not None
    process.stdout.close()
    os.close(ours)
    assert b"net is one of vgg, resnet" in said
    assert b"where chance begins" in said
    assert argosy("logs", "@latest", "--no-prefix").out.strip().endswith("resnet 7")
