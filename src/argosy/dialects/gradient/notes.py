"""What is found wrong in a spec, with its place; and nodes looked into with every problem noted.

It knows nodes and diagnostics, not what a spec means.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as ReadOnly
from typing import TypeVar

from argosy.syntax.decode import decode
from argosy.syntax.decoders import Manner
from argosy.syntax.diagnostics import Diagnostic, Severity, did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, described
from argosy.syntax.span import Source
from argosy.syntax.tree import shortened

T = TypeVar("T")
WORDS = {
    "JobPart": "a job",
    "DefaultsPart": "defaults",
    "ResourcesPart": "resources",
    "DataPart": "an input or output",
    "DatasetPart": "`with` of a dataset",
    "StringPart": "`with` of a string",
}


class Notes:
    """The problems found so far in one file."""

    def __init__(self, source: Source, *, strict: bool = True) -> None:
        self.source = source
        self.strict = strict
        self.found: list[Diagnostic] = []

    def report(
        self, rule: str, message: str, place: int, *, severity: Severity = "error", why: str = "", hint: str = ""
    ) -> None:
        """Note a problem at a place of the file."""
        span = self.source.first_line(self.source.span(place))
        self.found.append(Diagnostic(rule=rule, severity=severity, message=message, span=span, why=why, hint=hint))

    def unknown(
        self, what: str, word: str, known: Iterable[str], place: int, *, abroad: ReadOnly[str, str] | None = None
    ) -> None:
        """A key that does not exist. abroad: keys of other formats, with what to do instead."""
        names = list(known)
        hint = (abroad or {}).get(word) or (abroad or {}).get(word.lower(), "")
        near = did_you_mean(word, names)
        if not hint:
            hint = f"did you mean `{near}`?" if near else f"the keys are {', '.join(names)}" if names else ""
        severity: Severity = "error" if self.strict else "warning"
        self.report("field-unknown", f"{what} has no key `{shortened(word)}`", place, severity=severity, hint=hint)

    def only(self, node: Mapping, known: Iterable[str], what: str, abroad: ReadOnly[str, str] | None = None) -> Mapping:
        """The mapping without the keys that do not exist, each of which is noted."""
        names = list(known)
        if all(key in names for key in node.values):
            return node
        kept = Mapping({}, [], node.place)
        for (key, child), place in zip(node.values.items(), node.key_places, strict=True):
            if key in names:
                kept.values[key] = child
                kept.key_places.append(place)
            else:
                self.unknown(what, key, names, place, abroad=abroad)
        return kept

    def read(self, node: Node, type: type[T]) -> T | None:
        """A value of a type; None behind problems."""
        decoded = decode(node, type, self.source, manner=Manner(strict=self.strict, words=WORDS))
        self.found += decoded.diagnostics
        return decoded.value

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        """The node as a mapping; None when it is absent or empty, or, behind a problem, something else."""
        if node is None or isinstance(node, Mapping) or (isinstance(node, Scalar) and node.value is None):
            return node if isinstance(node, Mapping) else None
        self.report("field-type", f"{what}: expected a mapping, found {described(node)}", node.place)
        return None


# Booleans of YAML 1.1 only: the service read YAML 1.2, where they are texts.
_WORDS_OF_OLD = frozenset(("y", "n", "yes", "no", "on", "off"))


def words_as_written(node: Node, source: Source) -> None:
    """Give back their spelling to keys and values that YAML 1.1 takes for booleans: `on`, `y`, `no`."""
    waiting, seen = [node], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Scalar):
            if isinstance(one.value, bool) and (word := source.written(one.place)).lower() in _WORDS_OF_OLD:
                one.value = word
            continue
        if isinstance(one, Mapping):
            if "true" in one.values or "false" in one.values:
                one.values = {
                    _as_written(key, place, source): child
                    for (key, child), place in zip(one.values.items(), one.key_places, strict=True)
                }
            waiting += one.values.values()
        else:
            waiting += one.items


def _as_written(key: str, place: int, source: Source) -> str:
    if key not in ("true", "false"):
        return key
    written = source.written(place).strip("\"'")
    return written if written.isalpha() else key
