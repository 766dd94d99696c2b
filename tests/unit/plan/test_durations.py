"""Durations are Go's, or whole seconds."""

import pytest

from argosy.errors import ExpressionError
from argosy.plan import durations


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10", 10.0), ("1h30m", 5400.0), ("1.5s", 1.5), ("250ms", 0.25), ("-2m", -120.0), (" 3s ", 3.0), ("0", 0.0)],
)
def test_seconds(text: str, expected: float) -> None:
    assert durations.seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "1d", "ten", "1h 30m", "5 s", "1.5"])
def test_not_a_duration(text: str) -> None:
    with pytest.raises(ExpressionError, match="is not a duration"):
        durations.seconds(text)


def test_in_words() -> None:
    assert durations.in_words(3661) == "1 hour 1 minute"
    assert durations.in_words(2) == "2 seconds"
    assert durations.in_words(0.3) == "0 seconds"
