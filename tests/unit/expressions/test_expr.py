"""expr-lang: values of expressions, one line a rule; and what is refused."""

import math

import pytest

from argosy.errors import ExpressionError
from argosy.expressions.expr import Budget, evaluate, parse

NAMES: dict[str, object] = {
    "n": "5",
    "nothing": None,
    "inputs.parameters": "[]",
    "inputs.parameters.a": "A",
    "inputs.parameters.b-c": "BC",
    "steps.one.outputs.result": "r",
    "steps.gone.outputs.result": None,
    "people": [{"name": "Ann", "age": 31}, {"name": "Bob", "age": 17}, {"name": "Cy", "age": 64}],
    "cell": {"x": {"y": [10, 20, 30]}, "z": None},
    "$odd": "odd",
}

VALUES: list[tuple[str, object]] = [
    # literals
    ("42", 42),
    ("0x1F + 0o17 + 0b101", 51),
    ("1_000_000", 1_000_000),
    ("1.5e3", 1500.0),
    (".25", 0.25),
    ("'it\\'s' + \"\\u0041\\x42\\n\"", "it'sAB\n"),
    ('"\\u{1F600}"', "😀"),
    ("`raw \\n ``tick```", "raw \\n `tick`"),
    ("[1, 'two', nil, true,]", [1, "two", None, True]),
    ("{a: 1, 'b c': 2, 3: 4, (\"k\" + 'ey'): 5,}", {"a": 1, "b c": 2, "3": 4, "key": 5}),
    ("b'\\x41b'", b"Ab"),
    ("1 /* in between */ + 2 // and after", 3),
    # arithmetic
    ("2 + 3 * 4", 14),
    ("(2 + 3) * 4", 20),
    ("7 / 2", 3.5),
    ("6 / 2", 3.0),
    ("7 % 3", 1),
    ("-7 % 3", -1),
    ("2 ** 3 ** 2", 512.0),
    ("2 ^ 3", 8.0),
    ("-2 ** 2", -4.0),
    ("10 - 4 - 3", 3),
    ("1 / 0", math.inf),
    ("-1 / 0.0", -math.inf),
    ("9223372036854775807 + 1", -9223372036854775808),
    ("+3 - -3", 6),
    ("1 + 1.5", 2.5),
    # comparison and logic
    ("1 == 1.0", True),
    ("1 == '1'", False),
    ("true == 1", False),
    ("[1, [2]] == [1.0, [2]]", True),
    ("{a: [1]} == {a: [1]}", True),
    ("nil == nothing", True),
    ("1 < 2 and 2 < 3 or false", True),
    ("1 < 2 < 3", True),
    ("1 < 3 < 2", False),
    ("not true || !false && true", True),
    ("'a' < 'b'", True),
    ("not (1 in [1]) == false", True),
    ("false && nope", False),
    ("true || nope", True),
    # texts
    ("'abc' contains 'b' and 'abc' startsWith 'a' and 'abc' endsWith 'c'", True),
    ("'abc' not contains 'x'", True),
    ("'v1.2' matches '^v[0-9.]+$'", True),
    ("'abc' not matches 'B'", True),
    ("nothing contains 'x'", False),
    ("'hello'[1:3]", "el"),
    ("'hello'[-3:]", "llo"),
    ("'hello'[:]", "hello"),
    # membership
    ("'x' in cell", True),
    ("3 not in 1..2", True),
    ("'k' in nil", False),
    ("1..4", [1, 2, 3, 4]),
    ("3..1", []),
    # members
    ("cell.x.y[1]", 20),
    ("cell.x.y[-1]", 30),
    ("cell['x']['y'][0]", 10),
    ("cell.x.y[1:]", [20, 30]),
    ("cell.x.y[:-1]", [10, 20]),
    ("cell.missing", None),
    ("cell.z?.deep.deeper", None),
    ("cell?.x?.y[0]", 10),
    ("nothing?.a.b.c", None),
    ("nothing?.[0]", None),
    ("cell.z ?? 'none'", "none"),
    ("(cell.z ?? cell.w) ?? 1", 1),
    ("[1, 2, 3][1]", 2),
    ("{a: {b: 2}}.a.b", 2),
    # the scope
    ("inputs.parameters.a", "A"),
    ("inputs.parameters['b-c']", "BC"),
    ("inputs['parameters']['b-c']", "BC"),
    ("inputs.parameters", {"a": "A", "b-c": "BC"}),
    ("steps.one.outputs.result", "r"),
    ("steps.gone.outputs.result ?? 'd'", "d"),
    ("steps.two", None),
    ("steps.two?.outputs.result", None),
    ("$env.n + $env['n']", "55"),
    ("'n' in $env", True),
    ("$odd", "odd"),
    # conditions
    ("1 > 2 ? 'a' : 'b'", "b"),
    ("false ? 1 : true ? 2 : 3", 2),
    ("nothing ?: 'other'", "other"),
    ("if n == '5' { 'five' } else { 'else' }", "five"),
    ("if false {1} else if true {2} else {3}", 2),
    # let, sequences, pipes
    ("let x = 2; let y = x * 3; x + y", 8),
    ("1; 2; 3", 3),
    ("(1; 2) + 1", 3),
    ("' pad ' | trim() | upper()", "PAD"),
    ("[3, 1] | sort('desc') | map(# + 1)", [4, 2]),
    ("::upper('x')", "X"),
    # predicates
    ("filter(people, .age > 18) | map(.name)", ["Ann", "Cy"]),
    ("map(people, {let p = #; p.name + string(#index)})", ["Ann0", "Bob1", "Cy2"]),
    ("all([1, 2], # > 0) and any([1, 2], # > 1) and one([1, 2], # == 1) and none([1, 2], # > 2)", True),
    ("count([1, 2, 3], # > 1)", 2),
    ("count([true, false, true])", 2),
    ("sum([1, 2.5])", 3.5),
    ("sum(people, .age)", 112),
    ("find(1..9, # > 3)", 4),
    ("find(1..9, # > 99)", None),
    ("findIndex(1..9, # > 3)", 3),
    ("findLast(1..9, # < 3)", 2),
    ("findLastIndex(1..9, # > 99)", -1),
    ("groupBy(1..4, # % 2 == 0 ? 'even' : 'odd')", {"odd": [1, 3], "even": [2, 4]}),
    ("sortBy(people, .age)[0].name", "Bob"),
    ("sortBy(people, -.age)[0].name", "Cy"),
    ("sortBy(people, .name, 'desc')[0].name", "Cy"),
    ("reduce(1..4, #acc * #)", 24),
    ("reduce([], #acc, 'none')", "none"),
    ("reduce(1..3, #acc + #index, 0)", 3),
    ("filter([[1, 2], [3]], len(#) > 1)", [[1, 2]]),
    ("map([[1, 2], [3]], map(#, # * 10))", [[10, 20], [30]]),
    ("filter([1, 2], {# > 1})", [2]),
    # functions
    ("len('héé') + len([1]) + len({a: 1})", 5),
    ("type(1) + type(1.0) + type('') + type(nil) + type([]) + type({}) + type(true)", "intfloatstringnilarraymapbool"),
    ("type(now())", "time.Time"),
    ("int('12') + int(3.9) + int(-3.9)", 12),
    ("float('1.5') + float(1)", 2.5),
    ("string(1.0) + string(1e6) + string(1e21) + string(0.00001) + string(true)", "11e+061e+211e-05true"),
    ("string([1, 'a', nil]) + string({b: 1, a: 2})", "[1 a <nil>]map[a:2 b:1]"),
    ("trim('  a ') + trim('__b_', '_') + trimPrefix('xa', 'x') + trimSuffix('ax', 'x')", "abaa"),
    ("upper('a') + lower('B')", "Ab"),
    ("split('a,b,c', ',')", ["a", "b", "c"]),
    ("split('a,b,c', ',', 2)", ["a", "b,c"]),
    ("split('abc', '')", ["a", "b", "c"]),
    ("splitAfter('a,b', ',')", ["a,", "b"]),
    ("replace('aXbX', 'X', '-') + replace('aXbX', 'X', '-', 1)", "a-b-a-bX"),
    ("repeat('ab', 3)", "ababab"),
    ("join(['a', 'b'], '-') + join(['c', 'd'])", "a-bcd"),
    ("indexOf('héllo', 'l') + lastIndexOf('hello', 'l') * 10", 33),
    ("indexOf('a', 'b')", -1),
    ("hasPrefix('ab', 'a') and hasSuffix('ab', 'b')", True),
    ("max(1, 5.5, [2, [9]]) + min([4, 2])", 11),
    ("max([])", None),
    ("mean([1, 2, 3])", 2.0),
    ("median([4, 1, 3, 2])", 2.5),
    ("[abs(-3), ceil(1.2), floor(-1.2), round(2.5), round(-2.5)]", [3, 2.0, -2.0, 3.0, -3.0]),
    ("toJSON({b: 1, a: [true, nil]})", '{\n  "a": [\n    true,\n    null\n  ],\n  "b": 1\n}'),
    ("fromJSON('{\"a\": [1, 2.5, null]}').a", [1.0, 2.5, None]),
    ("type(fromJSON('1'))", "float"),
    ("fromBase64(toBase64('héy'))", "héy"),
    ("[keys({a: 1}), values({a: 2})]", [["a"], [2]]),
    ("toPairs({a: 1})", [["a", 1]]),
    ("fromPairs([['a', 1], ['b', 2]])", {"a": 1, "b": 2}),
    ("concat([1], [2, 3], [])", [1, 2, 3]),
    ("flatten([1, [2, [3, []]]])", [1, 2, 3]),
    ("uniq([1, 1.0, 'a', 'a', [1], [1]])", [1, "a", [1]]),
    ("reverse([1, 2])", [2, 1]),
    ("[first([1, 2]), last([1, 2]), first([]), last([])]", [1, 2, None, None]),
    ("take([1, 2, 3], 2) == take([1, 2], 9)", True),
    ("[get({a: 1}, 'a'), get([7], 0), get([7], 5), get({}, 'x'), get(nil, 'x')]", [1, 7, None, None, None]),
    ("sort([3, 1, 2])", [1, 2, 3]),
    ("sort(['b', 'a'], 'desc')", ["b", "a"]),
    ("[bitand(10, 12), bitor(10, 12), bitxor(10, 12), bitnand(10, 12), bitnot(10)]", [8, 14, 6, 2, -11]),
    ("[bitshl(1, 4), bitshr(-16, 2), bitushr(-5, 2)]", [16, -4, 4611686018427387902]),
    # dates
    ("date('2023-08-14').Year()", 2023),
    ("date('2023-08-14T10:00:00+02:00').UTC().Hour()", 8),
    ("date('2023-08-14 10:00:00', '2006-01-02 15:04:05', 'Europe/Zurich').Unix()", 1692000000),
    ("date('2023-08-14T00:00:00Z').In(timezone('Europe/Zurich')).Format('15:04 MST')", "02:00 CEST"),
    ("date('2023-08-14').Format('Mon, 2 Jan 2006')", "Mon, 14 Aug 2023"),
    ("(date('2023-08-15') - date('2023-08-14')).Hours()", 24.0),
    ("date('2023-08-14') + duration('36h') > date('2023-08-15')", True),
    ("duration('1h30m').Minutes()", 90.0),
    ("string(duration('1h') + duration('1.5s'))", "1h0m1.5s"),
    ("date('2023-08-14') == date('2023-08-14T00:00:00Z')", True),
    ("date('2024-01-31').AddDate(0, 1, 0).Format('2006-01-02')", "2024-03-02"),
    ("toJson(date('2023-08-14'))", '"2023-08-14T00:00:00Z"'),
    # Argo's
    ("asInt(n) + asInt('-2')", 3),
    ("asFloat('2.5')", 2.5),
    ("toJson({b: 1.0, a: '<'})", '{"a":"\\u003c","b":1}'),
    ('jsonpath(\'{"a": [{"b": 1}, {"b": 2}]}\', \'$.a[*].b\')', [1.0, 2.0]),
    ('jsonpath(\'{"a": [{"b": 1}, {"b": 2}]}\', \'$.a[-1].b\')', 2.0),
    ('jsonpath(\'{"a": {"b c": "x"}}\', "$.a[\'b c\']")', "x"),
    ("jsonpath('[1, 2, 3]', '$[0,2]')", [1.0, 3.0]),
    ("jsonpath('[1, 2, 3]', '$[1:]')", [2.0, 3.0]),
    ('jsonpath(\'{"a": {"k": 1}, "b": [{"k": 2}]}\', \'$..k\')', [1.0, 2.0]),
    ("jsonpath('[{\"p\": 5}, {\"p\": 9}, {}]', '$[?(@.p > 6)].p')", [9.0]),
    ("jsonpath('{\"a\": 1}', '$')", {"a": 1.0}),
]

REFUSED = [
    ("", "unexpected end"),
    ("1 +", "unexpected end"),
    ("1 2", "unexpected number"),
    ("(1", "')' is expected"),
    ("'open", "literal not terminated"),
    ("/* open", "unclosed comment"),
    ("@", "unrecognized character"),
    ("1a", "bad number syntax"),
    ("99999999999999999999", "too large"),
    ("'a' + 1", "string + int"),
    ("1.5 % 2", "float % int"),
    ("1 % 0", "divide by zero"),
    ("'a' < 1", "string < int"),
    ("1 and true", "needs a bool"),
    ("1 ? 2 : 3", "needs a bool"),
    ("!1", "needs a bool"),
    ("-'a'", "-string"),
    ("nope", "unknown name nope"),
    ("null", "unknown name null"),
    ("nope.deep.er", "unknown name nope"),
    ("nothing.x", "cannot fetch 'x' from nil"),
    ("steps.two.outputs.result", "cannot fetch 'outputs' from nil"),
    ("n.x", "cannot fetch 'x' from string"),
    ("[1][5]", "index out of range"),
    ("[1]['a']", "cannot fetch 'a' from array"),
    ("1 in 2", 'operator "in" not defined'),
    ("'a' matches '('", "not a regular expression"),
    ("foo()", "unknown function foo()"),
    ("uper('a')", "unknown function uper()"),
    ("upper()", "invalid number of arguments"),
    ("upper(1)", "argument 1 must be of kind string"),
    ("filter(1, true)", "takes an array"),
    ("filter([1], 1)", "needs a bool"),
    ("filter([1])", "needs a predicate"),
    ("#", "unexpected operator"),
    ("map([1], #oops)", "unknown pointer"),
    ("let x = 1; let x = 2; x", "cannot redeclare"),
    ("let len = 1; len", "cannot redeclare builtin"),
    ("let x = 1", "';' is expected"),
    ("1 ?? 2 + 3", "cannot be mixed"),
    ("repeat('a', -1)", "must not be negative"),
    ("int('1.5')", "int('1.5')"),
    ("float('x')", "float('x')"),
    ("fromJSON('{')", "is not JSON"),
    ("fromJSON('NaN')", "is not JSON"),
    ("toJson(1/0)", "cannot be written as JSON"),
    ("join([1])", "every element must be a string"),
    ("date('x')", "invalid date"),
    ("duration('x')", "is not a duration"),
    ("timezone('Mars/Base')", "unknown time zone"),
    ("timezone('../../etc/passwd')", "unknown time zone"),
    ("now().Yeer()", "has no method Yeer()"),
    ("'a'.upper()", "has no method upper()"),
    ("{}.__class__.__mro__", "cannot fetch '__mro__' from nil"),
    ("''.__class__", "cannot fetch '__class__' from string"),
    ("now().__init__()", "has no method __init__()"),
    ("now().instant", "has no field instant"),
    ("jsonpath('{}', '$.a')", "finds nothing"),
    ("jsonpath('{}', '$[')", "never closed"),
    ("jsonpath('{', '$')", "is not JSON"),
    ("reduce([], #acc)", "needs an initial value"),
    ("sort([1, 'a'])", "string < int"),
    ("sort([1], 'up')", "asc or desc"),
    ("{(1): 2}", "a map key must be a string"),
    ("[" * 500 + "]" * 500, "nested deeper"),
    ("a" + ".b" * 500, "members in a row"),
    ("1" + "+1" * 20000, "at most 10000 parts"),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value(text: str, expected: object) -> None:
    value = evaluate(text, NAMES)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, NAMES)
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("uper('a')", "did you mean upper?"),
        ("toJSon(1)", "did you mean toJson?"),
        ("sprig.Upper('a')", "did you mean sprig.upper?"),
        ("null", "did you mean nil?"),
        ("upper", "upper(...)"),
        ("'a' + 1", "string(...)"),
        ("asInt == 1", "asInt(...)"),
        ("now().Yeer()", "did you mean Year()?"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, NAMES)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "position"),
    [("1 + + * 2", 6), ("abc + upper(1)", 6), ("'x' + nope", 6), ("n == '5' && (1 + 'a') > 1", 15)],
)
def test_errors_have_a_position(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, {**NAMES, "abc": "x"})
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.b.c + d", ("a.b.c", "d")),
        ("a['b-c'].d", ("a.b-c.d",)),
        ("a[b].c", ("a", "b")),
        ("let x = a; x + y", ("a", "y")),
        ("map(items, # + .f + other)", ("items", "other")),
        ("sprig.upper(a.b) + string(c)", ("a.b", "c")),
        ("a?.b?.c ?? d", ("a.b.c", "d")),
        ("$env.x + 'text'", ()),
        ("{k: v}.k", ("v",)),
        ("a + a", ("a",)),
        ("'n' in [x]", ("x",)),
        ("d.Format(l)", ("d", "l")),
    ],
)
def test_names(text: str, names: tuple[str, ...]) -> None:
    assert parse(text).names() == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("item.need", ("item.need",)),
        ("item.maybe ?? 'x'", ("item",)),
        ("item?.maybe", ("item",)),
        ("item.a?.b", ("item",)),
        ("item.need + (item.maybe ?? '')", ("item.need", "item")),
    ],
)
def test_required_names_leave_out_what_is_guarded(text: str, names: tuple[str, ...]) -> None:
    assert parse(text).required() == names


def test_an_opaque_value_comes_back_unchanged() -> None:
    thing = object()
    names: dict[str, object] = {"steps.a.outputs.artifacts.x": thing, "ok": "yes"}
    assert evaluate("ok == 'yes' ? steps.a.outputs.artifacts.x : nil", names) is thing


def test_the_same_text_is_parsed_once() -> None:
    assert parse("1 + 2") is parse("1 + 2")


def test_a_budget_is_kept() -> None:
    with pytest.raises(ExpressionError, match="too long"):
        parse("map(1..500, # + 1)").evaluate({}, budget=Budget(steps=100))
    with pytest.raises(ExpressionError, match="memory budget exceeded"):
        parse("repeat('x', 100)").evaluate({}, budget=Budget(size_bytes=100))


@pytest.mark.parametrize(
    "text",
    [
        "1..100000000",
        "repeat('x', 100000000)",
        "repeat(repeat('x', 100000), 100000)",
        "map(1..5000, map(1..5000, #))",
        "reduce(1..100, #acc + #acc, 'xxxxxxxxxxxxxxxxxxxxxxxx')",
        "reduce(1..60, [#acc, #acc], 'x') | toJson()",
        "reduce(1..60, [#acc, #acc], 'x') | flatten()",
        "sprig.indent(1000000, repeat('\\n', 10000))",
        "sprig.untilStep(0, 9000000000, 1)",
        "sprig.randAlpha(10000000)",
        "replace(repeat('a', 10000), 'a', repeat('b', 10000))",
        "join(map(1..10000, 'x'), repeat('y', 10000))",
        "uniq(1..30000)",
        "split(repeat('a', 3000000), '')",
        "sort(map(1..60000, -#))",
    ],
)
def test_greed_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"too long|memory budget|nested deeper"):
        evaluate(text, {})


def test_a_cruel_pattern_is_harmless() -> None:
    assert evaluate("text matches '^(([a-z])+.)+[A-Z]([a-z])+$'", {"text": "a" * 5000}) is False


def test_a_long_chain_is_no_depth() -> None:
    assert evaluate("1" + " + 1" * 4000, {}) == 4001
    assert evaluate("true" + " && true" * 4000, {}) is True
