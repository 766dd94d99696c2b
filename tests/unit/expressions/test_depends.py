"""The `depends` field: what it refers to and when it holds."""

import pytest

from argosy.errors import ExpressionError
from argosy.expressions.depends import SELECTORS, TaskState, from_dependencies, parse

GOOD = TaskState(succeeded=True)
BAD = TaskState(failed=True)
BROKEN = TaskState(errored=True)
SKIPPED = TaskState(skipped=True)
OMITTED = TaskState(omitted=True)
STATES = {"good": GOOD, "bad": BAD, "broken": BROKEN, "skipped": SKIPPED, "omitted": OMITTED, "4-x": GOOD}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good", True),
        ("skipped", True),
        ("bad", False),
        ("broken", False),
        ("omitted", False),
        ("bad.Failed", True),
        ("broken.Errored", True),
        ("omitted.Omitted", True),
        ("skipped.Skipped", True),
        ("good.Failed", False),
        ("good && skipped", True),
        ("good && bad", False),
        ("bad || good", True),
        ("!bad", True),
        ("!!good", True),
        ("good && (bad || !omitted.Succeeded)", True),
        ("bad && bad || good", True),
        ("good || bad && bad", True),
        ("bad.Failed||bad.Succeeded", True),
        ("4-x", True),
        ("4-x.Succeeded && good.Succeeded", True),
        ("good.Succeeded == true", True),
        ("good != bad", True),
        ("(((good)))", True),
    ],
)
def test_truth(text: str, expected: bool) -> None:
    assert parse(text).evaluate(STATES) is expected


def test_each_selector_reads_its_own_field() -> None:
    for selector, field in SELECTORS.items():
        condition = parse(f"t.{selector}")
        assert condition.evaluate({"t": TaskState(**{field: True})}) is True
        others = {name: name != field for name in SELECTORS.values()}
        assert condition.evaluate({"t": TaskState(**others)}) is False


def test_a_bare_name_also_accepts_what_the_task_may_continue_on() -> None:
    assert parse("bad", {"bad": (False, True)}).evaluate(STATES) is True
    assert parse("broken", {"broken": (True, False)}).evaluate(STATES) is True
    assert parse("broken", {"broken": (False, True)}).evaluate(STATES) is False
    assert from_dependencies(["good", "bad"], {"bad": (False, True)}).evaluate(STATES) is True
    assert from_dependencies(["good", "bad"]).evaluate(STATES) is False
    assert from_dependencies([]).evaluate({}) is True


def test_daemons_count_as_satisfied() -> None:
    assert parse("d").evaluate({"d": TaskState(daemoned=True)}) is True


def test_references_and_the_plain_conjunction() -> None:
    assert parse("a && b.Failed && a || c-d").references == (("a", ""), ("b", "Failed"), ("c-d", ""))
    assert [parse(text).trivial_all for text in ("a", "a && b && a", "a || b", "a && !b", "a && b.Failed", "true")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert from_dependencies(["a", "b"]).references == (("a", ""), ("b", ""))


@pytest.mark.parametrize(
    ("text", "why", "hint"),
    [
        ("a.Succeded", "task result 'Succeded' for task 'a' is invalid", "did you mean a.Succeeded?"),
        ("a.failed", "task result 'failed'", "did you mean a.Failed?"),
        ("a.", "task result ''", "one of"),
        ("a and b", "unexpected 'and'", "did you mean &&?"),
        ("a b", "unexpected 'b'", "join"),
        ("a &&", "found the end", ""),
        ("(a", "never closed", ""),
        ("a)", "unexpected ')'", ""),
        ("a & b", "unexpected '&'", ""),
        ("", "found the end", ""),
        ("&& a", "found '&&'", ""),
        ("a == b == c", "cannot be chained", ""),
        ("!" * 200 + "a", "nested deeper", ""),
    ],
)
def test_mistakes_are_told(text: str, why: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert why in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.position is not None


def test_thousands_of_operands_are_no_depth() -> None:
    names = [f"t-{number}" for number in range(5000)]
    condition = parse(" && ".join(names))
    assert condition.trivial_all
    assert condition.evaluate(dict.fromkeys(names, GOOD)) is True
    assert parse(" || ".join(f"{name}.Failed" for name in names)).evaluate(dict.fromkeys(names, GOOD)) is False


def test_a_task_without_a_state_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="task 'ghost'"):
        parse("ghost").evaluate({})
