"""What a check has found: which rule, how bad, at which place of the manifest.

It knows places as paths of the manifest's own keys, not as lines of a file.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "note"]
Path = tuple[str | int, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found.

    rule: the rule's id (docs/rules.md). path: from the top of the document, in the manifest's own words, such as
    `("spec", "templates", 2, "dag", "tasks", 0, "template")`. why: the reason behind the rule. hint: what to do.
    """

    rule: str
    severity: Severity
    path: Path
    message: str
    why: str = ""
    hint: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What lint looks for. bad: a fragment that breaks the rule; fix: what to write instead."""

    id: str
    meaning: str
    bad: str
    fix: str
    severity: Severity = "error"
