"""Which of dstack's dialects a file is in: A0 to A2 (2022, to July), B1 and B2 (from August), B3 (2023).

It knows signs, not meanings. Reading does not depend on it but for two things: `$name` in A0, arguments in B.
"""

from __future__ import annotations

from collections.abc import Iterable

from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence

# Each with the words for it.
ERAS = {
    "A0": "of early 2022",
    "A1": "of spring 2022",
    "A2": "of summer 2022",
    "B1": "0.0.6",
    "B2": "0.0.7 to 0.0.14",
    "B3": "0.1",
}
_A0 = frozenset({"triggers", "template", "dependencies", "params", "id"})
_B3 = frozenset({"setup", "cache", "ssh"})
_A1 = frozenset({"python_script", "python-script", "gpu"})
_A2 = frozenset({"file", "script", "before_run", "depends-on", "environment", "target", "app", "logdir"})


def era_of(workflows: Iterable[Mapping], *, variables: bool) -> str:
    """The dialect of a file, by the newest of its signs that is certain. variables: whether variables.yaml is there."""
    found = {sign for one in workflows for sign in _signs(one)}
    for era in ("B3", "B2", "B1", "A1", "A0", "A2"):
        if era in found:
            return era
    return "A2" if variables else "B2"


def _signs(workflow: Mapping) -> Iterable[str]:
    values = workflow.values
    deps = _items(values.get("deps"))
    if not values.keys().isdisjoint(_B3) or isinstance(values.get("commands"), Scalar):
        yield "B3"
    mappings = (*deps, *_items(values.get("artifacts")))
    if isinstance(values.get("env"), Sequence) or any(isinstance(one, Mapping) for one in mappings):
        yield "B2"
    if "deps" in values:
        yield "B1"
    if not values.keys().isdisjoint(_A1):
        yield "A1"
    if not values.keys().isdisjoint(_A0) or ("provider" not in values and "image" in values):
        yield "A0"
    if not values.keys().isdisjoint(_A2):
        yield "A2"


def _items(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, Sequence) else []
