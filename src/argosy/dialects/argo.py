"""The Argo front-end: the text of manifests to values of the model, and back.

It knows the kinds and Argo's spellings, old ones included; not whether a workflow makes sense (`argosy.checks`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from argosy.dialects.argo_kinds import ABSENT, API_GROUP, API_VERSION, CORE_KINDS, OLDER, WORDS, refusal
from argosy.dialects.pods import POD, as_workflow
from argosy.errors import InvalidFile
from argosy.model.inputs import Signature
from argosy.model.manifest import KINDS, Document, Part
from argosy.model.programs import Program
from argosy.syntax.decode import decode
from argosy.syntax.decoders import Manner
from argosy.syntax.diagnostics import Diagnostic, Severity, did_you_mean
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described
from argosy.syntax.parse import DEFAULT_LIMITS, parse
from argosy.syntax.source_map import SourceMap
from argosy.syntax.span import Source
from argosy.syntax.tree import shortened

# Fields of a spec that tell a workflow that lacks its kind from anything else.
_WORKFLOW_ONLY = frozenset({"entrypoint", "templates", "workflowTemplateRef"})


class LoadedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a file. index: its number in the file, from 0, empty documents not counted.

    signature: what it takes, where its format says more than the workflow's arguments can; None otherwise.
    program: the Python program that it came of, if it did.
    """

    value: Document
    source_map: SourceMap
    file: str
    index: int
    signature: Signature | None = None
    program: Program | None = None


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The objects of a file that could be read, and everything that was found wrong."""

    documents: tuple[LoadedDocument, ...]
    diagnostics: tuple[Diagnostic, ...]
    source: Source

    @property
    def ok(self) -> bool:
        return not any(found.severity == "error" for found in self.diagnostics)

    def checked(self) -> Loaded:
        """This, if nothing is wrong. Raises InvalidFile with the diagnostics otherwise."""
        errors = [found for found in self.diagnostics if found.severity == "error"]
        if errors:
            message = f"{self.source.file}: {errors[0].message}"
            if len(errors) > 1:
                message += f" (and {len(errors) - 1} more)"
            raise InvalidFile(message, diagnostics=self.diagnostics, hint=errors[0].hint)
        return self


def load(text: str | bytes, file: str, *, strict: bool = True, limits: Limits = DEFAULT_LIMITS) -> Loaded:
    """Read all objects of a manifest file. Nothing is raised: `Loaded.checked` does that.

    strict: as `argo lint --strict`, a field that does not exist is an error; otherwise it is a warning.
    """
    parsed = parse(text, file, limits=limits)
    reader = _Reader(parsed.source, list(parsed.diagnostics), limits, strict)
    over_budget = any(found.rule == "file-limit" for found in parsed.diagnostics)
    for node in () if over_budget else parsed.documents:
        reader.read(node)
    if not reader.seen and not parsed.diagnostics:
        reader.report(
            "file-empty", "there is no manifest in this file", 0, hint="a Workflow starts with `kind: Workflow`"
        )
    reader.diagnostics.sort(key=_position)
    if len(reader.diagnostics) >= limits.problems:
        message = f"reading stopped after {limits.problems} findings; there may be more"
        reader.report("file-problems", message, 0, severity="note")
    return Loaded(documents=tuple(reader.documents), diagnostics=tuple(reader.diagnostics), source=parsed.source)


def dump(value: Part) -> str:
    """A value of the model as one YAML document that `load` reads back the same."""
    # Most commands only read: they need not pay for the writer.
    from argosy.dialects.argo_text import as_yaml

    return as_yaml(value)


class _Reader:
    """Goes through the documents of one file."""

    def __init__(self, source: Source, diagnostics: list[Diagnostic], limits: Limits, strict: bool) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.limits = limits
        self.strict = strict
        self.documents: list[LoadedDocument] = []
        self.seen = 0

    def report(
        self, rule: str, message: str, place: int, *, severity: Severity = "error", why: str = "", hint: str = ""
    ) -> None:
        span = self.source.first_line(self.source.span(place))
        self.diagnostics.append(
            Diagnostic(rule=rule, severity=severity, message=message, span=span, why=why, hint=hint)
        )

    def read(self, node: Node, *, in_list: bool = False) -> None:
        """One document, or one item of a List."""
        if isinstance(node, Scalar) and node.value is None:
            return
        if len(self.diagnostics) >= self.limits.problems:
            return
        index = self.seen
        self.seen += 1
        if not isinstance(node, Mapping):
            self.report(
                "kind-missing",
                f"expected a manifest, found {described(node)}",
                node.place,
                hint="a manifest is a mapping with `apiVersion`, `kind`, `metadata` and `spec`",
            )
            return
        kind = self._kind(node, in_list)
        if kind == POD:
            self._read_pod(node, index)
        elif kind == "List":
            self.seen -= 1
            self._read_list(node)
        elif kind is not None:
            self._check_version(node, kind)
            self._decode(node, KINDS[kind], index)

    def _read_list(self, node: Mapping) -> None:
        items = node.values.get("items")
        if not isinstance(items, Sequence):
            self.report("field-missing", "a List lacks `items`", node.place, hint="add `items: [...]`")
            self.seen += 1
            return
        self.seen += not items.items
        for item in items.items:
            self.read(item, in_list=True)

    def _read_pod(self, node: Mapping, index: int) -> None:
        self._check_version(node, POD)
        pod = as_workflow(node)
        for one in pod.problems:
            severity = "warning" if one.rule == "field-unknown" and not self.strict else one.severity
            self.report(one.rule, one.message, one.place, severity=severity, why=one.why, hint=one.hint)
        if pod.node is not None:
            self._decode(pod.node, KINDS["Workflow"], index)

    def _kind(self, node: Mapping, in_list: bool) -> str | None:
        """The kind of a manifest, or None behind a diagnostic."""
        given = node.values.get("kind")
        if given is None or (isinstance(given, Scalar) and given.value is None):
            if _looks_like_workflow(node):
                message = "`kind` is missing; this is read as a Workflow"
                self.report("kind-missing", message, node.place, severity="warning", hint="add `kind: Workflow`")
                return "Workflow"
            near = next((key for key in node.values if key.lower() == "kind"), None)
            hint = f"did you mean `kind` where `{near}` stands?" if near else "add `kind: Workflow`"
            self.report("kind-missing", "a manifest lacks `kind`", node.place, hint=hint)
            return None
        if not isinstance(given, Scalar) or not isinstance(given.value, str):
            self.report("field-type", f"expected the name of a kind, found {described(given)}", given.place)
            return None
        if given.value in KINDS or given.value == POD or (given.value == "List" and not in_list):
            return given.value
        self._refuse(given.value, given.place)
        return None

    def _refuse(self, kind: str, place: int) -> None:
        reason = refusal(kind)
        if reason is not None:
            why, hint = reason
            self.report("kind-refused", f"a {kind} is not run here", place, why=why, hint=hint)
            return
        near = did_you_mean(kind, KINDS)
        hint = f"did you mean `{near}`?" if near else "the kinds are " + ", ".join(KINDS)
        self.report("kind-unknown", f"there is no kind `{shortened(kind)}`", place, hint=hint)

    def _check_version(self, node: Mapping, kind: str) -> None:
        expected = "v1" if kind in CORE_KINDS or kind == POD else API_VERSION
        given = node.values.get("apiVersion")
        if given is None or (isinstance(given, Scalar) and given.value is None):
            severity: Severity = "error" if self.strict and "kind" in node.values else "warning"
            message = f"this {kind} lacks `apiVersion`"
            self.report("api-version", message, node.place, severity=severity, hint=f"add `apiVersion: {expected}`")
        elif not isinstance(given, Scalar) or given.value != expected:
            shown = shortened(self.source.written(given.place)) if isinstance(given, Scalar) else described(given)
            ours = isinstance(given, Scalar) and str(given.value).startswith(API_GROUP + "/")
            why = f"only {API_VERSION} is known" if ours and kind not in (*CORE_KINDS, POD) else ""
            message = f"a {kind} has the apiVersion {expected}, not {shown}"
            self.report("api-version", message, given.place, why=why, hint=f"write `apiVersion: {expected}`")

    def _decode(self, node: Mapping, type: type[Part], index: int) -> None:
        left = max(1, self.limits.problems - len(self.diagnostics))
        manner = Manner(strict=self.strict, older=OLDER, absent=ABSENT, words=WORDS, problems=left)
        decoded = decode(node, type, self.source, manner=manner)
        self.diagnostics += decoded.diagnostics
        if decoded.value is not None:
            value: Any = decoded.value
            if not value.kind:
                value = msgspec.structs.replace(value, api_version=API_VERSION, kind="Workflow")
            self.documents.append(
                LoadedDocument(value=value, source_map=decoded.source_map, file=self.source.file, index=index)
            )


def _position(found: Diagnostic) -> tuple[int, int]:
    return (found.span.line, found.span.column) if found.span else (0, 0)


def _looks_like_workflow(node: Mapping) -> bool:
    spec = node.values.get("spec")
    return isinstance(spec, Mapping) and not spec.values.keys().isdisjoint(_WORKFLOW_ONLY)
