"""Nodes to structs: every problem in one pass, each with its place and what to do."""

from typing import Any

import msgspec
import pytest

from argosy.model import manifest
from argosy.syntax.decode import Decoded, decode
from argosy.syntax.decoders import Manner, decoder_of, in_words
from argosy.syntax.parse import parse
from argosy.syntax.span import Span


def read(text: str, type: type[Any] = manifest.Template, **manner: Any) -> Decoded[Any]:
    parsed = parse(text, "a.yaml")
    assert parsed.diagnostics == ()
    return decode(parsed.documents[0], type, parsed.source, manner=Manner(**manner))


def value(text: str, type: type[Any] = manifest.Template) -> Any:
    decoded = read(text, type)
    assert decoded.diagnostics == ()
    return decoded.value


def problems(text: str, type: type[Any] = manifest.Template) -> list[tuple[str, str, str, str]]:
    decoded = read(text, type)
    assert decoded.value is None
    return [(str(one.span)[7:], one.rule, one.message, one.hint) for one in decoded.diagnostics]


def test_nested_structs() -> None:
    text = "name: a\ncontainer: {image: b, args: [c], env: [{name: D, valueFrom: {secretKeyRef: {name: e, key: f}}}]}"
    env = manifest.EnvVar(
        name="D", value_from=manifest.EnvVarSource(secret_key_ref=manifest.KeySelector(name="e", key="f"))
    )
    assert value(text) == manifest.Template(name="a", container=manifest.Container(image="b", args=("c",), env=(env,)))


def test_recursive_types() -> None:
    inline = value("steps: [[{name: a, inline: {suspend: {duration: 3}}}]]").steps[0][0].inline
    assert inline == manifest.Template(suspend=manifest.SuspendTemplate(duration="3"))


def test_null_is_absent() -> None:
    text = "name: a\ninputs:\noutputs: null\nsteps: ~\nparallelism:\ndaemon:\naffinity:\n"
    text += "metadata: {labels: , annotations: {b: }}"
    assert value(text) == manifest.Template(name="a", metadata=manifest.Metadata(annotations={"b": ""}))


def test_null_within_a_list_of_text_is_empty_text() -> None:
    assert value("container: {args: [a, ~, '']}").container.args == ("a", "", "")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text", "text"),
        ("3", "3"),
        ("3.10", "3.1"),
        ("'3.10'", "3.10"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("0x10", "16"),
        ("yes", "true"),
        ("False", "false"),
        ("2001-01-01", "2001-01-01"),
        ("1e-7", "0.0000001"),
        ("''", ""),
    ],
)
def test_any_string(written: str, expected: str) -> None:
    assert value(f"{{name: a, value: {written}}}", manifest.Parameter).value == expected


def test_a_number_that_loses_digits_is_a_warning() -> None:
    decoded = read("{name: a, value: 9007199254740993}", manifest.Parameter)
    assert decoded.value.value == "9007199254740992"
    [found] = decoded.diagnostics
    assert (found.rule, found.severity) == ("number-digits", "warning")
    assert found.message == "`9007199254740993` is read as 9007199254740992"


def test_whole_or_text() -> None:
    assert value("retryStrategy: {limit: 3}").retry_strategy.limit == 3
    assert value("retryStrategy: {limit: '3'}").retry_strategy.limit == "3"
    assert value("retryStrategy: {limit: 3.0}").retry_strategy.limit == 3
    assert problems("retryStrategy: {limit: 1.5}") == [
        ("1:24", "field-type", "`limit`: expected a whole number or a string, found the number 1.5", "")
    ]


def test_opaque_values_stay_as_they_are() -> None:
    text = "steps: [[{name: a, withItems: [1, 1.5, no, ~, [b], {c: {d: e}}]}]]"
    assert value(text).steps[0][0].with_items == (1, 1.5, False, None, ["b"], {"c": {"d": "e"}})


def test_floats() -> None:
    text = "{value: 1, buckets: [1, 2.5]}"
    assert value(text, manifest.MetricValue).buckets == (1.0, 2.5)
    assert problems("{value: 1, buckets: [a, yes]}", manifest.MetricValue) == [
        ("1:22", "field-type", "`buckets`: expected a number, found a string", ""),
        ("1:25", "field-type", "`buckets`: expected a number, found the boolean true", ""),
    ]
    assert [rule for _, rule, _, _ in problems(f"{{value: 1, buckets: [{'9' * 400}]}}", manifest.MetricValue)] == [
        "field-type"
    ]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("name: 3", "1:7", "`name`: expected a string, found the number 3", 'put it in quotes: "3"'),
        ("name: 3.10", "1:7", "`name`: expected a string, found the number 3.1", 'put it in quotes: "3.10"'),
        ("name: y", "1:7", "`name`: expected a string, found the boolean true", 'put it in quotes: "y"'),
        ("name: [a]", "1:7", "`name`: expected a string, found a list", ""),
        ("daemon: 1", "1:9", "`daemon`: expected true or false, found the number 1", ""),
        ("daemon: 'true'", "1:9", "`daemon`: expected true or false, found a string", "write true without quotes"),
        ("parallelism: '3'", "1:14", "`parallelism`: expected a whole number, found a string",
         "write 3 without quotes"),
        ("parallelism: 3.5", "1:14", "`parallelism`: expected a whole number, found the number 3.5", ""),
        ("parallelism: yes", "1:14", "`parallelism`: expected a whole number, found the boolean true", ""),
        ("parallelism: [1]", "1:14", "`parallelism`: expected a whole number, found a list", ""),
        ("parallelism: '{{x}}'", "1:14", "`parallelism`: expected a whole number, found a string",
         "this field takes no `{{...}}` tag; write the number"),
        ("parallelism: 9223372036854775808", "1:14", "this number does not fit 64 bits", ""),
        ("container: alpine", "1:12", "`container`: expected a mapping (a container), found a string", ""),
        ("container: {args: a}", "1:19", "`args`: expected a list, found a string", "write `- ` before it"),
        ("container: {env: {A: b}}", "1:18", "`env`: expected a list, found a mapping", "start each item with `- `"),
        ("container: {env: [~]}", "1:19", "this item of the list is empty", "remove it"),
        ("annotations: [a]", "1:14", "`annotations`: expected a mapping, found a list", "write `key: value`"),
        ("annotations: {a: [b]}", "1:18", "`annotations`: expected a string, a number or a boolean, found a list",
         "a whole list or mapping can be given as JSON text in quotes"),
        ("steps: {name: a}", "1:8", "`steps`: expected a list, found a mapping", "start each item with `- `"),
        ("steps:\n- name: a\n  template: b", "2:3", "`steps`: expected a list, found a mapping",
         "steps are a list of lists, whose inner ones run at the same time: write `- - name: ...`"),
        ("steps: [a]", "1:9", "`steps`: expected a list, found a string", "write `- ` before it"),
        ("steps: [~]", "1:9", "this item of the list is empty", "remove it"),
    ],
)  # fmt: skip
def test_wrong_types(text: str, place: str, message: str, hint: str) -> None:
    assert problems(text) == [(place, "field-type", message, hint)]


def test_a_word_that_yaml_takes_for_a_boolean_says_so() -> None:
    [found] = read("name: no").diagnostics
    assert found.why == "YAML reads this word as a boolean"
    [found] = read("name: true").diagnostics
    assert found.why == ""


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("contaner: {}", "a template has no field `contaner`", "did you mean `container`?"),
        ("Container: {}", "a template has no field `Container`", "did you mean `container`?"),
        ("retry_strategy: {}", "a template has no field `retry_strategy`", "did you mean `retryStrategy`?"),
        ("xyzzy: {}", "a template has no field `xyzzy`", ""),
        ("{container: {}, contaner: {}}", "a template has no field `contaner`",
         "`container` stands here already; remove this one"),
        ("inputs: {parameter: []}", "inputs has no field `parameter`", "did you mean `parameters`?"),
    ],
)  # fmt: skip
def test_unknown_fields(text: str, message: str, hint: str) -> None:
    [(_, rule, said, advice)] = problems(text)
    assert (rule, said, advice) == ("field-unknown", message, hint)


def test_missing_fields() -> None:
    assert problems("inputs: {parameters: [{value: a}]}\nscript: {source: }\nresource: {}") == [
        ("1:23", "field-missing", "a parameter lacks `name`", "add `name: ...`"),
        ("2:10", "field-missing", "`source` of a script template is empty", "add `source: ...`"),
        ("3:11", "field-missing", "a resource template lacks `action`", "add `action: ...`"),
    ]


def test_all_problems_in_one_pass() -> None:
    text = "name: 1\ncontaner: {}\nsteps:\n- name: a\n- [{name: 2, tmplate: b}]\ndag: {tasks: [{}]}"
    assert [(place, rule) for place, rule, _, _ in problems(text)] == [
        ("1:7", "field-type"),
        ("2:1", "field-unknown"),
        ("4:3", "field-type"),
        ("5:11", "field-type"),
        ("5:14", "field-unknown"),
        ("6:15", "field-missing"),
    ]


def test_decoding_stops_behind_enough_problems() -> None:
    decoded = read("\n".join(f"k{i}: 1" for i in range(100)), problems=7)
    assert len(decoded.diagnostics) == 7
    assert decoded.value is None


def test_loose_manner() -> None:
    decoded = read("NAME: a\nnonsense: 1", strict=False)
    assert decoded.value == manifest.Template(name="a")
    assert [found.severity for found in decoded.diagnostics] == ["warning", "warning"]


@pytest.mark.parametrize(("written", "text"), [("1", "1"), ("1.50", "1.5"), ("true", "true"), ("0x10", "16")])
def test_a_loose_manner_reads_a_number_as_the_string_that_argo_makes_of_it(written: str, text: str) -> None:
    decoded = read(f"name: a\ncontainer: {{args: [{written}]}}", strict=False)
    assert decoded.value.container.args == (text,)
    assert [(one.rule, one.severity) for one in decoded.diagnostics] == [("field-type", "warning")]
    assert read(f"name: a\ncontainer: {{args: [{written}]}}").value is None


def test_absent_required_fields_of_a_manner() -> None:
    assert read("script: {}", absent={("ScriptTemplate", "source"): ""}).value.script.source == ""


def test_a_type_that_no_manifest_has() -> None:
    class Odd(msgspec.Struct):
        field: bytes

    with pytest.raises(TypeError, match="no manifest has a field of type"):
        read("field: a", Odd)
    with pytest.raises(TypeError):
        decoder_of(int | str | bytes)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("DAGTask", "a DAG task"),
        ("HTTPHeader", "an HTTP header"),
        ("Arguments", "arguments"),
        ("PodGC", "a pod GC"),
        ("TTLStrategy", "a TTL strategy"),
    ],
)
def test_in_words(name: str, words: str) -> None:
    assert in_words(name) == words


class TestSourceMap:
    TEXT = "name: a\ndag:\n  tasks:\n  - name: b\n    'template': c\n  - {name: d}\n"

    @pytest.fixture
    def spans(self) -> Any:
        return read(self.TEXT).source_map

    def at(self, line: int, column: int, end: int) -> Span:
        return Span(file="a.yaml", line=line, column=column, end_line=line, end_column=end)

    def test_value(self, spans: Any) -> None:
        assert spans.span(("dag", "tasks", 0, "template")) == self.at(5, 17, 18)
        assert spans.span(("dag", "tasks", 1, "name")) == self.at(6, 12, 13)

    def test_whole_list(self, spans: Any) -> None:
        assert spans.span(("dag", "tasks")) == Span(file="a.yaml", line=4, column=3, end_line=6, end_column=14)

    def test_key(self, spans: Any) -> None:
        assert spans.key_span(("dag", "tasks", 0, "template")) == self.at(5, 5, 15)
        assert spans.key_span(("dag", "tasks")) == self.at(3, 3, 8)

    def test_item_as_a_key_is_its_first_line(self, spans: Any) -> None:
        assert spans.key_span(("dag", "tasks", 0)) == self.at(4, 5, 12)

    def test_absent_paths_give_the_nearest_ancestor(self, spans: Any) -> None:
        assert spans.span(("dag", "target", "x")) == self.at(2, 1, 4)
        assert spans.span(("dag", "tasks", 7)) == self.at(3, 3, 8)
        assert spans.span(("dag", "tasks", 0, "depends")) == self.at(4, 5, 12)
        assert spans.span(("name", "x")) == self.at(1, 7, 8)
        assert spans.span(("nothing",)) == self.at(1, 1, 8)
        assert spans.key_span(("dag", "target")) == self.at(2, 1, 4)

    def test_contains(self, spans: Any) -> None:
        assert spans.contains(("dag", "tasks", 1, "name"))
        assert not spans.contains(("dag", "tasks", 1, "template"))
        assert not spans.contains(("dag", "tasks", -1))
        assert spans.contains(())
