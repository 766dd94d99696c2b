"""Programs written for Hera, run by the command line: all that a manifest has, templates first, code for its runner."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli_samples import Argosy

IMPORTS = """\
from hera.workflows import (
    ClusterWorkflowTemplate, Container, CronWorkflow, DAG, Parameter, RetryStrategy, Step, Steps, Suspend, Task,
    Workflow, WorkflowTemplate, script,
)
from hera.workflows.models import TemplateRef, WorkflowTemplateRef

"""


def program(folder: Path, text: str, name: str = "program.py") -> str:
    (folder / name).write_text(IMPORTS + text)
    return name


def steps(argosy: Argosy, run: str) -> dict[str, dict[str, Any]]:
    """The nodes of a run by their display names."""
    found = json.loads(argosy("get", run, "-o", "json").out)
    return {node["displayName"]: node for node in found["status"]["nodes"].values()}


def said(argosy: Argosy, run: str, step: str) -> str:
    """The last line that a step wrote."""
    return argosy("logs", run, step).out.splitlines()[-1]


def test_a_dag_of_scripts_with_parameters_loops_and_conditions(folder: Path, argosy: Argosy) -> None:
    name = program(
        folder,
        """
@script()
def numbers(count: int):
    import json, sys
    json.dump(list(range(count)), sys.stdout)

@script()
def square(n: int):
    print(n * n)

@script()
def total(values: list):
    print(sum(int(one) for one in values))

@script()
def tell(what: str):
    print("told " + what)

with Workflow(generate_name="sums-", entrypoint="main", arguments={"count": 4}) as w:
    with DAG(name="main"):
        n = numbers(arguments={"count": w.get_parameter("count")})
        s = square(with_param=n.result, arguments={"n": "{{item}}"})
        t = total(arguments={"values": s.result})
        big = tell(name="big", arguments={"what": "big"}, when=f"{t.result} > 10")
        small = tell(name="small", arguments={"what": "small"}, when=f"{t.result} <= 10")
        n >> s >> t >> [big, small]
""",
    )
    assert argosy("run", name, "--name", "sums", "-q").code == 0
    nodes = steps(argosy, "sums")
    assert nodes["total"]["outputs"]["result"] == "14"
    assert nodes["square(3:3)"]["outputs"]["result"] == "9"
    assert (nodes["big"]["phase"], nodes["small"]["phase"]) == ("Succeeded", "Skipped")
    assert argosy("run", name, "-p", "count=2", "--name", "small", "-q").code == 0
    assert steps(argosy, "small")["small"]["phase"] == "Succeeded"


def test_steps_with_retries_an_exit_handler_and_a_container(folder: Path, argosy: Argosy) -> None:
    name = program(
        folder,
        """
@script(retry_strategy=RetryStrategy(limit=2), inputs=Parameter(name="try", value="{{retries}}"))
def flaky():
    import sys
    sys.exit(0 if "{{retries}}" == "1" else 1)

with Workflow(generate_name="steps-", entrypoint="main", on_exit="bye") as w:
    say = Container(name="say", image="busybox", command=["echo"], args=["{{inputs.parameters.m}}"],
                    inputs=[Parameter(name="m")])
    Container(name="bye", image="busybox", command=["echo"], args=["{{workflow.status}}"])
    with Steps(name="main") as main:
        flaky(name="flaky")
        with main.parallel():
            say(name="one", arguments={"m": "1"})
            say(name="two", arguments={"m": "{{item}}"}, with_items=["a", "b"])
""",
    )
    ran = argosy("run", name, "--name", "steps", "-q")
    nodes = steps(argosy, "steps")
    assert ran.code == 0, nodes
    assert nodes["flaky(0)"]["phase"] == "Failed"
    assert nodes["flaky(1)"]["phase"] == "Succeeded"
    assert nodes["two(1:b)"]["phase"] == "Succeeded"
    assert argosy("logs", "steps", "steps.onExit").out.endswith("Succeeded\n")


def test_artifacts_between_scripts(folder: Path, argosy: Argosy) -> None:
    name = program(
        folder,
        """
from hera.workflows import Artifact, NoneArchiveStrategy

@script(outputs=Artifact(name="made", path="made.txt", archive=NoneArchiveStrategy()))
def make():
    with open("made.txt", "w") as file:
        file.write("content")

@script(inputs=Artifact(name="given", path="given.txt"))
def use():
    print(open("given.txt").read())

with Workflow(generate_name="files-", entrypoint="main") as w:
    with DAG(name="main"):
        m = make()
        u = use(arguments=[m.get_artifact("made").with_name("given")])
        m >> u
""",
    )
    assert argosy("run", name, "--name", "files", "-q").code == 0
    assert said(argosy, "files", "use").endswith("content")


def test_a_suspend_that_goes_on_by_itself(folder: Path, argosy: Argosy) -> None:
    name = program(
        folder,
        """
with Workflow(generate_name="waits-", entrypoint="main") as w:
    gate = Suspend(name="gate", duration="0s")
    with Steps(name="main"):
        gate(name="gate")
""",
    )
    assert argosy("run", name, "-q").code == 0


TEMPLATES = """
@script()
def hello(s: str):
    print("hello " + s)

with WorkflowTemplate(name="kept", entrypoint="hello", arguments={"s": "kept"}) as kept:
    hello()

with ClusterWorkflowTemplate(name="wide", entrypoint="hello", arguments={"s": "wide"}) as wide:
    hello()
"""
USING = """
with Workflow(generate_name="uses-", entrypoint="main") as uses:
    with Steps(name="main"):
        Step(name="a", template_ref=TemplateRef(name="kept", template="hello"), arguments={"s": "a"})
        Step(name="b", template_ref=TemplateRef(name="wide", template="hello", cluster_scope=True),
             arguments={"s": "b"})

by_ref = Workflow(generate_name="by-ref-", workflow_template_ref=WorkflowTemplateRef(name="kept"))
"""


def test_templates_are_applied_before_the_workflows_that_refer_to_them(folder: Path, argosy: Argosy) -> None:
    name = program(folder, USING.replace("with Workflow", TEMPLATES + "\nwith Workflow", 1))
    ran = argosy("run", name, "-o", "name")
    assert ran.code == 0, ran.err
    assert "WorkflowTemplate kept created" in ran.err
    assert "ClusterWorkflowTemplate wide created" in ran.err
    uses, by_ref = ran.out.split()
    assert said(argosy, uses, "b").endswith("hello b")
    assert said(argosy, by_ref, by_ref).endswith("hello kept")
    assert argosy("lint", name).code == 0
    assert argosy("run", f"{name}:by-ref", "-q").code == 0
    assert [one["kind"] for one in yaml.safe_load_all(argosy("convert", name).out)] == [
        "WorkflowTemplate",
        "ClusterWorkflowTemplate",
        "Workflow",
        "Workflow",
    ]


def test_templates_of_a_program_are_applied_and_run_later(folder: Path, argosy: Argosy) -> None:
    name = program(folder, TEMPLATES)
    assert argosy("apply", "-f", name).out == "WorkflowTemplate kept created\nClusterWorkflowTemplate wide created\n"
    assert argosy("run", "template/kept", "-q", "s=later", "--name", "later").code == 0
    assert "program.py" in argosy("code", "later").out
    assert argosy("run", f"{name}:wide", "-q", "--name", "at-once").code == 0
    assert said(argosy, "at-once", "at-once").endswith("hello wide")


def test_a_schedule_is_kept_and_run_once(folder: Path, argosy: Argosy) -> None:
    name = program(
        folder,
        """
with CronWorkflow(name="nightly", entrypoint="say", schedules=["0 0 * * *"]) as w:
    Container(name="say", image="busybox", command=["echo", "now"])
""",
    )
    ran = argosy("run", name, "-o", "name")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("nightly-")
    assert "cronworkflow/nightly" in argosy("templates", "-o", "name").out


RUNNER = """
from part import double

@script(constructor="runner", image="anything:1")
def made() -> dict:
    return {"n": double(2)}

@script(constructor="runner", image="anything:1")
def shown(given: dict) -> str:
    return f"n is {given['n']}"

with Workflow(generate_name="runner-", entrypoint="main") as w:
    with Steps(name="main"):
        m = made(name="made")
        shown(name="shown", arguments={"given": m.result})
"""


@pytest.mark.parametrize("runtime", ["process", "sandbox"])
def test_the_runner_has_the_program_and_its_modules(folder: Path, argosy: Argosy, runtime: str) -> None:
    if runtime == "sandbox" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    (folder / "lib").mkdir()
    (folder / "lib" / "part.py").write_text("def double(n):\n    return 2 * n\n")
    name = program(folder, RUNNER, "lib/flow.py")
    ran = argosy("run", name, "--name", "one", "--runtime", runtime)
    assert ran.code == 0, ran.err
    assert "steps in anything:1 are run by this machine's programs" in ran.err
    assert said(argosy, "one", "shown").endswith("n is 4")
    # What is changed afterwards is not what the run had.
    (folder / "lib" / "part.py").unlink()
    assert argosy("resubmit", "one", "-q", "--name", "again").code == 0
    converted = yaml.safe_load(argosy("get", "one", "-o", "yaml").out)
    assert converted["metadata"]["annotations"]["argosy.dev/program"] == "lib/flow.py:w"


def test_the_runner_in_an_image_with_nothing_but_python_has_the_projects_packages(folder: Path, argosy: Argosy) -> None:
    (folder / "part.py").write_text("def double(n):\n    return 2 * n\n")
    name = program(folder, RUNNER.replace("anything:1", "python:3.12"))
    ran = argosy("run", name, "--name", "one", "--runtime", "auto")
    assert ran.code == 0, ran.err
    assert "imports the program, whose packages its image has not" in ran.err


def test_a_program_outside_of_the_project_whose_steps_import_it(folder: Path, argosy: Argosy) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "argosy.toml").write_text("")
    (folder / "part.py").write_text("def double(n):\n    return 2 * n\n")
    program(folder, RUNNER)
    refused = argosy("run", str(folder / "program.py"), "--home", str(folder / "mine" / ".argosy"))
    assert refused.code == 0, refused.err
    os.chdir(folder / "mine")
    refused = argosy("run", "../program.py")
    assert refused.code == 2
    assert "run it from its own folder: cd" in refused.err


def test_a_program_that_creates_what_a_function_makes(folder: Path, argosy: Argosy) -> None:
    name = program(
        folder,
        """
from hera.workflows import WorkflowsService

def build():
    with Workflow(generate_name="made-", entrypoint="say", namespace="argo",
                  workflows_service=WorkflowsService(host="https://localhost:1")) as w:
        Container(name="say", image="busybox", command=["echo", "made"])
    return w

if __name__ == "__main__":
    print(build().create(wait=True).status.phase)
""",
    )
    ran = argosy("run", name, "-o", "name")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("made-")
    assert argosy("run", f"{name}:build", "-q").code == 0


def test_findings_stand_at_the_lines_of_the_program(folder: Path, argosy: Argosy) -> None:
    name = program(
        folder,
        """
with Workflow(generate_name="wrong-", entrypoint="main") as w:
    Container(name="say", image="busybox", command=["echo", "{{inputs.parameters.nothing}}"])
    with DAG(name="main"):
        Task(name="a", template="say")
        Task(name="b", template="sya")
""",
    )
    found = argosy("lint", name)
    assert found.code == 3
    lines = (folder / name).read_text().splitlines()
    for text in ('Task(name="b"', 'Container(name="say"'):
        number = next(place for place, line in enumerate(lines, 1) if text in line)
        assert f"{name}:{number}:" in found.out, found.out
