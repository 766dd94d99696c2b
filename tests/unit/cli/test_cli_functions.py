"""Steps that are Python functions, by the command line: as forks they do what they do as processes of their own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Argosy

from argosy.artifacts.store import Store
from argosy.artifacts.trees import parse_digest

PROGRAM = """
import atexit, os, random, subprocess, sys, tempfile, threading, time
from pathlib import Path

def shows():
    print("value", os.environ["VALUE"], "argv", sys.argv[1:], "home" in os.environ)
    print(sorted(set(os.listdir(".")) - {"__pycache__"}), open("config.json").read(), os.getcwd() == os.environ["PWD"])
    print("error", file=sys.stderr)
    print(os.getpid() == os.getsid(0) == os.getpgid(0), tempfile.gettempdir() == os.environ["TMPDIR"])
    print(sys.stdin.read() == "", __name__)

def raises():
    print("before")
    raise ValueError("no such luck")

def leaves_with_code(): sys.exit(7)
def leaves_with_text(): sys.exit("a last word")
def leaves_with_nothing(): sys.exit()
def is_killed(): os.kill(os.getpid(), 9)
def is_terminated(): os.kill(os.getpid(), 15)
def aborts(): os.abort()
def interrupts(): os.kill(os.getpid(), 2); time.sleep(5)
def has_little_said(): os.write(1, b"raw "); print("cooked", end=""); os._exit(4)

def at_the_end():
    atexit.register(print, "at exit")
    threading.Thread(target=lambda: (time.sleep(0.1), print("from a thread"))).start()
    print("returns")

def runs_others():
    subprocess.run(["sh", "-c", "echo child of $ARGOSY_STEP | sed 's/.*main/main/'"], check=True)
    pid = os.fork()
    if pid == 0:
        print("forked", flush=True)
        os._exit(0)
    os.waitpid(pid, 0)

def leaves_one_behind():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()

def writes():
    Path("out.txt").write_text("text")
    Path("data/made.txt").write_text("made beside " + Path("data/kept.txt").read_text())
    Path("config.json").write_text("{}")

def reads():
    print(Path("data/in.txt").read_text(), Path("data/kept.txt").read_text())
"""
LOUD = """
import os, random
print("loading", os.environ.get("VALUE"))
random.seed(7)
NUMBER = random.random()
def shows():
    print(NUMBER, random.random(), os.environ["VALUE"])
"""
STEPS = {
    "shows": {"env": [{"name": "VALUE", "value": "ü 1"}]},
    "raises": {},
    "leaves_with_code": {},
    "leaves_with_text": {},
    "leaves_with_nothing": {},
    "is_killed": {},
    "is_terminated": {},
    "aborts": {},
    "interrupts": {},
    "has_little_said": {},
    "at_the_end": {},
    "runs_others": {},
    "leaves_one_behind": {},
    "writes": {
        "outputs": {
            "parameters": [{"name": "text", "valueFrom": {"path": "out.txt"}}],
            "artifacts": [{"name": "made", "path": "data/made.txt"}, {"name": "config", "path": "config.json"}],
        }
    },
    "reads": {"inputs": {"artifacts": [{"name": "in", "path": "data/in.txt", "raw": {"data": "given"}}]}},
    "loud.py:shows": {"env": [{"name": "VALUE", "value": "1"}]},
    "broken.py:shows": {},
    "absent": {},
}


def template(target: str, more: dict[str, Any]) -> dict[str, Any]:
    target = target if ":" in target else f"program.py:{target}"
    container: dict[str, Any] = {"command": ["python", "-m", "argosy.dsl.inside", target], "env": more.get("env", [])}
    return {
        "name": re.sub(r"\W|_", "-", target),
        "metadata": {"annotations": {"argosy.dev/host": "true", "argosy.dev/function": target}},
        "container": container,
        **{key: value for key, value in more.items() if key != "env"},
    }


def workflow(templates: list[dict[str, Any]], times: int = 1) -> dict[str, Any]:
    tasks = [
        {"name": f"{one['name']}-{number}", "template": one["name"]} for one in templates for number in range(times)
    ]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "functions-"},
        "spec": {
            "entrypoint": "main",
            "templates": [{"name": "main", "failFast": False, "dag": {"failFast": False, "tasks": tasks}}, *templates],
        },
    }


@pytest.fixture
def program(folder: Path) -> Path:
    (folder / "argosy.toml").write_text("")
    (folder / "program.py").write_text(PROGRAM)
    (folder / "loud.py").write_text(LOUD)
    (folder / "broken.py").write_text("def shows(:\n")
    (folder / "config.json").write_text('{"a": 1}')
    (folder / "data").mkdir()
    (folder / "data" / "kept.txt").write_text("kept")
    return folder


def written(folder: Path, document: dict[str, Any]) -> str:
    (folder / "flow.json").write_text(json.dumps(document))
    return "flow.json"


def outcome(argosy: Argosy, run: str) -> dict[str, Any]:
    """What became of each step: how it ended, what it gave and what it wrote."""
    document = json.loads(argosy("get", run, "-o", "json").out)
    found: dict[str, Any] = {}
    for node in document["status"]["nodes"].values():
        if node["type"] != "Pod":
            continue
        name, outputs = node["displayName"], node.get("outputs", {})
        found[name] = (
            node["phase"],
            node.get("message", ""),
            outputs.get("exitCode"),
            outputs.get("parameters"),
            [(one["name"], one.get("digest")) for one in outputs.get("artifacts", [])],
            said(argosy("logs", run, name).out, run),
        )
    return found


def said(text: str, run: str) -> list[str]:
    """The lines of a log, without where the code is."""
    return [re.sub(r'File ".*/', 'File "', line.replace(run, "RUN")) for line in text.splitlines()]


def test_the_same_as_processes_of_their_own(program: Path, argosy: Argosy) -> None:
    file = written(program, workflow([template(target, more) for target, more in STEPS.items()]))
    for runtime in ("process", "function"):
        ran = argosy("run", file, "--runtime", runtime, "--name", f"by-{runtime}", "-q")
        assert ran.code == 1, ran.err
    forked, started = outcome(argosy, "by-function"), outcome(argosy, "by-process")
    assert set(forked) == set(started)
    assert {name: (forked[name], found) for name, found in started.items() if forked[name] != found} == {}
    assert forked["program-py-shows-0"][0] == "Succeeded"
    assert "Error (exit code 7)" in forked["program-py-leaves-with-code-0"][1]
    raised = forked["program-py-raises-0"][5]
    assert "ValueError: no such luck" in raised
    assert [line.split(",")[0] for line in raised if "File" in line] == ['  File "program.py"']
    assert forked["program-py-absent-0"][5] == ["AttributeError: module 'program' has no attribute 'absent'"]


def warm_log(folder: Path) -> str:
    """What the warm interpreters of the only run that had some said."""
    (log,) = (folder / ".argosy" / "runs").glob("*/supervisor/warm.log")
    return log.read_text()


def test_functions_are_forked_by_themselves(program: Path, argosy: Argosy) -> None:
    (program / "program.py").write_text("import os\ndef tells():\n    print(os.getppid())\n")
    ran = argosy("run", written(program, workflow([template("tells", {})], 3)), "--name", "auto")
    assert ran.code == 0, ran.err
    assert "runtime function, because program-py-tells is a Python function" in ran.err
    parents = {argosy("logs", "auto", f"program-py-tells-{number}").out for number in range(3)}
    assert len(parents) == 1
    assert warm_log(program) == ""
    assert argosy("resubmit", "auto", "--name", "again", "-q").code == 0


def test_each_step_has_random_numbers_of_its_own(program: Path, argosy: Argosy) -> None:
    (program / "program.py").write_text("import random\ndef draws():\n    print(random.random())\n")
    assert argosy("run", written(program, workflow([template("draws", {})], 5)), "--name", "five", "-q").code == 0
    assert len({argosy("logs", "five", f"program-py-draws-{number}").out for number in range(5)}) == 5
    assert warm_log(program) == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("random.seed(3)", "it draws or seeds random numbers"),
        ("print('loaded')", "it prints"),
        ("os.environ.get('HOME')", "program.py looks at the environment"),
        ("os.chdir('/')", "it changes the working folder"),
        ("threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "it starts threads"),
        ("kept = open(__file__)", "it opens files"),
        ("began = time.time()", "program.py:2 calls time"),
        ("class Run:\n    began = time.time()", "program.py:3 calls time"),
        ("1 / 0", "it cannot be loaded (ZeroDivisionError)"),
    ],
)
def test_what_each_step_must_load_by_itself(program: Path, argosy: Argosy, line: str, reason: str) -> None:
    text = f"import os, random, threading, time\n{line}\ndef goes():\n    print(__name__)\n"
    (program / "program.py").write_text(text)
    ran = argosy("run", written(program, workflow([template("goes", {})])), "--name", "one", "-q")
    assert ran.code == int("1 / 0" in line)
    assert f"each step loads program.py by itself: {reason}" in warm_log(program)
    if "1 / 0" in line:
        assert "ZeroDivisionError: division by zero" in argosy("logs", "one").out


@pytest.mark.parametrize(
    "lines",
    [
        "import numpy",
        "if __name__ == '__main__':\n    print('not now')",
        "def seeds():\n    random.seed(3)",
        "later = lambda: random.random()",
    ],
)
def test_what_is_loaded_once_for_all(program: Path, argosy: Argosy, lines: str) -> None:
    (program / "program.py").write_text(f"import os, random\n{lines}\ndef goes():\n    print(random.random())\n")
    assert argosy("run", written(program, workflow([template("goes", {})])), "--name", "one", "-q").code == 0
    assert warm_log(program) == ""


def test_what_steps_share_cannot_be_written(program: Path, argosy: Argosy) -> None:
    (program / "program.py").write_text(
        "import subprocess\n"
        "def spoils():\n    subprocess.run(['touch', 'data/new.txt'], check=True)\n"
        "def keeps():\n    open('new.txt', 'w').write('mine')\n    open('data/own.txt', 'w').write('mine')\n"
    )
    file = written(program, workflow([template("spoils", {}), template("keeps", {})]))
    ran = argosy("run", file, "--name", "one", "-q")
    assert (ran.code, warm_log(program)) == (1, "")
    log = argosy("logs", "one", "program-py-spoils-0").out
    assert "Read-only file system" in log or "Permission denied" in log
    assert not list(program.glob(".argosy/runs/*/code/*/data/new.txt"))
    for name in ("new.txt", "data/own.txt"):
        assert len(list(program.glob(f".argosy/runs/*/steps/*/work/{name}"))) == 1
    assert not list(program.glob(".argosy/runs/*/code/*/data/own.txt"))
    assert argosy("delete", "one").code == 0
    assert not list(program.glob(".argosy/runs/*/*"))


@pytest.mark.parametrize("runtime", ["process", "function", "sandbox"])
def test_an_interpreter_that_does_not_have_this_program(program: Path, argosy: Argosy, runtime: str) -> None:
    if runtime == "sandbox" and shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap")
    venv.create(program / "other", symlinks=True)
    (program / "argosy.toml").write_text('[python]\ninterpreter = "other"\n')
    text = "import sys\nimport argosy\ndef tells():\n    print(sys.prefix)\n    print(argosy.__file__)\n"
    (program / "program.py").write_text(text)
    ran = argosy(
        "run", written(program, workflow([template("tells", {})])), "--runtime", runtime, "--name", "one", "-q"
    )
    assert ran.code == 0, argosy("logs", "one").out + ran.err
    prefix, package = argosy("logs", "one").out.split()
    assert prefix == str(program / "other")
    assert package.startswith(str(program / ".argosy" / "function-package"))
    assert argosy("resubmit", "one", "--name", "again", "-q").code == 0
    assert argosy("logs", "again").out.split()[1] == package


def test_retries_timeouts_reuse_and_shells(program: Path, argosy: Argosy) -> None:
    (program / "program.py").write_text(
        "import os, sys, time\n"
        "def fails_once():\n"
        "    with open(os.environ['NOTES'], 'a+') as notes:\n"
        "        notes.write('x')\n"
        "        sys.exit(notes.tell() < 2)\n"
        "def sleeps():\n    print('sleeps', flush=True)\n    time.sleep(60)\n"
        "def makes():\n    open('made.txt', 'w').write('made')\n"
    )
    late = written(program, workflow([template("sleeps", {"activeDeadlineSeconds": 1})]))
    assert argosy("run", late, "--name", "late", "-q").code == 1
    assert argosy("logs", "late").out.endswith("sleeps\n")
    shell = [sys.executable, "-m", "argosy", "shell", "late", "program-py-sleeps-0", "--", "cat", "config.json"]
    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == '{"a": 1}'
    # Not in the code, which it would change.
    notes = program / ".argosy" / "notes"
    again = template("fails_once", {"env": [{"name": "NOTES", "value": str(notes)}], "retryStrategy": {"limit": 3}})
    made = template("makes", {"outputs": {"artifacts": [{"name": "all", "path": "."}]}})
    file = written(program, workflow([again, made]))
    for name in ("one", "two"):
        assert argosy("run", file, "--name", name, "--cache", "-q").code == 0
    assert notes.read_text() == "xx"
    status = json.loads(argosy("get", "two", "-o", "json").out)["status"]
    found = {node["displayName"]: node for node in status["nodes"].values()}
    # All that is new is an output: its step has a copy of the code of its own, and not links to it.
    ((artifact,),) = (node["outputs"]["artifacts"] for name, node in found.items() if "makes" in name)
    store = Store.open(program / ".argosy" / "store")
    assert [entry.name for entry in store.entries(parse_digest(artifact["digest"]))] == ["made.txt"]


def test_gpus_and_arguments_do_not_need_interpreters_of_their_own(program: Path, argosy: Argosy) -> None:
    (program / "program.py").write_text("import os\ndef tells():\n    print(os.environ['ARGOSY_ARGUMENT_n'])\n")
    steps = [template("tells", {"env": [{"name": "ARGOSY_ARGUMENT_n", "value": str(number)}]}) for number in range(12)]
    for number, one in enumerate(steps):
        one["name"] += f"-{number}"
    assert argosy("run", written(program, workflow(steps)), "--name", "one", "-q").code == 0
    (exits,) = program.glob(".argosy/runs/*/supervisor/exits.jsonl")
    pids = {json.loads(line)["pid"] for line in exits.read_text().splitlines() if '"pid"' in line}
    assert len(pids) == 12
    assert [argosy("logs", "one", f"program-py-tells-{n}-0").out for n in range(12)] == [f"{n}\n" for n in range(12)]


def test_an_interpreter_that_is_too_old(program: Path, argosy: Argosy) -> None:
    old = program / "old"
    old.write_text(f'#!/bin/sh\n{sys.executable} "$@" | sed \'s/"version": *"3[.][0-9]*/"version": "3.8/\'\n')
    old.chmod(0o755)
    (program / "argosy.toml").write_text('[python]\ninterpreter = "old"\n')
    ran = argosy("run", written(program, workflow([template("shows", {})])))
    assert ran.code == 5
    assert "need Python 3.10 or later" in ran.err
