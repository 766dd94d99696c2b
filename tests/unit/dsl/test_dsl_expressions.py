"""Constants and conditions are spelled so that nothing in them is ever taken for something else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dsl_steps import number, point, word

from argosy import not_, when, workflow
from argosy.dsl.codec import to_json
from argosy.dsl.expression import Binary as Compared
from argosy.dsl.expression import Const, argument, condition, quoted, text_of
from argosy.expressions import expr
from argosy.plan.substitution import substitute_text

TEXTS = (
    "",
    "plain",
    "it's",
    '"double" and `back`',
    "\\ \\n \\' \\\\",
    "{{x}}",
    "{{=1 + 1}}",
    "}}",
    "{{{{}}}}",
    "{{{",
    "}}}}}",
    "'}}'",
    "a\nb\r\n\tc",
    "\x00\x01\x7f",
    "ünï ☃ 🎉 \u2028",
    "$$ $(X) ${X}",
    "' + '",
    "') || true || ('",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_itself(text: str) -> None:
    assert expr.evaluate(quoted(text), {}) == text
    assert "{{" not in quoted(text)
    assert "}}" not in quoted(text)
    assert substitute_text(argument(Const(str, text)), {}) == text


@pytest.mark.parametrize(
    "value",
    [0, -3, 2**40, 0.5, -1e-9, True, False, None, [], [1, [2, "{{x}}"]], {}, {"{{a}}": {"b'": [None, True]}}, "x"],
)
def test_a_constant_is_itself(value: Any) -> None:
    constant = Const(type(value) if not isinstance(value, str) else Any, value)
    assert json.loads(expr.evaluate(text_of(constant), {})) == value
    assert json.loads(substitute_text(argument(constant), {})) == value
    assert json.loads(to_json(value)) == value


def test_numbers_are_compared_as_numbers() -> None:
    one, other = Const(int, 9), Const(int, 10)
    assert substitute_text(condition(Compared(bool, "<", one, other)), {}) == "true"


def test_conditions_are_typed() -> None:
    @workflow
    def conditions(limit: float = 0.5, name: str = "it's") -> None:
        found = point()
        when((found.y > limit) & not_(found.x == 3), lambda: number(1))
        when((word(1) == name) | (word(2) != "{{x}}"), lambda: number(1))

    text = json.dumps(conditions.manifest())
    assert "asFloat(" in text
    assert "asInt(" in text
    assert "{{x}}" not in text
    whens = [
        task["when"]
        for one in conditions.manifest()["spec"]["templates"]
        for task in one.get("dag", {}).get("tasks", [])
        if "when" in task
    ]
    assert whens
    assert all(one.startswith("{{=") and one.endswith("}}") for one in whens)
