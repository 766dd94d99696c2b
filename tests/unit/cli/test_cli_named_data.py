"""Named data by the command line: datasets, models, tags, runs that use them by name, lineage, templates, workflows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Answer, Argosy

TRAIN = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: train-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: data, value: raw}, {name: fail, value: "0"}]}
  templates:
  - name: main
    steps:
    - - {name: prep, template: prep}
    - - name: fit
        template: fit
        arguments: {artifacts: [{name: d, from: "{{steps.prep.outputs.artifacts.out}}"}]}
  - name: prep
    inputs: {artifacts: [{name: raw, path: in, named: {kind: dataset, ref: "{{workflow.parameters.data}}"}}]}
    container: {image: none, command: [sh, -c], args: ["mkdir out; cat in/a > out/all"]}
    outputs: {artifacts: [{name: out, path: out, named: {kind: dataset, ref: "team/clean:fresh"}}]}
  - name: fit
    inputs: {artifacts: [{name: d, path: d}]}
    container: {image: none, command: [sh, -c], args: ["cp d/all model; echo 0.75 > acc; exit $F"],
                env: [{name: F, value: "{{workflow.parameters.fail}}"}]}
    outputs:
      parameters: [{name: acc, valueFrom: {path: acc}}]
      artifacts: [{name: model, path: model, named: {kind: model, ref: net, type: Custom, metrics: [acc]}}]
"""

USE = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: use-}
spec:
  entrypoint: main
  templates:
  - name: main
    inputs: {artifacts: [{name: d, path: in, NAMED}]}
    container: {image: none, command: [sh, -c], args: ["find in -type f | sort; find in -type f | sort | xargs cat"]}
"""


@pytest.fixture
def raw(folder: Path) -> Path:
    (folder / "data" / "sub").mkdir(parents=True)
    (folder / "data" / "a").write_text("one\n")
    (folder / "data" / "sub" / "b").write_text("two\n")
    return folder / "data"


@pytest.fixture
def train(folder: Path) -> str:
    (folder / "train.yaml").write_text(TRAIN)
    return "train.yaml"


def ran(argosy: Argosy, *arguments: str) -> str:
    answer = argosy("run", *arguments, "-o", "name", "-q")
    assert answer.code == 0, answer.err
    return answer.out.strip()


def use(argosy: Argosy, folder: Path, named: str) -> Answer:
    (folder / "use.yaml").write_text(USE.replace("NAMED", f"named: {{{named}}}"))
    answer = argosy("run", "use.yaml", "-q", "-o", "name")
    return argosy("logs", answer.out.strip()) if answer.code == 0 else answer


def as_json(answer: Answer) -> dict[str, Any]:
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_versions_of_a_dataset(argosy: Argosy, raw: Path, folder: Path) -> None:
    assert argosy("datasets", "add", "raw:gold", "data").out == "raw:1\n"
    again = argosy("datasets", "add", "raw", "data")
    assert (again.out, "holds this already" in again.err) == ("raw:1\n", True)
    (raw / "a").write_text("changed\n")
    (raw / "sub" / "b").unlink()
    assert argosy("datasets", "add", "raw", "data", "--note", "smaller").out == "raw:2\n"
    assert argosy("datasets", "get", "raw", "-d", "two").code == 0
    assert argosy("datasets", "get", "raw:gold", "-d", "one").code == 0
    assert sorted(one.name for one in (folder / "two").rglob("*")) == ["a", "sub"]
    assert (folder / "one" / "a").read_text() == "one\n"
    listed = as_json(argosy("datasets", "versions", "raw", "-o", "json"))["versions"]
    assert [(one["version"], one["tags"], one["note"]) for one in listed] == [(2, [], "smaller"), (1, ["gold"], "")]
    taken = argosy("datasets", "get", "raw", "-d", "two")
    assert (taken.code, "something at two already" in taken.err) == (2, True)


def test_what_is_wrong_is_told(argosy: Argosy, raw: Path) -> None:
    argosy("datasets", "add", "raw", "data")
    for arguments, code, word in (
        (("datasets", "get", "rw"), 4, "did you mean raw?"),
        (("datasets", "get", "raw:x"), 4, "no tag 'x'"),
        (("datasets", "add", "raw:1", "data"), 2, "versions never change"),
        (("datasets", "add", "raw", "nowhere"), 4, "nothing at nowhere"),
        (("datasets", "add", "a b", "data"), 2, "does not name a dataset"),
        (("datasets", "add", "raw", "data/a"), 2, "is no folder"),
        (("datasets", "add", "raw"), 2, "FOLDER"),
        (("datasets", "tag", "raw", "7"), 2, "names a version"),
        (("tags", "add", "x", "norun"), 4, "norun"),
        (("lineage", "rwa"), 4, "did you mean raw?"),
        (("models", "get", "raw"), 4, "there is a dataset of that name"),
    ):
        answer = argosy(*arguments)
        assert answer.code == code, (arguments, answer.err)
        assert word in answer.err, (arguments, answer.err)


def test_a_run_makes_versions_and_lineage_knows(argosy: Argosy, raw: Path, train: str) -> None:
    argosy("datasets", "add", "raw", "data")
    name = ran(argosy, train)
    model = as_json(argosy("models", "get", "net", "-o", "json"))
    assert (model["type"], model["metrics"], model["origin"]["run_name"]) == ("Custom", {"acc": 0.75}, name)
    assert as_json(argosy("datasets", "versions", "team/clean", "-o", "json"))["versions"][0]["tags"] == ["fresh"]
    tree = as_json(argosy("lineage", "net", "-o", "json"))
    assert tree["from"][0]["name"] == name
    assert tree["from"][0]["below"][0]["name"] == "raw:1"
    down = argosy("lineage", "raw")
    assert f"taken by run {name} (prep/raw)" in down.out
    assert "made model net:1 (fit/model)" in down.out
    assert f"run {name}" in argosy("lineage", f"run/{name}").out


def test_a_run_says_which_version_latest_was(argosy: Argosy, raw: Path, train: str) -> None:
    argosy("datasets", "add", "raw", "data")
    name = ran(argosy, train)
    assert "dataset raw is raw:1  prep/raw" in argosy("get", name).out
    (raw / "a").write_text("later\n")
    argosy("datasets", "add", "raw", "data")
    assert ran(argosy, train) != name
    assert "taken by" in argosy("lineage", "raw:2").out
    # The same run again takes what it took, a new one what is latest.
    again = argosy("resubmit", name, "-q", "-o", "name").out.strip()
    tree = as_json(argosy("lineage", again, "-o", "json"))
    assert tree["from"][0]["name"] == "raw:1"
    other = argosy("resubmit", name, "-p", "data=raw:2", "-q", "-o", "name").out.strip()
    assert as_json(argosy("lineage", other, "-o", "json"))["from"][0]["name"] == "raw:2"


def test_the_same_run_again_takes_the_same_data_of_templates_around_it(argosy: Argosy, raw: Path, folder: Path) -> None:
    head = "apiVersion: argoproj.io/v1alpha1\n"
    named = "named: {kind: dataset, ref: raw}"
    shown = (
        f"{head}kind: WorkflowTemplate\nmetadata: {{name: shown}}\n{USE[USE.index('spec:') :].replace('NAMED', named)}"
    )
    (folder / "shown.yaml").write_text(shown)
    (folder / "call.yaml").write_text(
        f"{head}kind: Workflow\nmetadata: {{generateName: call-}}\nspec:\n  entrypoint: main\n  templates:\n"
        "  - {name: main, steps: [[{name: a, templateRef: {name: shown, template: main}}]]}\n"
    )
    argosy("apply", "shown.yaml")
    argosy("datasets", "add", "raw", "data")
    called, straight = ran(argosy, "call.yaml"), ran(argosy, "template/shown")
    (raw / "a").write_text("later\n")
    argosy("datasets", "add", "raw", "data")
    for name in (called, straight):
        again = argosy("resubmit", name, "-q", "-o", "name").out.strip()
        assert "one\n" in argosy("logs", again).out
        assert "raw:1" in argosy("get", again).out
    (folder / "shown.yaml").write_text(shown.replace("find in -type f | sort;", ""))
    argosy("apply", "shown.yaml")
    again = argosy("resubmit", called, "-q", "-o", "name").out.strip()
    assert "later\n" in argosy("logs", again).out


def test_a_retry_takes_what_the_run_took(argosy: Argosy, raw: Path, train: str) -> None:
    argosy("datasets", "add", "raw", "data")
    name = argosy("run", train, "-p", "fail=1", "-q", "-o", "name").out.strip()
    assert argosy("models", "list", "-o", "name").out == ""
    (raw / "a").write_text("later\n")
    argosy("datasets", "add", "raw", "data")
    assert argosy("retry", name, "-p", "fail=0", "-q").code == 0
    assert as_json(argosy("lineage", name, "-o", "json"))["from"][0]["name"] == "raw:1"
    assert argosy("models", "get", "net", "-d", "got").code == 0
    assert Path("got").read_text() == "one\n"
    # What succeeded in the first place was not made again.
    assert argosy("datasets", "versions", "team/clean", "-o", "name").out == "team/clean:1\n"


def test_a_name_that_means_nothing_starts_no_run(argosy: Argosy, raw: Path, train: str) -> None:
    argosy("datasets", "add", "raw", "data")
    planned = argosy("plan", train, "-p", "data=rwa")
    assert (planned.code, "did you mean raw?" in planned.err) == (4, True)
    assert argosy("plan", train).code == 0
    answer = argosy("run", train, "-p", "data=rwa", "-q")
    assert (answer.code, answer.out) == (4, "")
    assert "prep/raw: There is no dataset named 'rwa'" in answer.err
    assert "did you mean raw?" in answer.err
    assert argosy("list", "-o", "name").out == ""


def test_an_input_is_a_tag_a_run_or_a_part_of_one(argosy: Argosy, raw: Path, train: str, folder: Path) -> None:
    argosy("datasets", "add", "raw", "data")
    name = ran(argosy, train)
    assert argosy("tags", "add", "train:good", name).out == "train:good@1\n"
    for named, seen in (
        ('kind: tag, ref: "train:good"', "in/model\nin/out/all\n"),
        ("kind: run, ref: train", "in/model\nin/out/all\n"),
        ('kind: run, ref: "other,train"', "in/model\nin/out/all\n"),
        ("kind: run, ref: train, artifact: out", "in/all\n"),
        ('kind: tag, ref: "train:good", artifact: fit/model', "in\n"),
        ("kind: run, ref: train, path: out/all", "in\n"),
        (f"kind: run, ref: {name}, artifact: model", "in\n"),
        ("kind: dataset, ref: raw, path: sub", "in/b\n"),
    ):
        answer = use(argosy, folder, named)
        assert answer.code == 0, (named, answer.err)
        assert answer.out.startswith(seen), (named, answer.out)
    for named, word in (
        ("kind: run, ref: trian", "did you mean train?"),
        ("kind: run, ref: train, artifact: modle", "did you mean model?"),
        ("kind: dataset, ref: raw, path: nope", "There is no 'nope' in the dataset raw:1"),
        ("kind: datset, ref: raw", "did you mean dataset?"),
    ):
        answer = use(argosy, folder, named)
        assert answer.code in (3, 4)
        assert word in answer.err, (named, answer.err)


def test_the_latest_run_is_one_that_succeeded(argosy: Argosy, raw: Path, train: str, folder: Path) -> None:
    argosy("datasets", "add", "raw", "data")
    first = ran(argosy, train)
    argosy("run", train, "-p", "fail=1", "-q")
    assert use(argosy, folder, "kind: run, ref: train").code == 0
    newest = argosy("list", "-o", "name").out.split()[0]
    assert as_json(argosy("lineage", newest, "-o", "json"))["from"][0]["name"] == first


def test_a_run_tags_its_outputs_once_it_has_succeeded(argosy: Argosy, raw: Path, train: str) -> None:
    argosy("datasets", "add", "raw", "data")
    assert argosy("run", train, "--tag", "a b").code == 2
    argosy("run", train, "-p", "fail=1", "--tag", "train:good", "-q")
    failed = argosy("list", "-o", "name").out.strip()
    assert argosy("tags", "list", "-o", "name").out == ""
    assert argosy("retry", failed, "-p", "fail=0", "-q").code == 0
    name = ran(argosy, train, "--tag", "train:good", "--tag", "best")
    moves = as_json(argosy("tags", "list", "train:good", "-o", "json"))["versions"]
    assert [(one["origin"]["run_name"], one["files"]) for one in moves] == [(name, 2), (failed, 2)]
    assert argosy("tags", "get", "best", "-d", "best").code == 0
    assert sorted(str(one) for one in Path("best").rglob("*") if one.is_file()) == ["best/model", "best/out/all"]


def test_an_optional_input_may_be_missing(argosy: Argosy, folder: Path) -> None:
    assert use(argosy, folder, "kind: dataset, ref: none}, optional: true, mode: 420, archive: {none: {}").code == 0


def test_a_tag_moves_and_tells_what_it_was(argosy: Argosy, raw: Path, folder: Path) -> None:
    argosy("tags", "add", "prep:latest", "./data")
    (raw / "a").write_text("more\n")
    assert argosy("tags", "add", "prep:latest", "./data").out == "prep:latest@2\n"
    assert argosy("tags", "list", "prep:latest", "-o", "name").out == "prep:latest@2\nprep:latest@1\n"
    assert argosy("tags", "get", "prep:latest@1", "-d", "old").code == 0
    assert (folder / "old" / "a").read_text() == "one\n"
    assert argosy("tags", "delete", "prep:latest").code == 0
    assert argosy("tags", "list", "-o", "name").out == ""


def test_what_names_point_to_is_never_pruned(argosy: Argosy, raw: Path, train: str, folder: Path) -> None:
    argosy("datasets", "add", "raw", "data")
    name = ran(argosy, train)
    argosy("delete", name)
    old(folder)
    argosy("prune")
    assert argosy("check", "--read-data").code == 0
    assert argosy("models", "get", "net", "-d", "net").code == 0
    assert argosy("datasets", "get", "team/clean", "-d", "clean").code == 0
    assert "deleted since" in argosy("lineage", "net").out
    for kind, ref in (("models", "net"), ("datasets", "team/clean"), ("datasets", "raw")):
        assert argosy(kind, "delete", ref).code == 0
    old(folder)
    argosy("prune")
    assert as_json(argosy("check", "-o", "json"))["objects"] == 0


def old(folder: Path) -> None:
    """Make every object older than the time that a prune leaves to writers."""
    for one in (folder / ".argosy" / "store").rglob("*"):
        os.utime(one, (1e9, 1e9))


def test_templates_have_versions_labels_and_an_archive(argosy: Argosy, folder: Path) -> None:
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: hello}\nspec:\n  entrypoint: main\n"
        "  templates: [{name: main, container: {image: none, command: [echo], args: [WORD]}}]\n"
    )
    for word in ("one", "two", "two"):
        (folder / "t.yaml").write_text(text.replace("WORD", word))
        assert argosy("apply", "t.yaml").code == 0
    assert argosy("templates", "versions", "hello", "-o", "name").out == "hello@2\nhello@1\n"
    first, latest = ran(argosy, "template/hello@1"), ran(argosy, "template/hello")
    assert (argosy("logs", first).out, argosy("logs", latest).out) == ("one\n", "two\n")
    assert as_json(argosy("lineage", latest, "-o", "json"))["from"][0]["name"] == "hello@2"
    assert sorted(argosy("list", "--template", "hello", "-o", "name").out.split()) == sorted([first, latest])
    assert "one" in argosy("templates", "hello@1").out
    assert argosy("run", "template/hello@7").code == 4
    assert argosy("templates", "label", "hello", "team=red", "old-").out == "team=red\n"
    assert argosy("templates", "-l", "team=red", "-o", "name").out == "workflowtemplate/hello\n"
    assert argosy("templates", "-l", "team=blue", "-o", "name").out == ""
    assert argosy("templates", "archive", "hello").code == 0
    assert argosy("templates", "-o", "name").out == ""
    assert argosy("templates", "--archived", "-o", "name").out == "workflowtemplate/hello\n"
    refused = argosy("run", "template/hello")
    assert (refused.code, "unarchive hello" in refused.err) == (2, True)
    assert argosy("templates", "unarchive", "hello").code == 0
    assert argosy("templates", "versions", "hello", "-o", "name").out == "hello@2\nhello@1\n"


def test_a_workflow_is_kept_with_inputs(argosy: Argosy, hello: str, folder: Path) -> None:
    assert argosy("workflows", "create", "greet", hello, "-p", "who=moon").out == "greet:1\n"
    (folder / hello).unlink()
    first, second = ran(argosy, "workflow/greet"), ran(argosy, "workflow/greet", "-p", "who=world")
    assert (argosy("logs", first).out, argosy("logs", second).out) == ("hello moon\n", "hello world\n")
    assert argosy("workflows", "get", "greet", "--runs", "-o", "name").out.split() == [second, first]
    assert as_json(argosy("lineage", first, "-o", "json"))["from"][0]["name"] == "greet:1"
    assert "entrypoint: main" in argosy("workflows", "get", "greet", "--file").out
    assert argosy("workflows", "create", "greet", hello).code == 2
    assert argosy("workflows", "set", "gret", hello).code == 4
    assert argosy("workflows", "create", "none", "nowhere.yaml").code == 4
    assert argosy("workflows", "list", "-o", "name").out == "greet\n"
