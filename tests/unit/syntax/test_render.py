"""How a diagnostic looks, whatever the file holds."""

import pytest

from argosy.syntax.diagnostics import Diagnostic, did_you_mean
from argosy.syntax.render import render, visible
from argosy.syntax.span import Source, Span


def span(line: int, column: int, end_line: int, end_column: int, file: str = "a.yaml") -> Span:
    return Span(file=file, line=line, column=column, end_line=end_line, end_column=end_column)


def finding(place: Span | None, **more: object) -> Diagnostic:
    given: dict[str, object] = {"rule": "some-rule", "severity": "error", "message": "it is wrong", "span": place}
    return Diagnostic(**{**given, **more})  # pyright: ignore[reportArgumentType]


def test_whole() -> None:
    text = "kind: Workflow\nspec:\n  templtes: []\n"
    found = finding(
        span(3, 3, 3, 11), why="a reason", hint="did you mean `templates`?", related=((span(1, 1, 1, 5), "of this"),)
    )
    assert render(found, text) == "\n".join(
        [
            "a.yaml:3:3: error: it is wrong [some-rule]",
            "  3 |   templtes: []",
            "    |   ^^^^^^^^",
            "  why: a reason",
            "  hint: did you mean `templates`?",
            "  a.yaml:1:1: of this",
            "  1 | kind: Workflow",
            "    | ^^^^",
        ]
    )


def test_without_source_or_place() -> None:
    assert render(finding(span(3, 3, 3, 11)), None) == "a.yaml:3:3: error: it is wrong [some-rule]"
    assert render(finding(None, severity="warning"), "text") == "warning: it is wrong [some-rule]"


def test_a_place_of_another_file_shows_no_line() -> None:
    found = finding(span(1, 1, 1, 2), related=((span(1, 1, 1, 2, "b.yaml"), "there"),))
    assert render(found, "abc").splitlines()[-1] == "  b.yaml:1:1: there"


def test_tabs_and_wide_characters() -> None:
    assert render(finding(span(1, 5, 1, 7)), "\ta: 日本語").splitlines()[1:] == [
        "  1 |     a: 日本語",
        "    |        ^^^^",
    ]
    assert render(finding(span(1, 4, 1, 5)), "e\u0301x y").splitlines()[2] == "    |   ^"


def test_several_lines_mark_the_first() -> None:
    assert render(finding(span(1, 3, 3, 2)), "a: |  \n b\n c").splitlines()[1:] == ["  1 | a: |", "    |   ^^"]


@pytest.mark.parametrize("column", [1, 50, 500, 5000, 10_000])
def test_long_lines_are_cut_around_the_mark(column: int) -> None:
    text = "".join(chr(97 + i % 26) for i in range(10_000))
    lines = render(finding(span(1, column, 1, column + 3)), text).splitlines()[1:]
    assert max(len(line) for line in lines) < 120
    at = lines[1].index("^")
    assert lines[0][at] == text[column - 1]
    assert ("…" in lines[0][:8]) == (column > 60)


def test_a_long_mark_is_cut_too() -> None:
    lines = render(finding(span(1, 1, 1, 5000)), "x" * 5000).splitlines()
    assert lines[2] == "    | " + "^" * 100


def test_a_place_behind_the_end() -> None:
    assert render(finding(span(1, 4, 1, 5)), "abc").splitlines()[1:] == ["  1 | abc", "    |    ^"]
    assert len(render(finding(span(9, 1, 9, 2)), "abc").splitlines()) == 1
    assert len(render(finding(span(2, 1, 2, 2)), "abc\n\nd").splitlines()) == 1


@pytest.mark.parametrize(
    "evil", ["\x1b[31m", "\x07", "\x9b31m", "\u202e", "\u2066", "\x7f", "\u200b", "\ud800", "\x00"]
)
def test_nothing_steers_the_terminal(evil: str) -> None:
    found = finding(
        span(1, 1, 1, 2, f"{evil}.yaml"), message=evil, why=evil, hint=evil, related=((span(1, 1, 1, 2, evil), evil),)
    )
    shown = render(found, f"a: {evil} b")
    assert evil not in shown
    assert "\ufffd" in shown


def test_a_message_stays_on_its_line() -> None:
    assert visible("a\nb\tc\r") == "a b c "
    assert visible("ä 日本 🙂\u3000") == "ä 日本 🙂\u3000"


def test_colours() -> None:
    found = finding(span(1, 1, 1, 2), hint="do it")
    shown = render(found, "abc", color=True)
    assert "\x1b[1;31merror:\x1b[0m" in shown
    for code in ("\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"):
        shown = shown.replace(code, "")
    assert shown == render(found, "abc")


def test_source_of_many_lines() -> None:
    text = "".join(f"line {i}\n" for i in range(1, 20_001)) + "last"
    source = Source(text, "a.yaml")
    for number in (1, 2, 1000, 1638, 1639, 19_999, 20_000):
        assert source.line(number) == f"line {number}"
        assert source.position(text.index(f"line {number}\n")) == (number, 1)
    assert source.line(20_001) == "last"
    assert source.line(20_002) == ""
    assert source.line(0) == ""
    assert source.position(len(text)) == (20_001, 5)


def test_every_line_break_counts_once() -> None:
    source = Source("a\r\nb\rc\nd\x85e", "a.yaml")
    assert [source.line(number) for number in range(1, 6)] == ["a", "b", "c", "d\x85e", ""]
    assert source.position(3) == (2, 1)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("templat", "template"),
        ("tempalte", "template"),
        ("TEMPLATE", "template"),
        ("with_items", "withItems"),
        ("with-items", "withItems"),
        ("nam", "name"),
        ("xyz", None),
        ("", None),
        ("a", None),
        ("x" * 1000, None),
    ],
)
def test_did_you_mean(word: str, expected: str | None) -> None:
    assert did_you_mean(word, ["name", "template", "templateRef", "withItems", "when"]) == expected


def test_the_nearest_is_meant() -> None:
    assert did_you_mean("step-b", ["step-a1", "step-bb", "step-b2c"]) == "step-bb"
    assert did_you_mean("word", []) is None
