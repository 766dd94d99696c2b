"""Onepanel's templates on the command line: read, listed, run, kept."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import Argosy
from onepanel_samples import POOLS, TEMPLATE, run, values

from argosy.dialects.onepanel.injection import DEFAULT_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples" / "onepanel"
ASKED = """\
    - {name: say, template: say}
- name: say
  container:
    image: none
    command: [echo]
    args:
    - "{{workflow.parameters.public}}{{workflow.parameters.protected}}{{workflow.parameters.internal}}\\
      {{workflow.parameters.private}}{{workflow.parameters.plain}}{{workflow.parameters.secret}}{{workflow.parameters.odd}}"
"""


@pytest.fixture
def say(folder: Path) -> str:
    (folder / "say.yaml").write_text(TEMPLATE)
    return "say.yaml"


def test_lint_list_and_params(argosy: Argosy, say: str) -> None:
    assert argosy("lint", "-q", say).out == ""
    assert argosy("run").out.split() == ["say.yaml", "say-*"]
    (found,) = json.loads(argosy("params", say, "-o", "json").out)["workflows"]
    message, size, pool, name = found["inputs"]
    assert message == {
        "name": "message",
        "default": "from default",
        "hint": "What to say",
        "required": True,
        "display_name": "Message",
        "path": ["spec", "arguments", "parameters", 0],
        "place": "say.yaml:4",
    }
    assert size["choices"] == [{"value": "s", "label": "Small"}, {"value": "l", "label": "Large"}]
    assert (pool["default"], pool["visibility"], name["visibility"]) == ("default", "internal", "private")


def test_run(argosy: Argosy, say: str) -> None:
    made = run(argosy, say, "-p", "message=hello", "size=l")
    name = made["metadata"]["name"]
    assert name.startswith("say-")
    assert values(made)["size"] == "l"
    assert argosy("logs", name).out == f"hello||{name}|default|local\n"


def test_the_namespace_is_put_into_given_values_too(argosy: Argosy, say: str) -> None:
    made = run(argosy, say, "-p", "message=a/{{workflow.namespace}}/b")
    assert values(made)["message"] == "a/default/b"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["size=m"], "size is one of s, l, not 'm'"),
        (["message="], "message needs a value"),
        (["mesage=a"], "The workflow has no parameter 'mesage'"),
        (["mess=a"], "The workflow has no parameter 'mess'"),
        (["workflow-execution-name=No Name"], "'No Name' cannot be the name of a run"),
    ],
)
def test_values_that_are_refused(argosy: Argosy, say: str, words: list[str], message: str) -> None:
    done = argosy("run", say, *words)
    assert done.code == 2
    assert message in done.err


def test_the_run_is_named_by_its_parameter(argosy: Argosy, say: str) -> None:
    assert run(argosy, say, "workflow-execution-name=my-run")["metadata"]["name"] == "my-run"
    again = argosy("run", say, "workflow-execution-name=my-run", "-o", "name")
    assert "there is a run named my-run already" in again.err
    assert run(argosy, say, "workflow-execution-name=my-run", "--name", "other")["metadata"]["name"] == "other"


def test_errors_have_their_place(argosy: Argosy, folder: Path) -> None:
    (folder / "no-dag.yaml").write_text(TEMPLATE.replace("entrypoint: main", "entrypoint: say"))
    for verb in ("lint", "run", "params", "convert"):
        done = argosy(verb, "no-dag.yaml")
        assert done.code == 3
        assert 'no-dag.yaml:1:13: error: "entrypoint" template should be a DAG [onepanel-dag]' in done.out + done.err


def test_convert(argosy: Argosy, say: str, folder: Path) -> None:
    converted = argosy("convert", say)
    assert converted.out.startswith("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n")
    assert "displayName" not in converted.out
    (folder / "manifest.yaml").write_text(converted.out)
    assert argosy("lint", "-q", "manifest.yaml").out == ""
    made = run(argosy, "manifest.yaml", "-p", "message=hello")
    assert argosy("logs", made["metadata"]["name"]).out.startswith("hello||")


def test_node_pools(argosy: Argosy, say: str, folder: Path) -> None:
    (folder / "argosy.toml").write_text(POOLS)
    assert "default (small), small (CPU: 0.5), large.gpu" in argosy("params", say).out
    made = run(argosy, say)
    assert values(made)["sys-node-pool"] == "small"
    resources = made["spec"]["templates"][1]["container"]["resources"]
    assert resources == {"requests": {"cpu": "0.5", "memory": "16Mi"}}
    large = argosy("run", say, "sys-node-pool=large.gpu")
    assert (large.code, "it asks for 900 GPUs" in large.err) == (5, True)
    unknown = argosy("run", say, "sys-node-pool=larg")
    assert (unknown.code, "sys-node-pool is one of default, small, large.gpu" in unknown.err) == (2, True)


def test_run_again_in_another_pool(argosy: Argosy, say: str, folder: Path) -> None:
    (folder / "argosy.toml").write_text(POOLS.replace("gpus = 900", 'cpu = 0.25\n[node-pools."own"]\nmemory = "8Mi"'))
    name = run(argosy, say)["metadata"]["name"]
    for pool, wanted in (("large.gpu", {"cpu": "0.25"}), ("own", {"memory": "8Mi"})):
        done = argosy("resubmit", name, "-p", f"sys-node-pool={pool}", "-q", "-o", "json")
        again = json.loads(done.out)
        assert again["spec"]["templates"][1]["container"]["resources"] == {"requests": wanted}
        name = again["metadata"]["name"]


def test_a_retry_in_another_pool(argosy: Argosy, say: str, folder: Path) -> None:
    (folder / "argosy.toml").write_text(POOLS.replace("gpus = 900", 'cpu = 0.25\nmemory = "900Ti"'))
    (folder / say).write_text(TEMPLATE.replace("echo ", 'test "$ONEPANEL_PROVIDER" = "$WANTED" || exit 3; echo '))
    assert argosy("run", say, "-q").code == 1
    before = json.loads(argosy("get", "@latest", "-o", "json").out)
    refused = argosy("retry", "@latest", "-p", "sys-node-pool=large.gpu", "-q")
    assert (refused.code, "of memory, and this machine has" in refused.err) == (5, True)
    assert argosy("retry", "@latest", "-p", "sys-node-pool=nowhere", "-q").code == 2
    assert json.loads(argosy("get", "@latest", "-o", "json").out)["spec"] == before["spec"]
    (folder / "argosy.toml").write_text(POOLS.replace("gpus = 900", "cpu = 0.25"))
    assert argosy("retry", "@latest", "-p", "sys-node-pool=large.gpu", "-q").code == 1
    again = json.loads(argosy("get", "@latest", "-o", "json").out)
    assert again["spec"]["templates"][1]["container"]["resources"] == {"requests": {"cpu": "0.25"}}


def test_params_of_a_template_with_a_field_too_many(argosy: Argosy, say: str, folder: Path) -> None:
    (folder / say).write_text(TEMPLATE.replace("displayName: Message", "label: Message"))
    assert argosy("params", say).code == 3
    answer = argosy("params", say, "--no-strict")
    assert (answer.code, "has no field `label`" in answer.err) == (0, True)
    assert "message" in answer.out


def test_a_node_pool_of_the_file_that_there_is_not(argosy: Argosy, folder: Path) -> None:
    (folder / "argosy.toml").write_text(POOLS)
    (folder / "no-pool.yaml").write_text(TEMPLATE.replace("value: default", "value: Standard_NC6"))
    done = argosy("run", "no-pool.yaml")
    assert done.code == 2
    assert "select.nodepool has an invalid value. Valid values are: default, small, large.gpu" in done.err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[node-pools.a]\nsize = 1\n", "there is no key 'size' here"),
        ("[node-pools.a]\ncpu = 'many'\n", "many"),
        ("[node-pools]\na = 1\n", "a node pool is a table: [node-pools.'a']"),
        ("[node-pools.a]\ngpus = 'one'\n", "'gpus' is a whole number"),
    ],
)
def test_node_pools_that_are_wrong(argosy: Argosy, say: str, folder: Path, table: str, message: str) -> None:
    (folder / "argosy.toml").write_text(table)
    done = argosy("run", say)
    assert done.code == 3
    assert message in done.err


def test_what_is_asked_for(argosy: Argosy, folder: Path) -> None:
    """As in Onepanel's form: private and hidden ones are not shown."""
    shown = [f"{{name: {one}, value: a, visibility: {one}}}" for one in ("public", "protected", "internal", "private")]
    others = [
        "{name: plain, value: a}",
        "{name: secret, value: a, type: input.hidden}",
        "{name: odd, value: a, type: odd}",
    ]
    head = "entrypoint: main\narguments: {parameters: [" + ", ".join([*shown, *others]) + "]}\n"
    (folder / "ask.yaml").write_text(
        head + TEMPLATE[TEMPLATE.index("templates:") : TEMPLATE.index("    - name: say")] + ASKED
    )
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "argosy.cli.main", "run", "ask.yaml", "--ask", "-q"]
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    os.write(ours, b"1\n2\n3\n4\n")
    said = b""
    while piece := _piece(ours):
        said += piece
    os.close(ours)
    assert process.wait() == 0
    assert argosy("logs", "@latest", "--no-prefix").out == "123a4aa\n"
    for name in ("private", "secret", "odd"):
        assert f"{name} [a]".encode() not in said


def _piece(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_default_environment(argosy: Argosy, say: str) -> None:
    assert "no variables" in argosy("config", "env", "list").err
    assert argosy("config", "env", "set", "EXTRA=more", "OTHER=1").code == 0
    made = run(argosy, say)["metadata"]["name"]
    assert argosy("logs", made).out == f"from default|more|{made}|default|local\n"
    assert argosy("config", "env", "set", "EXTRA=very-secret", "--secret").code == 0
    listed = json.loads(argosy("config", "env", "list", "-o", "json").out)["variables"]
    assert listed == [
        {"name": "EXTRA", "value": None, "secret": True},
        {"name": "OTHER", "value": "1", "secret": False},
    ]
    assert "|***|" in argosy("logs", run(argosy, say)["metadata"]["name"]).out
    assert argosy("config", "env", "set", "EXTRA=plain").code == 0
    assert argosy("config", "env", "list", "-o", "name").out == "EXTRA\nOTHER\n"
    assert argosy("config", "env", "delete", "EXTRA").code == 0
    unknown = argosy("config", "env", "delete", "OTHR")
    assert (unknown.code, "did you mean OTHER?" in unknown.err) == (4, True)
    assert argosy("config", "env", "set", "1A=x").code == 2
    without = argosy("config", "env")
    assert (without.code, without.out, "\n  set     Set variables" in without.err) == (2, "", True)


SHOWN = """\
entrypoint: main
templates:
- name: main
  dag:
    tasks:
    - {name: a, template: work}
    - name: b
      template: tell
      dependencies: [a]
      arguments: {parameters: [{name: url, value: '{{tasks.a.outputs.parameters.sys-sidecar-url--web}}'}]}
- name: work
  sidecars:
  - name: web
    image: none
    command: [sleep, '60']
    env: [{name: ONEPANEL_INTERACTIVE_SIDECAR, value: 'true'}]
    ports: [{containerPort: 8765}]
  container: {image: none, command: [echo, trained]}
- name: tell
  inputs: {parameters: [{name: url}]}
  container: {image: none, command: [echo, '{{inputs.parameters.url}}']}
"""


def test_a_step_may_be_told_where_a_sidecar_was(argosy: Argosy, folder: Path) -> None:
    (folder / "shown.yaml").write_text(SHOWN)
    made = run(argosy, "shown.yaml")
    assert values(made) == {"sys-sidecar-url--web": "http://localhost:8765"}
    assert argosy("logs", made["metadata"]["name"]).out.splitlines() == ["a: trained", "b: http://localhost:8765"]
    (folder / "shown.yaml").write_text(SHOWN.replace("    ports: [{containerPort: 8765}]\n", ""))
    done = argosy("run", "shown.yaml")
    assert done.code == 3
    assert "shown.yaml:13:5: error: sidecar web must have at least one port. [onepanel-sidecar]" in done.err


def test_a_port_that_something_else_has_is_told(argosy: Argosy, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (folder / "shown.yaml").write_text(SHOWN.replace("8765", str(port)))
        done = argosy("run", "shown.yaml")
    assert done.code == 0
    assert f"shown.yaml:13:5: warning: something answers at port {port} of this machine" in done.err
    assert "something answers" not in argosy("run", "shown.yaml").err


MISTAKES = {
    "misspelt.yaml": (
        TEMPLATE.replace("entrypoint", "entripoint"),
        ["misspelt.yaml:1:1: error: a workflow template has no field `entripoint`", "did you mean `entrypoint`?"],
    ),
    "two.yaml": (
        "metadata:\n  action: create\n  name: a name of more than thirty letters\n"
        "spec:\n  arguments: {parameters: [{name: a, vlue: b}]}\n"
        "  entrypoint: a\n  templates: [{name: a, script: {image: a, source: b}}]\n",
        ["two.yaml:3:9: error: Template name must be 30", "two.yaml:5:38: error: a parameter has no field `vlue`",
         'two.yaml:6:15: error: "entrypoint" template should be a DAG'],
    ),
    "workspace.yaml": (
        "arguments: {parameters: []}\ncontainers:\n- {name: a, image: b}\n",
        ["workspace.yaml:2:1: error: a workspace template is not run here"],
    ),
    "kind.yaml": (
        "apiVersion: onepanel.io/v1alpha1\nkind: Workspace\nmetadata: {name: a}\n",
        ["kind.yaml:2:7: error: a Workspace is not run here"],
    ),
    "cron.yaml": (
        "schedul: '* * * * *'\nworkflowSpec:\n  entrypoint: main\n",
        ["cron.yaml:1:1: error: a cron workflow has no field `schedul`", "did you mean `schedule"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_where_they_are(argosy: Argosy, folder: Path, name: str) -> None:
    text, said = MISTAKES[name]
    (folder / name).write_text(text)
    done = argosy("lint", name)
    assert done.code == 3
    for one in said:
        assert one in done.out


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_examples(argosy: Argosy, example: Path) -> None:
    assert argosy("lint", "-q", str(example)).out == ""
    assert run(argosy, str(example))["status"]["phase"] == "Succeeded"


def test_every_rule_is_documented() -> None:
    sources = (ROOT / "src" / "argosy" / "dialects" / "onepanel").glob("*.py")
    text = "".join(path.read_text() for path in sources)
    used = set(re.findall(r'"(onepanel-[a-z-]+)"', text)) - {DEFAULT_ENVIRONMENT}
    used |= {f"onepanel-{field}" for field in re.findall(r'yield "([a-z-]+)", "(?:error|warning)"', text)}
    documented = re.findall(r"^\| `(onepanel-[a-z-]+)` \|", (ROOT / "docs" / "onepanel.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(used)
