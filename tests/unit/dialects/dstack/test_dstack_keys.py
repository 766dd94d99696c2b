"""The keys of each provider and each dialect: taken, in any mixture, and put where they belong."""

from __future__ import annotations

import pytest
from dstack_samples import document, env, outputs, problem, read, requests, source, template

from argosy.dialects.dstack.command_line import read_words
from argosy.dialects.dstack.providers import PROVIDERS

# What a workflow of each provider has to say.
NEEDED = {
    "python": "file: f.py",
    "bash": "commands: [x]",
    "docker": "image: i, commands: [x]",
    "torchrun": "file: f.py",
    "gradio": "file: f.py",
    "streamlit": "target: f.py",
    "fastapi": "app: main:app",
    "tensorboard": "runs: [one]",
    "curl": "url: u, output: o",
}
COMMON = {
    "help": "help: what it does",
    "before_run": "before_run: [first]",
    "requirements": "requirements: needs.txt",
    "python": "python: 3.9",
    "version": "version: '3.9'",
    "working_dir": "working_dir: src",
    "environment": "environment: {ONE: 1}",
    "artifacts": "artifacts: [out]",
    "resources": "resources: {cpu: 2, memory: 1GB, gpu: 1, shm_size: 1GB, interruptible: true}",
    "depends-on": "depends-on: [':tagged']",
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("key", COMMON)
def test_every_provider_takes_the_common_keys(provider: str, key: str) -> None:
    loaded = read(f"- {{name: a, provider: {provider}, {NEEDED.get(provider, 'help: x')}, {COMMON[key]}}}".replace(
        "help: x, help:", "help:"
    ))  # fmt: skip
    assert [one.rule for one in loaded.diagnostics if one.severity != "note"] == []
    text = source(loaded, "a")
    found = {
        "before_run": "{\nfirst\n} || exit" in text,
        "requirements": " needs.txt " in text,
        "python": "argosy_python '3.9'" in text,
        "version": "argosy_python '3.9'" in text,
        "working_dir": "cd -- src || exit" in text,
        "environment": env(loaded, "a").get("ONE") == "1",
        "artifacts": list(outputs(loaded, "a")) == ["out"],
        "resources": requests(loaded, "a") == {"cpu": "2", "memory": "1G", "nvidia.com/gpu": "1"},
    }
    assert found.get(key, True)


@pytest.mark.parametrize(("provider", "words"), NEEDED.items())
def test_what_a_provider_needs_is_asked_for(provider: str, words: str) -> None:
    key = words.partition(":")[0]
    loaded = read(f"- {{name: a, provider: {provider}}}")
    lacking = [one.message for one in loaded.diagnostics if one.rule == "field-missing"]
    assert f"a workflow of this provider lacks `{key}`" in lacking


@pytest.mark.parametrize("word", ["python_script", "script", "file"])
@pytest.mark.parametrize("provider", ["python", "torchrun", "_python", "_torchrun"])
def test_programs_by_each_dialects_word(provider: str, word: str) -> None:
    text = source(read(f"- {{name: a, provider: {provider}, {word}: f.py}}"), "a")
    assert text.endswith(" f.py\n")


def test_keys_of_all_dialects_at_once() -> None:
    loaded = read(
        """
- name: a
  provider: bash
  help: of several years
  template:
    commands: echo ${{ lr }} $B
  before_run: [one]
  environment: {A: 1}
  python: 3.10
  gpu: 1
  resources: {cpu: 1, remote: true}
  depends-on: [":old"]
  deps: [{tag: new}]
  artifacts: [x, {path: y, mount: true}]
""",
        "a: {lr: 1}",
    )
    text = source(loaded, "a")
    assert text.endswith("{\none\n} || exit\n\necho {{workflow.parameters.lr}} $B\n")
    assert requests(loaded, "a") == {"cpu": "1", "nvidia.com/gpu": "1"}
    assert env(loaded, "a")["A"] == "1"
    made = template(loaded, "a")
    assert made.inputs is not None
    assert [one.named and one.named.ref for one in made.inputs.artifacts] == ["old", "new"]
    assert made.metadata is not None
    assert made.metadata.annotations["argosy.dev/kept-live"] == "y"


def test_where_it_runs_is_no_question() -> None:
    """The documentation of 0.1 said `remote`, its schema `local`."""
    loaded = read("- {name: a, provider: bash, commands: [x], resources: {local: true}}")
    assert loaded.diagnostics == ()
    remote = read("- {name: a, provider: bash, commands: [x], resources: {remote: true}}")
    assert problem(remote, "dstack-no-effect")[0] == "remote: it runs on this machine"


def test_without_a_version_it_is_the_projects_python() -> None:
    """With a client on Python 3.11, dstack refused such a workflow."""
    assert "argosy_python" not in source(read("- {name: a, provider: bash, commands: [x]}"), "a")
    assert template(read("- {name: a, provider: bash, commands: [x]}"), "a").script is not None


def test_the_version_of_an_editor_is_none_of_python() -> None:
    loaded = read("- {name: a, provider: code, version: 1.72.3}")
    assert loaded.diagnostics == ()
    assert "argosy_python" not in source(loaded, "a")


def test_help_is_on_the_manifest() -> None:
    value = document(read("- {name: a, provider: bash, commands: [x], help: 'Says\\nit'}"), "a").value
    assert value.metadata.annotations["workflows.argoproj.io/description"] == "Says\\nit"


def test_both_spellings_of_the_same_are_told() -> None:
    loaded = read("- {name: a, provider: bash, commands: [x], setup: [y], before_run: [z]}")
    assert problem(loaded, "field-twice")[0] == "`before_run` says the same as `setup`"


def test_values_of_words_stay_with_the_workflow_that_has_them() -> None:
    """dstack gave what it did not know to the provider: here the workflow's own names come first."""
    assert read_words(["--gpu", "2", "--lr", "1"], {"gpu"}).rest == ("--gpu", "2", "--lr", "1")


def test_variables_may_be_anywhere() -> None:
    words = """- name: a
  provider: docker
  image: ${{ image }}
  python: ${{ v }}
  working_dir: ${{ folder }}
  requirements: ${{ needs }}
  artifacts: ["out/${{ run.name }}"]
  resources: {cpu: "${{ n }}", gpu: "${{ n }}"}
  commands: [x]
- {name: b, provider: bash, version: "${{ v }}", commands: [x]}"""
    loaded = read(words, "global: {image: i, folder: d, needs: r.txt, n: 1, v: 3.9}")
    found = template(loaded, "a").script
    assert found is not None
    assert found.image == "{{workflow.parameters.image}}"
    assert requests(loaded, "a") == {
        "cpu": "{{workflow.parameters.n}}",
        "nvidia.com/gpu": "{{workflow.parameters.n}}",
    }
    assert outputs(loaded, "a") == {"out-run-name": "out/{{workflow.name}}"}
    read_quoted = "'{{=replace(workflow.parameters['%s']"
    for name in ("folder", "needs", "v"):
        assert read_quoted % name in source(loaded, "a")
    other = template(loaded, "b").script
    assert other is not None
    assert other.image == "python:{{workflow.parameters.v}}"


def test_dollars_of_the_oldest_files_are_in_resources_too() -> None:
    words = "- {name: a, image: i, commands: [x], resources: {v100/gpu: $gpu, cpu: 1}}"
    assert requests(read(words, "a: {gpu: 2}"), "a") == {"nvidia.com/gpu": "{{workflow.parameters.gpu}}", "cpu": "1"}
    assert problem(read(words), "dstack-resources")[1] == "put gpu into .dstack/variables.yaml"


def test_values_are_passed_on_to_what_runs_first() -> None:
    words = """
- {name: get, image: i, params: [{name: model, default: small}, {name: place, default: here}], commands: [x $model]}
- name: tune
  image: i
  params: [{name: model, default: big}, {name: rate, default: 1}]
  dependencies: [{name: get, params: [%s]}]
  commands: [y $model]
"""
    loaded = read(words % "model")
    signature = document(loaded, "tune").signature
    assert signature is not None
    assert {one.name: one.default for one in signature.inputs} == {"model": "big", "rate": "1", "get-place": "here"}
    first = template(loaded, "get", "tune").script
    assert first is not None
    assert first.source.endswith("x {{workflow.parameters.model}}\n")
    message, hint, line = problem(read(words % "modle"), "dstack-dependency")
    assert (message, hint, line) == ("tune passes on the variable 'modle', which it has not", "did you mean model?", 6)
    for form in ("model: $model", "model: '${{ model }}'"):
        found = template(read(words % form), "get", "tune").script
        assert found is not None
        assert found.source.endswith("x {{workflow.parameters.model}}\n")
    signature = document(read(words % "model: tiny"), "tune").signature
    assert signature is not None
    assert {one.name: one.default for one in signature.inputs} == {
        "model": "big",
        "rate": "1",
        "get-model": "tiny",
        "get-place": "here",
    }
    assert problem(read(words % "[x]"), "field-type")[0].startswith("`params`: expected names")
