"""Values against the inputs that take them."""

from __future__ import annotations

import pytest

from argosy.model.input_values import canonical, listed, number_of, problem_of, shown
from argosy.model.inputs import Choice, Input, InputType, Signature, names_of


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        ("int", ("0", "-3", "+12"), ("", "1.5", "1e3", "x", "0x10", "1_000")),
        ("float", ("1", "-1.5", ".5", "1e-4", "inf", "nan"), ("", "x", "1,5", "1e")),
        ("number", ("1", "2.25"), ("one",)),
        ("boolean", ("true", "false"), ("", "maybe", "2")),
        ("path", ("data/train.csv", "."), ("", "a\0b")),
        ("list", ("[1, 2]", "[a,b]"), ("1,2", "")),
        ("string", ("", "anything\nat all"), ()),
        ("text", ("two\nlines",), ()),
    ],
)
def test_types(type: InputType, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    given = Input(name="x", type=type)
    assert [text for text in good if problem_of(given, text) is not None] == []
    assert [text for text in bad if problem_of(given, text) is None] == []


def test_words_for_true_and_false_become_one_spelling() -> None:
    given = Input(name="x", type="boolean")
    assert {canonical(given, word) for word in ("yes", "TRUE", "on", "1")} == {"true"}
    assert {canonical(given, word) for word in ("no", "False", "off", "0")} == {"false"}
    assert canonical(given, "perhaps") == "perhaps"


def test_choices_and_their_aliases() -> None:
    given = Input(name="net", choices=(Choice(value="resnet50", aliases=("r50",)), Choice(value="vgg")))
    assert canonical(given, "r50") == "resnet50"
    assert problem_of(given, "vgg") is None
    found = problem_of(given, "resnet5")
    assert found is not None
    assert found.message == "net is one of resnet50, vgg, not 'resnet5'"
    assert found.allowed == ("resnet50", "vgg")


def test_open_choices_take_another_value_of_the_type() -> None:
    given = Input(name="n", type="int", choices=(Choice(value="auto"),), open_choices=True)
    assert problem_of(given, "auto") is None
    assert problem_of(given, "7") is None
    assert problem_of(given, "seven") is not None


def test_limits_are_allowed_themselves() -> None:
    given = Input(name="lr", type="float", minimum=0.5, maximum=2)
    assert problem_of(given, "0.5") is None
    assert problem_of(given, "2") is None
    assert (problem_of(given, "0.4") or given).__class__.__name__ == "Problem"
    over = problem_of(given, "2.01")
    assert over is not None
    assert over.message == "lr is at most 2, not 2.01"
    assert problem_of(given, "nan") is not None


def test_limits_of_an_untyped_input_ask_for_a_number() -> None:
    found = problem_of(Input(name="lr", minimum=0), "much")
    assert found is not None
    assert found.message == "lr is a number, not 'much'"


def test_a_required_input_takes_no_empty_text() -> None:
    assert problem_of(Input(name="x", required=True), "") is not None


def test_numbers_are_shown_without_a_needless_fraction() -> None:
    assert [shown(one) for one in (1.0, 0.25, 1e20, float("inf"))] == ["1", "0.25", "1e+20", "inf"]
    assert number_of("1 ") is None


def test_long_lists_are_cut() -> None:
    assert listed(tuple(str(n) for n in range(30))).endswith("11, ... (30 in all)")


def test_inputs_are_found_by_alias() -> None:
    takes = Signature(inputs=(Input(name="learning-rate", aliases=("lr",)), Input(name="x")))
    found = takes.find("lr")
    assert found is not None
    assert found.name == "learning-rate"
    assert takes.find("y") is None
    assert names_of(takes.inputs) == ["learning-rate", "x", "lr"]
