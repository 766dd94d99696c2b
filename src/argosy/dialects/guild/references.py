"""References of Guild's texts, `${flag}`, and what they become in a manifest.

It knows spellings, not what flags mean.
"""

from __future__ import annotations

import re

from argosy.dialects.guild.flags import OperationFlags

_REFERENCE = re.compile(r"\\?\$\{([^}]*)\}")


def references(text: str) -> list[str]:
    """The flags that a text names as ${flag}."""
    return [_name_in(found[1]) for found in _REFERENCE.finditer(text) if not found[0].startswith("\\")]


def _name_in(reference: str) -> str:
    """The flag of `name|filter`: how Guild would format the value is left out."""
    return reference.partition("|")[0].strip()


def with_tags(text: str, flags: OperationFlags, scope: str) -> str:
    """The text with tags for its ${flag}s. scope: where the parameters are, as in workflow.parameters."""

    def put(found: re.Match[str]) -> str:
        if found[0].startswith("\\"):
            return found[0][1:]
        name = flags.names.get(_name_in(found[1]))
        return f"{{{{{scope}.{name}}}}}" if name else found[0]

    return _REFERENCE.sub(put, text)
