"""The words behind a workflow's or a provider's name, as dstack took them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dstack_samples import env, inputs, outputs, problem, requests, source, template

from argosy.dialects.argo import Loaded
from argosy.dialects.dstack.command_line import of_provider, read_words
from argosy.dialects.dstack.definitions import OfOne
from argosy.dialects.dstack.reading import load
from argosy.errors import UsageError
from argosy.model.manifest import NamedData

WORKFLOW = """workflows:
  - name: a
    provider: bash
    commands: [x]
    env: [A=1, B=2]
    artifacts: [old]
    deps: [one]
    ports: [8080]
    resources: {cpu: 1, gpu: {name: V100, count: 4}}
"""


@pytest.mark.parametrize(
    ("words", "keys", "rest"),
    [
        ("-r needs.txt -w src", {"requirements": "needs.txt", "working_dir": "src"}, ""),
        ("-e A=1 --env B=2 --env=C", {"env": ["A=1", "B=2", "C"]}, ""),
        ("-a x --artifact y", {"artifacts": ["x", "y"]}, ""),
        ("--dep :one --dep=two", {"deps": [":one", "two"]}, ""),
        ("--ports 2", {"ports": 2}, ""),
        ("-i --local", {"resources": {"interruptible": True, "local": True}}, ""),
        ("--remote", {"resources": {"remote": True}}, ""),
        ("--cpu 2 --memory 1GB --shm-size 64MB", {"resources": {"cpu": 2, "memory": "1GB", "shm_size": "64MB"}}, ""),
        (
            "--gpu 2 --gpu-name K80 --gpu-memory 8GiB",
            {"resources": {"gpu": {"count": 2, "name": "K80", "memory": "8GiB"}}},
            "",
        ),
        ("--epochs 3 -e A=1 x=2 more", {"env": ["A=1"]}, "--epochs 3 x=2 more"),
    ],
)
def test_words_are_keys_of_the_workflow(words: str, keys: dict[str, Any], rest: str) -> None:
    found = read_words(words.split())
    assert (found.keys, " ".join(found.rest)) == (keys, rest)


def test_a_variable_of_that_name_comes_first() -> None:
    found = read_words(["--memory", "7", "--cpu", "1"], {"memory"})
    assert (found.keys, found.rest) == ({"resources": {"cpu": 1}}, ("--memory", "7"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--cpu", "--cpu needs a value"),
        ("--cpu many", "--cpu is a whole number, not 'many'"),
        ("--memory lots", "--memory: 'lots' is no amount of memory"),
    ],
)
def test_words_that_are_none(words: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_words(words.split())
    assert raised.value.message == message


def asked(words: str) -> Loaded:
    return load(WORKFLOW, "w.yaml", asked=OfOne(workflow="a", keys=read_words(words.split()).keys))


def test_words_are_laid_over_the_file() -> None:
    loaded = asked("-e A=9 -e C=3 -a new --dep :two --ports 1 --gpu 2 --memory 1GB -r needs.txt")
    assert env(loaded, "a") == {"A": "9", "B": "2", "C": "3"}
    assert list(outputs(loaded, "a")) == ["new"]
    assert [one.named for one in inputs(loaded, "a")] == [NamedData(kind="tag", ref="two")]
    assert requests(loaded, "a") == {"cpu": "1", "nvidia.com/gpu": "2", "memory": "1G"}
    text = source(loaded, "a")
    assert "argosy_ports 0 || exit" in text
    assert "argosy_python '' needs.txt" in text
    # What was not asked for stays.
    assert requests(asked("-e A=9"), "a") == {"cpu": "1", "nvidia.com/gpu": "4"}


def test_an_image_has_no_environment_of_its_own_key() -> None:
    """What a provider does not take is told as if it stood in the file."""
    loaded = load(
        "workflows: [{name: a, provider: curl, url: x, output: y}]", "w.yaml", asked=OfOne(workflow="a", keys={"q": 1})
    )
    assert problem(loaded, "field-unknown")[0] == "a workflow of this provider has no field `q`"


@pytest.mark.parametrize(
    ("words", "keys", "rest"),
    [
        (["bash", "-c", "echo a b"], {"commands": ["echo a b"]}, ()),
        (["bash", "--command=echo", "--lr", "1"], {"commands": ["echo"]}, ("--lr", "1")),
        (["docker", "ubuntu", "-c", "ls"], {"image": "ubuntu", "commands": ["ls"]}, ()),
        (["docker", "ubuntu"], {"image": "ubuntu"}, ()),
        (
            ["docker", "-c", "ls", "-a", "out", "ubuntu"],
            {"image": "ubuntu", "commands": ["ls"], "artifacts": ["out"]},
            (),
        ),
        (["torchrun", "a.py", "--nnodes", "1"], {"file": "a.py", "nodes": 1}, ()),
        (["python", "a.py", "--lr", "1", "-e", "A=1", "x"], {"file": "a.py", "args": ["--lr", "1", "x"]}, ()),
        (["torchrun", "a.py", "--gpu", "2"], {"file": "a.py"}, ()),
        (["streamlit", "a.py"], {"target": "a.py"}, ()),
        (["fastapi", "main:app"], {"app": "main:app"}, ()),
        (["tensorboard", "one", "two"], {"runs": ["one", "two"]}, ()),
        (["curl", "http://x/y", "data/y"], {"url": "http://x/y", "output": "data/y"}, ()),
        (["lab"], {}, ()),
    ],
)
def test_a_provider_without_a_workflow(words: list[str], keys: dict[str, Any], rest: tuple[str, ...]) -> None:
    text, left = of_provider(words[0], words[1:])
    (found,) = json.loads(text)["workflows"]
    own = {key: one for key, one in found.items() if key not in ("env", "resources")}
    assert own == {"name": words[0], "provider": words[0], **keys}
    assert left == rest
    assert template(load(text, "w.yaml"), words[0])


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["bash"], "write argosy run bash -c COMMAND"),
        (["bash", "-c"], "write -c COMMAND"),
        (["python"], "write argosy run python FILE"),
        (["curl", "http://x"], "write argosy run curl URL OUTPUT"),
        (["docker", "-c", "ls"], "write argosy run docker IMAGE"),
    ],
)
def test_a_provider_that_lacks_its_first_word(words: list[str], hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        of_provider(words[0], words[1:])
    assert raised.value.hint == hint
