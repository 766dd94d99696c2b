"""sprig's functions, each with what it should give."""

import re

import pytest

from argosy.errors import ExpressionError
from argosy.expressions.expr import evaluate, parse
from argosy.expressions.sprig import REFUSED, SPRIG

VALUES: list[tuple[str, object]] = [
    ("hello()", "Hello!"),
    # strings
    ("abbrev(8, 'a longer text')", "a lon..."),
    ("abbrevboth(5, 10, '1234 5678 9123')", "...5678..."),
    ("trunc(3, 'abcdef') + trunc(-2, 'abcdef')", "abcef"),
    ("trim('  a ') + upper('b') + lower('C')", "aBc"),
    ("title('one two-three') + untitle('One Two')", "One Two-Threeone two"),
    ("substr(1, 3, 'abcdef') + substr(-1, 2, 'abc') + substr(1, -1, 'abc')", "bcabbc"),
    ("repeat(2, 'ab')", "abab"),
    ("trimAll('$', '$5$') + trimall('x', 'xax') + trimSuffix('-', 'a-') + trimPrefix('-', '-b')", "5aab"),
    ("nospace(' a b ') + initials('First Try') + swapcase('aB')", "abFTAb"),
    ("snakecase('HTTPServerName') + ' ' + snakecase('firstName2')", "http_server_name first_name2"),
    ("kebabcase('FirstName')", "first-name"),
    ("camelcase('http_server') + camelcase('_complex__case_')", "HttpServer_Complex_Case_"),
    ("wrap(5, 'aa bb cc')", "aa bb\ncc"),
    ("wrapWith(3, '|', 'abcdef')", "abc|def"),
    ("contains('b', 'abc') && hasPrefix('a', 'abc') && hasSuffix('c', 'abc')", True),
    ("quote('a\"b', 1, nil)", '"a\\"b" "1"'),
    ("squote('a', 2)", "'a' '2'"),
    ("cat('a', nil, 1, true)", "a 1 true"),
    ("indent(2, 'a\\nb') + nindent(1, 'c')", "  a\n  b\n c"),
    ("replace('a', 'b', 'banana')", "bbnbnb"),
    ("plural('one', 'many', 1) + plural('one', 'many', 2)", "onemany"),
    ("toString(1.5) + toString(nil)", "1.5<nil>"),
    ("toStrings([1, nil, 'a'])", ["1", "a"]),
    ("join('-', [1, 'a', nil]) + join('-', 'x')", "1-ax"),
    ("split('/', 'a/b')", {"_0": "a", "_1": "b"}),
    ("splitn('/', 2, 'a/b/c')._1", "b/c"),
    ("splitList(',', 'a,b')", ["a", "b"]),
    ("sortAlpha(['b', 'a', 1])", ["1", "a", "b"]),
    ("sha256sum('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("sha1sum('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("adler32sum('abc')", "38600999"),
    ("len(sha512sum('abc'))", 128),
    # paths
    ("base('/a/b.txt') + dir('/a/b.txt') + ext('b.tar.gz') + clean('/a/../b//c/.')", "b.txt/a.gz/b/c"),
    ("[base(''), dir('a'), clean(''), base('/'), isAbs('/a'), osBase('a/b')]", [".", ".", ".", "/", True, "b"]),
    # numbers
    ("atoi('12') + atoi('x')", 12),
    ("int('0x10') + int64('010') + int(3.9) + int(true) + int('1.0') + int('x')", 29),
    ("float64('1.5') + float64('x')", 1.5),
    ("toDecimal('777')", 511),
    ("add(1, '2', 3) + add1(1) + sub(5, 2) + mul(2, 3, 4)", 35),
    ("[div(7, 2), div(-7, 2), mod(7, 4), mod(-7, 4)]", [3, -3, 3, -3]),
    ("[addf(0.1, 0.2), add1f(1.5), subf(3, 1.5, 1), divf(10, 4), mulf(1.5, 2, 2)]", [0.3, 2.5, 0.5, 2.5, 6.0]),
    ("divf(1, 3)", 0.3333333333333333),
    ("[max(1, '5', 3), min(4, 2), biggest(1, 2), maxf(1, 2.5), minf(1.5, 2)]", [5, 2, 2, 2.5, 1.5]),
    ("[floor(1.9), ceil('1.1'), round(123.5555, 3), round(1.5, 0)]", [1.0, 2.0, 123.556, 2.0]),
    ("until(3)", [0, 1, 2]),
    ("until(-2)", [0, -1]),
    ("untilStep(0, 5, 2)", [0, 2, 4]),
    ("untilStep(0, 5, -2)", []),
    (
        "[seq(3), seq(-1), seq(2, 4), seq(0, 2, 6), seq(3, 1, 0), seq()]",
        ["1 2 3", "1 0 -1", "2 3 4", "0 2 4 6", "", ""],
    ),
    # lists
    ("[list(1, 2), tuple('a'), list()]", [[1, 2], ["a"], []]),
    ("[append([1], 2), push([1], 3), prepend([1], 0)]", [[1, 2], [1, 3], [0, 1]]),
    ("[first([1, 2]), last([1, 2]), first([])]", [1, 2, None]),
    ("[rest([1, 2, 3]), initial([1, 2, 3]), reverse([1, 2])]", [[2, 3], [1, 2], [2, 1]]),
    ("[uniq([1, 1, 2]), without([1, 2, 3], 2, 3), compact([0, 1, '', nil, 'a'])]", [[1, 2], [1], [1, "a"]]),
    ("has(2, [1, 2]) && !has(3, [1, 2]) && !has(1, nil)", True),
    ("[slice([1, 2, 3], 1), slice([1, 2, 3], 0, 2), slice([])]", [[2, 3], [1, 2], None]),
    ("concat([1], [2, 3])", [1, 2, 3]),
    ("chunk(2, [1, 2, 3])", [[1, 2], [3]]),
    ("mustFirst([7]) + mustLast([8])", 15),
    # dicts
    ("dict('a', 1, 'b')", {"a": 1, "b": ""}),
    ("[get({a: 1}, 'a'), get({}, 'a')]", [1, ""]),
    ("[set({a: 1}, 'b', 2), unset({a: 1, b: 2}, 'a')]", [{"a": 1, "b": 2}, {"b": 2}]),
    ("hasKey({a: nil}, 'a') && !hasKey({}, 'a')", True),
    ("pluck('a', {a: 1}, {b: 2}, {a: 3})", [1, 3]),
    ("[keys({a: 1}, {b: 2}), values({a: 1})]", [["a", "b"], [1]]),
    ("[pick({a: 1, b: 2}, 'a', 'x'), omit({a: 1, b: 2}, 'a')]", [{"a": 1}, {"b": 2}]),
    ("merge({a: 1, c: {x: 1}}, {a: 2, b: 3, c: {x: 9, y: 2}})", {"a": 1, "b": 3, "c": {"x": 1, "y": 2}}),
    ("mergeOverwrite({a: 1, b: 1}, {a: 2})", {"a": 2, "b": 1}),
    ("dig('a', 'b', 'none', {a: {b: 1}})", 1),
    ("dig('a', 'x', 'none', {a: {b: 1}})", "none"),
    ("deepCopy({a: [1]})", {"a": [1]}),
    # defaults and JSON
    ("[default('d', ''), default('d', 'x'), default('d', 0), default('d')]", ["d", "x", "d", "d"]),
    ("empty('') && empty(0) && empty([]) && empty(nil) && !empty('x')", True),
    ("coalesce('', 0, 'x', 'y')", "x"),
    ("all(1, 'a') && !all(1, '') && any(0, 1) && !any(0, '')", True),
    ("ternary('yes', 'no', true) + ternary('yes', 'no', false)", "yesno"),
    ("deepEqual([1], [1])", True),
    ("fromJson('{\"a\": 1}').a", 1.0),
    ("fromJson('{')", None),
    ("toJson({b: '<', a: 1}) + toRawJson('<')", '{"a":1,"b":"\\u003c"}"<"'),
    ("toPrettyJson([1])", "[\n  1\n]"),
    ("[typeOf(1), typeOf(nil), kindOf([]), kindOf({})]", ["int", "<nil>", "slice", "map"]),
    ("typeIs('string', 'a') && typeIsLike('int', 1) && kindIs('float64', 1.5)", True),
    # encoding
    ("b64enc('héy') + b64dec('YQ==')", "aMOpeQ==a"),
    ("b32enc('a') + b32dec('ME======')", "ME======a"),
    ("urlParse('http://u:p@host:80/a%20b?q=1#f').userinfo", "u:p"),
    (
        "urlParse('http://host:80/a%20b?q=1#f')",
        {
            "scheme": "http",
            "host": "host:80",
            "hostname": "host",
            "path": "/a b",
            "query": "q=1",
            "opaque": "",
            "fragment": "f",
            "userinfo": "",
        },
    ),
    (
        "urlJoin({scheme: 'http', host: 'h', path: '/a b', query: 'q=1', fragment: 'f', userinfo: 'u'})",
        "http://u@h/a%20b?q=1#f",
    ),
    ("urlParse('mailto:me@x').opaque", "me@x"),
    # regexes
    ("regexMatch('^a+$', 'aaa')", True),
    ("regexFind('[0-9]+', 'a12b3')", "12"),
    ("regexFind('x', 'a')", ""),
    ("regexFindAll('[0-9]', '123', -1)", ["1", "2", "3"]),
    ("regexFindAll('[0-9]', '123', 2)", ["1", "2"]),
    ("regexFindAll('a*', 'baaau', -1)", ["", "aaa", ""]),
    ("regexReplaceAll('a(x*)b', '-ab-axxb-', '${1}W')", "-W-xxW-"),
    ("regexReplaceAll('a(x*)b', '-ab-axxb-', '$1W')", "---"),
    ("regexReplaceAll('(?P<k>[a-z])1', 'a1b1', '$k-$$')", "a-$b-$"),
    ("regexReplaceAllLiteral('a', 'banana', '$1')", "b$1n$1n$1"),
    ("regexSplit('z+', 'pizzas', -1)", ["pi", "as"]),
    ("regexSplit('a', 'banana', 2)", ["b", "nana"]),
    ("regexSplit('', 'abc', -1)", ["a", "b", "c"]),
    ("regexQuoteMeta('1.2*')", "1\\.2\\*"),
    ("mustRegexMatch('a', 'b')", False),
    # dates
    ("date('2006-01-02', 0)", "1970-01-01"),
    ("dateInZone('15:04', toDate('2006-01-02 15:04', '2024-07-01 12:00'), 'Europe/Zurich')", "14:00"),
    ("htmlDate(86400)", "1970-01-02"),
    ("htmlDateInZone(0, 'America/New_York')", "1969-12-31"),
    ("unixEpoch(toDate('2006-01-02', '1970-01-02'))", "86400"),
    ("date('2006', dateModify('24h', toDate('2006-01-02', '2023-12-31')))", "2024"),
    ("duration('95') + duration(3600)", "1m35s1h0m0s"),
    ("durationRound('2400h10m5s') + durationRound('')", "3mo0s"),
    ("ago(now())", "0s"),
    # versions
    ("semver('v1.2.3-beta.1+4').Major()", 1),
    ("string(semver('v1.2'))", "1.2.0"),
    ("semver('1.2.3-beta.1+4').Prerelease() + semver('1.2.3+4').Metadata()", "beta.14"),
    ("semver('1.2.3').LessThan(semver('1.10.0'))", True),
    ("semver('1.0.0-alpha').Compare(semver('1.0.0'))", -1),
    # randomness
    ("len(randAlpha(5)) + len(randAlphaNum(5)) + len(randNumeric(5)) + len(randAscii(5))", 20),
    ("randInt(3, 4)", 3),
    ("len(uuidv4())", 36),
    ("len(randBytes(3))", 4),
    ("sortAlpha(splitList('', shuffle('cab')))", ["a", "b", "c"]),
]


def spelled(text: str) -> str:
    """The expression with every sprig function in its namespace."""
    names = {name.removeprefix("sprig.") for name in SPRIG}
    plain = {"len", "string"}

    def put(found: re.Match[str]) -> str:
        name = found.group(1)
        return f"sprig.{name}(" if name in names and name not in plain else found.group()

    return re.sub(r"(?<![.\w])(\w+)\(", put, text)


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value(text: str, expected: object) -> None:
    value = evaluate(spelled(text), {})
    assert value == expected
    assert type(value) is type(expected)


def test_every_function_has_a_case() -> None:
    cases = " ".join(spelled(text) for text, _ in VALUES)
    aliases = {"must", "os", "date_", "mustDate", "must_"}
    missing = [
        name
        for name in SPRIG
        if f"{name}(" not in cases
        and not name.removeprefix("sprig.").startswith(tuple(aliases))
        and name not in ("sprig.fail", "sprig.semverCompare")
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("constraint", "version", "expected"),
    [
        ("1.2.3", "1.2.3", True),
        ("=1.2.3", "1.2.4", False),
        ("!=1.2.3", "1.2.4", True),
        (">=1.2, <2", "1.9.9", True),
        (">=1.2 <2", "2.0.0", False),
        ("^1.2.3", "1.9.0", True),
        ("^1.2.3", "2.0.0", False),
        ("^0.2.3", "0.2.9", True),
        ("^0.2.3", "0.3.0", False),
        ("^0.0.3", "0.0.4", False),
        ("~1.2.3", "1.2.9", True),
        ("~1.2.3", "1.3.0", False),
        ("~1", "1.9.0", True),
        ("1.2.x", "1.2.7", True),
        ("1.x", "2.0.0", False),
        ("*", "3.1.4", True),
        (">1.2", "1.2.9", False),
        (">1.2", "1.3.0", True),
        ("<=1.2", "1.2.9", True),
        ("1.2 - 1.4.5", "1.4.5", True),
        ("1.2 - 1.4.5", "1.4.6", False),
        ("<1 || >=2", "2.1.0", True),
        (">=1.0.0", "1.1.0-beta", False),
        (">=1.0.0-0", "1.1.0-beta", True),
        ("v1", "v1.5", True),
    ],
)
def test_versions_satisfy_constraints(constraint: str, version: str, expected: bool) -> None:
    assert evaluate("sprig.semverCompare(c, v)", {"c": constraint, "v": version}) is expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sprig.fail('stop here')", "stop here"),
        ("sprig.div(1, 0)", "divide by zero"),
        ("sprig.divf(1, 0)", "division by zero"),
        ("sprig.first('abc')", "argument 1 must be of kind array"),
        ("sprig.trunc('3', 'abc')", "argument 1 must be of kind int"),
        ("sprig.substr(2, 1, 'abc')", "not within"),
        ("sprig.mustFromJson('{')", "not JSON"),
        ("sprig.mustToDate('2006', 'x')", "is not a date"),
        ("sprig.semver('one')", "not a semantic version"),
        ("sprig.semverCompare('>>1', '1.0.0')", "not a constraint"),
        ("sprig.regexFind('(', 'a')", "not a regular expression"),
        ("sprig.chunk(0, [1])", "must be positive"),
        ("sprig.dig('a', {})", "at least a key"),
        ("sprig.dig('a', 'b', nil, {a: 1})", "no map at key 2"),
        ("sprig.randInt(3, 3)", "not above"),
        ("sprig.nofunction()", "unknown function sprig.nofunction()"),
        ("sprig.urlJoin({host: 1})", "must be a string"),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, {})
    assert why in caught.value.message


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_supported_is_named_before_anything_runs(name: str) -> None:
    with pytest.raises(ExpressionError, match="is not supported") as caught:
        parse(f"true ? 1 : {name}('x')")
    assert name in caught.value.message
