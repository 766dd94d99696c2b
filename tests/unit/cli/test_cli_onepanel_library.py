"""The library of templates on the command line: kept, listed, labelled, cloned, archived, run by name and version."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from cli_samples import Argosy
from onepanel_samples import POOLS, TEMPLATE, run, values

from argosy.project.project import Project
from argosy.project.rerunning import prefilled


@pytest.fixture
def say(folder: Path) -> str:
    (folder / "say.yaml").write_text(TEMPLATE)
    return "say.yaml"


def test_name_and_template_are_searched_in(argosy: Argosy, say: str) -> None:
    assert argosy("templates", "create", say, "--name", "Say It").code == 0
    run(argosy, "template/say-it", "workflow-execution-name=first-one")
    run(argosy, say, "workflow-execution-name=second-one")
    for label, found in (
        ("name=st-o", "first-one\n"),
        ("name=-one", "second-one\nfirst-one\n"),
        ("template=ay-i", "first-one\n"),
        ("template=other", ""),
        ("names=first", ""),
    ):
        assert argosy("list", "-l", label, "-o", "name").out == found
    for label, found in (("name=ay", "workflowtemplate/say-it\n"), ("template=it", "workflowtemplate/say-it\n")):
        assert argosy("templates", "list", "-l", label, "-o", "name").out == found
    assert argosy("templates", "list", "-l", "name=other", "-o", "name").out == ""


@pytest.mark.parametrize("label", ["bad label=1", "a=b c", "/a=b", "A_B/c=d", f"a={'b' * 64}"])
def test_labels_that_cannot_be(argosy: Argosy, say: str, label: str) -> None:
    argosy("templates", "create", say)
    done = argosy("templates", "label", "say", label)
    assert (done.code, "cannot be a label" in done.err) == (2, True)
    assert argosy("templates", "label", "say", "tags.onepanel.io/team=a.b", "empty=").code == 0


def test_template_library(argosy: Argosy, say: str, folder: Path) -> None:
    assert argosy("templates", "create", say, "--name", "Say It").out == "say-it version 1 created\n"
    assert argosy("templates", "create", say, "--name", "Say It").out == "say-it version 1 unchanged\n"
    (folder / say).write_text(TEMPLATE.replace("Large, value: l", "Large, value: xl"))
    assert argosy("templates", "create", say, "--name", "Say It", "-o", "name").out == "say-it@2\n"
    assert argosy("templates", "list", "-o", "name").out == "workflowtemplate/say-it\n"
    assert argosy("templates", "versions", "say-it", "-o", "name").out == "say-it@2\nsay-it@1\n"
    assert "xl (Large)" in argosy("params", "template/say-it").out
    assert "l (Large)" in argosy("params", "template/say-it@1").out
    assert argosy("templates", "show", "say-it@1", "--source").out == TEMPLATE
    assert argosy("templates", "clone", "say-it@1", "Other One").out == "other-one version 1 created\n"
    made = run(argosy, "template/say-it@1", "size=l", "message=a")
    assert made["metadata"]["labels"] == {
        "onepanel.io/workflow-template-uid": "say-it",
        "onepanel.io/workflow-template-version": "1",
    }
    assert argosy("logs", made["metadata"]["name"]).out.startswith("a|")
    latest = run(argosy, "template/say-it", "size=xl", "workflow-execution-name=named")
    assert latest["metadata"]["name"] == "named"
    assert latest["metadata"]["labels"]["onepanel.io/workflow-template-version"] == "2"
    assert argosy("run", "template/other-one", "size=xl").code == 2
    assert "template/say-it@1 is the template of that name" in argosy("run", "say-it@1").err
    assert argosy("templates", "label", "say-it", "team=vision").out == "team=vision\n"
    assert argosy("templates", "list", "-l", "team=vision", "-o", "name").out == "workflowtemplate/say-it\n"
    assert argosy("templates", "archive", "say-it").code == 0
    assert argosy("run", "template/say-it").code == 2
    assert argosy("templates", "list", "-o", "name").out == "workflowtemplate/other-one\n"


def test_a_template_is_shown_without_its_file(argosy: Argosy, say: str) -> None:
    argosy("templates", "create", say)
    for name in ("say", "say@1"):
        shown = argosy("templates", "show", name).out
        assert shown.startswith("apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata:\n")
        assert "argosy.dev/source" not in shown
        assert "argosy.dev/source" in argosy("templates", "show", name, "-o", "yaml").out
        (one,) = json.loads(argosy("templates", "show", name, "-o", "json").out)["objects"]
        assert one["metadata"]["annotations"]["argosy.dev/source"] == TEMPLATE
    assert argosy("templates", "show", "say@1", "-o", "name").out == "workflowtemplate/say@1\n"
    assert argosy("templates", "show", "say@2").code == 4


@pytest.mark.parametrize("verb", [("show",), ("versions",), ("archive",), ("show", "--source")])
def test_a_name_near_one_of_another_kind(argosy: Argosy, folder: Path, verb: tuple[str, ...]) -> None:
    (folder / "nightly.yaml").write_text("schedule: '0 4 * * *'\nworkflowSpec:\n" + textwrap.indent(TEMPLATE, "  "))
    argosy("templates", "create", "nightly.yaml")
    done = argosy("templates", *verb, "nightli")
    assert (done.code, "did you mean nightly?" in done.err) == (4, True)
    done = argosy("templates", *verb, "other")
    assert (done.code, "argosy templates create FILE makes one" in done.err) == (4, True)


def test_names_of_templates(argosy: Argosy, say: str) -> None:
    done = argosy("templates", "create", say, "--name", "A name that has more than thirty")
    assert done.code == 2
    assert "Template name must be 30 characters or less" in done.err
    assert argosy("templates", "create", say, "--name", "!!").code == 2
    assert argosy("templates", "clone", "say", "other").code == 4


def test_a_template_is_made_of_one_workflow(argosy: Argosy, folder: Path, hello: str) -> None:
    assert argosy("templates", "create", hello).out == "hello version 1 created\n"
    assert argosy("run", "template/hello", "who=moon", "-q").code == 0
    secret = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    for file, text, said in (
        ("more.yaml", (folder / hello).read_text() + secret, "more.yaml holds ConfigMap besides the workflow"),
        ("none.yaml", secret, "none.yaml holds 0 workflows"),
        (
            "two.yaml",
            f"{(folder / hello).read_text()}---\n{(folder / hello).read_text()}",
            "two.yaml holds 2 workflows",
        ),
    ):
        (folder / file).write_text(text)
        done = argosy("templates", "create", file)
        assert done.code == 3
        assert said in done.err


def test_node_pools_of_kept_templates(argosy: Argosy, say: str, folder: Path) -> None:
    argosy("templates", "create", say)
    (folder / "argosy.toml").write_text(POOLS)
    assert "default (small)" in argosy("params", "template/say").out
    assert values(run(argosy, "template/say"))["sys-node-pool"] == "small"
    assert argosy("run", "template/say", "sys-node-pool=nope").code == 2


def test_run_again_has_the_old_values(argosy: Argosy, say: str, folder: Path) -> None:
    name = run(argosy, say, "message=hello", "size=l")["metadata"]["name"]
    project = Project.open(None, folder=folder)
    takes = prefilled(project.view(name))
    project.close()
    assert {one.name: one.default for one in takes.inputs}["message"] == "hello"
    assert takes.inputs[1].choices[1].label == "Large"
    done = argosy("resubmit", name, "-q", "-o", "json", "-p", "size=s")
    assert {key: values(json.loads(done.out))[key] for key in ("message", "size")} == {"message": "hello", "size": "s"}
    assert argosy("resubmit", name, "-p", "size=m").code == 2
    assert argosy("resubmit", name, "--ask").err.startswith("error: --ask needs a terminal")


def test_a_cron_workflow_is_kept(argosy: Argosy, folder: Path) -> None:
    indented = "".join(f"  {line}\n" for line in TEMPLATE.splitlines())
    cron = "schedule: '0 4 * * *'\ntimezone: Etc/UTC\nsuspend: false\nconcurrencyPolicy: Allow\n"
    cron += "startingDeadlineSeconds: 0\nsuccessfulJobsHistoryLimit: 1\nfailedJobsHistoryLimit: 1\nworkflowSpec:\n"
    (folder / "nightly.yaml").write_text(cron + indented)
    assert argosy("lint", "-q", "nightly.yaml").out == ""
    assert argosy("templates", "create", "nightly.yaml").out == "nightly version 1 created\n"
    assert argosy("templates", "list", "-o", "name").out == "cronworkflow/nightly\n"
    assert argosy("templates", "show", "nightly", "--source").out == cron + indented
    assert argosy("templates", "show", "nightly").out.startswith(
        "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\n"
    )
    made = run(argosy, "cronworkflow/nightly")
    assert made["metadata"]["name"].startswith("nightly-")
    assert values(made)["message"] == "from default"
    assert "Message; What to say" in argosy("params", "cronworkflow/nightly").out
    assert argosy("run", "cronworkflow/nightly", "size=xl").code == 2
    assert values(run(argosy, "cronworkflow/nightly", "size=l"))["size"] == "l"


def test_a_cron_workflow_is_linted_as_a_template_is(argosy: Argosy, folder: Path) -> None:
    text = TEMPLATE.replace("entrypoint: main", "entrypoint: say").replace("visibility: internal", "visibility: inner")
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    (folder / "nightly.yaml").write_text(f"schedule: '0 4 * * *'\nworkflowSpec:\n{indented}")
    found = argosy("lint", "nightly.yaml").out
    assert 'nightly.yaml:3:15: error: "entrypoint" template should be a DAG' in found
    assert "nightly.yaml:11:" in found
    assert "invalid visibility 'inner' for parameter 'sys-node-pool'" in found
