"""Mistakes in dstack's files: each is told once, at its place, with what may have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from dstack_samples import document, env, inputs, problem, read, source

from argosy.dialects.dstack.reading import Beside, load
from argosy.errors import InvalidFile, NotFound
from argosy.project.dstack_files import load_named
from argosy.syntax.diagnostics import Diagnostic

BASH = "- {name: a, provider: bash, commands: [b], "


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("provider: bash, comands: [x]", "did you mean `commands`?"),
        ("provider: python, fil: x.py", "did you mean `file`?"),
        ("provider: python, python_scrip: x.py", "did you mean `python_script`?"),
        ("provider: bash, commands: [x], evironment: {x: 1}", "did you mean `environment`?"),
        ("provider: bash, commands: [x], depend-on: [y]", "did you mean `depends-on`?"),
        ("provider: bash, commands: [x], befor_run: [y]", "did you mean `before_run`?"),
        ("provider: bash, commands: [x], image: y", "it is a key of docker"),
        (
            "provider: bash, commands: [x], variables: {epochs: 3}",
            "variables stand in .dstack/variables.yaml, under `variables:` and the workflow's name or `global`",
        ),
        (
            "provider: bash, commands: [x], secrets: [TOKEN]",
            "secrets are in the environment of every workflow: argosy secrets add NAME < FILE",
        ),
        ("provider: bash, commands: [x], resources: {memroy: 1GB}", "did you mean `memory`?"),
        ("provider: bash, commands: [x], resources: {gpu: {nmae: V100}}", "did you mean `name`?"),
        ("provider: bash, commands: [x], artifacts: [{path: x, mout: true}]", "did you mean `mount`?"),
    ],
)
def test_a_misspelt_key_is_told_once(words: str, hint: str) -> None:
    (found,) = read(f"- {{name: a, {words}}}").diagnostics
    assert (found.rule, found.hint) == ("field-unknown", hint)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("args: {a: b}", "`args`: expected a list, found a mapping"),
        ("ports: [{b: c}]", "`ports`: expected a string, a number or a boolean, found a mapping"),
        ("ports: many", "`ports`: expected a whole number, found a string"),
        ("before_run: {a: b}", "`before_run`: expected a list, found a mapping"),
        ("resources: 4", "`resources`: expected a mapping (`resources`), found the number 4"),
        ("requirements: [x]", "`requirements`: expected a string, found a list"),
    ],
)
def test_a_value_of_the_wrong_type_is_told_in_the_files_words(words: str, message: str) -> None:
    (found,) = read(f"- {{name: a, provider: python, file: f.py, {words}}}").diagnostics
    assert (found.rule, found.message) == ("field-type", message)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("x ${{ lr", "`${{` without `}}`", "write ${{ NAME }}"),
        ("x ${{ }}", "${{ }} is no variable", "write ${{ NAME }}: a name, and nothing is calculated"),
        ("x ${{ lr + 1 }}", "${{ lr + 1 }} is no variable", "write ${{ NAME }}: a name, and nothing is calculated"),
        (
            "x ${{ zzz }}",
            "there is no variable 'zzz'",
            "put it into .dstack/variables.yaml, below a or global; a has epochs, run.name",
        ),
        ("x ${{ epoch }}", "there is no variable 'epoch'", "did you mean epochs?"),
    ],
)
def test_references_to_nothing(text: str, message: str, hint: str) -> None:
    loaded = read(f"- {{name: a, provider: bash, commands: ['{text}']}}", "a: {epochs: 1}")
    assert problem(loaded, "dstack-variable") == (message, hint, 2)


def test_an_amount_is_told_at_its_very_place() -> None:
    words = "resources: {gpu: {memory: 1GB}, memory: lots}}"
    found = next(one for one in read(BASH + words).diagnostics if one.rule == "dstack-resources")
    assert found.span is not None
    line = f"  {BASH}{words}"
    assert line[found.span.column - 1 :].startswith("lots")


def test_a_dependency_on_what_is_in_no_file_is_doubtful() -> None:
    loaded = read(BASH + "deps: [dwnload]}\n- {name: download, provider: bash, commands: [x]}")
    assert inputs(loaded, "a")
    message = "a takes what the workflow 'dwnload' left, which is in no file here"
    assert problem(loaded, "dstack-dependency") == (message, "did you mean download?", 2)


# -- variables


def test_variables_of_nobody_are_told() -> None:
    (found,) = read(BASH + "}", "trian: {x: 1}\nglobal: {y: 1}").diagnostics
    message = "there is no workflow 'trian' to have these variables"
    assert (found.rule, found.severity, found.message) == ("dstack-variables", "warning", message)
    assert found.hint == "the workflows are a"


def test_variables_with_the_same_name_in_the_environment_are_told() -> None:
    (found,) = read(BASH + "}", "a: {b-c: 1, b_c: 2}").diagnostics
    assert (found.severity, found.message) == (
        "warning",
        "`b-c` and `b_c` are the same variable B_C of the environment",
    )


def test_a_variable_that_would_be_the_path_of_programs_is_told() -> None:
    (found,) = read(BASH + "}", "a: {path: data}").diagnostics
    assert (found.rule, found.severity) == ("dstack-variables", "warning")
    assert found.message == "`path` is the variable PATH of the environment, by which programs are found"


def test_letters_that_yaml_takes_for_booleans_are_names() -> None:
    loaded = read(BASH + "env: {Y: 1, n: 2}}", "a: {n: 10, y: {on: 1}}")
    signature = document(loaded, "a").signature
    assert signature is not None
    assert {one.name: one.default for one in signature.inputs} == {"n": "10", "y": '{"on":1}'}
    assert env(loaded, "a") == {"Y": "1", "N": "2"}


def test_names_are_what_is_written() -> None:
    loaded = read(
        "- {name: '1.10', provider: bash, commands: [x], artifacts: [d]}\n"
        "- {name: 'on', provider: bash, commands: [x], depends-on: [1.10, {x: 1.10}]}"
    )
    given = inputs(loaded, "on")
    assert [one.name for one in given] == ["1-10-d", "dependency-1"]
    assert given[1].named is not None
    assert given[1].named.ref == "x:1.10"


def test_a_provider_twice() -> None:
    loaded = read(
        "- {name: a, provider: shout}", providers="- {name: shout, commands: [x]}\n- {name: shout, commands: [y]}"
    )
    assert problem(loaded, "dstack-name-twice")[0] == "there is a provider shout already, and that one is taken"


# -- files that cannot be read

GOOD = "workflows: [{name: train, provider: bash, commands: [x]}]\n"
BROKEN = "variables:\n  train: [x\n"


@pytest.mark.parametrize("name", ["variables.yaml", "providers.yaml", "workflows/other.yaml"])
def test_a_file_beside_it_that_is_no_yaml_is_an_error(name: str) -> None:
    loaded = load(GOOD, "workflows.yaml", beside=Beside(files=((name, BROKEN),)))
    (found,) = loaded.diagnostics
    assert (found.rule, found.span and found.span.file) == ("yaml-syntax", name)


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ("workflow:\n  - {name: train}\n", "field-unknown", (1, 1)),
        ("workflows:\n  - name: train\n   provider: bash\n", "yaml-syntax", (3, 4)),
        ("workflows:\n  - name: train\n\tprovider: bash\n", "yaml-syntax", (3, 1)),
        ("workflows:\n  - provider: bash\n", "field-missing", (2, 5)),
        ("workflows: {train: {provider: bash}}\n", "field-type", (1, 12)),
        ("- train\n", "dstack-file", (1, 1)),
    ],
)
def test_a_workflow_of_a_file_that_cannot_be_read(tmp_path: Path, text: str, rule: str, place: tuple[int, int]) -> None:
    """Its mistake is told, not that there is no such workflow."""
    (tmp_path / ".dstack").mkdir()
    (tmp_path / ".dstack" / "workflows.yaml").write_text(text)
    loaded = load_named(tmp_path, "train")
    assert loaded is not None
    with pytest.raises(InvalidFile) as raised:
        loaded.checked()
    (found,) = raised.value.diagnostics
    assert isinstance(found, Diagnostic)
    assert found.span is not None
    assert (found.rule, (found.span.line, found.span.column)) == (rule, place)


@pytest.mark.parametrize("text", ["", "# nothing\n", "workflows:\n", "workflows: []\n"])
def test_an_empty_file_has_no_workflows(tmp_path: Path, text: str) -> None:
    (tmp_path / ".dstack").mkdir()
    path = tmp_path / ".dstack" / "workflows.yaml"
    path.write_text(text)
    with pytest.raises(NotFound) as raised:
        load_named(tmp_path, "train")
    assert raised.value.hint == ".dstack/workflows.yaml has no workflows"


def test_what_the_manifest_is_warned_of_is_at_the_key_that_it_came_from() -> None:
    loaded = read("""
- name: a
  provider: bash
  commands:
    - one
    - two ${{ run.name }}
  artifacts: [x]
  env: [A=1]
- {name: b, provider: docker, image: i, commands: x}
""")
    (first, second) = loaded.documents

    def line(index: int, *path: str | int) -> int:
        return loaded.documents[index].source_map.key_span(("spec", "templates", *path)).line

    assert first.source_map.contains(("spec", "templates"))
    assert second.index == 1
    assert line(0, 1, "script", "source") == 6
    assert line(0, 1, "outputs", "artifacts", 0) == 7
    assert line(0, 1, "script", "env", 0) == 8
    assert line(0, 1, "name") == 2
    assert line(0, 0, "dag") == 2
    assert line(1, 1, "script", "image") == 9


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    """As dstack read it; files with such keys are about."""
    loaded = read("- {name: a, provider: bash, commands: [one], commands: [two]}", "a: {x: 1, x: 2}")
    assert [(one.severity, one.message) for one in loaded.diagnostics] == [
        ("warning", "the key `x` stands twice in one mapping; the last counts"),
        ("warning", "the key `commands` stands twice in one mapping; the last counts"),
    ]
    assert source(loaded, "a").endswith("\ntwo\n")
    signature = document(loaded, "a").signature
    assert signature is not None
    assert [one.default for one in signature.inputs] == ["2"]
