"""dstack's workflows by the command line: the example, dependencies, variables, secrets, environments, apps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from cli_samples import Argosy
from dstack_projects import logs, put, wheel

EXAMPLE = Path(__file__).parents[3] / "examples" / "dstack"


@pytest.fixture
def example(folder: Path) -> Path:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    return folder


# -- the example


def test_the_example_runs_what_train_depends_on(example: Path, argosy: Argosy) -> None:
    done = argosy("run", "train", "--epochs", "3")
    assert done.code == 0, done.err
    printed = logs(argosy)
    assert "download: 200 points\n" in printed
    assert "train: epoch: 3 loss: " in printed
    assert "epoch: 4" not in printed
    listed = argosy("artifacts", "list", "@latest", "-o", "json")
    assert [(one["step"], one["artifact"]["name"]) for one in json.loads(listed.out)["artifacts"]] == [
        ("download", "data"),
        ("train", "model"),
    ]


def test_every_spelling_of_a_value_counts_at_once(example: Path, argosy: Argosy) -> None:
    """dstack lost every second one of them."""
    done = argosy("run", "report", "--epochs", "2", "--lr=0.2", "batch-size=10", "--samples", "30", "-q")
    assert done.code == 0, done.err
    printed = logs(argosy)
    assert "30 points" in printed
    assert "after 2 epochs with 0.2" in printed
    found = json.loads(argosy("get", "@latest", "-o", "json").out)["spec"]["arguments"]["parameters"]
    assert {one["name"]: one["value"] for one in found} == {
        "epochs": "2",
        "lr": "0.2",
        "train-batch-size": "10",
        "download-samples": "30",
    }


def test_unknown_names_are_errors_with_a_suggestion(example: Path, argosy: Argosy) -> None:
    option = argosy("run", "train", "--epoch", "3")
    assert (option.code, "Did you mean '--epochs'?" in option.err) == (2, True)
    pair = argosy("run", "train", "epoch=3")
    assert (pair.code, "did you mean epochs?" in pair.err) == (2, True)
    name = argosy("run", "trian")
    assert (name.code, "did you mean train?" in name.err) == (4, True)
    tagged = argosy("run", "train-tagged")
    assert (tagged.code, "There is no tag named 'download:latest'" in tagged.err) == (4, True)


def test_tags_of_runs_are_what_others_take(example: Path, argosy: Argosy) -> None:
    assert argosy("run", "download", "-t", "latest", "samples=7", "-q").code == 0
    assert argosy("run", "train-tagged", "-q").code == 0
    assert "train-tagged: " not in argosy("logs", "@latest", "--no-prefix").out
    assert argosy("run", "download", "-t", "other", "-q").code == 0
    listed = json.loads(argosy("tags", "list", "-o", "json").out)["tags"]
    assert {one["name"] for one in listed} == {"latest", "download:latest", "other", "download:other"}
    (example / ".dstack" / "workflows.yaml").write_text(
        "workflows: [{name: a, provider: bash, commands: [ls data], depends-on: ['download:zzz']}]"
    )
    missing = argosy("run", "a")
    assert missing.code == 4
    assert "there are download:latest, download:other, latest, other" in missing.err


def test_reuse_takes_the_latest_finished_run(example: Path, argosy: Argosy) -> None:
    nothing = argosy("run", "train", "--reuse")
    assert (nothing.code, "There is no run of the workflow 'download'" in nothing.err) == (4, True)
    assert argosy("run", "train", "samples=9", "-q").code == 0
    # The download within that run counts; and so it does for the run after the next.
    for _ in range(2):
        assert argosy("run", "train", "--reuse", "-q").code == 0
        assert "points" not in logs(argosy)
    assert argosy("run", "train", "-q").code == 0
    assert "200 points" in logs(argosy)
    assert argosy("run", str(EXAMPLE / "nothing.yaml"), "--reuse").code == 2


def test_a_run_has_a_name_as_dstack_made_them(example: Path, argosy: Argosy) -> None:
    name = argosy("run", "download", "-q", "-o", "name").out.strip()
    words = name.split("-")
    assert len(words) == 3
    assert words[2].isdigit()


def test_what_there_is_and_what_it_takes(example: Path, argosy: Argosy) -> None:
    assert argosy("run").out == ".dstack/workflows.yaml  download, train, train-tagged, report\n"
    taken = argosy("params", "train")
    assert taken.code == 0
    assert [line.split()[:3] for line in taken.out.splitlines()[1:]] == [
        ["epochs", "string", "20"],
        ["lr", "string", "0.1"],
        ["batch-size", "string", "20"],
        ["download-samples", "string", "200"],
    ]
    assert "Trains a model and saves the checkpoints\n" in taken.err
    assert "download" in argosy("params", ".dstack/workflows.yaml").out
    assert argosy("lint", ".").code == 0
    assert argosy("run", ".dstack/workflows.yaml", "download", "-q").code == 0
    none = argosy("run", ".dstack/variables.yaml")
    assert (none.code, ".dstack/variables.yaml holds no workflow" in none.err) == (4, True)
    several = argosy("run", ".dstack/workflows.yaml")
    assert (several.code, "name one of them: download, train, train-tagged, report" in several.err) == (2, True)
    below = example / "below"
    below.mkdir()
    os.chdir(below)
    assert argosy("run", "download", "-q").code == 0


def test_verbs_that_dstack_had(example: Path, argosy: Argosy) -> None:
    assert argosy("run", "train", "--name", "first", "-q").code == 0
    assert argosy("ps", "-o", "name").out == "first\n"
    assert argosy("artifacts", "download", "first", "-d", "here").code == 0
    assert (example / "here" / "data" / "points.json").exists()
    assert (example / "here" / "model" / "line.json").exists()
    assert argosy("artifacts", "download", "first", "-d", "here").code == 2
    assert argosy("artifacts", "upload", "here/data", "mine:1").code == 0
    assert argosy("artifacts", "download", "mine:1", "-d", "there").code == 0
    assert (example / "there" / "points.json").exists()
    assert argosy("artifacts", "upload", "here/data", "alone").code == 0
    assert argosy("artifacts", "download", "alone", "-d", "alone-there").code == 0
    assert (example / "alone-there" / "points.json").exists()
    assert argosy("artifacts", "download", "nothing").code == 4
    assert argosy("artifacts", "upload", "here/data").code == 2
    assert argosy("artifacts", "first", "train", "more").code == 2
    assert argosy("restart", "first", "--name", "second", "-q").code == 0
    assert argosy("ps", "-o", "name").out == "second\nfirst\n"
    assert argosy("get", "second", "-o", "name").code == 0


# -- how a step runs


def test_commands_share_a_shell_and_stop_at_the_first_that_fails(folder: Path, argosy: Argosy) -> None:
    put(
        folder,
        "  - {name: a, provider: bash, commands: [X=1, mkdir d, cd d, 'echo $X; pwd', 'false && echo no', echo never]}",
    )
    assert argosy("run", "a", "-q").code == 1
    assert logs(argosy).startswith("1\n")
    assert "never" not in logs(argosy)


def test_text_of_other_languages_is_left_alone(folder: Path, argosy: Argosy) -> None:
    """The original ran Jinja over every text."""
    put(
        folder,
        "  - {name: a, provider: bash, commands: ['echo \"{{x}} {% raw %} {# y #}\"', 'echo ${{ v }}']}",
        "  a: {v: 1}\n",
    )
    assert argosy("run", "a", "v={{workflow.name}}", "-q").code == 0
    assert logs(argosy) == "{{x}} {% raw %} {# y #}\n{{workflow.name}}\n"


def test_values_reach_the_environment_unchanged(folder: Path, argosy: Argosy) -> None:
    workflow = """
  - name: a
    provider: python
    file: show.py
    args: ["${{ v }}", "b c"]
    environment: {OTHER: "<${{ v }}> $(V) $$"}
"""
    show = "import os, sys; print([os.environ['V'], os.environ['OTHER'], *sys.argv[1:]])"
    put(folder, workflow, "  a: {v: 1}\n", show_py=show)
    value = "it's $(HOME) $$ {{workflow.name}} \"`x`"
    assert argosy("run", "a", "--v", value, "-q").code == 0
    assert logs(argosy) == f"{[value, f'<{value}> $(V) $$', value, 'b c']}\n"


def test_b_takes_all_other_words_as_arguments(folder: Path, argosy: Argosy) -> None:
    workflow = (
        "  - {name: a, provider: bash, commands: ['python show.py ${{ run.args }}', 'echo ${{ run.name }} $RUN_NAME']}"
    )
    put(folder, workflow, show_py="import sys; print(sys.argv[1:])")
    done = argosy("run", "a", "--name", "mine", "-q", "--epochs", "3", "b c", "d=e")
    assert done.code == 0, done.err
    assert logs(argosy) == "['--epochs', '3', 'b c', 'd=e']\nmine mine\n"


def test_secrets_win_over_env_and_stay_out_of_logs(folder: Path, argosy: Argosy) -> None:
    from argosy.project.project import Project

    script = (
        "import os; print(os.environ['API_KEY'], len(os.environ['API_KEY']), [k for k in os.environ if 'SECRET' in k])"
    )
    put(folder, "  - {name: a, provider: python, file: show.py, env: [API_KEY=plain]}", show_py=script)
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "plain 5 []\n"
    project = Project.open(None, folder=folder)
    project.vault.set("dstack", {"API_KEY": b'two words\n$x "y"'})
    project.vault.set("other", {"API_KEY": b"not for everyone"})
    project.close()
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "*** 16 []\n"


def test_an_artifact_that_was_laid_over_the_code(folder: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: make, provider: bash, commands: ['echo new > d/new'], artifacts: [d]}
  - {name: use, provider: bash, deps: [workflow: make], commands: [ls d, cat code.txt]}
"""
    put(folder, workflows, code_txt="code\n")
    (folder / "d").mkdir()
    (folder / "d" / "old").write_text("old")
    none = argosy("run", "use")
    assert (none.code, "There is no run of the workflow 'make' that succeeded" in none.err) == (4, True)
    assert argosy("run", "make", "-q").code == 0
    assert argosy("run", "use", "-q").code == 0
    assert logs(argosy) == "new\nold\ncode\n"


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_absolute_paths_come_back_where_they_were(folder: Path, argosy: Argosy) -> None:
    workflows = """
  - {name: make, provider: bash, commands: ['echo 1 > /opt/mine/x'], artifacts: [{path: /opt/mine}]}
  - {name: use, provider: bash, deps: [workflow: make], commands: [cat /opt/mine/x]}
  - {name: both, provider: bash, depends-on: [make], commands: [cat /opt/mine/x]}
  - {name: tagged, provider: bash, deps: [tag: mine], commands: [cat /opt/mine/x]}
  - {name: other, provider: bash, artifacts: [/opt/other], commands: [touch /opt/other/x]}
"""
    put(folder, workflows)
    (folder / "argosy.toml").unlink()
    for name in ("make", "use", "both"):
        done = argosy("run", name)
        assert done.code == 0, done.err
        assert "runtime sandbox, for the absolute paths of" in done.err
    assert "1\n" in logs(argosy)
    assert argosy("run", "make", "-t", "mine", "-q").code == 0
    assert argosy("run", "tagged", "-q").code == 0
    assert logs(argosy) == "1\n"
    refused = argosy("run", "make", "--runtime", "process")
    assert refused.code == 1
    assert "Use --runtime sandbox" in argosy("get", "@latest", "-o", "json").out + refused.err


# -- Python


def test_requirements_make_an_environment_once(
    folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (folder / "argosy.toml").write_text(
        '[run]\nruntime = "process"\nenvironment = ["XDG_CACHE_HOME"]\n[code]\nrules = ["include binary *.whl"]\n'
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    put(folder, "  - {name: a, provider: python, file: a.py, requirements: needs.txt, working_dir: .}")
    (folder / "needs.txt").write_text(f"./{wheel(folder)}\n")
    (folder / "a.py").write_text("import sys, tiny; print(tiny.x, sys.prefix != sys.base_prefix, sys.prefix)")
    done = argosy("run", "a", "-q")
    assert done.code == 0, done.err
    first = logs(argosy)
    assert first.startswith("making the virtual environment ")
    assert "42 True " in first
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == first.split("\n", 1)[1]
    (folder / ".dstack" / "workflows.yaml").write_text(
        "workflows: [{name: a, provider: python, file: a.py, requirements: none.txt}]"
    )
    assert argosy("run", "a", "-q").code == 1
    assert "there is no none.txt in the code of this run" in logs(argosy)


def test_a_python_that_is_not_here_is_told_of(folder: Path, argosy: Argosy) -> None:
    if shutil.which("uv") is not None:
        pytest.skip("uv fetches any Python")
    put(folder, "  - {name: a, provider: bash, python: 3.3, commands: [echo never]}")
    assert argosy("run", "a", "-q").code == 1
    assert "Python 3.3 is not on this machine: install it, or uv, which fetches it" in logs(argosy)
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    put(folder, f"  - {{name: a, provider: bash, python: {own}, commands: [echo here]}}")
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "here\n"


# -- programs of providers


def test_torchrun_starts_torch_with_the_rendezvous(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: torchrun, file: train.py, args: [--lr, '1']}")
    missing = argosy("run", "a", "-q")
    if missing.code:
        assert "this workflow needs torch: put it into its requirements" in logs(argosy)
    inside = folder / "torch" / "distributed"
    inside.mkdir(parents=True)
    (folder / "torch" / "__init__.py").touch()
    (inside / "__init__.py").touch()
    (inside / "run.py").write_text(
        "import os, sys\nprint(sys.argv[1:])\nprint(os.environ['MASTER_HOSTNAME'], os.environ['MASTER_PORT_0'])\n"
    )
    assert argosy("run", "a", "-q").code == 0
    words, rendezvous, _ = logs(argosy).split("\n")
    host, port = rendezvous.split()
    assert host == "127.0.0.1"
    launch = ["--nnodes=1", "--node_rank=0", "--nproc_per_node=1", f"--master_addr={host}", f"--master_port={port}"]
    assert words == str([*launch, "train.py", "--lr", "1"])


def test_curl_leaves_what_it_fetched(folder: Path, argosy: Argosy) -> None:
    (folder / "there.txt").write_text("fetched\n")
    put(
        folder,
        f"  - {{name: a, provider: curl, url: 'file://{folder}/there.txt', output: raw/x.txt, artifacts: [raw]}}\n"
        "  - {name: b, provider: bash, depends-on: [a], commands: [cat raw/x.txt]}",
    )
    assert argosy("run", "b", "-q").code == 0
    assert "fetched\n" in logs(argosy)


def test_an_app_tells_its_address_and_stops_with_the_run(folder: Path, argosy: Argosy) -> None:
    # Stands for the package: a module of that name in the code.
    serve = (
        "import http.server, sys\n"
        "port = int(next(one for one in sys.argv if one.startswith('--port=')).partition('=')[2])\n"
        "http.server.HTTPServer(('127.0.0.1', port), http.server.SimpleHTTPRequestHandler).serve_forever()\n"
    )
    put(folder, "  - {name: a, provider: lab}", jupyterlab_py=serve)
    assert argosy("run", "a", "--name", "app", "--detach").code == 0
    address = shown = ""
    for _ in range(200):
        time.sleep(0.05)
        shown = argosy("get", "app").out
        if "Open:" in shown:
            address = shown.split("Open:")[1].split("lab?token=")[0].strip()
            break
    assert address, shown
    assert f"open {address}" in logs(argosy, "app")
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.status == 200
            break
        except OSError:
            time.sleep(0.05)
    assert argosy("stop", "app", "--abort", "--wait").code == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=5)
    assert argosy("list", "-o", "name").out == "app\n"


def test_the_address_of_an_app_is_said_when_it_begins(folder: Path, argosy: Argosy) -> None:
    """Here the app is over as soon as its address was seen."""
    ends = (
        "import os, socket, time\n"
        "held = socket.create_server(('127.0.0.1', int(os.environ['GRADIO_SERVER_PORT'])))\n"
        "while not os.path.exists(os.environ['SEEN']):\n    time.sleep(0.05)\n"
    )
    seen = folder / "seen"
    put(folder, f"  - {{name: a, provider: gradio, file: app.py, env: {{SEEN: {seen}}}}}", app_py=ends, gradio_py="")
    command = [sys.executable, "-m", "argosy", "run", "a"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("a is at http://127.0.0.1:"):
                seen.touch()
                break
        process.stderr.read()
    assert process.returncode == 0
    assert seen.exists()
    assert "Open:" not in argosy("get", "@latest").out


def test_an_app_without_its_program_says_what_to_install(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: streamlit, target: app.py}", app_py="")
    assert argosy("run", "a", "-q").code == 1
    assert "this workflow needs streamlit: put it into its requirements" in logs(argosy)


def test_a_folder_below_a_home_with_dstacks_own_files(folder: Path, argosy: Argosy) -> None:
    """A person's home has a .dstack with a configuration: it makes no project."""
    (folder / "argosy.toml").unlink()
    (folder / ".dstack").mkdir()
    (folder / ".dstack" / "config.yaml").write_text("backend: aws\n")
    below = folder / "project"
    below.mkdir()
    os.chdir(below)
    from argosy.project.home import project_folder

    assert project_folder(below) != folder
    assert argosy("run", "train").code == 4


def test_code_is_a_copy_without_git(folder: Path, argosy: Argosy) -> None:
    """dstack needed a branch with an upstream, and left out files that git does not know."""
    subprocess.run(["git", "init", "-q", "."], check=True, cwd=folder)
    put(folder, "  - {name: a, provider: bash, commands: [cat new.txt]}", new_txt="untracked\n")
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "untracked\n"


# -- runs that were ended


def waits(folder: Path, argosy: Argosy, name: str) -> None:
    """A run that has written an output and goes on."""
    workflows = """
  - {name: a, provider: bash, commands: ['echo kept > out/x', 'touch $SEEN', sleep 100], artifacts: [out]}
  - {name: tagged, provider: bash, deps: [':mine'], commands: [cat out/x]}
  - {name: latest, provider: bash, deps: [a], commands: [cat out/x]}
"""
    put(folder, workflows, f"  a: {{seen: {folder}/{name}.seen}}\n")
    assert argosy("run", "a", "--name", name, "--detach").code == 0
    for _ in range(400):
        if (folder / f"{name}.seen").exists():
            return
        time.sleep(0.05)
    raise AssertionError("the step did not begin")


def test_a_run_that_was_stopped_keeps_its_outputs(folder: Path, argosy: Argosy) -> None:
    waits(folder, argosy, "stopped")
    assert argosy("stop", "stopped", "--wait").code == 0
    assert argosy("artifacts", "download", "stopped", "-d", "here").code == 0
    assert (folder / "here" / "out" / "x").read_text() == "kept\n"
    # The latest run is one that succeeded; a tag may be of any.
    assert argosy("run", "latest").code == 4
    assert argosy("tags", "add", "mine", "stopped").code == 0
    assert argosy("run", "tagged", "-q").code == 0
    assert logs(argosy) == "kept\n"


def test_a_run_that_was_aborted_keeps_nothing(folder: Path, argosy: Argosy) -> None:
    waits(folder, argosy, "aborted")
    assert argosy("stop", "aborted", "--abort", "--wait").code == 0
    assert json.loads(argosy("artifacts", "list", "aborted", "-o", "json").out)["artifacts"] == []
    refused = argosy("tags", "add", "mine", "aborted")
    assert (refused.code, "Run aborted left no artifacts in the store" in refused.err) == (4, True)


def test_a_python_that_is_but_a_name_is_not_here(
    folder: Path, argosy: Argosy, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A version manager leaves programs that only say that the version is missing."""
    if shutil.which("uv") is not None:
        pytest.skip("uv fetches any Python")
    programs = tmp_path_factory.mktemp("programs")
    (programs / "python3.3").write_text("#!/bin/sh\nexit 127\n")
    (programs / "python3.3").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    put(folder, "  - {name: a, provider: bash, python: 3.3, commands: [echo never]}")
    assert argosy("run", "a", "-q").code == 1
    assert "Python 3.3 is not on this machine: install it, or uv, which fetches it" in logs(argosy)


def test_a_gpu_that_is_not_here_is_told_before_anything_runs(example: Path, argosy: Argosy) -> None:
    text = (example / ".dstack" / "workflows.yaml").read_text()
    (example / ".dstack" / "workflows.yaml").write_text(text.replace("      cpu: 1\n", "      gpu: 64\n"))
    refused = argosy("run", "train")
    assert refused.code == 5
    assert "The template train can never run here: it asks for 64 GPUs" in refused.err
    assert "run it with --ignore-resources" in refused.err
    assert argosy("run", "train", "--ignore-resources", "-q").code == 0
    assert "200 points" in logs(argosy)


def test_words_that_argosy_has_an_option_for_stand_behind_two_dashes(folder: Path, argosy: Argosy) -> None:
    workflows = "  - {name: a, provider: bash, commands: ['python show.py ${{ run.args }}']}"
    put(folder, workflows, show_py="import sys; print(sys.argv[1:])")
    assert argosy("run", "a", "-q", "--", "-l", "two words").code == 0
    assert logs(argosy) == "['-l', 'two words']\n"


def test_secrets_are_added_as_dstack_has_it(folder: Path, argosy: Argosy) -> None:
    put(folder, "  - {name: a, provider: bash, commands: ['echo $API_KEY ${#API_KEY}']}")
    added = argosy("secrets", "add", "API_KEY", "a=b c de")
    assert added.code == 0, added.err
    assert argosy("run", "a", "-q").code == 0
    assert logs(argosy) == "*** 8\n"
    assert argosy("secrets", "add").code == 2
