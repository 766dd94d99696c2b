"""Plain words are read as Argo's YAML reader reads them, numbers written as its AnyString writes them."""

import math

import pytest

from argosy.syntax.scalars import as_text, key_text, resolve


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((word, True) for word in ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")),
        *((word, False) for word in ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *(
            (word, word)
            for word in ("yES", "tRUE", "nULL", "oN", "None", "nil", "t", "f", "-", "+", ".", "..", "<<", "=")
        ),
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("012", 10),
        ("0o12", 10),
        ("0O12", 10),
        ("-0o12", -10),
        ("0x1F", 31),
        ("-0x1f", -31),
        ("0b101", 5),
        ("-0b101", -5),
        ("1_000", 1000),
        ("1__0_", 10),
        ("0x_f", 15),
        ("_1", "_1"),
        ("08", 8),
        ("09.5", 9.5),
        ("0x", "0x"),
        ("0xg", "0xg"),
        ("0b2", "0b2"),
        ("1.0", 1),
        ("3.10", 3.1),
        ("1.", 1),
        (".5", 0.5),
        ("-.5", -0.5),
        ("._5", "._5"),
        ("1e3", 1000),
        ("1E-3", 0.001),
        ("1e", "1e"),
        ("1e400", "1e400"),
        ("1e21", 1e21),
        ("1e20", 10**20),
        ("1.2.3", "1.2.3"),
        ("1,000", "1,000"),
        ("12:30:45", "12:30:45"),
        ("190:20:30.15", "190:20:30.15"),
        ("2001-12-14", "2001-12-14"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("9223372036854775807", 9223372036854775807),
        ("-9223372036854775808", -9223372036854775808),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616),
        ("18446744073709551617", 18446744073709551616),
        ("-9223372036854775809", -9223372036854775808),
        ("0xffffffffffffffffff", 0xFFFFFFFFFFFFFFFFFF),
        ("-0xffffffffffffffffff", "-0xffffffffffffffffff"),
        ("1" * 400, int("1" * 400)),
        ("٣", "٣"),
        ("1²", "1²"),
    ],
)
def test_resolve(text: str, expected: object) -> None:
    value = resolve(text)
    assert value == expected
    assert type(value) is type(expected)


def test_no_number_of_json() -> None:
    assert [resolve(text) for text in (".inf", "+.Inf", "-.INF")] == [math.inf, math.inf, -math.inf]
    assert math.isnan(float(str(resolve(".nan"))))


def test_minus_zero_stays() -> None:
    assert as_text(float(str(resolve("-0.0")))) == "-0"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (-3, "-3"),
        (3.1, "3.1"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1.5e-9, "0.0000000015"),
        (1e21, "1000000000000000000000"),
        (1.5e300, "15" + "0" * 299),
        (-2.5, "-2.5"),
        (100.25, "100.25"),
        (881217801864, "881217801864"),
        (9007199254740993, "9007199254740992"),
        (10**400, str(10**400)),
    ],
)
def test_as_text(value: float, expected: str) -> None:
    assert as_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(1, "1"), (True, "true"), (1.5, "1.5"), (9007199254740993, "9007199254740993")]
)
def test_key_text(value: float, expected: str) -> None:
    assert key_text(value) == expected
