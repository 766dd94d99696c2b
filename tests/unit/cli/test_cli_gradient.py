"""Gradient specs through the command line: listed, checked, run in sandboxes, started by pushes, kept under names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli_samples import Argosy

from argosy.dialects.gradient.instances import INSTANCES, Instance
from argosy.dialects.gradient.load import load
from argosy.model.manifest import Workflow
from argosy.project import gradient_files
from argosy.project.gradient_runs import with_commands
from argosy.runners.local.runtimes.host import Images

SPEC = """\
defaults:
  resources: {instance-type: C3}
inputs:
  data: {type: dataset, with: {ref: words}}
  word: {type: string, with: {value: "one {{two}}"}}
jobs:
  make it:
    uses: script@v1
    with:
      image: debian:latest
      script: |-
        set -e
        test -d /outputs/kept; test -d /outputs/made
        if echo x > /inputs/data/new; then exit 9; fi
        if echo x > /inputs/word; then exit 9; fi
        cp /inputs/data/* /outputs/kept/
        printf %s "$(cat /inputs/word)" > /outputs/made/word
        echo done > /outputs/state
        exit $CODE
    env: {CODE: 0}
    inputs:
      data: workflow.inputs.data
      word: workflow.inputs.word
    outputs:
      kept: {type: volume}
      made: {type: dataset, with: {ref: made}}
      state: {type: string}
  use:
    needs: [make it]
    uses: container@v1
    with:
      image: alpine
      command: sh
      args: [-c, "cat /inputs/kept/* /inputs/made/word; echo; cat /inputs/state"]
    inputs:
      kept: make it.outputs.kept
      made: make it.outputs.made
      state: make it.outputs.state
"""
CHECKOUT = """\
on: {github: {branches: {only: main}}}
defaults: {resources: {instance-type: C3}}
jobs:
  checkout:
    uses: git-checkout@v1
    with: {url: context.event.github.url, ref: context.event.github.ref, path: /outputs/repo/sub}
    outputs:
      repo: {type: volume}
  look:
    needs: [checkout]
    uses: container@v1
    with: {image: alpine, command: sh, args: [-c, "cat /inputs/repo/sub/file"]}
    inputs: {repo: checkout.outputs.repo}
"""
FILE = ".gradient/workflows/spec.yaml"

pytestmark = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


@pytest.fixture(autouse=True)
def in_sandboxes(folder: Path) -> None:
    (folder / "argosy.toml").write_text('[run]\nruntime = "sandbox"\n')


def put(text: str, file: str = FILE) -> str:
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return file


@pytest.fixture
def words(argosy: Argosy) -> None:
    """The dataset that is read, and the one that is written."""
    Path("words").mkdir()
    Path("words/a").write_text("some words\n")
    assert argosy("datasets", "add", "words", "words").code == 0
    assert argosy("datasets", "create", "made").code == 0


@pytest.fixture
def repository(folder: Path) -> Path:
    git("init", "-q", "-b", "main")
    put(CHECKOUT)
    (folder / "file").write_text("from main\n")
    commit()
    return folder


def check_images() -> None:
    """Skip where podman or the test images are not there."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    for image in ("docker.io/library/debian:latest", "docker.io/library/alpine:latest"):
        if subprocess.run(["podman", "image", "exists", image], check=False).returncode != 0:
            pytest.skip("the test images are not there: scripts/make-test-images")


def git(*arguments: str) -> str:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, env=os.environ | who)
    return done.stdout.strip()


def commit() -> str:
    git("add", "--all", "--", "file", ".gradient")
    git("commit", "-q", "-m", "more")
    return git("rev-parse", "HEAD")


def latest(argosy: Argosy) -> dict[str, Any]:
    return json.loads(argosy("get", "@latest", "-o", "json").out)


def versions(argosy: Argosy, name: str) -> list[int]:
    answer = argosy("datasets", "versions", name, "-o", "json")
    return sorted(one["version"] for one in json.loads(answer.out)["versions"])


def test_specs_are_listed_linted_and_tell_what_they_take(argosy: Argosy, folder: Path) -> None:
    put(SPEC)
    assert argosy("run").out == f"{FILE}  spec-*\n"
    for given in (FILE, "."):
        answer = argosy("lint", given)
        assert (answer.code, answer.err) == (0, "1 file, 1 document: nothing to complain about\n")
    takes = json.loads(argosy("params", FILE, "-o", "json").out)["workflows"][0]["inputs"]
    assert [(one["name"], one["default"], one["place"]) for one in takes] == [
        ("data", "words", f"{FILE}:4"),
        ("word", "one {{two}}", f"{FILE}:5"),
    ]


def test_a_spec_that_is_wrong(argosy: Argosy, folder: Path) -> None:
    put(SPEC.replace("needs: [make it]", "need: [make it]"))
    answer = argosy("lint", FILE)
    assert answer.code == 3
    assert f"{FILE}:29:5: error: the job `use` has no key `need`" in answer.out
    assert "did you mean `needs`?" in answer.out
    assert argosy("run", FILE).code == 3
    assert argosy("list").out == ""


@pytest.mark.parametrize("runtime", ["sandbox", "podman"])
def test_data_goes_through_a_run(argosy: Argosy, words: None, folder: Path, runtime: str) -> None:
    if runtime == "podman":
        check_images()
    (folder / "argosy.toml").write_text(f'[run]\nruntime = "{runtime}"\n')
    put(SPEC)
    answer = argosy("run", FILE, "-q")
    assert answer.code == 0, argosy("logs", "@latest").out + answer.err
    assert argosy("logs", "@latest", "use").out == "some words\none {{two}}\ndone\n"
    assert versions(argosy, "made") == [1]
    assert argosy("run", FILE, "word=other", "-q").code == 0
    assert argosy("logs", "@latest", "use").out == "some words\nother\ndone\n"
    # What was in a version before is not in the next.
    assert argosy("datasets", "get", "made:2", "-d", "there").code == 0
    assert [one.name for one in Path("there").iterdir()] == ["word"]
    assert argosy("datasets", "get", "made:1", "-d", "before").code == 0
    assert Path("before/word").read_text() == "one {{two}}"


def test_a_job_that_fails_makes_no_version(argosy: Argosy, words: None) -> None:
    put(SPEC.replace("CODE: 0", "CODE: 3"))
    assert argosy("run", FILE, "-q").code == 1
    assert versions(argosy, "made") == []
    nodes = {one["displayName"]: one["phase"] for one in latest(argosy)["status"]["nodes"].values()}
    assert (nodes["make-it"], nodes["use"]) == ("Failed", "Omitted")


def test_a_dataset_is_the_version_that_is_named(argosy: Argosy, words: None) -> None:
    put(SPEC)
    Path("words/a").write_text("newer words\n")
    assert argosy("datasets", "add", "words:new", "words").code == 0
    for given, found in (("words:1", "some"), ("words:new", "newer"), ("words", "newer"), ("words:latest", "newer")):
        assert argosy("run", FILE, f"data={given}", "-q").code == 0
        assert argosy("logs", "@latest", "use").out.startswith(found), given


def test_inputs_as_the_services_users_give_them(argosy: Argosy, words: None) -> None:
    put(SPEC)
    Path("inputs.json").write_text('{"data": {"ref": "words:1"}, "word": {"value": "from a file"}}')
    assert argosy("run", FILE, "--inputs", "inputs.json", "-q").code == 0
    assert "from a file" in argosy("logs", "@latest", "use").out
    given = ("--inputs", "inputs.json", "--inputs", "word=closer")
    assert argosy("run", FILE, *given, "-q").code == 0
    assert "closer" in argosy("logs", "@latest", "use").out
    assert argosy("run", FILE, "--inputs", "absent.json").code == 4
    answer = argosy("run", FILE, "wrod=x")
    assert answer.code == 2
    assert "did you mean word?" in answer.err


def test_datasets_that_do_not_exist(argosy: Argosy, folder: Path) -> None:
    put(SPEC)
    answer = argosy("run", FILE)
    assert answer.code == 3
    for line, column, name, command in (
        (22, 13, "words", "argosy datasets add words FOLDER"),
        (26, 13, "made", "argosy datasets create made"),
    ):
        assert f"{FILE}:{line}:{column}: error: There is no dataset named '{name}'" in answer.err
        assert command in answer.err
    assert argosy("list").out == ""
    Path("words").mkdir()
    assert argosy("datasets", "create", "words").code == 0
    answer = argosy("run", FILE, "data=words", "word=x")
    assert "has no version yet" in answer.err
    assert "did you mean words?" in argosy("run", FILE, "data=wrds").err
    assert argosy("run", FILE, "data=a b").code == 3


def test_a_secret_that_does_not_exist(argosy: Argosy, words: None) -> None:
    put(SPEC.replace("CODE: 0", "CODE: 'secret:MY_CODE'"))
    answer = argosy("run", FILE)
    assert answer.code == 3
    assert "there is no secret MY_CODE" in answer.err
    assert "argosy secrets set MY_CODE" in answer.err
    assert f"{FILE}:20:17: error" in answer.err


def test_a_secret_of_an_action_that_does_not_exist(argosy: Argosy, folder: Path) -> None:
    put(CHECKOUT.replace("ref: context.event.github.ref", "username: me, password: 'secret:GIT'"))
    answer = argosy("run", FILE, "context.event.github.url=/r")
    assert answer.code == 3
    assert "there is no secret GIT" in answer.err


def test_a_secret_reaches_the_job_and_no_log(argosy: Argosy, words: None) -> None:
    put(SPEC.replace("CODE: 0", "CODE: 0, TOKEN: 'secret:TOKEN'").replace("set -e", 'set -e; echo "<$TOKEN>"'))
    Path("token").write_text("geheimnisvoll")
    assert argosy("secrets", "set", "TOKEN", "--from-file", "value=token").code == 0
    assert argosy("run", FILE, "-q").code == 0
    assert "<***>" in argosy("logs", "@latest", "make-it").out


SERVICE = """\
defaults: {resources: {instance-type: C3}}
jobs:
  a:
    uses: container@v1
    with: {image: x, command: [sh, -c, "echo $PROJECT_ID:$PAPERSPACE_API_KEY"]}
  b:
    uses: container@v1
    with: {image: x, command: [sh, -c, "echo $PROJECT_ID:$PAPERSPACE_API_KEY"]}
    env: {PROJECT_ID: p1, PAPERSPACE_API_KEY: of the job}
"""


def test_what_the_service_set_in_every_job(argosy: Argosy, folder: Path) -> None:
    put(SERVICE)
    assert argosy("run", FILE, "--runtime", "process", "-q").code == 0
    assert argosy("logs", "@latest", "a").out == f"{folder.name}:\n"
    assert argosy("logs", "@latest", "b").out == "p1:of the job\n"
    assert argosy("secrets", "set", "PAPERSPACE_API_KEY", "value=the key of old").code == 0
    assert argosy("run", FILE, "--runtime", "process", "-q").code == 0
    assert argosy("logs", "@latest", "a").out == f"{folder.name}:***\n"


def test_plain_processes_have_no_such_paths(argosy: Argosy, words: None) -> None:
    put(SPEC)
    for given in (("--runtime", "process"), ()):
        answer = argosy("run", FILE, *given)
        Path("argosy.toml").write_text('[run]\nruntime = "process"\n')
        assert answer.code == 3
        assert f"{FILE}:8:5: error: the job make-it has /inputs or /outputs" in answer.err
        assert "--runtime sandbox or --runtime podman" in answer.err
    assert argosy("list").out == ""


def test_where_only_plain_processes_work_nothing_begins(
    argosy: Argosy, words: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(SPEC)
    Path("programs").mkdir()
    monkeypatch.setenv("PATH", str(folder / "programs"))
    answer = argosy("run", FILE, "--runtime", "auto")
    assert answer.code == 3
    assert f"{FILE}:8:5: error: the job make-it has /inputs or /outputs" in answer.err
    assert "podman: not installed" in answer.err
    assert "podman, docker and sandbox can" in answer.err
    assert argosy("list").out == ""


@pytest.mark.parametrize(
    ("spec", "given", "message"),
    [
        (SPEC, "--runtime=process", "the job make-it has /inputs or /outputs"),
        (SPEC.replace("CODE: 0", "CODE: 'secret:MY_CODE'"), "--runtime=sandbox", "there is no secret MY_CODE"),
        (SPEC.replace("ref: made", "ref: mode"), "--runtime=sandbox", "There is no dataset named 'mode'"),
    ],
)
def test_a_sweep_is_checked_as_a_run_is(argosy: Argosy, words: None, spec: str, given: str, message: str) -> None:
    put(spec)
    answer = argosy("run", FILE, given, "word=[one,two]")
    assert answer.code == 3
    assert message in answer.err
    assert argosy("list").out == ""


def test_a_sweep_of_a_spec(argosy: Argosy, words: None) -> None:
    put(SPEC)
    assert argosy("run", FILE, "word=[one,two]", "-q").code == 0
    assert versions(argosy, "made") == [1, 2]


ARGUMENTS = "jobs: {a: {uses: container@v1, with: {image: x:1%s}, resources: {instance-type: C3}}}\n"


def test_arguments_are_run_as_they_are_where_no_engine_knows_the_image(argosy: Argosy, folder: Path) -> None:
    put(ARGUMENTS % ", args: [bash, -c, 'echo $0 $1', one, two]")
    answer = argosy("run", FILE)
    assert answer.code == 0
    assert "note: without a container engine the entrypoint of x:1 is not known: args are run as they are" in answer.err
    assert argosy("logs", "@latest").out == "one two\n"
    with open("argosy.toml", "a") as file:
        file.write('[images.x]\nentrypoint = ["echo"]\n')
    assert "entrypoint" not in argosy("run", FILE).err
    assert argosy("logs", "@latest").out == "bash -c echo $0 $1 one two\n"


def test_arguments_are_the_images_again_in_another_runtime() -> None:
    text = ARGUMENTS % ", args: [echo, one]"
    (document,) = load(text, "a.yaml").checked().documents
    written = document.value
    assert isinstance(written, Workflow)
    changed, notes = with_commands(written, Images({}))
    container = changed.spec.templates[1].container
    assert container is not None
    assert (container.command, container.args, len(notes)) == (("echo", "one"), (), 1)
    assert with_commands(changed, Images({})) == (changed, notes)
    assert with_commands(changed, None) == (written, [])


def test_a_job_that_only_its_image_knows_is_refused_without_an_engine(argosy: Argosy, folder: Path) -> None:
    put(ARGUMENTS % "")
    answer = argosy("run", FILE)
    assert answer.code == 3
    assert "the job a has neither command nor args, and x:1 may run anything" in answer.err
    assert '[images."x:1"] entrypoint' in answer.err
    assert argosy("list").out == ""


def test_jobs_without_data_are_plain_processes(argosy: Argosy, folder: Path) -> None:
    put("jobs: {a: {uses: container@v1, with: {image: x, command: echo hi}, resources: {instance-type: C3}}}\n")
    assert argosy("run", FILE, "--runtime", "process", "-q").code == 0
    assert argosy("logs", "@latest").out == "hi\n"


def test_without_a_push_there_is_no_url(argosy: Argosy, repository: Path) -> None:
    answer = argosy("run", FILE)
    assert answer.code == 3
    assert f"{FILE}:6:17: error: Github url is invalid." in answer.err
    assert "--event push --ref BRANCH" in answer.err


def test_a_push_starts_what_its_branch_starts(argosy: Argosy, repository: Path) -> None:
    first = git("rev-parse", "HEAD")
    # What is pushed counts, not what lies around.
    Path("file").write_text("not pushed\n")
    assert argosy("run", "--event", "push", "--ref", "main", "-q").code == 0
    assert argosy("logs", "@latest", "look").out == "from main\n"
    metadata = latest(argosy)["metadata"]["annotations"]
    assert metadata["argosy.dev/event-commit"] == first
    assert metadata["argosy.dev/event-branch"] == "main"
    parameters = {one["name"]: one["value"] for one in latest(argosy)["spec"]["arguments"]["parameters"]}
    assert parameters == {"context-event-github-url": str(repository), "context-event-github-ref": first}
    commit()
    assert argosy("run", FILE, "--event", "push", "--ref", "refs/heads/main", "-q").code == 0
    assert argosy("logs", "@latest", "look").out == "not pushed\n"


def test_a_push_to_another_branch_starts_nothing(argosy: Argosy, repository: Path) -> None:
    git("checkout", "-q", "-b", "dev")
    answer = argosy("run", "--event", "push")
    assert (answer.code, answer.err) == (0, f"{FILE}: a push to dev does not start it\n")
    assert argosy("list").out == ""
    answer = argosy("run", "--event", "push", "--ref", "mian")
    assert answer.code == 4
    assert "did you mean main?" in answer.err
    assert argosy("run", FILE, "--ref", "main").code == 2


def test_a_push_outside_of_a_repository(argosy: Argosy, folder: Path) -> None:
    assert argosy("run", "--event", "push").code == 4
    assert argosy("workflows", "hook").code == 4


def test_one_wrong_spec_keeps_no_other_from_running(argosy: Argosy, repository: Path) -> None:
    put("jobs: {a: {}}\n", ".gradient/workflows/a.yaml")
    commit()
    answer = argosy("run", "--event", "push", "-q")
    assert answer.code == 3
    assert "has no `uses`" in answer.err
    assert latest(argosy)["metadata"]["generateName"] == "spec-"


def test_the_hook(argosy: Argosy, repository: Path) -> None:
    answer = argosy("workflows", "hook")
    path = Path(answer.out.strip())
    assert path == repository / ".git/hooks/pre-push"
    assert os.access(path, os.X_OK)
    assert argosy("workflows", "hook").code == 0
    git("init", "-q", "--bare", "../there.git")
    git("push", "-q", "../there.git", "main")
    assert latest(argosy)["metadata"]["annotations"]["argosy.dev/event"] == "push"
    argosy("wait", "@latest")
    assert argosy("workflows", "hook", "--home", "a b").code == 0
    assert f"--home '{repository}/a b'" in path.read_text()
    assert argosy("workflows", "hook", "--remove").code == 0
    assert not path.exists()
    path.write_text("#!/bin/sh\n")
    assert argosy("workflows", "hook").code == 2
    assert path.read_text() == "#!/bin/sh\n"


def test_a_bare_repository_is_told_of_what_it_received(argosy: Argosy, repository: Path) -> None:
    git("clone", "-q", "--bare", ".", "bare.git")
    os.chdir("bare.git")
    assert argosy("workflows", "hook").out.strip().endswith("bare.git/hooks/post-receive")
    assert argosy("run", "--event", "push", "--ref", "main", "-q").code == 0
    assert latest(argosy)["metadata"]["annotations"]["argosy.dev/event-branch"] == "main"


def test_kept_workflows(argosy: Argosy, words: None) -> None:
    put(SPEC)
    assert argosy("workflows", "create", "words", FILE, "-p", "word=kept").code == 0
    assert argosy("run", "workflow/words", "-q").code == 0
    assert "kept" in argosy("logs", "@latest", "use").out
    # A new spec, with the inputs of the workflow.
    put(SPEC.replace("cat /inputs/state", "echo new"), "new.yaml")
    assert argosy("run", "new.yaml", "--workflow", "words", "-q").code == 0
    assert argosy("logs", "@latest", "use").out == "some words\nkept\nnew\n"
    annotations = latest(argosy)["metadata"]["annotations"]
    assert annotations["argosy.dev/workflow"] == "words"
    assert len(annotations["argosy.dev/spec-sha256"]) == 64
    assert argosy("run", "new.yaml", "--workflow", "wrods").code == 4
    assert argosy("workflows", "run", "words", "-q").code == 0
    assert argosy("logs", "@latest", "use").out == "some words\nkept\ndone\n"
    assert argosy("workflows", "run", "words", "new.yaml", "--inputs", "word=given", "-q").code == 0
    assert argosy("logs", "@latest", "use").out == "some words\ngiven\nnew\n"
    assert argosy("workflows", "run", "words", "word=again", "-q").code == 0
    assert argosy("logs", "@latest", "use").out == "some words\nagain\ndone\n"
    assert len(json.loads(argosy("workflows", "get", "words", "--runs", "-o", "json").out)["runs"]) == 5


def test_an_action_of_the_project(argosy: Argosy, folder: Path) -> None:
    put(
        "with: {who: {type: string}}\ntemplate: {container: {image: x, command: [echo, 'hello {{with.who}}']}}\n",
        ".argosy/actions/greet@v1.yaml",
    )
    put("jobs: {a: {uses: greet@v1, with: {who: you}, resources: {instance-type: C3}}}\n")
    assert argosy("run", FILE, "-q").code == 0
    assert argosy("logs", "@latest", "a").out == "hello you\n"
    put("template: {}\n", ".argosy/actions/greet@v1.yaml")
    answer = argosy("run", FILE)
    assert answer.code == 3
    assert "greet@v1.yaml:1:1" in answer.err


def test_a_model_is_made(argosy: Argosy, words: None) -> None:
    put("""\
defaults: {resources: {instance-type: C3}}
jobs:
  model:
    uses: create-model@v1
    with: {name: words-model, type: Custom}
    inputs: {model: {type: dataset, with: {ref: words}}}
    outputs: {model-id: {type: string}}
  show:
    needs: [model]
    uses: container@v1
    with: {image: x, command: cat, args: [/inputs/id]}
    inputs: {id: model.outputs.model-id}
""")
    assert argosy("run", FILE, "-q").code == 0
    id = argosy("logs", "@latest", "show").out.strip()
    assert argosy("models", "get", id, "-d", "there").code == 0
    assert Path("there/a").read_text() == "some words\n"


@pytest.mark.parametrize(
    ("capacity", "found", "lacking"),
    [
        ((64.0, 1 << 40, 4), Instance(cpu="8", memory="30Gi", gpus=1), ""),
        ((2.0, 1 << 40, 4), Instance(cpu="2", memory="30Gi", gpus=1), "8 CPUs"),
        ((2.5, 1 << 30, 0), Instance(cpu="2", memory=str(1 << 30)), "8 CPUs and 30Gi of memory and 1 GPU"),
        ((0.5, 1 << 40, 4), Instance(memory="30Gi", gpus=1), "8 CPUs"),
    ],
)
def test_machines_are_what_this_one_can_be(
    monkeypatch: pytest.MonkeyPatch, capacity: tuple[float, int, int], found: Instance, lacking: str
) -> None:
    monkeypatch.setattr(gradient_files, "_capacity", lambda: capacity)
    assert gradient_files.fitted(INSTANCES["P4000"]) == (found, lacking)


def test_machines_of_the_project(argosy: Argosy, folder: Path) -> None:
    put("jobs: {a: {uses: container@v1, with: {image: x}, resources: {instance-type: huge}}}\n")
    assert "huge" in argosy("lint", FILE).out
    Path("argosy.toml").write_text('[run]\nruntime = "sandbox"\n[instance-types.huge]\ncpu = 1\nmemory = "1Mi"\n')
    assert argosy("lint", FILE).out == ""
    converted = argosy("convert", FILE).out
    assert "cpu: '1'" in converted
    Path("argosy.toml").write_text("[instance-types.huge]\ncpus = 1\n")
    assert argosy("lint", FILE).code == 3


def test_what_it_is_run_as_can_be_printed_and_run(argosy: Argosy, words: None) -> None:
    put(SPEC)
    Path("argo.yaml").write_text(argosy("convert", FILE).out)
    assert "kind: Workflow" in Path("argo.yaml").read_text()
    assert argosy("run", "argo.yaml", "-q").code == 0
    assert argosy("logs", "@latest", "use").out == "some words\none {{two}}\ndone\n"
