"""The tree of errors that a user can meet, each with an id and the exit code of the process.

It knows nothing of how an error is drawn; that is `argosy.syntax.render` for text
and `argosy.cli.console` for
the terminal.

    ArgosyError
    ├── InvalidFile          exit 3   a file that a user wrote is wrong; carries diagnostics
    ├── UsageError           exit 2   a command was called wrongly
    ├── NotFound             exit 4   a run, a template, a step or an artifact that is not there
    ├── EnvironmentTrouble   exit 5   this machine lacks something: a runtime, disk, permission
    └── ExpressionError      exit 3   an expression cannot be parsed or evaluated
"""

from __future__ import annotations


class ArgosyError(Exception):
    """An error with an id (`errors.md` documents each) and what to do next.

    message: what went wrong, in one sentence. hint: the next thing to try, or "".
    """

    id = "argosy"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            # Where a Python program meets it, its traceback shows what to do too.
            self.add_note(f"hint: {hint}")


class InvalidFile(ArgosyError):
    """A file that a user wrote is wrong. `diagnostics` are `argosy.syntax.diagnostics.Diagnostic` values."""

    id = "invalid-file"
    exit_code = 3

    def __init__(self, message: str, *, diagnostics: tuple[object, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = diagnostics


class UsageError(ArgosyError):
    """A command was called wrongly."""

    id = "usage"
    exit_code = 2


class NotFound(ArgosyError):
    """A run, a template, a step or an artifact that is not there."""

    id = "not-found"
    exit_code = 4


class EnvironmentTrouble(ArgosyError):
    """This machine lacks something that is needed: a runtime, disk space, permission."""

    id = "environment"
    exit_code = 5


class ExpressionError(ArgosyError):
    """An expression cannot be parsed or evaluated.

    position: offset in characters into the expression, or None.
    """

    id = "expression"
    exit_code = 3

    def __init__(self, message: str, *, position: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.position = position
