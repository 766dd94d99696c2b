"""The secrets that one transfer uses: asked for once, and kept out of every text that leaves the transfer.

It knows selectors of Secrets; not where Secrets are kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from argosy.artifacts.locations import Context
from argosy.artifacts.redaction import redact
from argosy.errors import ArgosyError
from argosy.model.manifest import KeySelector


class Credentials:
    """Secrets of one transfer."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._given: list[bytes] = []

    def get(self, selector: KeySelector | None) -> bytes | None:
        """The value a selector names; None without a selector. Raises what the context raises for an unknown one."""
        if selector is None or not (selector.name or selector.key):
            return None
        value = self._context.secret(selector)
        self.hide(value)
        return value

    def text(self, selector: KeySelector | None) -> str:
        """The value as text, "" without a selector."""
        return (self.get(selector) or b"").decode("utf-8", "surrogateescape")

    def hide(self, value: str | bytes) -> None:
        """Keep this value out of texts as well: a token that a server gave, a password from a URL."""
        self._given.append(value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape"))

    def redact(self, text: str) -> str:
        """The text without these secrets and without credentials in URLs."""
        return redact(text, self._given)

    @contextlib.contextmanager
    def guarded(self) -> Generator[None, None, None]:
        """Redact whatever error the block raises, and cut its chain: a cause may quote a header or a command line."""
        try:
            yield
        except ArgosyError as error:
            error.message, error.hint = self.redact(error.message), self.redact(error.hint)
            error.args = (error.message,)
            error.__cause__ = None
            error.__suppress_context__ = True
            raise
