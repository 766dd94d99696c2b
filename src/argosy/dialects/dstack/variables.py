"""`.dstack/variables.yaml`: the variables of each workflow, and the global ones.

It knows the file's shape; how a run is given values is not its matter.
"""

from __future__ import annotations

import json
import re

import msgspec

from argosy.dialects.dstack.problems import Problems
from argosy.syntax.nodes import Mapping, Node, Scalar, described, plain

GLOBAL = "global"
# The key above them; the second is of January 2022, when the file was configs.yaml.
VARIABLES = ("variables", "configs")


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable. default: as it is written in the file. place: FILE:LINE."""

    name: str
    default: str
    place: str


# By workflow (or GLOBAL), then by name.
Variables = dict[str, dict[str, Variable]]


def read_variables(root: Node, problems: Problems) -> Variables:
    """The variables of a file; what is wrong with it is among the problems."""
    given = root.values if isinstance(root, Mapping) else {}
    top = next((given[word] for word in VARIABLES if word in given), None)
    if isinstance(top, Scalar) and top.value is None:
        return {}
    if not isinstance(top, Mapping):
        place = top.place if top is not None else root.place
        problems.add("dstack-variables", "there are no `variables` here", place, hint="variables: {train: {epochs: 1}}")
        return {}
    found: Variables = {}
    for workflow, node in top.values.items():
        if isinstance(node, Scalar) and node.value is None:
            continue
        if not isinstance(node, Mapping):
            problems.add(
                "dstack-variables",
                f"`{workflow}`: expected variables, found {described(node)}",
                node.place,
                hint=f"variables stand below a workflow's name, or below `{GLOBAL}`",
            )
            continue
        found[workflow] = {
            name: Variable(name=name, default=_text(value, problems), place=_place(problems, node.key_place(name)))
            for name, value in node.values.items()
        }
    return found


def _text(node: Node, problems: Problems) -> str:
    if isinstance(node, Scalar):
        return "" if node.value is None else problems.written(node)
    return json.dumps(plain(node), separators=(",", ":"))


def _place(problems: Problems, place: int) -> str:
    span = problems.source.span(place)
    return f"{span.file}:{span.line}"


def environment_name(name: str) -> str:
    """The variable of the environment: upper case, `_` for all but letters and digits (dstack's runner)."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())
