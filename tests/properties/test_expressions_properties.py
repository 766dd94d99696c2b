"""What must hold of the languages inside strings, whatever text they are given."""

import contextlib
import json
import string
import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from argosy.errors import ExpressionError
from argosy.expressions import condition, depends, expr, tags
from argosy.expressions.functions import functions
from argosy.expressions.parser import PREDICATES

SCOPE: dict[str, object] = {
    "a": "1",
    "b": "text",
    "n": None,
    "inputs.parameters": "[]",
    "inputs.parameters.x": "{{b}}",
    "item": "x",
    "list": [1, "two", [3.5, None], {"k": True}],
    "map": {"k": {"d": [1]}, "": 2},
}

PIECES = [
    *"+-*/%^()[]{}<>!?:;,.|#&=~'\"` \n",
    *(
        "**",
        "==",
        "!=",
        "&&",
        "||",
        "??",
        "?.",
        "..",
        "::",
        "<=",
        ">=",
        "//",
        "/*",
        "*/",
        "{{",
        "}}",
        "{{=",
        "=~",
        "!~",
    ),
    *("and", "or", "not", "in", "let x =", "if", "else", "matches", "contains", "true", "false", "nil"),
    *(
        "0",
        "1",
        "2.5",
        "0x1f",
        "1e400",
        "9223372036854775807",
        "'s'",
        '"\\u{41}"',
        "`r`",
        "b'x'",
        "#acc",
        "#index",
        "$env",
    ),
    *(
        "a",
        "b",
        "n",
        "x",
        "list",
        "map",
        "map.k.d",
        "inputs.parameters.x",
        "inputs.parameters",
        "item",
        "zzz.y",
        "__class__",
    ),
    *(f"{name}(" for name in (*functions(), *PREDICATES)),
    *(
        ".Year()",
        ".Format(",
        "date('2024-01-01')",
        "duration('1h')",
        "now()",
        "task-1.Succeeded",
        "T.AllFailed",
        "T.Nope",
    ),
]

soup = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join),
    st.text(max_size=40),
)


def only_expression_errors(run: object, *arguments: object) -> None:
    assert callable(run)
    with contextlib.suppress(ExpressionError):
        run(*arguments)


@settings(max_examples=1500, deadline=None)
@given(soup)
@example("a" * 200_000)
@example("[" * 50_000)
@example("!" * 50_000)
@example("a ? " * 5000)
@example("-" * 9000 + "1")
@example("if a {" * 3000)
@example("let x = 1; " * 3000)
@example("a" + "[0" * 3000)
@example("f(" * 3000)
def test_an_expression_gives_a_value_or_one_kind_of_error(text: str) -> None:
    only_expression_errors(expr.evaluate, text, SCOPE)


@settings(max_examples=1000, deadline=None)
@given(soup)
@example("(" * 50_000)
@example("!" * 50_000 + "true")
@example("1" + " + 1" * 20_000 + " == 20001")
def test_a_when_gives_a_value_or_one_kind_of_error(text: str) -> None:
    only_expression_errors(condition.evaluate_when, text)
    only_expression_errors(condition.check_when, text)


@settings(max_examples=1000, deadline=None)
@given(soup)
@example("(" * 50_000)
@example("!" * 50_000 + "a")
def test_a_depends_gives_a_condition_or_one_kind_of_error(text: str) -> None:
    def run() -> None:
        found = depends.parse(text)
        found.evaluate({task: depends.TaskState(succeeded=True) for task, _ in found.references})

    only_expression_errors(run)


@settings(max_examples=1000, deadline=None)
@given(soup, st.booleans())
@example("{{" * 20_000, True)
@example("{{=" * 5_000 + "}}" * 5_000, True)
@example("{{" * 2_000 + "}}" * 2_000, True)
def test_substitution_gives_text_or_one_kind_of_error_and_json_stays_json(text: str, allow: bool) -> None:
    tags.references(text)
    try:
        json.loads(tags.substitute_json(json.dumps([text]), SCOPE, allow_unresolved=allow))
    except ExpressionError:
        return
    only_expression_errors(lambda: tags.substitute_text(text, SCOPE, allow_unresolved=allow))


nasty = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{{=", "b", "{{b}}", "{{=b}}", "\\", '"', "\\u007b", "\n", "\x00", "\u2028", "'", "$1"]
        ),
        max_size=12,
    ).map("".join),
)


@settings(max_examples=700, deadline=None)
@given(nasty)
def test_a_value_arrives_unchanged_and_is_never_read_again(value: str) -> None:
    scope: dict[str, object] = {"v": value, "k": "v", "b": "MUST NOT BE SEEN"}
    source = json.dumps({"args": ["<{{v}}>", "{{ v }}{{v}}", "{{=v}}", "{{=[v][0]}}", "{{{{k}}}}"], "{{v}}": 1})
    done = json.loads(tags.substitute_json(source, scope, allow_unresolved=True))
    assert done.pop("args") == [f"<{value}>", value + value, value, value, value]
    assert list(done) == [value]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_text_without_tags_is_returned_itself(text: str) -> None:
    if "{{" not in text:
        assert tags.substitute_text(text, {}, allow_unresolved=False) is text


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("ab{}<'\"", max_size=4)), st.lists, max_leaves=8
    )
)
def test_json_goes_there_and_back(value: object) -> None:
    assert expr.evaluate("fromJSON(toJson(v))", {"v": [value]}) == [value]


names = st.text(string.ascii_letters + string.digits, min_size=1, max_size=6).map(lambda name: f"t{name}-x")


@settings(max_examples=300, deadline=None)
@given(st.lists(names, min_size=1, max_size=30), st.data())
def test_a_conjunction_holds_exactly_when_every_task_went_well(tasks: list[str], data: st.DataObject) -> None:
    states = {
        task: depends.TaskState(succeeded=data.draw(st.booleans()), failed=data.draw(st.booleans())) for task in tasks
    }
    expected = all(state.succeeded for state in states.values())
    for found in (depends.parse(" && ".join(tasks)), depends.from_dependencies(tasks)):
        assert found.trivial_all
        assert found.evaluate(states) is expected


COSTLY = [
    "map(1..9000, # + 1)",
    "filter(map(1..4000, ({v: #})), .v % 2 == 0)",
    "sortBy(map(1..3000, -#), #)",
    "reduce(1..8000, #acc + #, 0)",
    "toJson(map(1..3000, ({a: #, b: string(#)})))",
    "repeat('abc', 500000)",
    "join(map(1..5000, string(#)), ',')",
    "1..100000",
    "uniq(map(1..600, #))",
    "sprig.regexReplaceAll('a', repeat('a', 5000), 'bb')",
    "jsonpath(toJson(map(1..500, ({p: #}))), '$[?(@.p > 250)].p')",
    "reduce(1..40, #acc + #acc, 'x')",
    "map(1..300, map(1..300, #))",
    "reduce(1..50, [#acc, #acc], 1) == reduce(1..50, [#acc, #acc], 1)",
    "reduce(1..50, ({a: #acc, b: #acc}), 1)",
    "sprig.wrap(1, repeat('a ', 50000))",
    "repeat('a', 200000) matches '(a|b|ab)*c'",
    "sprig.deepCopy(reduce(1..30, [#acc, #acc], 1))",
    "sprig.merge(reduce(1..30, ({a: #acc, b: #acc}), {}), reduce(1..30, ({a: #acc, b: #acc}), {}))",
    "flatten(reduce(1..30, [#acc, #acc], 1))",
    "sprig.indent(50, repeat('\\n', 100000))",
    "date(repeat('1', 100000))",
    "int(repeat('1', 100000))",
    "map(1..2000, date('2024-01-01').Format('2006-01-02T15:04:05Z07:00'))",
    "map(1..20000, sprig.uuidv4())",
    "map(1..20000, sprig.sha256sum(repeat('a', 1000)))",
    "map(1..20000, jsonpath('{}', '$'))",
    "map(1..20000, 'a' matches string(#))",
    "map(1..20000, sprig.semverCompare('>1', '1.' + string(#)))",
    "map(1..20000, timezone('Europe/Paris'))",
    "map(1..20000, sprig.snakecase('HTTPServer'))",
    "map(1..20000, fromJSON('[1,2,3]'))",
    "map(1..20000, duration('1h2m'))",
]


@pytest.mark.parametrize("text", COSTLY)
def test_no_expression_takes_long_or_much(text: str) -> None:
    """The aim is 50 ms and 20 MB; the machine that tests is shared, so that the time here is wider."""
    only_expression_errors(expr.evaluate, text, {})  # what is loaded at the first use is no part of it
    taken = []
    for _ in range(3):
        start = time.process_time()
        only_expression_errors(expr.evaluate, text, {})
        taken.append(time.process_time() - start)
    assert min(taken) < 0.25
    tracemalloc.start()
    only_expression_errors(expr.evaluate, text, {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 << 20
