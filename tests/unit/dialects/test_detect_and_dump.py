"""Telling formats apart, and writing manifests."""

import pytest

from argosy.dialects import argo
from argosy.dialects.detect import detect
from argosy.errors import InvalidFile
from argosy.model import manifest


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\n",
        "# c\n---\nkind: Workflow",
        '{"kind": "Workflow"}',
        '{\n "apiVersion" : "v1"}',
        "{kind: a}",
        "Kind: a",
        "spec:\n",
    ],
)
def test_argo(text: str) -> None:
    assert detect(text, "a.yaml") == "argo"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is nothing in this file"),
        ("  \n", "there is nothing in this file"),
        ("train:\n  kind: a\n".replace("  kind", "  - mankind"), "this is no format that is known"),
        ("print('hello')\n", "this is no format that is known"),
    ],
)
def test_unknown(text: str, message: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        detect(text, "a.yaml")
    assert caught.value.message == f"a.yaml: {message}"
    assert "Argo manifests" in caught.value.hint
    assert len(caught.value.diagnostics) == 1


def test_dump_is_the_manifest_that_a_person_would_write() -> None:
    workflow = manifest.Workflow(
        api_version="argoproj.io/v1alpha1",
        kind="Workflow",
        metadata=manifest.ObjectMeta(generate_name="hello-"),
        spec=manifest.WorkflowSpec(
            entrypoint="main",
            arguments=manifest.Arguments(parameters=(manifest.Parameter(name="count", value="3"),)),
            templates=(
                manifest.Template(name="main", script=manifest.ScriptTemplate(image="a", source="one\ntwo {{x}}\n")),
            ),
        ),
    )
    assert argo.dump(workflow) == (
        "apiVersion: argoproj.io/v1alpha1\n"
        "kind: Workflow\n"
        "metadata:\n"
        "  generateName: hello-\n"
        "spec:\n"
        "  entrypoint: main\n"
        "  arguments:\n"
        "    parameters:\n"
        "    - name: count\n"
        "      value: '3'\n"
        "  templates:\n"
        "  - name: main\n"
        "    script:\n"
        "      image: a\n"
        "      source: |\n"
        "        one\n"
        "        two {{x}}\n"
    )


@pytest.mark.parametrize("word", ["y", "n", "0o14", "1e3", "1_0", "<<", "", "null", "0b1", "12e03", "on"])
def test_words_that_only_go_takes_for_something_else_are_quoted(word: str) -> None:
    made = manifest.ConfigMap(
        api_version="v1", kind="ConfigMap", metadata=manifest.ObjectMeta(name="a"), data={word: word}
    )
    assert argo.load(argo.dump(made), "a.yaml").checked().documents[0].value == made
