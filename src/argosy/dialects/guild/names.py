"""Names of operations as requirements write them: MODEL:OPERATION or OPERATION, patterns, several with commas.

It knows names only.
"""

from __future__ import annotations

import re


def fits(wanted: str, operation: str) -> bool:
    """Whether MODEL:OPERATION, or OPERATION, is one of those that are wanted."""
    model, _, name = operation.rpartition(":")
    for one in (part.strip() for part in wanted.split(",")):
        of_model, colon, pattern = one.rpartition(":")
        if colon and of_model and of_model != model:
            continue
        try:
            if re.fullmatch(pattern, name):
                return True
        except re.error:
            if pattern == name:
                return True
    return False
