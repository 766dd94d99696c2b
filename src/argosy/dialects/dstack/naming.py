"""Names that a manifest may have, for what dstack's files call as they like: templates, parameters, artifacts.

It knows the spellings of both, not what is named.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from argosy.dialects.dstack.definitions import Definition
from argosy.dialects.dstack.schema import KeptPath

# Leaves room for a number behind it.
LONGEST_NAME = 60


def artifact_names(one: Definition) -> dict[str, str]:
    """The artifacts of a workflow: names that a manifest may have, and paths relative to the code unless absolute."""
    return {name: kept.path for name, kept in artifacts_of(one).items()}


def artifacts_of(one: Definition) -> dict[str, KeptPath]:
    """The same, with what else is said of each."""
    found: dict[str, KeptPath] = {}
    for kept in one.keys.artifacts if one.keys is not None else ():
        path = posixpath.normpath(kept.path)
        if any(path == known.path for known in found.values()):
            continue
        name = unused(as_parameter(path.strip("/.")), found)
        found[name] = KeptPath(path=path, mount=kept.mount)
    return found


def template_names(definitions: list[Definition]) -> dict[str, str]:
    """The templates that workflows become, by the workflows' names."""
    found: dict[str, str] = {}
    for one in definitions:
        plain = re.sub(r"[^a-z0-9-]+", "-", one.name.lower())[:LONGEST_NAME].strip("-") or "workflow"
        found[one.name] = unused(plain, found.values())
    return found


def as_parameter(text: str) -> str:
    """The nearest name that a manifest's parameter or artifact may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "unnamed"


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, or the first with a number behind it that is not taken."""
    known = set(taken)
    number, found = 2, name
    while found in known:
        found, number = f"{name}-{number}", number + 1
    return found
