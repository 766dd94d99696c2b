"""Workflows as lists of jobs: who waits for whom, what surrounds a job, and what is said when it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_program_finding import asked

from argosy import (
    ArgoRunner,
    BaseJob,
    ContainerJob,
    LocalRunner,
    ResourceJob,
    Run_with,
    TraceError,
    Workflow,
    WorkflowParam,
    for_loop,
    step,
    when,
    while_loop,
)
from argosy.errors import EnvironmentTrouble


def job(name: str, *inputs: Any, gives: Any = (), **more: Any) -> ContainerJob:
    return ContainerJob(name, "", "true", inputs=list(inputs), outputs=list(gives), **more)


def tasks(workflow: Workflow[..., Any], template: str = "") -> dict[str, dict[str, Any]]:
    manifest = workflow.manifest()
    name = template or manifest["spec"]["entrypoint"]
    found = next(one for one in manifest["spec"]["templates"] if one["name"] == name)
    return {one["name"]: one for one in found["dag"]["tasks"]}


def leaf(workflow: Workflow[..., Any], name: str) -> dict[str, Any]:
    return next(one for one in workflow.manifest()["spec"]["templates"] if one["name"] == name)


def order(*steps: Any) -> dict[str, str]:
    return {name: one.get("depends", "") for name, one in tasks(Workflow(name="w", steps=list(steps))).items()}


def test_jobs_that_pass_nothing_run_in_their_order() -> None:
    assert order(job("a"), job("b"), job("c")) == {"a": "", "b": "a", "c": "b"}


def test_values_say_who_waits_whatever_the_order() -> None:
    a = job("a", gives=["x"])
    b, c = job("b", a.output.x), job("c", a.output.x)
    assert order(a, b, c) == {"a": "", "b": "a", "c": "a"}
    assert order(c, a, b) == {"a": "", "b": "a", "c": "a"}


def test_a_list_in_the_list_stands_side_by_side() -> None:
    assert order(job("a"), [job("b"), job("c")], job("d")) == {"a": "", "b": "a", "c": "a", "d": "b && c"}


def test_after_says_it_alone() -> None:
    a, b = job("a"), job("b")
    assert order(a, b, job("c", after=[a])) == {"a": "", "b": "a", "c": "a"}
    assert order(a, b, job("d", after=[])) == {"a": "", "b": "a", "d": ""}


def test_inputs_of_the_workflow_are_values_that_no_job_gives() -> None:
    lr = WorkflowParam("lr", type=float, default=0.1)
    workflow = Workflow(name="w", steps=[job("a", lr), job("b", WorkflowParam("data", type=Path))])
    arguments = workflow.manifest()["spec"]["arguments"]
    assert {"name": "lr", "value": "0.1"} in arguments["parameters"]
    env = {one["name"]: one["value"] for one in leaf(workflow, "b")["container"]["env"]}
    assert env["data"] == leaf(workflow, "b")["inputs"]["artifacts"][0]["path"]
    with pytest.raises(TraceError, match="two inputs of the workflow are called lr"):
        Workflow(name="w", steps=[job("a", lr), job("b", WorkflowParam("lr"))])


def test_options_are_of_the_job_and_then_of_what_stands_above() -> None:
    @Run_with(retry=5, timeout="1h", gpus=2)
    def one() -> ContainerJob:
        return job("one", retry=1, env={"A": "b"})

    made = leaf(Workflow(name="w", steps=[one()]), "one")
    assert made["retryStrategy"]["limit"] == "1"
    assert made["activeDeadlineSeconds"] == "3600"
    assert made["container"]["resources"]["limits"] == {"nvidia.com/gpu": "2"}
    with pytest.raises(TraceError, match="ContainerJob has no option 'retires'"):
        job("x", retires=3)

    @Run_with(retry=5)
    @step
    def two() -> None: ...

    assert two.options.retry == 5


def test_words_are_split_as_a_shell_does_but_not_behind_c() -> None:
    def container(one: ContainerJob) -> dict[str, Any]:
        return leaf(Workflow(name="w", steps=[one]), "j")["container"]

    made = container(ContainerJob("j", "alpine", "python -m x", "--name 'a b'"))
    assert (made["image"], made["command"], made["args"]) == ("alpine", ["python", "-m", "x"], ["--name", "a b"])
    assert container(ContainerJob("j", "", "bash -ec", "echo a b"))["args"] == ["echo a b"]
    assert container(ContainerJob("j", "", ["x"], ["a b"]))["args"] == ["a b"]


def test_a_resource_job() -> None:
    made = ResourceJob(
        "r", "status.succeeded > 0", "status.failed > 3", manifest="kind: Job", outputs={"p": "{.status}"}
    )
    workflow = Workflow(name="w", steps=[made, job("b", made.output.p)])
    assert leaf(workflow, "r")["resource"] == {
        "action": "create",
        "manifest": "kind: Job",
        "successCondition": "status.succeeded > 0",
        "failureCondition": "status.failed > 3",
    }
    assert tasks(workflow)["b"]["depends"] == "r"
    with pytest.raises(TraceError, match="r has no manifest"):
        ResourceJob("r")


def test_what_cannot_be_is_said() -> None:
    a = job("a", gives=["x", "other"])
    with pytest.raises(TraceError, match="a has no output 'y'"):
        _ = a.output.y
    with pytest.raises(TraceError, match="x comes from a, which is not among the steps"):
        Workflow(name="w", steps=[job("b", a.output.x)]).manifest()
    with pytest.raises(TraceError, match="b takes 3, which has no name"):
        job("b", 3)
    with pytest.raises(TraceError, match="is asked whether it is true"):
        bool(a.output.x)
    with pytest.raises(TraceError, match="asked whether it holds"):
        bool(a.output.x == "3")
    with pytest.raises(TraceError, match="is no job"):
        Workflow(name="w", steps=["a"])
    with pytest.raises(TraceError, match="base does nothing"):
        Workflow(name="w", steps=[BaseJob("base")]).manifest()
    with pytest.raises(TraceError, match="a workflow has a name and steps"):
        Workflow(name="w", steps=[])
    with pytest.raises(TraceError, match="workflow has no option 'retry'"):
        Workflow(name="w", steps=[a], retry=3)  # type: ignore[call-overload]
    b = job("b", gives=["y"])
    first = job("first", b.output.y, gives=["z"])
    b.inputs["z"] = first.output.z
    with pytest.raises(TraceError, match="waits for another of them"):
        Workflow(name="w", steps=[first, b]).manifest()


def test_a_job_that_may_not_run_gives_its_defaults() -> None:
    a = job("a", gives=["x"])

    def guarded(*gives: Any) -> Callable[[], Any]:
        return when((a.output.x == "1") | ~(a.output.x != "2"))(lambda: job("b", gives=gives))

    maybe = guarded("y")()
    with pytest.raises(TraceError, match="b may not run, and then gives no y"):
        Workflow(name="w", steps=[a, maybe, job("c", maybe.output.y)]).manifest()
    sure = guarded(WorkflowParam("y", type=int, default=3))()
    workflow = Workflow(name="w", steps=[a, sure, job("c", sure.output.y)])
    assert tasks(workflow)["c"]["depends"] == "when-b"


def outputs(workflow: Workflow[..., Any], folder: Path, **inputs: Any) -> dict[str, Any]:
    return LocalRunner(home=folder / "home", runtime="process", quiet=True).run(workflow, **inputs).outputs


def shell(name: str, text: str, **more: Any) -> ContainerJob:
    return ContainerJob(name, "", "sh -c", text, **more)


def test_loops_in_loops_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where a program is started from does not matter: its project is where its file is.
    monkeypatch.chdir(tmp_path)
    count = WorkflowParam("count", type=list[int], default=[1, 2])

    @for_loop(count)
    @while_loop(lambda one: one.output.size < 10, max_iterations=9)
    def grow(start: WorkflowParam) -> ContainerJob:
        return shell(
            "grow",
            'expr "$size" "*" 3 > "$out_size"; echo "$size" > "$out_note"',
            inputs={"size": start},
            outputs=[WorkflowParam("size", type=int), WorkflowParam("note", type=Path)],
        )

    grown = grow()
    told = shell(
        "told",
        'cat "$note"/*/note | tr "\\n" " " > "$out_notes"; printf "$size" > "$out_sizes"',
        inputs=[grown.output.note, grown.output.size],
        outputs=["notes", "sizes"],
    )
    workflow = Workflow(name="w", steps=[grown, told], outputs=[told.output.notes, told.output.sizes])
    assert outputs(workflow, tmp_path, count=[1, 4]) == {"notes": "9 4 ", "sizes": "[27,12]"}


def test_what_a_job_prints(tmp_path: Path) -> None:
    said = shell("said", "echo abc")

    @when(said.output.result == "abc")
    def further() -> ContainerJob:
        return shell("further", 'printf "$result!" > "$out_text"', inputs=[said.output.result], outputs=[text])

    text = WorkflowParam("text", default="nothing")
    more = further()
    assert outputs(Workflow(name="w", steps=[said, more], outputs=[more.output.text]), tmp_path) == {"text": "abc!"}


def test_an_exit_handler_may_be_a_job(tmp_path: Path) -> None:
    handler = shell("bye", 'echo "it $status"', inputs=[WorkflowParam("status")])
    workflow = Workflow(name="w", steps=[shell("a", "exit 3")], on_exit=handler)
    run = LocalRunner(home=tmp_path / "home", runtime="process", quiet=True).run(workflow)
    assert run.phase == "Failed"
    assert "it Failed" in run.logs("bye")


def test_without_a_program_that_hands_it_over_the_manifest_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    runner = ArgoRunner(namespace="ml", image="python:3.11", code_in_image=True)
    workflow = Workflow(name="mine", steps=[ContainerJob("a", "alpine", "true")])
    with pytest.raises(EnvironmentTrouble, match="neither kubectl nor argo") as refused:
        runner.run(workflow)
    assert "kubectl create -f mine.yaml" in refused.value.hint
    assert "generateName: mine-" in (tmp_path / "mine.yaml").read_text()
    program = tmp_path / "bin" / "argo"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n/bin/echo "$@" > given; /bin/echo mine-x1\n')
    program.chmod(0o755)
    assert runner.run(workflow).name == "mine-x1"
    assert (tmp_path / "given").read_text() == "submit --namespace ml --output name mine.yaml\n"


def test_a_program_that_makes_and_runs_a_workflow_at_once(tmp_path: Path) -> None:
    program = """
        from argosy import ArgoRunner, ContainerJob, Workflow


        def create_workflow():
            return Workflow(name="pipeline1", steps=[ContainerJob("a", "alpine", "true")])


        ArgoRunner().run(create_workflow())
        raise AssertionError("it is run")
        """
    found = asked(tmp_path, program)
    assert [one["name"] for one in found["workflows"]] == ["pipeline1"]
