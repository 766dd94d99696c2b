"""Text to nodes: places, aliases, merge keys, documents, JSON, and what errors say."""

import pytest
import yaml

from argosy.errors import UsageError
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, Scalar, Sequence, plain
from argosy.syntax.parse import parse
from argosy.syntax.source_map import SourceMap
from argosy.syntax.span import Span


def read(text: str, file: str = "a.yaml") -> object:
    parsed = parse(text, file)
    assert parsed.diagnostics == ()
    [node] = parsed.documents
    return plain(node)


def places(text: str) -> dict[str, tuple[int, int, int, int]]:
    """Where each value of a mapping stands."""
    parsed = parse(text, "a.yaml")
    [node] = parsed.documents
    assert isinstance(node, Mapping)
    spans = {key: parsed.source.span(child.place) for key, child in node.values.items()}
    return {key: (span.line, span.column, span.end_line, span.end_column) for key, span in spans.items()}


def test_places() -> None:
    text = "a: 1\nbb:  'x y'\nc:\n  - d\n  - e: f\n\n# end\ng: |\n  one\n  two\n\nh: [1,\n  2]\ni:\n"
    assert places(text) == {
        "a": (1, 4, 1, 5),
        "bb": (2, 6, 2, 11),
        "c": (4, 3, 5, 9),
        "g": (8, 4, 10, 6),
        "h": (12, 4, 13, 5),
        "i": (14, 3, 14, 4),
    }


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_places_with_every_line_break(line_break: str) -> None:
    assert places(line_break.join(["a: 1", "b:", "  c: 2", "d: 3", ""]))["d"] == (4, 4, 4, 5)


def test_columns_count_characters() -> None:
    assert places("{ä🙂: 日本, b: 1}") == {"ä🙂": (1, 6, 1, 8), "b": (1, 13, 1, 14)}


def test_byte_order_mark() -> None:
    assert read("\ufeffa: 1") == {"a": 1}
    parsed = parse("\ufeffa: 1".encode(), "a.yaml")
    assert plain(parsed.documents[0]) == {"a": 1}
    assert places("\ufeffa: 1") == {"a": (1, 4, 1, 5)}


def test_alias_and_merge() -> None:
    text = "a: &a {x: 1, y0: [2]}\nb: *a\nc: {<<: *a, x: 3}\nd: {z: 1, <<: [*a, {z: 2, w: 4}]}\n"
    assert read(text) == {
        "a": {"x": 1, "y0": [2]},
        "b": {"x": 1, "y0": [2]},
        "c": {"x": 3, "y0": [2]},
        "d": {"z": 1, "x": 1, "y0": [2], "w": 4},
    }


def test_a_quoted_merge_key_is_a_key() -> None:
    assert read('{"<<": {a: 1}, b: <<}') == {"<<": {"a": 1}, "b": "<<"}


def test_an_anchor_of_an_earlier_document_is_unknown() -> None:
    parsed = parse("a: &a 1\n---\nb: *a\n", "a.yaml")
    assert [found.rule for found in parsed.diagnostics] == ["yaml-alias"]
    assert len(parsed.documents) == 1


def test_a_redefined_anchor() -> None:
    assert read("a: &a 1\nb: *a\nc: &a 2\nd: *a\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_unknown_alias_has_a_hint() -> None:
    [found] = parse("a: &resources {}\nb: *resorces\n", "a.yaml").diagnostics
    assert found.hint == "did you mean `*resources`?"


def test_keys_are_strings() -> None:
    assert read("1: a\ntrue: b\n1.5: c\n0x10: d\n'2': e\n&k f: g\n*k : h".replace("*k : h", "")) == {
        "1": "a",
        "true": "b",
        "1.5": "c",
        "16": "d",
        "2": "e",
        "f": "g",
    }
    assert read("a: &k f\n*k : h") == {"a": "f", "f": "h"}


def test_explicit_tags() -> None:
    assert read("[!!str 1, !!int '2', !!float 3, !!bool yes, !!null '', ! 4, !!seq [], !!map {}]") == [
        "1", 2, 3, True, None, "4", [], {},
    ]  # fmt: skip


def test_quoted_and_block_scalars_are_text() -> None:
    assert read("['1', \"no\", '']") == ["1", "no", ""]
    assert read("a: |\n  1\nb: >-\n  true\n") == {"a": "1\n", "b": "true"}


def test_documents() -> None:
    parsed = parse("a: 1\n---\n---\n# nothing\n...\n---\n- b\n", "a.yaml")
    assert parsed.diagnostics == ()
    assert [plain(node) for node in parsed.documents] == [{"a": 1}, None, None, ["b"]]


def test_no_document() -> None:
    assert parse("# comment\n", "a.yaml").documents == []


def test_duplicate_keys_point_at_both() -> None:
    [found] = parse("a:\n  b: 1\n  c: 2\n  b: 3\n", "a.yaml").diagnostics
    assert (found.rule, str(found.span)) == ("yaml-duplicate-key", "a.yaml:4:3")
    assert [(str(span), text) for span, text in found.related] == [("a.yaml:2:3", "first written here")]


def test_duplicate_keys_are_all_found() -> None:
    parsed = parse("a: 1\na: 2\nb: {c: 1, c: 2}\n", "a.yaml")
    assert [str(found.span) for found in parsed.diagnostics] == ["a.yaml:2:1", "a.yaml:3:11"]
    assert plain(parsed.documents[0]) == {"a": 2, "b": {"c": 2}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1, -2.5e1, true, false, null, "x"]}', {"a": [1, -25, True, False, None, "x"]}),
        ('\n\t{\t"a"\t:\t1\t}\r\n', {"a": 1}),
        (r'["\u00e9\ud83d\ude00\/\"\\\b\f\n\r\t"]', ['é😀/"\\\b\f\n\r\t']),
        ("[]", []),
        ("{}", {}),
        ('{"no": "no", "y": 1}', {"no": "no", "y": 1}),
        ('["' + "x" * 5000 + '"]', ["x" * 5000]),
        ("[12345678901234567890, 123456789012345678901234]", [12345678901234567890, 1.2345678901234568e23]),
    ],
)
def test_json(text: str, expected: object) -> None:
    assert read(text, "a.json") == expected
    assert read(text, "a.yaml") == expected


def test_places_in_json() -> None:
    parsed = parse('{\n\t"a": {"b": [1,\n 22]}}', "a.json")
    spans = SourceMap(parsed.documents[0], parsed.source)
    assert spans.span(("a", "b", 1)) == Span(file="a.json", line=3, column=2, end_line=3, end_column=4)
    assert spans.key_span(("a", "b")) == Span(file="a.json", line=2, column=8, end_line=2, end_column=11)


def test_flow_yaml_that_is_no_json() -> None:
    assert read("{a: [b, 'c'], d: yes} # comment") == {"a": ["b", "c"], "d": True}
    [found] = parse("{a: 1}", "a.json").diagnostics
    assert (found.rule, found.message, str(found.span)) == ("json-syntax", "`a` is no JSON", "a.json:1:2")


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ('{"a" 1}', "expected `:`", "1:6"),
        ('{"a": }', "expected a value, found `}`", "1:7"),
        ("[1 2]", "expected `,` or `]`", "1:4"),
        ("[1}", "expected `,` or `]`, found `}`", "1:3"),
        ("[01]", "`01` is no JSON", "1:2"),
        ("[nul]", "`nul` is no JSON", "1:2"),
        ("{1: 2}", "expected a key in double quotes", "1:2"),
        ('["a\nb"]', "this string has no closing quote on its line, or a wrong escape", "1:2"),
        ('["\\x"]', "this string has no closing quote on its line, or a wrong escape", "1:2"),
        ("[", "the text ends where `]` is expected", "1:2"),
    ],
)
def test_json_errors(text: str, message: str, place: str) -> None:
    [found] = parse(text, "a.json").diagnostics
    assert (found.message, str(found.span)) == (message, "a.json:" + place)


@pytest.mark.parametrize(
    ("text", "message", "hint", "place"),
    [
        ("a:\n\tb: 1", "a tab cannot indent", "indent with blanks", "2:1"),
        ("a: {{x}}", "a `{{...}}` tag must stand in quotes here", 'write "{{...}}", quotes included', "1:5"),
        ("- {{x}}-y", "a `{{...}}` tag must stand in quotes here", 'write "{{...}}", quotes included', "1:4"),
        ("a: b: c", "a `key: value` cannot start here", None, "1:5"),
        ("a: @x", "a value cannot start with this character", "put it in quotes", "1:4"),
        ("a: %x", "a value cannot start with this character", "put it in quotes", "1:4"),
        ("x: 'a\n\nb: 1\n", "this quote is never closed", "add the closing quote", "1:4"),
        ("a:\n  b: c\n  d e \n\n  # f\ng: h\n", "expected `:` behind this key", None, "3:3"),
        ("- a\nb: 1", "expected another `- ` item here", "align it with the items above", "2:1"),
        ("a:\n    b: 1\n  c: 2", "expected a key here, aligned with those above", None, "3:3"),
        ('a: "x" y', "expected a key here, aligned with those above", None, "1:8"),
        ("a: [1, 2", "expected `,` or `]`", None, "1:9"),
        ("a: {b: 1", "expected `,` or `}`", None, "1:9"),
        ("a: - b", "a `- ` item cannot start here", "put the list on the next line", "1:4"),
        ("a: !e!x b", "a word with `!` is taken as a tag that is not defined", "put it in quotes", "1:4"),
    ],
)
def test_yaml_errors(text: str, message: str, hint: str | None, place: str) -> None:
    [found] = parse(text, "a.yaml").diagnostics
    assert (found.rule in ("yaml-syntax", "yaml-key"), found.message, str(found.span)) == (
        True,
        message,
        "a.yaml:" + place,
    )
    assert found.hint if hint is None else found.hint == hint


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(size_bytes=10), "a: 12345678"),
        (Limits(size_bytes=10), "a: 'ääää'"),
        (Limits(depth=3), "[[[[1]]]]"),
        (Limits(nodes=10_050), "a: [" + "12345678, " * 10_060 + "]"),
        (Limits(alias_nodes=5), "a: &a [1, 2]\nb: [*a, *a]"),
        (Limits(merge_keys=1), "a: {<<: {b: 1, c: 2}}"),
        (Limits(scalar_characters=5), "a: 123456"),
        (Limits(key_characters=5), "abcdef: 1"),
        (Limits(digits=5), "a: 123456"),
        (Limits(digits=5), '{"a": 123456}'),
        (Limits(documents=2), "a\n---\nb\n---\nc"),
    ],
)
def test_limits(limits: Limits, text: str) -> None:
    assert parse(text, "a.yaml").diagnostics == ()
    assert [found.rule for found in parse(text, "a.yaml", limits=limits).diagnostics] == ["file-limit"]


def test_limits_that_cannot_be_kept() -> None:
    with pytest.raises(UsageError, match="too large"):
        Limits(size_bytes=17 << 20)
    with pytest.raises(UsageError, match="too large"):
        Limits(depth=1000)


def test_a_list_of_single_letters_is_no_bomb() -> None:
    assert read("[" + "1, " * 9000 + "1]") == [1] * 9001


def test_nodes_are_of_three_kinds() -> None:
    node = parse("a: [1]", "a.yaml").documents[0]
    assert isinstance(node, Mapping)
    assert isinstance(node.values["a"], Sequence)
    assert isinstance(node.values["a"].items[0], Scalar)
    with pytest.raises(KeyError):
        node.key_place("b")


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n  - c: &x {d: [e, 'f']}\n  - *x\n  - |\n    g\n\n# h\ni: {j: k}\n---\nl\n",
        "a: 日本\nb: 🙂\n",
        "a: {{x}}",
        "a: b: c",
        "a: 1\na: 2\n",
        "a: 'b",
    ],
)
def test_without_libyaml_the_same_is_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parse(text, "a.yaml")
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    slow = parse(text, "a.yaml")
    assert slow.documents == fast.documents
    assert [(found.rule, found.span) for found in slow.diagnostics] == [
        (found.rule, found.span) for found in fast.diagnostics
    ]
