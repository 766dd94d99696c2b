"""Host templates and the code of runs, by the command line: run, changed, run again, compared, run from long ago."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_samples import Argosy

EXAMPLE = Path(__file__).parents[3] / "examples" / "host"
ONE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: one-}
spec:
  entrypoint: main
  templates:
    - name: main
      metadata: {annotations: {argosy.dev/host: "true"}}
      container: {command: [%s]}
"""


@pytest.fixture
def pipeline(folder: Path) -> Path:
    for path in EXAMPLE.iterdir():
        shutil.copy(path, folder)
    return folder


def one(folder: Path, *command: str) -> str:
    (folder / "one.yaml").write_text(ONE % ", ".join(json.dumps(word) for word in command))
    return "one.yaml"


def test_run_changed_and_run_again(pipeline: Path, argosy: Argosy) -> None:
    first = argosy("run", "pipeline.yaml", "--name", "first")
    assert first.code == 0, first.err
    assert "runtime process, because every step runs on the host" in first.err
    train = pipeline / "train.py"
    train.write_text(train.read_text().replace("range(30)", "range(60)"))
    assert argosy("run", "pipeline.yaml", "--name", "second", "-p", "rate=0.2").code == 0

    told = argosy("diff", "first", "second")
    assert told.code == 0
    assert "- rate=0.5\n+ rate=0.2\n" in told.out
    assert "-for step in range(30):\n+for step in range(60):\n" in told.out
    assert "prepare.py" not in told.out
    found = json.loads(argosy("diff", "first", "second", "-o", "json").out)
    assert [one["path"] for one in found["code"]] == ["train.py"]
    assert found["env"] == []
    assert "code" not in json.loads(argosy("diff", "first", "second", "--params", "-o", "json").out)
    assert "it depends on: prepare" in argosy("why", "second", "train").out


def test_a_run_from_long_ago_in_an_empty_folder(pipeline: Path, argosy: Argosy) -> None:
    assert argosy("run", "pipeline.yaml", "--name", "long-ago", "-q").code == 0
    before = argosy("logs", "long-ago", "report").out
    for path in pipeline.iterdir():
        if path.is_file():
            path.unlink()
    again = argosy("resubmit", "long-ago", "--name", "again")
    assert again.code == 0, again.err
    assert argosy("logs", "again", "report").out == before
    assert "slope" in before
    assert json.loads(argosy("diff", "long-ago", "again", "-o", "json").out)["code"] == []


def test_resubmit_and_retry_take_the_code_that_is_asked_for(pipeline: Path, argosy: Argosy) -> None:
    assert argosy("run", "pipeline.yaml", "--name", "first", "-q").code == 0
    (pipeline / "report.py").write_text("print('changed')\n")
    assert argosy("resubmit", "first", "--name", "same", "-q").code == 0
    assert "slope" in argosy("logs", "same", "report").out
    assert argosy("resubmit", "first", "--name", "new", "-q", "--code-from", "working").code == 0
    assert "changed" in argosy("logs", "new", "report").out
    kept = argosy("retry", "first", "--from", "report")
    assert "with the code that the run has kept" in kept.err
    assert "slope" in argosy("logs", "first", "report").out
    assert argosy("retry", "first", "--from", "report", "--code-from", "working", "-q").code == 0
    assert "changed" in argosy("logs", "first", "report").out


def test_a_file_that_is_edited_during_a_run_changes_nothing(folder: Path, argosy: Argosy) -> None:
    script = folder / "a.py"
    script.write_text(f"open({str(script)!r}, 'w').write('changed')\nprint(open('a.py').read())\n")
    assert argosy("run", one(folder, "python", "a.py"), "--name", "run", "-q").code == 0
    assert script.read_text() == "changed"
    assert "print(open('a.py').read())" in argosy("logs", "run").out


def test_the_code_of_a_run_is_shown_and_taken_out(pipeline: Path, argosy: Argosy) -> None:
    subprocess.run(["git", "init", "-q"], cwd=pipeline, check=True)
    words = ["git", "-c", "user.email=a@example.com", "-c", "user.name=A"]
    subprocess.run([*words, "add", "*.py"], cwd=pipeline, check=True)
    subprocess.run([*words, "commit", "-qm", "a"], cwd=pipeline, check=True)
    (pipeline / "train.py").write_text((pipeline / "train.py").read_text() + "# more\n")
    (pipeline / "model.bin").write_bytes(b"\0")
    made = argosy("run", "pipeline.yaml", "--name", "run")
    assert "1 file is not in the snapshot of the code: model.bin (binary)" in made.err
    shown = argosy("code", "run")
    assert "changed since" in shown.out
    assert "pipeline.yaml" in shown.out
    assert "+# more" in argosy("code", "run", "--diff").out
    assert argosy("code", "run", "--get", "out").code == 0
    assert sorted(path.name for path in (pipeline / "out").iterdir()) == [
        "pipeline.yaml",
        "prepare.py",
        "report.py",
        "train.py",
    ]
    assert argosy("code", "run", "--get", "out").code != 0
    found = json.loads(argosy("code", "run", "-o", "json").out)
    assert found["code"]["dirty"] is True
    assert "msgspec" in found["environment"]["packages"]


def test_a_run_and_the_working_folder(pipeline: Path, argosy: Argosy) -> None:
    assert argosy("run", "pipeline.yaml", "--name", "run", "-q").code == 0
    assert "no difference" in argosy("diff", "run").err
    (pipeline / "new.py").write_text("pass")
    told = argosy("diff", "run", "--working", "--code")
    assert told.out == "code\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+pass\n\\ No newline at end of file\n"


def test_what_cannot_be_compared_is_said(pipeline: Path, hello: str, argosy: Argosy) -> None:
    assert argosy("run", hello, "--name", "hello", "--runtime", "process", "-q").code == 0
    assert argosy("run", hello, "--name", "kept", "--runtime", "process", "-q", "--code").code == 0
    told = argosy("diff", "hello", "kept")
    assert "code is not compared: hello kept none" in told.err
    assert argosy("code", "hello").code == 4
    assert "pipeline.yaml" in argosy("code", "kept").out
    assert argosy("diff", "hello", "kept", "--working").code == 2
    assert argosy("diff", "hello", "--params").code == 2


def test_a_plain_manifest_keeps_no_code_unless_asked(folder: Path, hello: str, argosy: Argosy) -> None:
    assert argosy("run", hello, "--name", "hello", "-q").code == 0
    assert not (folder / ".argosy" / "code-index.json").exists()
    (folder / "argosy.toml").write_text(
        '[run]\nruntime = "process"\n[code]\nkeep = "always"\nrules = ["exclude *.toml"]\n'
    )
    assert argosy("run", hello, "--name", "again", "-q").code == 0
    assert list(json.loads(argosy("code", "again", "-o", "json").out)["files"]) == ["hello.yaml"]


def test_what_a_run_keeps_is_not_pruned(pipeline: Path, argosy: Argosy) -> None:
    assert argosy("run", "pipeline.yaml", "--name", "run", "-q").code == 0
    for path in (pipeline / ".argosy" / "store").rglob("*"):
        os.utime(path, (1, 1))
    assert argosy("prune").code == 0
    assert argosy("code", "run", "--get", "out").code == 0
    assert "msgspec" in argosy("code", "run", "-o", "json").out


def test_the_projects_interpreter_comes_first(folder: Path, argosy: Argosy) -> None:
    own = folder / "env" / "bin" / "python"
    own.parent.mkdir(parents=True)
    (folder / "env" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    # Asked what it is, it is the usual one; given a program, it says that it was called.
    question = 'if [ "$1" = -E ]; then exec python3 "$@"; fi'
    own.write_text(f'#!/bin/sh\n{question}\necho own "$@" $VIRTUAL_ENV\n')
    own.chmod(0o755)
    (folder / "argosy.toml").write_text('[run]\nruntime = "process"\n[python]\ninterpreter = "env"\n')
    made = argosy("run", one(folder, "python", "a.py"), "--name", "run")
    assert made.code == 0, made.err
    assert f"own a.py {folder / 'env'}" in argosy("logs", "run").out


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_in_a_sandbox_when_asked_for(pipeline: Path, argosy: Argosy) -> None:
    assert argosy("run", "pipeline.yaml", "--name", "run", "-q", "--runtime", "sandbox").code == 0
    assert "slope" in argosy("logs", "run", "report").out


def test_a_host_template_needs_a_command(folder: Path, argosy: Argosy) -> None:
    (folder / "one.yaml").write_text((ONE % "x").replace("command: [x]", "args: [a.py]"))
    refused = argosy("run", "one.yaml")
    assert refused.code == 3
    assert "command may not be empty on the host" in refused.err


def test_without_code_the_working_folder_is_empty(folder: Path, argosy: Argosy) -> None:
    file = one(folder, "python", "-c", "import os; print(os.listdir('.'))")
    assert argosy("run", file, "--name", "run", "-q", "--no-code").code == 0
    assert "[]" in argosy("logs", "run").out
    assert argosy("resubmit", "run", "--name", "again", "-q").code == 0
    assert "[]" in argosy("logs", "again").out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[code]\nrules = ["*.py"]', "not a rule on code"),
        ('[code]\nkeep = "sometimes"', "when-needed or always"),
        ('[code]\nroot = "../elsewhere"', "inside the project"),
        ('[python]\ninterpretr = "x"', "did you mean 'interpreter'"),
    ],
)
def test_mistakes_in_the_configuration_are_shown_where_they_are(
    folder: Path, argosy: Argosy, text: str, said: str
) -> None:
    (folder / "argosy.toml").write_text(text)
    refused = argosy("run", one(folder, "python", "a.py"))
    assert refused.code == 3
    assert said in refused.err
    assert "argosy.toml:2" in refused.err


@pytest.mark.parametrize("runtime", ["process", "sandbox", "podman"])
def test_an_output_of_the_working_folder_is_what_the_step_wrote(folder: Path, argosy: Argosy, runtime: str) -> None:
    program = {"sandbox": "bwrap"}.get(runtime, runtime)
    if runtime != "process" and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if runtime == "podman":
        found = subprocess.run(["podman", "image", "exists", "docker.io/library/alpine:3.23"], check=False)
        if found.returncode:
            pytest.skip("scripts/make-test-images has not made the image alpine:3.23")
    (folder / "argosy.toml").write_text('[python]\nimage = "docker.io/library/alpine:3.23"\n')
    (folder / "code").mkdir()
    for name in ("kept.txt", "changed.txt", "code/also.txt"):
        (folder / name).write_text("as it was\n")
    command = "test -f code/also.txt; echo new > new.txt; mkdir made; echo new > code/new.txt; echo x > changed.txt"
    text = (ONE % json.dumps(f"sh@-ec@{command}")).replace("@", '", "')
    text += "      inputs: {artifacts: [{name: given, path: given.txt, raw: {data: abc}}]}\n"
    text += "      outputs: {artifacts: [{name: all, path: .}]}\n"
    (folder / "one.yaml").write_text(text)
    made = argosy("run", "one.yaml", "--name", "run", "--runtime", runtime)
    assert made.code == 0, made.err
    assert argosy("artifacts", "run", "main", "--get", "all", "-d", "out").code == 0
    out = folder / "out"
    left = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
    assert left == ["changed.txt", "code", "code/new.txt", "made", "new.txt"]


def test_a_script_that_is_not_where_steps_begin_is_told(
    folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = folder / "part"
    below.mkdir()
    (below / "a.py").write_text("print('there')\n")
    one(below, "python", "a.py")
    monkeypatch.chdir(below)
    made = argosy("run", "one.yaml")
    assert made.code == 1
    assert "write part/a.py, or put an argosy.toml into part" in made.err
    (below / "argosy.toml").write_text('[run]\nruntime = "process"\n')
    assert argosy("run", "one.yaml").code == 0


def test_a_template_of_the_catalog_is_resubmitted_as_it_was(folder: Path, argosy: Argosy) -> None:
    text = (ONE % '"python", "a.py"').replace("kind: Workflow", "kind: WorkflowTemplate")
    (folder / "lib.yaml").write_text(text.replace("generateName: one-", "name: lib"))
    (folder / "a.py").write_text("print('as it was')\n")
    assert argosy("apply", "-f", "lib.yaml").code == 0
    assert argosy("run", "template/lib", "--name", "run", "-q").code == 0
    (folder / "lib.yaml").write_text((folder / "lib.yaml").read_text().replace("a.py", "b.py"))
    assert argosy("apply", "-f", "lib.yaml").code == 0
    (folder / "a.py").unlink()
    again = argosy("resubmit", "run", "--name", "again", "-q")
    assert again.code == 0, again.err
    assert "as it was" in argosy("logs", "again").out
