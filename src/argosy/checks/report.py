"""Gathers findings while checks run, and puts those of a referenced document at the place that refers to it.

It knows no rule.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from argosy.checks.finding import Finding, Path, Rule, Severity
from argosy.syntax.diagnostics import did_you_mean

# Looking for a likely word reads every candidate: with ten thousand mistakes that would be quadratic.
_MOST_SUGGESTIONS = 20


class Report:
    """The findings so far, without duplicates, in the order found."""

    def __init__(self) -> None:
        self._findings: dict[Finding, None] = {}
        self._abroad: tuple[Path, str] | None = None
        self._suggestions = 0

    def findings(self) -> tuple[Finding, ...]:
        """All of them: errors first, then warnings, then notes."""
        order = {"error": 0, "warning": 1, "note": 2}
        return tuple(sorted(self._findings, key=lambda finding: order[finding.severity]))

    def add(
        self,
        rule: Rule,
        path: Path,
        message: str,
        *,
        why: str = "",
        hint: str = "",
        severity: Severity | None = None,
    ) -> None:
        """Record that `rule` is broken at `path`."""
        level = severity or rule.severity
        if self._abroad is not None:
            # Warnings about another document belong to that document's own check.
            if level != "error":
                return
            path, prefix = self._abroad[0], self._abroad[1]
            message = f"{prefix} {message}"
        finding = Finding(rule=rule.id, severity=level, path=path, message=message, why=why, hint=hint or rule.fix)
        self._findings[finding] = None

    @contextmanager
    def abroad(self, place: tuple[Path, str] | None) -> Generator[None]:
        """While it lasts, findings are about another document: errors are put at `place`, with its label in front."""
        before = self._abroad
        self._abroad = place
        try:
            yield
        finally:
            self._abroad = before

    def suggest(self, word: str, candidates: Iterable[str]) -> str:
        """A question such as `did you mean 'train'?`, or "" when nothing is near."""
        if self._suggestions >= _MOST_SUGGESTIONS:
            return ""
        self._suggestions += 1
        near = did_you_mean(word, candidates)
        return f"did you mean '{near}'?" if near else ""
