"""The `when` field, case by case."""

import pytest

from argosy.errors import ExpressionError
from argosy.expressions.condition import check_when, evaluate_when

TRUE = [
    "",
    "red == red",
    "red != blue",
    "'dir/file.txt' == 'dir/file.txt'",
    "\"a b\" == 'a b'",
    "3 == 3.0",
    "0x10 == 16",
    "7 > 2",
    "2 <= 2",
    "3/2 == 1.5",
    "2 + 3 * 4 == 14",
    "2 ** 3 == 8",
    "10 - 3 - 2 == 5",
    "7 % 4 == 3",
    "6 & 3 == 2",
    "1 << 4 == 16",
    "-1 < 0",
    "~0 == -1",
    "apple < banana",
    "(x == y) || (x == x)",
    "a == b || c == c && d == d",
    "Failed in (Failed, Error)",
    "2 in (1, 2, 3)",
    "!(ok in (no, never))",
    "true",
    "true != false",
    "!false",
    "heads =~ 'h.*s'",
    "heads !~ '^tail'",
    "1 < 2 ? true : false",
    "1 > 2 ? false : true",
    "[any text: here] == 'any text: here'",
    "a\\-b == 'a-b'",
    "x + 1 == x1",
    "'2024-02-01' > '2024-01-31'",
    "'2024-02-01' == '2024-02-01T00:00:00Z'",
    "'2024-02-01T02:00:00+02:00' == '2024-02-01 00:00:00'",
    "'9:00AM' < '1:00PM'",
    "'Mon Jan  1 10:00:00 2024' > '2023-12-31'",
    "1 < 2 == true",
    "false || true",
]
FALSE = [
    "red != red",
    "red == blue",
    "1 == 2",
    "1 == '1'",
    "'true' == true",
    "5 < 4",
    "b < a",
    "(x == y) || (y == x)",
    "(1 > 0) && (11 < 2)",
    "done in (failed, error)",
    "heads =~ '^t'",
    "false == true",
    "1 == true",
]
WRONG = [
    ("a-b == a-b", "it is not a number"),
    ("foo", "a boolean is expected"),
    ("1 + 1", "a boolean is expected"),
    ("a == ", "unexpected end of expression"),
    ("== a", "unexpected '=='"),
    ("a b == c", "unexpected 'b' after 'a'"),
    ("(a == a", "unbalanced parentheses"),
    ("a == a)", "unbalanced parentheses"),
    ("'open == a", "unclosed string literal"),
    ("a === a", "Invalid token: '==='"),
    ("refs/heads/x == y", "it is not a number"),
    ("file.Txt == a", "reads a field"),
    ("a =~ '('", "not a regular expression"),
    ("a < 1", "two numbers or two strings"),
    ("a in b", "a list of at least two"),
    ("!a", "cannot stand before the text"),
    ("1 && true", "it is not a boolean"),
    ("{{x}} == y", "Invalid token"),
    ("1.2.3 == 1", "is not a number"),
    ("(" * 200 + "1 == 1" + ")" * 200, "nested deeper"),
    ("   ", "unexpected end"),
]


@pytest.mark.parametrize("text", TRUE)
def test_holds(text: str) -> None:
    assert evaluate_when(text) is True


@pytest.mark.parametrize("text", FALSE)
def test_does_not_hold(text: str) -> None:
    assert evaluate_when(text) is False


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_is_refused(text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate_when(text)
    assert why in caught.value.message


def test_the_right_side_is_left_alone_when_the_left_decides() -> None:
    assert evaluate_when("true || 1") is True
    assert evaluate_when("false && 1") is False


@pytest.mark.parametrize(
    "text",
    [
        "{{x}} == yes",
        "'{{x}}' == yes",
        "{{=a > 1}} == true",
        "{{x}}",
        "{{x}} in (a, {{y}})",
        "",
        "{{steps.{{n}}.id}} == 1",
    ],
)
def test_a_condition_with_tags_can_be_checked(text: str) -> None:
    check_when(text)


@pytest.mark.parametrize("text", ["{{x}} = yes", "{{x}} == ", "({{x}} == a", "{{x}} == 'a"])
def test_a_check_finds_what_no_value_can_mend(text: str) -> None:
    with pytest.raises(ExpressionError, match="Invalid 'when' expression"):
        check_when(text)
