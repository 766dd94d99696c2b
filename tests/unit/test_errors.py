"""Every error carries an id and the exit code that the command line documents."""

import pytest

from argosy import errors


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        (errors.UsageError, 2),
        (errors.InvalidFile, 3),
        (errors.ExpressionError, 3),
        (errors.NotFound, 4),
        (errors.EnvironmentTrouble, 5),
    ],
)
def test_exit_codes(kind: type[errors.ArgosyError], exit_code: int) -> None:
    error = kind("what", hint="next")
    assert (error.exit_code, error.message, error.hint) == (exit_code, "what", "next")


def test_ids_are_unique() -> None:
    kinds = errors.ArgosyError.__subclasses__()
    assert len({kind.id for kind in kinds}) == len(kinds)
