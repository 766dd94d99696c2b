"""Both shapes of a guild.yml, and what its models take from one another."""

from __future__ import annotations

import pytest
from guild_reading import document, flags, good, problems, read, spec, workflow


def test_a_mapping_is_operations_of_a_model_without_a_name() -> None:
    loaded = good("train:\n  main: trainer\ntest: tester --fast\n")
    assert spec(loaded, "train")["words"] == ["trainer"]
    assert spec(loaded, "test")["words"] == ["tester", "--fast"]


def test_a_list_has_models_configs_packages_and_includes() -> None:
    loaded = good("- model: m\n  operations: {a: b}\n- config: c\n- package: p\n  version: 1.0.0\n")
    assert [one.value.metadata.annotations["argosy.dev/workflow"] for one in loaded.documents] == ["m:a"]
    assert problems(loaded) == ["4:3 note: a package is not built here; its models are read"]


def test_an_item_with_operations_alone_is_the_model_without_a_name() -> None:
    assert workflow(good("- operations: {a: b}\n"), "a").metadata.generate_name == "a-"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "- modle: m\n",
            "1:3 error: an item is either a model, a config, a package or an include: it has none of them",
        ),
        (
            "- model: m\n  config: c\n",
            "1:3 error: an item is either a model, a config, a package or an include: it has model and config",
        ),
        ("- 3\n", "1:3 error: expected a model, a config, a package or an include, found the number 3"),
        ("hello\n", "1:1 error: expected operations or a list of models, found a string"),
        ("", "1:1 error: there is nothing in this file"),
        ("- model: m\n- model: m\n", "2:3 error: there is a model or config `m` already"),
    ],
)
def test_what_is_no_item_is_an_error(text: str, said: str) -> None:
    assert said in problems(read(text))


def test_a_misspelt_item_is_guessed() -> None:
    assert any(one.hint == "did you mean `model`?" for one in read("- modle: m\n").diagnostics)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("op: [1]\n", "1:5 error: invalid value for operation 'op': expected a string or a mapping, found a list"),
        ("op:\n  steps: foo\n", "2:10 error: invalid steps of operation 'op': expected a list, found a string"),
        ("op:\n  flags: 3\n", "2:10 error: invalid flags value: expected a mapping, found the number 3"),
        ("op:\n  requires: zzz\n", "2:13 error: there is no resource `zzz`"),
        (
            "op:\n  requires: {select: a}\n",
            "2:13 error: a source is of one kind: it has none of config, file, module, operation, url",
        ),
        ("op:\n  requires: {file: a, url: 'http://b'}\n", "2:13 error: a source is of one kind: it has file and url"),
        ("op:\n  main: a ${x}\n", "2:9 error: `main` contains the invalid reference `${x}`: there is no such flag"),
        ("op:\n  exec: a 'b\n", "2:9 error: `exec` cannot be split into words: no closing quotation"),
        ("op:\n  main: a\n  exec: b\n", "3:9 error: the operation op has main and exec"),
    ],
)
def test_errors_of_an_operation_have_places(text: str, said: str) -> None:
    loaded = read(text)
    assert said in problems(loaded)
    assert loaded.documents == ()


def test_an_error_in_one_operation_leaves_the_others() -> None:
    loaded = read("bad: [1]\ngood: module\n")
    assert [one.value.metadata.generate_name for one in loaded.documents] == ["good-"]


def test_unknown_attributes_are_warnings_with_what_was_meant() -> None:
    loaded = read("op:\n  bogus: 1\n  descripton: x\n  flags: {a: {defualt: 1}}\n")
    assert problems(loaded, "warning") == [
        "2:3 warning: an operation has no field `bogus`",
        "3:3 warning: an operation has no field `descripton`",
        "4:15 warning: a flag has no field `defualt`",
    ]
    assert [one.hint for one in loaded.diagnostics[1:]] == ["did you mean `description`?", "did you mean `default`?"]


@pytest.mark.parametrize(
    "attribute",
    ["compare: [loss]", "env-secrets: {A: b}", "python-requires: '>=3'", "plugins: all", "stoppable: yes",
     "output-attrs: 'a: b'",
     "can-stage-trials: yes", "delete-on-success: yes", "handle-keyboard-interrupt: yes", "flag-encoder: a",
     "publish: {files: all}"],
)  # fmt: skip
def test_attributes_without_effect_are_named(attribute: str) -> None:
    name = attribute.partition(":")[0]
    loaded = good(f"op:\n  {attribute}\n")
    found = [one for one in loaded.diagnostics if one.message == f"`{name}` of an operation has no effect here"]
    assert len(found) == 1
    assert found[0].hint


@pytest.mark.parametrize("attribute", ["delete-on-success: no", "stoppable: false", "plugins: null"])
def test_what_is_off_is_not_named(attribute: str) -> None:
    assert problems(good(f"op:\n  {attribute}\n")) == []


def test_extends_takes_what_may_be_inherited_and_nothing_else() -> None:
    loaded = good(
        """
- config: base
  default: yes
  params: {epochs: 3, module: trainer}
  operations:
    train: {main: "{{module}} {{epochs}}"}
    test: tester
  operation-defaults: {label: hello, env: {A: base}}
  plugins: []
- model: m
  extends: base
  params: {epochs: 5}
  operations:
    test: {main: own, env: {B: own}}
"""
    )
    assert spec(loaded, "m:train")["words"] == ["trainer", "5"]
    assert spec(loaded, "m:test")["words"] == ["own"]
    # An attribute that an operation has is its own as a whole; operation-defaults gives only those that it lacks.
    assert spec(loaded, "m:test")["env"] == {"B": "own"}
    assert spec(loaded, "m:train")["env"] == {"A": "base"}
    assert workflow(loaded, "m:test").metadata.annotations["argosy.dev/label"] == "hello"


def test_a_list_of_parents_is_gone_through_in_order() -> None:
    text = "- config: a\n  params: {x: 1}\n- config: b\n  params: {x: 2, y: 3}\n"
    loaded = good(text + "- model: m\n  extends: [a, b]\n  operations: {o: 'mod {{x}} {{y}}'}\n")
    assert spec(loaded, "m:o")["words"] == ["mod", "1", "3"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- model: a\n  extends: b\n- model: b\n  extends: a\n", "4:12 error: `extends` goes in a circle: a > b > a"),
        ("- config: base\n- model: a\n  extends: bse\n", "3:12 error: there is no model or config `bse` to extend"),
        ("- model: a\n  extends: pkg/b\n", "2:12 error: there is no model or config `pkg/b` to extend"),
    ],
)
def test_parents_that_cannot_be(text: str, said: str) -> None:
    assert said in problems(read(text))


def test_params_are_resolved_in_one_another_and_keep_their_types() -> None:
    loaded = good(
        "- model: m\n  params: {a: '{{b}}', b: 2.5, c: 'x{{b}}'}\n"
        "  operations: {o: {main: mod, flags: {f: '{{a}}', g: '{{c}}', h: '{{unknown}}'}}}\n"
    )
    assert {name: one.default for name, one in flags(loaded, "m:o").items()} == {
        "f": "2.5",
        "g": "x2.5",
        "h": "{{unknown}}",
    }


def test_files_are_included_once() -> None:
    files = {
        "one.yml": "- include: shared.yml\n- model: one\n  extends: base\n  operations: {a: x}\n",
        "two.yml": "- include: shared.yml\n- model: two\n  extends: base\n  operations: {a: y}\n",
        "shared.yml": "- config: base\n  operation-defaults: {label: shared}\n",
        "folder/guild.yml": "- model: three\n  operations: {a: z}\n",
    }
    loaded = good("- include: [one.yml, two.yml]\n- include: folder\n", files)
    assert len(loaded.documents) == 3
    assert workflow(loaded, "two:a").metadata.annotations["argosy.dev/label"] == "shared"


def test_what_is_wrong_in_an_included_file_is_told_where_it_is_included() -> None:
    loaded = read("- include: a.yml\n- include: none.yml\n", {"a.yml": "- model: m\n  operations: {o: [1]}\n"})
    assert problems(loaded) == [
        "1:12 error: invalid value for operation 'o': expected a string or a mapping, found a list",
        "2:12 error: there is no file 'none.yml' to include",
    ]


def test_operations_are_included_from_a_config() -> None:
    text = "- config: c\n  operations: {a: one, b: two}\n"
    loaded = good(text + "- model: m\n  operations: {$include: c, b: own}\n")
    assert (spec(loaded, "m:a")["words"], spec(loaded, "m:b")["words"]) == (["one"], ["own"])


def test_flags_are_included_from_configs_and_operations() -> None:
    loaded = good(
        """
- config: shared
  flags: {lr: 0.1, layers: 2, depth: 3}
- model: m
  operations:
    a: {main: x, flags: {$include: "shared#lr,layers", layers: 9}}
    b: {main: x, flags: {$include: ["m:a", "shared#depth"]}}
"""
    )
    assert {name: one.default for name, one in flags(loaded, "m:a").items()} == {"layers": "9", "lr": "0.1"}
    assert set(flags(loaded, "m:b")) == {"lr", "layers", "depth"}


def test_flags_that_cannot_be_included_are_errors() -> None:
    text = "- config: c\n  flags: {a: 1}\n- model: m\n  operations: {o: {flags: {$include: ['c#b', d]}}}\n"
    assert [one.partition("error: ")[2] for one in problems(read(text))] == [
        "`c` has no flag `b`",
        "there are no flags of `d` to include",
    ]


def test_yaml_is_read_as_guild_reads_it() -> None:
    loaded = good("op:\n  flags: {y: 1, n: 1.0, a: y, b: yes, c: 1e-3, d: '1', e: 1.50}\n")
    assert {name: one.default for name, one in flags(loaded, "op").items()} == {
        "y": "1",
        "n": "1.0",
        "a": "y",
        "b": "true",
        "c": "0.001",
        "d": "'1'",
        "e": "1.5",
    }


def test_an_operation_without_anything_to_run_is_the_module_of_its_name() -> None:
    assert spec(good("prepare-data: {}\n"), "prepare-data")["words"] == ["prepare-data"]


def test_findings_of_lint_stand_at_the_operation() -> None:
    loaded = good("a: x\nop:\n  main: y\n")
    assert str(document(loaded, "op").source_map.key_span(("spec", "templates"))) == "guild.yml:3:3"


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    loaded = good("op: {main: a, flags: {x: 1, y: 2, x: 3}}\n")
    assert flags(loaded, "op")["x"].default == "3"
    assert problems(loaded) == ["1:35 warning: the key `x` stands twice in one mapping; the last counts"]


def test_nothing_may_be_a_choice() -> None:
    loaded = good("op: {exec: 'true', flags: {x: {default: null, choices: [null, balanced]}}}\n")
    assert [one.value for one in flags(loaded, "op")["x"].choices] == ["null", "balanced"]
