"""Escapes in double quotes: those of YAML, and the one that only Go's parser knows."""

from __future__ import annotations

import pytest

from argosy.syntax.nodes import plain
from argosy.syntax.parse import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"it\\\'s"', "it's"),
        ('"\\\\\'"', "\\'"),
        ('"a \\" b \\\' c"', "a \" b ' c"),
        ("'a\\'", "a\\"),
        ("plain\\'s", "plain\\'s"),
    ],
)
def test_a_quote_may_be_escaped_in_double_quotes_as_for_go(text, value):
    parsed = parse(f'first: {text}\nsecond: "\\\'"\n', "file.yaml")
    assert not parsed.diagnostics
    assert plain(parsed.documents[0]) == {"first": value, "second": "'"}


def test_other_escapes_stay_unknown_at_their_place():
    parsed = parse('first: "\\\'"\nsecond: "x\\q"\n', "file.yaml")
    (problem,) = parsed.diagnostics
    assert (problem.message, str(problem.span)) == ("this escape is unknown in double quotes", "file.yaml:2:11")


def test_places_behind_such_a_quote_are_those_of_the_file():
    parsed = parse('a: "\\\'"\nb: {c: !!binary x}\n', "file.yaml")
    assert str(parsed.diagnostics[0].span) == "file.yaml:2:8"


def test_many_of_them_in_a_large_file_end_in_one_error():
    line = "k{}: \"\\'" + "x" * 50_000 + '"\n'
    assert not parse("".join(line.format(number) for number in range(5)), "file.yaml").diagnostics
    parsed = parse("".join(line.format(number) for number in range(15)), "file.yaml")
    assert [one.message for one in parsed.diagnostics] == ["this escape is unknown in double quotes"]
