"""Sweeps from the command line: made, looked at, stopped, retried, deleted."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Argosy

FIT = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: fit-}
spec:
  entrypoint: main
  arguments:
    parameters:
    - {name: x, value: "0"}
    - {name: net, value: vgg, enum: [vgg, resnet]}
    - {name: words, value: ""}
  templates:
  - name: main
    steps:
    - - name: fit
        template: fit
        arguments: {parameters: [{name: x, value: "{{workflow.parameters.x}}"}]}
  - name: fit
    inputs: {parameters: [{name: x}]}
    container:
      image: alpine
      command: [sh, -c]
      args: ["test ! -e stop-{{inputs.parameters.x}} && echo loss: {{inputs.parameters.x}}"]
"""
SLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: slow}
spec:
  entrypoint: main
  onExit: bye
  arguments: {parameters: [{name: part, value: "1"}]}
  templates:
  - {name: main, container: {image: alpine, command: [sleep, "60"]}}
  - {name: bye, container: {image: alpine, command: [sh, -c], args: ["touch FOLDER/bye-{{workflow.parameters.part}}"]}}
"""


@pytest.fixture
def fit(folder: Path) -> str:
    # Steps begin in folders of their own: what makes them fail stands in the project's.
    (folder / "fit.yaml").write_text(FIT.replace("-e stop", f"-e {folder}/stop"))
    return "fit.yaml"


def _trials(argosy: Argosy, name: str) -> list[dict[str, Any]]:
    answer = argosy("trials", name, "-o", "json")
    assert answer.code == 0, answer.err
    found: list[dict[str, Any]] = json.loads(answer.out)["trials"]
    return found


def test_a_grid_is_one_run_with_many_trials(argosy: Argosy, fit: str) -> None:
    answer = argosy("run", fit, "x=[2,1,3]", "net=[vgg,resnet]", "--minimize", "loss", "--name", "s", "-j", "3")
    assert answer.code == 0, answer.err
    assert "s: grid sweep of 6 trials: 6 succeeded" in answer.err
    assert "best: s-3 with loss 1: x=1 net=vgg" in answer.err
    trials = _trials(argosy, "s")
    assert [one["objective"] for one in trials] == [1, 1, 2, 2, 3, 3]
    assert sorted(one["name"] for one in trials) == [f"s-{n}" for n in range(1, 7)]
    shown = json.loads(argosy("get", "s-4", "-o", "json").out)
    assert shown["metadata"]["labels"] == {"argosy.dev/sweep": "s", "argosy.dev/trial": "4"}
    values = {one["name"]: one["value"] for one in shown["spec"]["arguments"]["parameters"]}
    assert values == {"x": "1", "net": "resnet", "words": ""}


def test_what_a_sweep_says_of_itself(argosy: Argosy, fit: str) -> None:
    argosy("run", fit, "x=[1,2]", "words=a{{b", "--name", "s", "-q")
    shown = json.loads(argosy("get", "s", "-o", "json").out)
    values = {one["name"]: one["value"] for one in shown["spec"]["arguments"]["parameters"]}
    assert values == {"net": "vgg", "words": "a{{b", "x": "[1,2]"}
    # The tags of a trial are its own.
    trial = json.loads(argosy("get", "s-1", "-o", "json").out)
    assert trial["spec"]["templates"][0]["steps"][0][0]["arguments"]["parameters"][0]["value"] == (
        "{{workflow.parameters.x}}"
    )
    assert argosy("trials", "s-2", "-o", "name").out.split() == ["s-1", "s-2"]


def test_minus_p_and_quotes_keep_a_list_one_value(argosy: Argosy, fit: str) -> None:
    assert argosy("run", fit, "-p", "x=[1,2]", "--name", "one", "-q").code == 0
    assert argosy("trials", "one").code == 2
    answer = argosy("run", fit, "-p", "words=[1,2]", "--sweep", "x=[4,5]", "--name", "both", "-q")
    assert answer.code == 0
    assert len(_trials(argosy, "both")) == 2


def test_the_same_seed_makes_the_same_trials(argosy: Argosy, fit: str) -> None:
    for name in ("a", "b"):
        words = ("x=uniform[0.0:1]", "--max-trials", "3", "--random-seed", "7", "--name", name, "-q")
        assert argosy("run", fit, *words).code == 0
    values = [[one["values"] for one in _trials(argosy, name)] for name in ("a", "b")]
    assert values[0] == values[1]
    assert len(values[0]) == 3


def test_a_search_learns_from_the_trials(argosy: Argosy, fit: str) -> None:
    words = ("x=uniform[0.0:10]", "--maximize", "loss", "--max-trials", "3", "--name", "s")
    answer = argosy("run", fit, *words)
    assert answer.code == 0, answer.err
    assert "bayesian sweep of 3 trials: 3 succeeded" in answer.err
    trials = _trials(argosy, "s")
    assert [one["objective"] for one in trials] == sorted((float(one["values"]["x"]) for one in trials), reverse=True)


def test_files_of_trials(argosy: Argosy, fit: str, folder: Path) -> None:
    (folder / "t.csv").write_text("x,net\n5,resnet\n6,\n")
    assert argosy("run", fit, "@t.csv", "--name", "s", "-q").code == 0
    values = [one["values"] for one in _trials(argosy, "s")]
    assert values == [{"x": "5", "net": "resnet"}, {"x": "6", "net": "vgg"}]


def test_a_failed_trial_is_told_and_retried_alone(argosy: Argosy, fit: str, folder: Path) -> None:
    (folder / "stop-2").touch()
    answer = argosy("run", fit, "x=[1,2,3]", "--name", "s")
    assert answer.code == 1
    assert "2 succeeded, 1 failed" in answer.err
    assert "failed: s-2; argosy retry s runs them again" in answer.err
    (folder / "stop-2").unlink()
    assert argosy("retry", "s").code == 0
    assert [one["phase"] for one in _trials(argosy, "s")] == ["Succeeded"] * 3
    names = argosy("list", "-o", "name").out.split()
    assert sorted(names) == ["s", "s-1", "s-2", "s-3"]


def test_a_trial_that_fails_again_fails_its_sweep_again(argosy: Argosy, fit: str, folder: Path) -> None:
    (folder / "stop-2").touch()
    argosy("run", fit, "x=[1,2]", "--name", "s", "-q")
    assert argosy("retry", "s").code == 1
    assert [one["phase"] for one in _trials(argosy, "s")] == ["Succeeded", "Failed"]


def test_no_other_trial_after_an_error_if_asked(argosy: Argosy, fit: str, folder: Path) -> None:
    (folder / "stop-1").touch()
    answer = argosy("run", fit, "x=[1,2,3,4,5,6,7,8]", "--fail-on-trial-error", "--name", "s")
    assert answer.code == 1
    assert "not begun" in answer.err
    assert len(_trials(argosy, "s")) < 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("net=[vgg,alexnet]",), "net is one of vgg, resnet, not 'alexnet'"),
        (("y=[1,2]",), "no parameter 'y'"),
        (("x=range[1:]",), "is no number"),
        (("x=[1,2]", "-p", "x=3"), "x is given as one value and as many"),
        (("x=[1,2]", "--sweep", "x=[3]"), "x is given as one value and as many"),
        (("--sweep", "x=3"), "neither a list nor a space"),
        (("--max-trials", "3"), "--max-trials is for a sweep"),
        (("x=uniform[0:1]", "--optimizer", "grid"), "a space without steps"),
        (("x=[1,2]", "--optimizer", "bayesian"), "needs to know what is best"),
        (("x=[1,2]", "--minimize", "a", "--maximize", "b"), "one objective"),
        (("x=['{{y}}']",), "has a tag in it"),
    ],
)
def test_refusals_before_anything_is_made(argosy: Argosy, fit: str, words: tuple[str, ...], message: str) -> None:
    answer = argosy("run", fit, *words)
    assert answer.code == 2
    assert message in answer.err
    assert argosy("list", "-o", "name").out == ""


def test_a_file_of_trials_that_is_not_there(argosy: Argosy, fit: str) -> None:
    answer = argosy("run", fit, "@t.csv")
    assert answer.code == 4
    assert "There is no file t.csv" in answer.err


def test_a_sweep_is_deleted_with_its_trials(argosy: Argosy, fit: str) -> None:
    argosy("run", fit, "x=[1,2]", "--name", "s", "-q")
    argosy("run", fit, "x=1", "--name", "s-other", "-q")
    assert argosy("delete", "s", "s-1").code == 0
    assert argosy("list", "-o", "name").out.split() == ["s-other"]


def test_a_sweep_is_resubmitted_as_one(argosy: Argosy, fit: str) -> None:
    words = ("x=uniform[0.0:10]", "--minimize", "loss", "--max-trials", "2", "--name", "s", "-q")
    argosy("run", fit, *words)
    assert argosy("resubmit", "s", "--name", "t").code == 0
    assert len(_trials(argosy, "t")) == 2
    assert len(_trials(argosy, "s")) == 2
    answer = argosy("resubmit", "s", "-p", "words=b")
    assert answer.code == 2
    assert "s is a sweep" in answer.err


def test_a_trial_is_resubmitted_as_an_ordinary_run(argosy: Argosy, fit: str) -> None:
    argosy("run", fit, "x=[1,2]", "--name", "s", "-q")
    assert argosy("resubmit", "s-1", "--name", "again").code == 0
    shown = json.loads(argosy("get", "again", "-o", "json").out)
    assert "labels" not in shown["metadata"]
    assert "ownerReferences" not in shown["metadata"]


@pytest.mark.parametrize(("verb", "handlers"), [("stop", 2), ("terminate", 0)])
def test_ending_a_sweep_ends_its_trials(argosy: Argosy, folder: Path, verb: str, handlers: int) -> None:
    (folder / "slow.yaml").write_text(SLOW.replace("FOLDER", str(folder)))
    assert argosy("run", "slow.yaml", "part=[1,2,3,4]", "-j", "2", "--detach").code == 0
    _await(argosy, lambda phases: [phases.get(name) for name in ("slow-1", "slow-2")] == ["Running"] * 2)
    assert argosy(verb, "slow").code == 0
    phases = _await(argosy, lambda phases: phases["slow"] == "Failed")
    assert phases == {"slow": "Failed", "slow-1": "Failed", "slow-2": "Failed"}
    assert len(list(folder.glob("bye-*"))) == handlers


def _await(argosy: Argosy, wanted: Any, seconds: float = 40.0) -> dict[str, str]:
    phases: dict[str, str] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        phases = {one["name"]: one["phase"] for one in json.loads(argosy("list", "-o", "json").out)["runs"]}
        if wanted(phases):
            return phases
        threading.Event().wait(0.1)
    raise AssertionError(phases)
