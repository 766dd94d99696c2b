"""What becomes of an operation: its template, code, metrics, notes and requirements."""

from __future__ import annotations

import msgspec
import pytest
from guild_reading import document, flags, good, problems, read, spec, spec_of, workflow

from argosy.model.host_templates import CODE_DEST, CODE_RULES, HOST, CodeRules
from argosy.model.metric_rules import METRICS, MetricRules, rules_of


def test_an_operation_is_one_host_template_whose_files_are_its_output() -> None:
    made = workflow(good("op: {main: mod, flags: {x: 1}}\n"), "op")
    (template,) = made.spec.templates
    assert made.spec.entrypoint == template.name == "op"
    assert template.metadata is not None
    assert template.metadata.annotations[HOST] == "true"
    assert template.outputs is not None
    assert [(one.name, one.path) for one in template.outputs.artifacts] == [("op", ".")]
    assert template.inputs is not None
    assert [(one.name, one.value) for one in template.inputs.parameters] == [("x", "{{workflow.parameters.x}}")]


def test_names_fit_where_they_stand() -> None:
    loaded = good("- model: My_Model\n  operations: {train_it: {main: m, flags: {a.b: 1, 'c d': 2}}}\n")
    made = workflow(loaded, "My_Model:train_it")
    assert made.metadata.generate_name == "my-model-train-it-"
    assert made.spec.templates[0].name == "My-Model-train-it"
    found = flags(loaded, "My_Model:train_it")
    assert found["a-b"].aliases == ("a.b",)
    assert found["c-d"].display_name == "c d"


def test_words_of_main_and_exec() -> None:
    loaded = good("a: {exec: 'run \"a b\" ${x} ${flag_args}', flags: {x: 1}}\nb: {main: pkg/mod --a 1}\n")
    assert spec(loaded, "a")["words"] == ["run", "a b", "${x}", "__flag_args__"]
    assert spec(loaded, "a")["kind"] == "exec"
    assert spec(loaded, "b")["words"] == ["pkg/mod", "--a", "1"]


def test_label_tags_and_attributes_are_on_the_run() -> None:
    text = "op: {main: m, flags: {lr: 1}, label: 'a ${lr} \\${b}', tags: [x, y], run-attrs: {site: here}}\n"
    annotations = workflow(good(text), "op").metadata.annotations
    assert annotations["argosy.dev/label"] == "a {{workflow.parameters.lr}} ${b}"
    assert annotations["argosy.dev/tags"] == "x,y"
    assert annotations["argosy.dev/attribute-site"] == "here"
    assert annotations["argosy.dev/operations"] == "op"


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ("'*.py'", [(False, "*", ""), (True, "*.py", "")]),
        ("['*.py', a.txt]", [(False, "*", ""), (True, "*.py", ""), (True, "a.txt", "")]),
        ("[{exclude: '*.csv'}]", [(False, "*.csv", "")]),
        ("[{exclude: [a, b]}, {include: {text: c}}]", [(False, "a", ""), (False, "b", ""), (True, "c", "text")]),
        ("{select: [{exclude: {dir: [data, out]}}]}", [(False, "data", "dir"), (False, "out", "dir")]),
    ],
)
def test_rules_on_source_code(given: str, rules: list[tuple[bool, str, str]]) -> None:
    made = workflow(good(f"op: {{main: m, sourcecode: {given}}}\n"), "op")
    found = msgspec.json.decode(made.metadata.annotations[CODE_RULES], type=CodeRules)
    assert [(one.include, one.pattern, one.kind) for one in found.rules] == rules


def test_root_and_dest_of_source_code() -> None:
    made = workflow(good("op: {main: m, sourcecode: {root: src, dest: code}}\n", root="sub"), "op")
    assert msgspec.json.decode(made.metadata.annotations[CODE_RULES], type=CodeRules).root == "sub/src"
    assert made.spec.templates[0].metadata is not None
    assert made.spec.templates[0].metadata.annotations[CODE_DEST] == "code"


def test_a_root_outside_of_the_project_is_told() -> None:
    loaded = good("op: {main: m, sourcecode: {root: ../..}}\n", root="sub")
    assert any("is outside of the project" in one for one in problems(loaded, "warning"))


@pytest.mark.parametrize("given", ["no", "false", "[]"])
def test_without_source_code_modules_come_from_the_project(given: str) -> None:
    loaded = good(f"op: {{main: m, sourcecode: {given}}}\n")
    metadata = workflow(loaded, "op").spec.templates[0].metadata
    assert metadata is not None
    assert metadata.annotations[CODE_DEST] == "none"
    assert spec(loaded, "op")["python_path"] == ["/project"]


def test_the_model_has_source_code_for_its_operations() -> None:
    loaded = good("- model: m\n  sourcecode: ['*.py']\n  operations: {a: x, b: {main: y, sourcecode: {select: z}}}\n")
    assert "*.py" in workflow(loaded, "m:a").metadata.annotations[CODE_RULES]
    assert "*.py" not in workflow(loaded, "m:b").metadata.annotations[CODE_RULES]


@pytest.mark.parametrize(
    ("given", "patterns"),
    [
        ("'(\\key)=(\\value)'", [("", "(\\key)=(\\value)")]),
        ("{loss: 'l (\\value)', acc: ['a (\\value)', 'b (\\value)']}",
         [("acc", "a (\\value)"), ("acc", "b (\\value)"), ("loss", "l (\\value)")]),
        ("[{a: 'x (\\value)'}, '(?P<b>\\value)']", [("a", "x (\\value)"), ("", "(?P<b>\\value)")]),
        ("off", []),
    ],
)  # fmt: skip
def test_output_scalars_are_patterns(given: str, patterns: list[tuple[str, str]]) -> None:
    template = workflow(good(f"op:\n  main: m\n  output-scalars: {given}\n"), "op").spec.templates[0]
    assert template.metadata is not None
    assert METRICS in template.metadata.annotations
    found = rules_of(template, MetricRules())
    assert [(one.name, one.pattern) for one in found.patterns or ()] == patterns


def test_a_pattern_that_is_none_is_an_error() -> None:
    assert any("is no pattern" in one for one in problems(read("op: {main: m, output-scalars: '('}\n"), "error"))


def test_an_operation_that_is_required_is_an_input_that_can_be_chosen() -> None:
    loaded = good("train:\n  requires:\n  - operation: prepare\n    select: '.*csv'\n    target-path: data\n")
    (template,) = workflow(loaded, "train").spec.templates
    assert template.inputs is not None
    (artifact,) = template.inputs.artifacts
    assert artifact.named is not None
    assert (artifact.named.kind, artifact.named.artifact) == ("operation", "prepare")
    assert artifact.named.ref == "{{workflow.parameters.operation-prepare}}"
    assert flags(loaded, "train")["operation-prepare"].aliases == ("operation:prepare",)
    (source,) = spec(loaded, "train")["sources"]
    assert (source["select"], source["target"]) == ([".*csv"], "data")


def test_a_source_may_be_named() -> None:
    loaded = good("op: {main: m, requires: [{operation: a, name: data}, {operation: b, flag-name: other}]}\n")
    assert set(flags(loaded, "op")) == {"data", "other"}


def test_resources_by_name_and_in_place() -> None:
    loaded = good(
        """
- model: m
  resources:
    data:
      target-path: in
      target-type: link
      default-unpack: no
      preserve-path: yes
      sources: [{file: a/b.csv}, c.csv]
    short: [d.csv]
  operations:
    one: {main: x, requires: data}
    two: {main: x, requires: [short, {resource: data}]}
    three: {main: x, requires: {sources: [{file: e.csv, target-path: own}], path: out}}
""",
        {"a/b.csv": "", "c.csv": "", "d.csv": "", "e.csv": ""},
    )
    first, second = spec(loaded, "m:one")["sources"]
    assert (first["uri"], first["target"], first["link"], first["unpack"], first["preserve_path"]) == (
        "a/b.csv",
        "in",
        True,
        False,
        True,
    )
    assert second["uri"] == "c.csv"
    assert [one["uri"] for one in spec(loaded, "m:two")["sources"]] == ["d.csv", "a/b.csv", "c.csv"]
    assert spec(loaded, "m:three")["sources"][0]["target"] == "own"


def test_every_attribute_of_a_source_reaches_the_program() -> None:
    text = """
op:
  main: m
  requires:
    - url: https://example.org/data.zip?x=1
      sha256: abc
      unpack: no
      type: zip
      select-max: 'model-(\\d+)'
      rename: ['a b', {pattern: c, repl: d}, new, '"x y" (\\d)']
      replace-existing: yes
      optional: yes
      warn-if-empty: no
      fail-if-empty: yes
      post-process: echo
      help: ask somebody
"""
    loaded = good(text)
    (source,) = spec(loaded, "op")["sources"]
    assert source == {
        "kind": "url",
        "uri": "https://example.org/data.zip?x=1",
        "name": "data.zip",
        "target": "",
        "select": ["model-(\\d+)"],
        "select_number": "max",
        "rename": [["a", "b"], ["c", "d"], ["", "new"], ["x y", "(\\d)"]],
        "replace_existing": True,
        "optional": True,
        "sha256": "abc",
        "type": "zip",
        "fail_if_empty": True,
        "post_process": "echo",
        "help": "ask somebody",
        "unpack": False,
        "warn_if_empty": False,
        "folder": "0",
    }
    inputs = workflow(loaded, "op").spec.templates[0].inputs
    assert inputs is not None
    assert inputs.artifacts[0].http == {"url": "https://example.org/data.zip?x=1"}
    assert inputs.artifacts[0].optional


def test_a_file_that_is_not_there_is_told() -> None:
    assert problems(good("op: {main: m, requires: {file: nofile}}\n"), "warning") == [
        "1:25 warning: cannot find source file 'nofile'"
    ]


def test_configs_are_read_with_the_file() -> None:
    files = {"c.yml": "a: {b: 1.0}\n", "c.json": '{"x": 2}', "c.ini": "[s]\nk = 3\n"}
    loaded = good(
        "op: {main: m, requires: [{config: c.yml, params: {a.b: 2}}, {config: c.json}, {config: c.ini}]}\n", files
    )
    assert [one["content"] for one in spec(loaded, "op")["sources"]] == [{"a": {"b": 1.0}}, {"x": 2}, {"s": {"k": 3}}]
    assert spec(loaded, "op")["sources"][0]["params"] == {"a.b": 2}
    assert problems(good("op: {main: m, requires: {config: none.yml}}\n"), "warning") == [
        "1:25 warning: cannot find the config 'none.yml'"
    ]


def test_braces_in_what_is_told_are_no_tags() -> None:
    made = workflow(good("op: {main: m, flags: {a: '{{b}}'}, env: {X: '{{workflow.name}}'}}\n"), "op")
    template = made.spec.templates[0]
    assert template.script is not None
    assert template.script.source.count("{{") == 2
    assert "{{workflow.uid}}" in template.script.source
    assert spec_of(template)["env"] == {"X": "{{workflow.name}}"}


def test_the_run_has_no_environment_of_this_process_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "hunter2hunter2")
    made = workflow(good("op: {main: m, flags: {a: 1}}\n"), "op")
    assert b"hunter2hunter2" not in msgspec.json.encode(made)


def test_an_operation_is_found_in_its_file() -> None:
    assert document(good("op: m\n"), "op").file == "guild.yml"
