"""What people who come from dstack type and expect, but for what a workflow itself may say."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from cli_samples import Argosy
from dstack_projects import IMAGE, logs, need_image, put

WAITS = "  - {name: a, provider: bash, commands: ['echo kept > out/x; echo > seen/$RUN_NAME', sleep 100], %s}"


def waiting(folder: Path, argosy: Argosy, name: str, more: str = "artifacts: [out]") -> None:
    """A run that has written an output and goes on."""
    seen = folder / "seen"
    seen.mkdir(exist_ok=True)
    put(folder, WAITS.replace("seen/", f"{seen}/") % more)
    assert argosy("run", "a", "--name", name, "--detach").code == 0
    for _ in range(400):
        if (seen / name).exists():
            return
        time.sleep(0.05)
    raise AssertionError(logs(argosy, name))


# -- how runs are ended


def test_stop_all_ends_every_run_that_is_not_over(folder: Path, argosy: Argosy) -> None:
    for name in ("one", "two"):
        waiting(folder, argosy, name)
    nothing = argosy("stop")
    assert (nothing.code, "write argosy stop RUN, or argosy stop --all" in nothing.err) == (2, True)
    assert argosy("stop", "--all", "one").code == 2
    assert argosy("stop", "-a", "-y", "--wait").err == "stopping two\nstopping one\ntwo stopped\none stopped\n"
    assert argosy("stop", "-a").err == "every run is over\n"


def test_a_run_that_a_person_ended_is_told_from_one_that_failed(folder: Path, argosy: Argosy) -> None:
    waiting(folder, argosy, "stopped")
    assert argosy("stop", "stopped", "--wait").code == 0
    waiting(folder, argosy, "aborted")
    assert argosy("stop", "-x", "aborted", "--wait").code == 0
    put(folder, "  - {name: a, provider: bash, commands: ['false']}")
    assert argosy("run", "a", "--name", "failed", "-q").code == 1
    shown = {line.split()[0]: line.split()[1] for line in argosy("ps").out.splitlines()[1:]}
    assert shown == {"failed": "Failed", "aborted": "Terminated", "stopped": "Stopped"}
    # The record has Argo's words.
    found = json.loads(argosy("get", "stopped", "-o", "json").out)["status"]
    assert (found["phase"], found["message"]) == ("Failed", "Stopped with strategy 'Stop'")


def test_what_is_saved_as_it_is_written_outlives_an_abort(folder: Path, argosy: Argosy) -> None:
    waiting(folder, argosy, "live", "artifacts: [{path: out, mount: true}, {path: other}]")
    assert argosy("stop", "live", "--abort", "--wait").code == 0
    listed = json.loads(argosy("artifacts", "list", "live", "-o", "json").out)["artifacts"]
    assert [one["artifact"]["name"] for one in listed] == ["out"]
    assert argosy("artifacts", "download", "live", "-d", "here").code == 0
    assert (folder / "here" / "out" / "x").read_text() == "kept\n"


def test_a_run_that_is_restarted_has_a_name_of_its_own(
    folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "  - {name: a, provider: bash, commands: ['true']}")
    assert argosy("run", "a", "--name", "mine", "-q").code == 0
    again = argosy("restart", "mine", "-q", "-o", "name")
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d\n", again.out)
    # One that is taken is made up anew.
    names = iter(["mine", "mine", "brave-otter-1"])
    monkeypatch.setattr("argosy.project.naming.counted_words", lambda: next(names))
    assert argosy("restart", "mine", "-q", "-o", "name").out == "brave-otter-1\n"


# -- what a step sees


def test_variables_that_dstacks_runner_set(folder: Path, argosy: Argosy) -> None:
    names = "PYTHONUNBUFFERED RUN_NAME JOB_ID HOSTNAME JOB_HOSTNAME PORT_0 JOB_PORT_0 PORT_1"
    put(folder, "  - {name: a, provider: bash, ports: 2, commands: ['python show.py']}")
    (folder / "show.py").write_text(f"import os\nfor name in '{names}'.split(): print(os.environ[name])\n")
    assert argosy("run", "a", "--name", "mine", "-q").code == 0
    unbuffered, name, job, host, job_host, port, same, other = logs(argosy).split()
    assert (unbuffered, name, job_host) == ("1", "mine", "127.0.0.1")
    assert job.startswith("mine-")
    assert host
    assert port == same
    assert {port.isdigit(), other.isdigit()} == {True}
    assert port != other


def test_variables_by_which_torchruns_processes_meet(folder: Path, argosy: Argosy) -> None:
    names = "MASTER_ID MASTER_JOB_ID MASTER_HOSTNAME MASTER_JOB_HOSTNAME MASTER_PORT_0 MASTER_JOB_PORT_0 PORT_0 JOB_ID"
    put(folder, "  - {name: a, provider: torchrun, file: a.py}")
    inside = folder / "torch" / "distributed"
    inside.mkdir(parents=True)
    (folder / "torch" / "__init__.py").touch()
    (inside / "__init__.py").touch()
    (inside / "run.py").write_text(f"import os\nfor name in '{names}'.split(): print(os.environ[name])\n")
    assert argosy("run", "a", "-q").code == 0
    id, job_id, host, job_host, port, job_port, own_port, own_id = logs(argosy).split()
    assert id == job_id == own_id
    assert (host, job_host) == ("127.0.0.1", "127.0.0.1")
    assert port == job_port == own_port


def test_conda_activate_works_without_a_bashrc(
    folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / ".bashrc").write_text("export FROM_BASHRC=1\n")
    conda = home / "miniconda3" / "bin" / "conda"
    conda.parent.mkdir(parents=True)
    # What `conda shell.bash hook` prints is a function of this name.
    conda.write_text("""#!/bin/sh\necho 'conda() { echo "$1 $2"; export CONDA_PREFIX=/envs/$2; }'\n""")
    conda.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("CONDA_EXE", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    commands = "[conda activate mnist, 'echo $CONDA_PREFIX [$FROM_BASHRC]']"
    put(folder, f"  - {{name: a, provider: bash, commands: {commands}}}")
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "activate mnist\n/envs/mnist []\n"


def test_the_bashrc_of_an_image_is_read(folder: Path, argosy: Argosy) -> None:
    need_image()
    (folder / "home").mkdir()
    (folder / "home" / ".bashrc").write_text('[ -z "$PS1" ] && return\nexport FROM_BASHRC=1\n')
    (folder / "argosy.toml").write_text('[code]\nrules = ["include home/.bashrc"]\n')
    workflow = f"""
  - name: a
    provider: docker
    image: {IMAGE}
    env: [HOME=/argosy/code/home]
    commands: ['echo "[$FROM_BASHRC]"']
"""
    put(folder, workflow)
    assert argosy("run", "a", "--runtime", "podman", "-q").code == 0
    assert logs(argosy) == "[1]\n"


# -- verbs


def test_secrets_are_updated_and_deleted_as_they_were_added(folder: Path, argosy: Argosy) -> None:
    for verb in ("add", "update"):
        assert argosy("secrets", verb, "-y", "API_KEY", f"value of {verb}").code == 0
    assert argosy("secrets", "delete", "-y", "API_KEY").err == "deleted API_KEY of secret dstack\n"
    assert argosy("secrets", "delete", "API_KEY").code == 4
    # By the rule that names of variables have.
    added = argosy("secrets", "add", "api.key-2", "more than one word")
    assert added.err == "secret dstack configured\nnote: api.key-2 is the variable API_KEY_2\n"
    put(folder, "  - {name: a, provider: bash, commands: ['echo ${#API_KEY_2}']}")
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "18\n"
    assert argosy("secrets", "delete", "api.key-2").code == 0


def test_tags_are_written_with_a_colon_too(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, commands: ['echo 1 > out/x'], artifacts: [out]}")
    assert argosy("run", "a", "--name", "mine", "-t", "latest", "-q").code == 0
    assert argosy("tags", "add", ":other", "-r", "mine").code == 0
    assert argosy("tags", "list", "-o", "name").out == "a:latest\nlatest\nother\n"
    for word in (":latest", "latest", "a:latest"):
        assert argosy("artifacts", "list", word, "-o", "name").out == "out/\n"
    assert json.loads(argosy("artifacts", "list", ":latest", "-o", "json").out)["artifacts"] == [
        {"path": "out/", "sizeBytes": 2}
    ]
    assert argosy("ls", ":latest").out == argosy("ls", "mine").out == "out/x\n"
    assert argosy("artifacts", "download", ":latest", "here").code == 0
    # Into the folder where one is, beside other things.
    assert argosy("artifacts", "download", ":latest", ".").code == 0
    assert (folder / "out" / "x").read_text() == "1\n"
    again = argosy("artifacts", "download", "mine", ".")
    assert (again.code, "There is something at out already" in again.err) == (2, True)
    assert (folder / "here" / "out" / "x").read_text() == "1\n"
    assert "argosy tags add other mine names the outputs of mine" in argosy("tag", "mine", "other").err
    assert argosy("tags", "delete", ":latest", "-y").code == 0
    assert argosy("artifacts", "list", ":latest").code == 4


def test_a_tag_of_local_folders_brings_them_to_their_paths(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, deps: [':mine'], commands: [cat raw/data/x one.txt]}")
    (folder / "raw" / "data").mkdir(parents=True)
    (folder / "raw" / "data" / "x").write_text("x\n")
    (folder / "one.txt").write_text("one\n")
    assert argosy("tags", "add", "mine", "-a", "./raw/data", "-a", "one.txt").code == 0
    for path in ("raw/data/x", "one.txt"):
        (folder / path).unlink()
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "x\none\n"
    assert argosy("tags", "add", "mine").code == 2
    assert argosy("tags", "add", "mine", "-a", "nowhere").code == 4


# -- words behind a name


def test_a_provider_runs_without_a_workflow(folder: Path, argosy: Argosy) -> None:
    done = argosy("run", "bash", "-c", "echo $A > out/x", "-e", "A=1 2", "-a", "out", "-t", "mine", "-q")
    assert done.code == 0, done.err
    assert argosy("run", "bash", "-c", "cat out/x; echo ${{ run.args }}", "--dep", ":mine", "-q", "--lr", "3").code == 0
    assert logs(argosy) == "1 2\n--lr 3\n"
    (folder / "show.py").write_text("import sys; print(sys.argv[1:])")
    assert argosy("run", "python", "show.py", "--epochs", "3", "b c", "-q").code == 0
    assert logs(argosy) == "['--epochs', '3', 'b c']\n"
    unknown = argosy("run", "bsh", "-c", "x")
    assert unknown.code == 4


def test_words_change_what_a_workflow_says(folder: Path, argosy: Argosy) -> None:
    workflow = "  - {name: a, provider: bash, env: [A=1, B=2], resources: {gpu: 64}, commands: [echo $A $B $LR]}"
    put(folder, workflow, "  a: {lr: 1}\n")
    assert argosy("run", "a").code == 5
    done = argosy("run", "a", "-e", "A=9", "--gpu", "0", "--lr", "5", "-q")
    assert done.code == 0, done.err
    assert logs(argosy) == "9 2 5\n"
    assert "Did you mean '--lr'?" in argosy("run", "a", "--lrr", "5", "--gpu", "0").err


# -- what runs take of one another


def test_a_tag_that_exists_is_moved(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, commands: ['echo $X > out/x'], artifacts: [out]}", "  a: {x: 1}\n")
    for value in ("1", "2"):
        assert argosy("run", "a", f"x={value}", "-t", "mine", "--name", f"run-{value}", "-q").code == 0
    assert argosy("artifacts", "download", "mine", "-d", "here").code == 0
    assert (folder / "here" / "out" / "x").read_text() == "2\n"
    assert argosy("tags", "add", "mine", "run-1").code == 0
    assert argosy("artifacts", "download", "mine", "-d", "there").code == 0
    assert (folder / "there" / "out" / "x").read_text() == "1\n"


def test_what_a_run_takes_is_settled_when_it_is_made(folder: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: make, provider: bash, commands: ['echo $X > out/x'], artifacts: [out]}
  - {name: use, provider: bash, deps: [make], commands: [cat out/x]}
"""
    put(folder, workflows, "  make: {x: 1}\n")
    assert argosy("run", "make", "x=1", "-q").code == 0
    assert argosy("run", "use", "--name", "first", "-q").code == 0
    assert argosy("run", "make", "x=2", "-q").code == 0
    assert argosy("restart", "first", "-q").code == 0
    assert logs(argosy) == "1\n"
    assert argosy("run", "use", "-q").code == 0
    assert logs(argosy) == "2\n"


def test_artifacts_stay_relative_to_the_code_in_another_working_folder(folder: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: a, provider: bash, working_dir: src/deep, commands: [cat here.txt, 'echo 1 > ../../out/x'], artifacts: [out]}
  - {name: b, provider: bash, depends-on: [a], commands: [cat out/x]}
"""
    put(folder, workflows)
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "src" / "deep" / "here.txt").write_text("here\n")
    assert argosy("run", "b", "-q").code == 0
    assert sorted(argosy("logs", "@latest", "--no-prefix").out.split()) == ["1", "here"]


def test_logs_are_followed_to_the_end(folder: Path, argosy: Argosy) -> None:
    commands = "[echo one, 'until [ -e $GO ]; do sleep 0.05; done', echo two]"
    put(folder, f"  - {{name: a, provider: bash, commands: {commands}}}", f"  a: {{go: {folder}/go}}\n")
    assert argosy("run", "a", "--name", "mine", "--detach").code == 0
    for _ in range(400):
        if "one" in logs(argosy, "mine"):
            break
        time.sleep(0.05)
    (folder / "go").touch()
    assert argosy("logs", "mine", "-f", "--no-prefix").out == "one\ntwo\n"


def test_runs_are_listed_with_their_variables(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, commands: ['true']}", "  a: {lr: 1}\n")
    for value in ("1", "2"):
        assert argosy("run", "a", "--lr", value, "--name", f"run-{value}", "-q").code == 0
    assert [line.split()[0::4] for line in argosy("ps", "-a").out.splitlines()] == [
        ["NAME", "lr"],
        ["run-2", "2"],
        ["run-1", "1"],
    ]
    assert argosy("runs", "-o", "name").out == argosy("ps", "-o", "name").out
    assert argosy("ps", "run-1", "-o", "name").out == "run-1\n"
    assert argosy("ps", "@latest", "-o", "name").out == "run-2\n"
    assert argosy("ps", "nothing").code == 4


def test_the_manifest_runs_as_the_workflow_does(folder: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: make, provider: bash, commands: ['echo $X > out/x'], artifacts: [out]}
  - {name: use, provider: bash, depends-on: [make], commands: ['cat out/x', "echo '{{x}}' ${{ y }}"]}
"""
    put(folder, workflows, "  make: {x: 1}\n  use: {y: 2}\n")
    assert argosy("convert", "use", "-o", "manifest.yaml").code == 0
    assert argosy("lint", "manifest.yaml").code == 0
    done = argosy("run", "manifest.yaml", "y=5", "-q")
    assert done.code == 0, done.err
    assert logs(argosy).split() == ["use:", "1", "use:", "{{x}}", "5"]


def test_what_ran_first_counts_though_the_rest_failed(folder: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: raw, provider: bash, commands: ['echo $X > raw/x'], artifacts: [raw]}
  - {name: make, provider: bash, depends-on: [raw], commands: ['cp raw/x out/x'], artifacts: [out]}
  - {name: train, provider: bash, depends-on: [make], commands: ['echo m > model/m', '[ $X = 1 ]'], artifacts: [model]}
  - {name: use, provider: bash, deps: [make], commands: ['cat raw/x out/x; ls']}
"""
    put(folder, workflows, "  global: {x: 1}\n")
    assert argosy("run", "train", "x=2", "-q").code == 1
    # Not what came after it: there is no `model`.
    assert argosy("run", "use", "-q").code == 0
    assert logs(argosy).split() == ["2", "2", "argosy.toml", "out", "raw"]
    again = argosy("run", "train", "--reuse", "x=1", "-q")
    assert again.code == 0, again.err
    assert argosy("run", "raw", "x=3", "-q").code == 0
    assert argosy("run", "use", "-q").code == 0
    assert logs(argosy).split()[:2] == ["2", "2"]


def test_what_another_repository_left_is_brought_under_its_name(folder: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: a, provider: bash, deps: [you/there/data], commands: [cat raw/x]}
  - {name: b, provider: bash, deps: [{tag: you/there/v2}], commands: [cat raw/x]}
  - {name: make, provider: bash, commands: [echo 2 > raw/x], artifacts: [raw]}
"""
    put(folder, workflows)
    missing = argosy("run", "a")
    assert (missing.code, "There is no tag named 'you/there/data'" in missing.err) == (4, True)
    assert "`argosy tags add you/there/data -a PATH`" in missing.err
    (folder / "raw").mkdir()
    (folder / "raw" / "x").write_text("1\n")
    assert argosy("tags", "add", "you/there/data", "-a", "raw").code == 0
    (folder / "raw" / "x").unlink()
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "1\n"
    # As the other project, where both have one home.
    assert argosy("run", "make", "-t", "you/there/v2", "-q").code == 0
    assert argosy("run", "b", "-q").code == 0
    assert logs(argosy) == "2\n"


def test_a_list_behind_an_option_is_one_value(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, commands: [echo $LAYERS]}", "  a: {layers: [8]}\n")
    assert argosy("run", "a", "--layers", "[64,64]", "-q").code == 0
    assert logs(argosy) == "[64,64]\n"
    assert argosy("ps", "-o", "name").out.count("\n") == 1
    assert argosy("run", "a", "layers=[64,32]", "-q").code == 0
    assert argosy("ps", "-o", "name").out.count("\n") == 4


def test_a_variable_that_is_called_like_an_option_is_told(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, commands: [echo $NAME]}", "  a: {name: mine}\n")
    done = argosy("run", "a", "--name", "other")
    assert "note: --name is an option of argosy run; the variable name is given as name=VALUE" in done.err
    assert logs(argosy, "other") == "mine\n"
    assert "note:" not in argosy("run", "a", "name=other").err
    assert logs(argosy) == "other\n"


def test_a_tag_of_a_run_is_one_of_every_workflow_in_it(folder: Path, argosy: Argosy) -> None:
    """`dstack tag RUN latest`, and then `download:latest` somewhere."""
    workflows = """
  - {name: raw, provider: bash, commands: ['echo $X > raw/x'], artifacts: [raw]}
  - {name: train, provider: bash, depends-on: [raw], commands: ['echo m > model/m'], artifacts: [model]}
  - {name: of-raw, provider: bash, depends-on: ['raw:good'], commands: ['cat raw/x; [ ! -e model ]']}
  - {name: of-train, provider: bash, depends-on: ['train:good'], commands: ['cat raw/x model/m']}
  - {name: other, provider: bash, depends-on: ['of-raw:good'], commands: ['true']}
"""
    put(folder, workflows, "  global: {x: 1}\n")
    assert argosy("run", "raw", "x=7", "--name", "first", "-q").code == 0
    assert argosy("tags", "add", "good", "first").code == 0
    assert argosy("run", "of-raw", "-q").code == 0
    assert logs(argosy) == "7\n"
    assert argosy("run", "train", "x=8", "--name", "second", "-q").code == 0
    assert argosy("tags", "add", "good", "second").code == 0
    assert argosy("run", "of-train", "-q").code == 0
    assert logs(argosy) == "8\nm\n"
    assert argosy("run", "of-raw", "-q").code == 0
    assert logs(argosy) == "8\n"
    assert argosy("restart", "@latest", "-q").code == 0
    assert argosy("run", "other").code == 4


def test_nothing_runs_of_commands_that_cannot_be_read(folder: Path, argosy: Argosy) -> None:
    """dstack's shell had them all as one line."""
    put(folder, "  - {name: a, provider: bash, commands: [echo first, 'if true; then echo no']}")
    assert argosy("run", "a", "-q").code == 1
    assert "first" not in logs(argosy)
    assert "syntax error" in logs(argosy)
