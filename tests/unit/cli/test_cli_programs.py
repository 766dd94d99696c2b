"""Python programs by the command line: run, linted, converted, planned; what is wrong is said at their own lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from cli_samples import Argosy

OURS = """\
class Flow:
    def __init__(self, name, command, uses=()):
        self.name, self.command, self.__argosy_uses__ = name, command, uses

    def __argosy_manifest__(self):
        template = {"name": "main", "container": {"image": "none", "command": self.command}}
        arguments = {"parameters": [{"name": "who", "value": "world"}]}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": self.name + "-"},
            "spec": {"entrypoint": "main", "arguments": arguments, "templates": [template]},
        }


used = Flow("used", ["false"])
hello = Flow("hello", ["echo", "hello {{workflow.parameters.who}}"], uses=[used])
"""


def test_a_program_is_run_with_values_and_keeps_its_code(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(OURS + "print('noise of the program')\n")
    ran = argosy("run", "program.py", "who=moon", "--name", "one", "-o", "json")
    assert ran.code == 0, ran.err
    assert "noise of the program" in ran.err
    assert json.loads(ran.out)["metadata"]["annotations"]["argosy.dev/program"] == "program.py:hello"
    assert argosy("logs", "one").out.endswith("hello moon\n")
    assert "program.py" in argosy("code", "one").out
    assert argosy("run", "program.py:used", "-q").code == 1
    assert argosy("run", "program.py", "hello", "-q", "-p", "who=sun").code == 0


def test_convert_prints_what_runs_the_same(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(OURS)
    text = argosy("convert", "program.py:hello").out
    found = yaml.safe_load(text)
    assert found["metadata"] == {"generateName": "hello-"}
    (folder / "converted.yaml").write_text(text)
    assert argosy("run", "converted.yaml", "--name", "two", "-q").code == 0
    assert argosy("logs", "two").out.endswith("hello world\n")


def test_what_it_takes_and_would_do(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(OURS)
    assert argosy("params", "program.py", "-o", "name").out == "who\n"
    assert "▶ hello-" in argosy("plan", "program.py").out
    assert argosy("lint", "program.py").code == 0


def test_a_name_that_is_not_there(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(OURS)
    missing = argosy("run", "program.py:helo")
    assert missing.code == 4
    assert "did you mean program.py:hello?" in missing.err
    assert argosy("run", "nothing.py").code == 4


def test_findings_stand_at_lines_of_the_program(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(OURS.replace('"entrypoint": "main"', '"entrypoint": "mian"'))
    lines = (folder / "program.py").read_text().splitlines()
    place = next(number for number, line in enumerate(lines, 1) if line.startswith("hello ="))
    found = argosy("lint", "program.py:hello")
    assert found.code == 3
    assert f"program.py:{place}:1: error: spec.entrypoint" in found.out
    assert lines[place - 1] in found.out
    refused = argosy("run", "program.py:hello")
    assert refused.code == 3
    assert f"program.py:{place}:1: error: spec.entrypoint" in refused.err


def test_a_field_that_does_not_exist_is_found_at_its_origin(folder: Path, argosy: Argosy) -> None:
    text = OURS.replace('"image": "none"', '"imgae": "none"')
    text += "hello.__argosy_origins__ = [[('spec', 'templates', 0), __file__, 6]]\n"
    (folder / "program.py").write_text(text)
    found = argosy("lint", "program.py:hello")
    assert found.code == 3
    assert "program.py:6:9: error: " in found.out
    assert "imgae" in found.out


def test_what_a_program_raises_is_one_error_at_its_line(folder: Path, argosy: Argosy) -> None:
    (folder / "part.py").write_text("def broken():\n    return {}['thing']\n")
    (folder / "program.py").write_text("import part\n\npart.broken()\n")
    for verb in ("run", "lint", "convert", "params", "plan"):
        failed = argosy(verb, "program.py")
        assert failed.code == 3, verb
        assert "part.py:2:12: error: KeyError: 'thing' [program]" in failed.err + failed.out
        assert "    return {}['thing']" in failed.err + failed.out
        assert "program.py:3:1: called by <module>" in failed.err + failed.out
        assert "Traceback" not in failed.err
    (folder / "program.py").write_text("def f(:\n")
    assert "program.py:1:7: error: SyntaxError" in argosy("run", "program.py").err
    (folder / "program.py").write_text("import os\nos._exit(9)\n")
    assert "ended with exit code 9" in argosy("run", "program.py").err
    (folder / "program.py").write_text("x = 1\n")
    assert "defines no workflow" in argosy("run", "program.py").err


def test_lint_tells_what_a_program_raises_among_other_findings(folder: Path, argosy: Argosy, hello: str) -> None:
    (folder / "program.py").write_text("raise ValueError('no')\n")
    found = argosy("lint", "program.py", hello, "-o", "json")
    assert found.code == 3
    files = json.loads(found.out)["files"]
    assert [one["rule"] for one in files[0]["findings"]] == ["program"]
    assert files[1]["documents"] == [{"kind": "Workflow", "name": ""}]


def test_workflows_of_typed_functions(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(TYPED)
    ran = argosy("run", "program.py:doubled", "n=4", "--name", "typed")
    assert ran.code == 0, ran.err
    nodes = json.loads(argosy("get", "typed", "-o", "json").out)["status"]["nodes"]
    assert nodes["typed"]["outputs"]["parameters"][0]["value"] == "8"
    refused = argosy("run", "program.py")
    assert refused.code == 3
    line = TYPED.splitlines().index("    if double(1) > 1:") + 1
    assert f"program.py:{line}:8: error: " in refused.err


TYPED = """\
from argosy import step, workflow

@step
def double(n: int) -> int:
    return 2 * n

@workflow
def doubled(n: int = 1) -> int:
    return double(n)

@workflow
def asks() -> int:
    if double(1) > 1:
        return double(2)
    return double(3)
"""


def test_the_projects_interpreter_reads_it(folder: Path, argosy: Argosy) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], check=True)
    packages = next((folder / "env" / "lib").glob("python3*")) / "site-packages"
    (packages / "only_there.py").write_text("WORD = 'found'\n")
    with (folder / "argosy.toml").open("a") as file:
        file.write('[python]\ninterpreter = "env"\n')
    program = OURS + "import only_there\nprint(only_there.WORD)\ntry:\n    import msgspec\nexcept ImportError:\n"
    (folder / "program.py").write_text(program + "    print('nothing of argosy\\'s own')\n")
    ran = argosy("convert", "program.py")
    assert ran.code == 0, ran.err
    assert ran.err == "found\nnothing of argosy's own\n"


def test_an_interpreter_that_is_too_old(folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argosy.project.programs._BEGIN", "import sys; sys.exit(%d)")
    (folder / "program.py").write_text(OURS)
    refused = argosy("lint", "program.py")
    assert refused.code == 5
    assert "is older than Python 3.9" in refused.err


def test_an_interrupt_ends_a_program_that_takes_long(folder: Path) -> None:
    (folder / "program.py").write_text("import time\nopen('begun', 'w').close()\ntime.sleep(1000)\n")
    command = [sys.executable, "-m", "argosy.cli.main", "lint", "program.py"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not (folder / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == b"interrupted"


LEAVING = """
import os, time
if os.fork() == 0:
    open("pid", "w").write(str(os.getpid()))
    time.sleep(1000)
while not os.path.exists("pid") or not open("pid").read():
    time.sleep(0.01)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_a_program_leaves_behind_is_ended_with_it(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(OURS + LEAVING)
    assert argosy("lint", "program.py").code == 0
    left = int((folder / "pid").read_text())
    deadline = time.monotonic() + 60
    while is_alive(left) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(left)


def test_a_program_that_takes_too_long(folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argosy.project.programs.SECONDS", 0.3)
    (folder / "program.py").write_text("import time\ntime.sleep(1000)\n")
    refused = argosy("lint", "program.py")
    assert refused.code == 3
    assert "was not read after" in refused.err


def test_a_program_is_no_file_to_keep_under_a_name(folder: Path, argosy: Argosy) -> None:
    (folder / "program.py").write_text(OURS)
    refused = argosy("workflows", "create", "mine", "program.py")
    assert refused.code == 2
    assert "argosy convert program.py" in refused.err
