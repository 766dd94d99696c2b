"""The text of a guild.yml to workflows, one for each operation.

It knows the order: shape, operations, lowering. Findings of one operation do not stop another.
"""

from __future__ import annotations

from argosy.dialects.argo import Loaded, LoadedDocument
from argosy.dialects.guild.lower import Lowering
from argosy.dialects.guild.operations import Found, operations_of, script_of
from argosy.dialects.guild.shape import shape_of
from argosy.dialects.guild.surroundings import Surroundings
from argosy.dialects.guild.trees import Findings
from argosy.syntax.diagnostics import Diagnostic
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, Scalar
from argosy.syntax.parse import DEFAULT_LIMITS
from argosy.syntax.source_map import SourceMap
from argosy.syntax.span import Source

NAMES = ("guild.yml", "guild.yaml")
_NOTHING = Surroundings()


class GuildFile:
    """A guild.yml that was read: its operations, to be made workflows when they are asked for."""

    def __init__(self, text: str | bytes, file: str, surroundings: Surroundings, limits: Limits) -> None:
        shape = shape_of(text, file, surroundings.read, limits=limits)
        findings = Findings(shape.source)
        findings.all += shape.diagnostics
        self.surroundings = surroundings
        self.source: Source = shape.source
        self.operations: dict[str, Found] = {one.whole_name: one for one in operations_of(shape, findings)}
        self.default_model = next((one.name for one in shape.models if _is_default(one.node)), "")
        # What is wrong with the file as a whole.
        self.diagnostics: list[Diagnostic] = findings.all

    def find(self, name: str) -> Found | None:
        """The operation of that name; without its model if that is clear."""
        if name in self.operations:
            return self.operations[name]
        if self.default_model and f"{self.default_model}:{name}" in self.operations:
            return self.operations[f"{self.default_model}:{name}"]
        alike = [one for one in self.operations.values() if one.name == name]
        return alike[0] if len(alike) == 1 else self._script(name)

    def _script(self, name: str) -> Found | None:
        """A script beside the file, which is an operation that needs no words."""
        found = script_of(name, self.surroundings, SourceMap(Scalar("", 0), self.source))
        if found is not None:
            self.operations.setdefault(name, found)
        return found

    def default(self) -> Found | None:
        """The operation that is meant when none is named."""
        all = list(self.operations.values())
        marked = [one for one in all if one.operation is not None and one.operation.default]
        return marked[0] if marked else all[0] if len(all) == 1 else None

    def document(
        self, found: Found, given: tuple[str, ...] = (), parallel: bool = False
    ) -> tuple[LoadedDocument | None, list[Diagnostic]]:
        """The operation as a document, None behind an error, and what was found in it."""
        findings = Findings(self.source)
        findings.all += found.diagnostics
        lowered = Lowering(self.operations, self.surroundings, findings, given, parallel).workflow(found)
        if lowered is None or any(one.severity == "error" for one in findings.all):
            return None, findings.all
        index = list(self.operations).index(found.whole_name)
        document = LoadedDocument(
            value=lowered.workflow,
            source_map=found.places,
            file=self.source.file,
            index=index,
            signature=lowered.signature,
        )
        return document, findings.all


def _is_default(node: Mapping) -> bool:
    found = node.values.get("default")
    return isinstance(found, Scalar) and found.value is True


def load(
    text: str | bytes, file: str, *, surroundings: Surroundings = _NOTHING, limits: Limits = DEFAULT_LIMITS
) -> Loaded:
    """All operations of a file as documents, with everything that is wrong. Nothing is raised."""
    guild = GuildFile(text, file, surroundings, limits)
    diagnostics = list(guild.diagnostics)
    documents: list[LoadedDocument] = []
    for found in guild.operations.values():
        document, own = guild.document(found)
        diagnostics += [one for one in own if one not in diagnostics]
        if document is not None:
            documents.append(document)
    diagnostics.sort(key=lambda one: (one.span.line, one.span.column) if one.span else (0, 0))
    return Loaded(documents=tuple(documents), diagnostics=tuple(diagnostics), source=guild.source)
