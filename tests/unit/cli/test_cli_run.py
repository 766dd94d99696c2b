"""`argosy run` and what shows a run: exit codes, streams, parameters, names, formats."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_samples import DIAMOND, HELLO, Argosy


def test_a_run_that_succeeds(argosy: Argosy, hello: str) -> None:
    answer = argosy("run", hello)
    assert answer.code == 0
    assert answer.out == ""
    assert re.search(r"^\d\d:\d\d:\d\d succeeded hello-\w{5}  ", answer.err, re.MULTILINE)
    assert re.search(r"^hello-\w{5} succeeded in ", answer.err, re.MULTILINE)
    assert "\x1b" not in answer.err
    assert argosy("logs", "@latest").out == "hello world\n"


def test_a_run_that_fails_shows_the_end_of_the_log(argosy: Argosy, diamond: str) -> None:
    answer = argosy("run", diamond)
    assert answer.code == 1
    assert "failed    b" in answer.err
    assert "    | ending" in answer.err
    assert "omitted   c" in answer.err
    assert "argosy retry dag-" in answer.err


def test_json_of_a_run_is_an_argo_workflow_also_when_it_failed(argosy: Argosy, diamond: str) -> None:
    answer = argosy("run", diamond, "-q", "-o", "json")
    assert answer.code == 1
    assert answer.err.count("\n") == 0
    document = json.loads(answer.out)
    assert (document["apiVersion"], document["kind"]) == ("argoproj.io/v1alpha1", "Workflow")
    assert document["status"]["phase"] == "Failed"
    phases = {node["displayName"]: node["phase"] for node in document["status"]["nodes"].values()}
    assert phases["a"] == "Succeeded"
    assert phases["b"] == "Failed"
    assert phases["c"] == "Omitted"
    assert phases["s"] == "Skipped"


def test_yaml_and_name(argosy: Argosy, hello: str) -> None:
    assert argosy("run", hello, "-q", "-o", "name", "--name", "mine").out == "mine\n"
    assert "phase: Succeeded" in argosy("run", hello, "-q", "-o", "yaml").out
    assert argosy("get", "mine", "-o", "name").out == "mine\n"
    assert argosy("get", "mine", "-o", "source").out == HELLO
    assert "who" in argosy("get", "mine", "-o", "manifest").out


def test_parameters_of_the_command_line_win_over_those_of_a_file(argosy: Argosy, hello: str, folder: Path) -> None:
    (folder / "p.yaml").write_text("who: moon\n")
    assert argosy("run", hello, "-q", "--params-file", "p.yaml").code == 0
    assert argosy("logs", "@latest").out == "hello moon\n"
    assert argosy("run", hello, "-q", "--params-file", "p.yaml", "-p", "who=world").code == 0
    assert argosy("logs", "@latest").out == "hello world\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-p", "whoo=x"), 2, "did you mean who?"),
        (("-p", "who"), 2, "write NAME=VALUE"),
        (("-p", "who=mars"), 2, "who is one of world, moon, not 'mars'"),
        (("--entrypoint", "mian"), 2, "did you mean main?"),
        (("--name", "Not OK"), 2, "try not-ok"),
        (("--params-file", "none.yaml"), 4, "There is no file none.yaml"),
        (("--runtime", "cloud"), 2, "'cloud' is not one of"),
        (("--jobs", "0"), 2, "--jobs"),
        (("--gpus", "x"), 2, "--gpus 'x' is neither a count nor a list"),
    ],
)
def test_wrong_calls(argosy: Argosy, hello: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    answer = argosy("run", hello, *arguments)
    assert answer.code == code
    assert said in answer.err
    assert argosy("list", "-o", "name").out == ""


def test_a_file_that_is_wrong_is_not_run(argosy: Argosy, folder: Path) -> None:
    (folder / "bad.yaml").write_text(HELLO.replace("entrypoint: main", "entrypoint: mani"))
    answer = argosy("run", "bad.yaml")
    assert answer.code == 3
    assert "bad.yaml:5:15: error:" in answer.err
    assert "^^^^" in answer.err
    assert argosy("list", "-o", "name").out == ""


def test_a_file_that_is_not_there(argosy: Argosy, hello: str) -> None:
    answer = argosy("run", "helo.yaml")
    assert answer.code == 4
    assert "did you mean hello.yaml?" in answer.err


def test_without_a_file_the_ones_of_this_folder_are_listed(argosy: Argosy, hello: str, diamond: str) -> None:
    answer = argosy("run")
    assert answer.code == 0
    assert answer.out == "diamond.yaml  dag-*\nhello.yaml  hello-*\n"


def test_a_name_that_is_taken(argosy: Argosy, folder: Path) -> None:
    (folder / "fixed.yaml").write_text(HELLO.replace("generateName: hello-", "name: fixed"))
    assert argosy("run", "fixed.yaml", "-q", "-o", "name").out == "fixed\n"
    again = argosy("run", "fixed.yaml", "-o", "name")
    assert re.fullmatch(r"fixed-\w{5}\n", again.out)
    assert "there is a run named fixed already" in again.err
    assert argosy("run", "fixed.yaml", "--name", "fixed").code == 2


def test_a_run_without_any_name_gets_two_words(argosy: Argosy, folder: Path) -> None:
    (folder / "nameless.yaml").write_text(HELLO.replace("{generateName: hello-}", "{}"))
    assert re.fullmatch(r"[a-z]+-[a-z]+\n", argosy("run", "nameless.yaml", "-q", "-o", "name").out)


def test_several_documents_in_a_file(argosy: Argosy, folder: Path) -> None:
    more = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {who: moon}\n"
    asking = HELLO.replace(
        "[{name: who, value: world, enum: [world, moon]}]",
        "[{name: who, valueFrom: {configMapKeyRef: {name: m, key: who}}}]",
    )
    (folder / "many.yaml").write_text("---\n".join([more, asking, HELLO]))
    answer = argosy("run", "many.yaml", "-o", "name")
    assert answer.code == 0
    assert "ConfigMap m created" in answer.err
    first, second = answer.out.split()
    assert argosy("logs", first).out == "hello moon\n"
    assert argosy("logs", second).out == "hello world\n"
    assert argosy("run", "many.yaml", "--name", "x").code == 2


def test_a_template_of_the_catalog(argosy: Argosy, folder: Path) -> None:
    template = HELLO.replace("kind: Workflow", "kind: WorkflowTemplate").replace("generateName: hello-", "name: greet")
    (folder / "t.yaml").write_text(template)
    assert "argosy apply -f t.yaml, then argosy run template/greet" in argosy("run", "t.yaml").err
    assert argosy("apply", "-f", "t.yaml").out == "WorkflowTemplate greet created\n"
    assert argosy("run", "template/greet", "-q", "-p", "who=moon").code == 0
    assert argosy("logs", "@latest").out == "hello moon\n"
    listed = json.loads(argosy("list", "--template", "greet", "-o", "json").out)
    assert [run["workflowTemplate"] for run in listed["runs"]] == ["greet"]
    assert "did you mean greet" in argosy("run", "template/gret").err


def test_what_a_run_read_of_the_catalog_stays_what_it_was(argosy: Argosy, folder: Path) -> None:
    calling = HELLO.replace(
        "templates:\n",
        "templates:\n  - name: caller\n    steps:\n    - - {name: s, templateRef: {name: t, template: main}}\n",
    ).replace("entrypoint: main", "entrypoint: caller")
    (folder / "w.yaml").write_text(calling)
    template = HELLO.replace("kind: Workflow", "kind: WorkflowTemplate").replace("generateName: hello-", "name: t")
    (folder / "t.yaml").write_text(template)
    argosy("apply", "-f", "t.yaml")
    assert argosy("run", "w.yaml", "-q", "--name", "kept").code == 0
    before = json.loads(argosy("get", "kept", "-o", "json").out)
    (folder / "t.yaml").write_text(
        template.replace("name: main", "name: other").replace("entrypoint: main", "entrypoint: other")
    )
    argosy("apply", "-f", "t.yaml")
    assert json.loads(argosy("get", "kept", "-o", "json").out) == before
    assert "✔ s" in argosy("get", "kept").out


def test_labels_are_kept_and_searched(argosy: Argosy, hello: str) -> None:
    argosy("run", hello, "-q", "-l", "team=red", "--name", "one")
    argosy("run", hello, "-q", "--name", "two")
    assert argosy("list", "-l", "team=red", "-o", "name").out == "one\n"
    assert argosy("list", "--phase", "succeeded", "-o", "name").out == "two\none\n"
    assert argosy("list", "--since", "1h", "-n", "1", "-o", "name").out == "two\n"
    assert argosy("list", "--since", "soon").code == 2


def test_labels_that_are_expressions(argosy: Argosy, folder: Path) -> None:
    described = HELLO.replace(
        "spec:\n", "spec:\n  workflowMetadata: {labelsFrom: {who: {expression: workflow.parameters.who}}}\n"
    )
    (folder / "l.yaml").write_text(described)
    argosy("run", "l.yaml", "-q", "--name", "one")
    assert argosy("list", "-l", "who=world", "-o", "name").out == "one\n"


def test_a_step_that_can_never_run_here(argosy: Argosy, folder: Path) -> None:
    hungry = HELLO.replace("image: none,", "image: none, resources: {requests: {cpu: '10000'}},")
    (folder / "hungry.yaml").write_text(hungry)
    answer = argosy("run", "hungry.yaml")
    assert answer.code == 5
    assert "asks for 10000 CPUs" in answer.err
    assert "--ignore-resources" in answer.err
    assert argosy("run", "hungry.yaml", "-q", "--ignore-resources").code == 0


def test_home_can_be_named(argosy: Argosy, hello: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    argosy("run", hello, "-q", "--home", "elsewhere", "--name", "one")
    assert (folder / "elsewhere" / "argosy.db").exists()
    assert not (folder / ".argosy").exists()
    monkeypatch.setenv("ARGOSY_HOME", str(folder / "elsewhere"))
    assert argosy("list", "-o", "name").out == "one\n"


def test_nothing_is_made_by_looking(argosy: Argosy, folder: Path) -> None:
    assert argosy("list").code == 0
    assert argosy("get", "@latest").code == 4
    assert argosy("logs", "x").code == 4
    assert not (folder / ".argosy").exists()


def test_ctrl_c_stops_the_run_and_it_is_over(argosy: Argosy, folder: Path) -> None:
    (folder / "nap.yaml").write_text(
        DIAMOND.replace('args: ["echo ending >&2; exit $CODE"]', 'args: ["touch ../../../begun; sleep 60"]')
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "argosy.cli.main", "run", "nap.yaml", "--name", "nap"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for(lambda: any((folder / ".argosy" / "runs").glob("*/begun")))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "stopping" in said
    document = json.loads(argosy("get", "nap", "-o", "json").out)
    assert document["status"]["phase"] == "Failed"
    assert argosy("logs", "nap", "onExit").out == "bye Failed\n"


def test_detached_and_watched(argosy: Argosy, hello: str) -> None:
    answer = argosy("run", hello, "--detach", "--name", "apart")
    assert (answer.code, answer.out) == (0, "apart\n")
    watched = argosy("watch", "apart")
    assert watched.code == 0
    assert "apart succeeded" in watched.err


def _wait_for(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, os.listdir(".")
        time.sleep(0.02)


LEFT_TO_IMAGES = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: images-}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{name: a, template: unknown, when: "1 == 2"}], [{name: b, template: known}]]
  - name: unknown
    container: {image: "registry.example/tool:1", args: [x]}
  - name: known
    container: {image: "greeter:2", args: [there]}
"""


def test_that_a_step_leaves_its_command_to_an_unknown_image_is_told_before_the_run(
    argosy: Argosy, folder: Path
) -> None:
    (folder / "argosy.toml").write_text('[images.greeter]\nentrypoint = ["echo", "hello"]\n')
    (folder / "images.yaml").write_text(LEFT_TO_IMAGES)
    run = argosy("run", "images.yaml", "--runtime", "process")
    assert run.code == 0, run.err
    assert (
        "images.yaml:10:16: warning: no command is given, and what registry.example/tool:1 runs is not known" in run.err
    )
    assert "greeter" not in run.err.partition("started")[0]
