"""Which workflows a program defines: ours and Hera's, by name, in order, and what is said when it raises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

OURS = """
class Flow:
    def __init__(self, name, uses=()):
        self.name = name
        self.__argosy_uses__ = uses

    def __argosy_manifest__(self):
        return {"kind": "Workflow", "metadata": {"generateName": self.name + "-"}, "spec": {"templates": []}}

    __argosy_origins__ = ((("spec",), "elsewhere.py", 7),)
"""


def asked(folder: Path, program: str, *name: str) -> dict[str, Any]:
    """What the process says of a program."""
    file = folder / "program.py"
    file.write_text(textwrap.dedent(program))
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "argosy.dsl.finding", "--to", str(write_end), str(file), *name]
    ended = subprocess.run(command, pass_fds=(write_end,), capture_output=True, check=False, cwd=folder)
    os.close(write_end)
    with open(read_end) as told:
        text = told.read()
    assert text, ended.stderr.decode()
    found: dict[str, Any] = json.loads(text)
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [one["name"] for one in found["workflows"]]


def test_ours_in_order_without_those_that_others_use(tmp_path: Path) -> None:
    program = (
        OURS + "second = Flow('b')\nfirst = Flow('a', [second])\nthird = Flow('c')\nsame = third\nprint('noise')\n"
    )
    found = asked(tmp_path, program)
    assert names(found) == ["first", "third"]
    assert found["workflows"][0]["manifest"]["metadata"] == {"generateName": "a-"}
    assert found["workflows"][0]["origins"] == [[["spec"], "elsewhere.py", 7]]
    assert found["workflows"][0]["kind"] == "argosy"
    assert names(asked(tmp_path, program, "second")) == ["second"]
    assert names(asked(tmp_path, program, "c")) == ["third"]
    missing = asked(tmp_path, program, "thrid")["error"]
    assert (missing["kind"], missing["known"]) == ("NotThere", ["second", "first", "third"])


def test_a_function_that_returns_one_is_called_when_it_is_named(tmp_path: Path) -> None:
    program = OURS + "def make():\n    return Flow('made')\n"
    assert names(asked(tmp_path, program)) == []
    assert names(asked(tmp_path, program, "make")) == ["make"]


def test_the_guard_is_not_run_for_ours(tmp_path: Path) -> None:
    program = OURS + "def make():\n    return Flow('x')\nif __name__ == '__main__':\n    open('ran', 'w').close()\n"
    assert names(asked(tmp_path, program)) == []
    assert not (tmp_path / "ran").exists()


HERA = """
from hera.workflows import (
    ClusterWorkflowTemplate, Container, CronWorkflow, DAG, Steps, Workflow, WorkflowTemplate, WorkflowsService, script,
)

@script()
def say_it(m: str):
    print(m)
"""


def test_hera_objects_in_order_with_their_lines(tmp_path: Path) -> None:
    program = HERA + textwrap.dedent(
        """
        with WorkflowTemplate(name="kept", entrypoint="say") as kept:
            Container(name="say", image="busybox", command=["true"])

        with Workflow(generate_name="mine-", entrypoint="steps") as w:
            with Steps(name="steps"):
                say_it(arguments={"m": "a"})
                say_it(name="again", arguments={"m": "b"})

        with CronWorkflow(name="nightly", entrypoint="say", schedules=["0 0 * * *"]) as cron:
            Container(name="say", image="busybox", command=["true"])
        """
    )
    found = asked(tmp_path, program)
    assert names(found) == ["kept", "w", "cron"]
    assert [one["manifest"]["kind"] for one in found["workflows"]] == ["WorkflowTemplate", "Workflow", "CronWorkflow"]
    lines = {tuple(path): line for path, _, line in found["workflows"][1]["origins"]}
    text = (tmp_path / "program.py").read_text().splitlines()
    assert text[lines[()] - 1].startswith("with Workflow(")
    assert text[lines[("spec", "templates", 0)] - 1].strip() == 'with Steps(name="steps"):'
    assert text[lines[("spec", "templates", 1)] - 1] == "def say_it(m: str):"
    assert "again" in text[lines[("spec", "templates", 0, "steps", 1, 0)] - 1]
    assert names(asked(tmp_path, program, "mine")) == ["w"]
    assert names(asked(tmp_path, program, "nightly")) == ["cron"]


def test_workflows_that_a_resource_makes_are_not_offered_by_themselves(tmp_path: Path) -> None:
    program = HERA + textwrap.dedent(
        """
        from hera.workflows import Resource

        with Workflow(generate_name="inner-", entrypoint="say") as inner:
            Container(name="say", image="busybox", command=["true"])
        with Workflow(generate_name="outer-", entrypoint="make") as outer:
            Resource(name="make", action="create", manifest=inner)
        """
    )
    assert names(asked(tmp_path, program)) == ["outer"]
    assert names(asked(tmp_path, program, "inner")) == ["inner"]


def test_what_hera_creates_is_noted_and_sent_nowhere(tmp_path: Path) -> None:
    program = HERA + textwrap.dedent(
        """
        def build():
            with Workflow(generate_name="late-", entrypoint="say") as w:
                Container(name="say", image="busybox", command=["true"])
            return w

        if __name__ == "__main__":
            service = WorkflowsService(host="https://localhost:1")
            w = build()
            w.workflows_service = service
            answer = w.create(wait=True)
            assert answer.status.phase == "Succeeded" and answer.metadata.name.startswith("late-"), answer
            assert service.get_info() is not None
        """
    )
    found = asked(tmp_path, program)
    assert [one["manifest"]["metadata"]["generateName"] for one in found["workflows"]] == ["late-"]
    assert found["notes"] == ["GET https://localhost:1/api/v1/info is not sent anywhere"]
    assert names(found) == names(asked(tmp_path, program, "late")) == ["w"]


@pytest.mark.parametrize(
    "end", ["print(build().to_yaml())", "w = build()", "w = build()\n    w.to_file('out')", "build().create()"]
)
def test_what_the_main_block_makes(tmp_path: Path, end: str) -> None:
    program = HERA + textwrap.dedent(
        """
        with WorkflowTemplate(name="kept") as kept:
            Container(name="say", image="busybox", command=["true"])

        def build():
            with Workflow(generate_name="late-", entrypoint="say") as w:
                Container(name="say", image="busybox", command=["true"])
            return w

        if __name__ == "__main__":
        """
    )
    found = asked(tmp_path, f"{program}    {end}\n")
    kinds = [one["manifest"]["kind"] for one in found["workflows"]]
    assert kinds == ["WorkflowTemplate", "Workflow"], found


def test_a_service_that_is_used_by_itself(tmp_path: Path) -> None:
    program = HERA + textwrap.dedent(
        """
        from hera.workflows.models import WorkflowCreateRequest, WorkflowTemplateCreateRequest

        with Workflow(generate_name="by-hand-", entrypoint="say") as w:
            Container(name="say", image="busybox", command=["true"])
        built, w = w.build(), None
        service = WorkflowsService(host="https://localhost:1", namespace="argo")
        made = service.create_workflow(WorkflowCreateRequest(workflow=built))
        assert service.get_workflow(made.metadata.name).status.phase == "Succeeded"
        service.lint_workflow(__import__("hera.workflows.models", fromlist=["x"]).WorkflowLintRequest(workflow=built))
        """
    )
    found = asked(tmp_path, program)
    assert names(found) == ["by-hand"]
    assert found["workflows"][0]["manifest"]["kind"] == "Workflow"


def test_older_releases_of_hera_that_call_requests_themselves(tmp_path: Path) -> None:
    (tmp_path / "hera" / "workflows").mkdir(parents=True)
    (tmp_path / "hera" / "__init__.py").write_text("")
    (tmp_path / "requests.py").write_text("def post(**given):\n    raise ConnectionError\n")
    (tmp_path / "hera" / "workflows" / "__init__.py").write_text(
        "from hera.workflows.service import WorkflowsService\n"
    )
    (tmp_path / "hera" / "workflows" / "service.py").write_text(
        "import json, requests\n"
        "class WorkflowsService:\n"
        "    def __init__(self):\n"
        "        self.host = self.namespace = None\n"
        "    def create_workflow(self, req):\n"
        "        return requests.post(url=self.host + '/api/v1/workflows/argo', data=json.dumps(req)).json()\n"
    )
    program = """
        from hera.workflows import WorkflowsService
        made = WorkflowsService().create_workflow({"workflow": {"metadata": {"generateName": "old-"}, "spec": {}}})
        assert made["metadata"]["name"] == "old-1"
        """
    found = asked(tmp_path, program)
    assert found["workflows"][0]["manifest"]["kind"] == "Workflow", found
    assert names(found) == ["old"]


def test_an_async_create(tmp_path: Path) -> None:
    program = HERA + textwrap.dedent(
        """
        import asyncio

        async def main():
            with Workflow(generate_name="async-", entrypoint="say") as w:
                Container(name="say", image="busybox", command=["true"])
            return await w.async_create()

        assert asyncio.run(main()).status.phase == "Succeeded"
        """
    )
    assert names(asked(tmp_path, program)) == ["async"]


def _end_of_mistake(program: str) -> int:
    """The column where this Python says that a mistake ends: 0 where it does not say."""
    try:
        compile(program, "program.py", "exec")
    except SyntaxError as error:
        last = error.end_offset or 0
        return last if last > (error.offset or 1) else 0
    raise AssertionError("it has no mistake")


@pytest.mark.parametrize(
    ("program", "kind", "message", "line", "columns"),
    [
        ("import json\n\ndef f():\n    return 1 + missing\n\nf()\n", "NameError", "name 'missing' is", 4, (16, 23)),
        ("x = 1\nif x\n    pass\n", "SyntaxError", "expected ':'", 2, (5, _end_of_mistake("x = 1\nif x\n    pass\n"))),
        ("import json\njson.loads('{')\n", "JSONDecodeError", "Expecting property name", 2, (1, 16)),
        ("import no_such_module\n", "ModuleNotFoundError", "No module named", 1, (1, 22)),
        ("import sys\nsys.exit(3)\n", "SystemExit", "exit code 3", 2, (1, 12)),
    ],
)
def test_what_is_raised_is_told_at_the_programs_own_line(
    tmp_path: Path, program: str, kind: str, message: str, line: int, columns: tuple[int, int]
) -> None:
    error = asked(tmp_path, program)["error"]
    assert error["kind"] == kind
    assert message in error["message"]
    file, found, first, last, _ = error["frames"][-1]
    assert (Path(file).name, found) == ("program.py", line)
    assert (first, last) == columns


def test_lines_of_the_programs_own_modules_are_told(tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("def f():\n    raise ValueError('wrong')\n")
    error = asked(tmp_path, "import part\npart.f()\n")["error"]
    assert [(Path(one[0]).name, one[1]) for one in error["frames"]] == [("program.py", 2), ("part.py", 2)]


def test_objects_that_have_every_attribute_are_no_workflows(tmp_path: Path) -> None:
    program = (
        "class Any:\n    def __getattr__(self, name):\n        return self\n    __call__ = __getattr__\n\na = Any()\n"
    )
    assert names(asked(tmp_path, program + OURS + "f = Flow('a')\n")) == ["f"]


def test_a_manifest_that_is_no_json(tmp_path: Path) -> None:
    program = OURS + "f = Flow('a')\nf.__argosy_manifest__ = lambda: {'a': object()}\n"
    assert "no JSON" in asked(tmp_path, program)["error"]["message"]


def test_a_loop_that_goes_too_deep_is_told_at_its_line(tmp_path: Path) -> None:
    program = """
        from argosy import step, while_loop, workflow


        @step
        def more(x: int) -> int:
            return x + 1


        @workflow
        def deep(x: int) -> int:
            return while_loop(lambda x: x < 3, more, init=x, max_iterations=200)
        """
    error = asked(tmp_path, program)["error"]
    assert "may go through 200 iterations" in error["message"]
    assert error["frames"][-1][:2] == [str(tmp_path / "program.py"), 12]
