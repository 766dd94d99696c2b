"""Onepanel's files: a bare spec, the wrapped form of its server, or what is kept of a cron workflow.

It knows how these are told apart and what they must not be; parameters are `inputs`' matter.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from argosy.checks.finding import Finding, Path
from argosy.dialects.argo import Loaded, LoadedDocument
from argosy.dialects.argo_kinds import ABSENT
from argosy.dialects.argo_kinds import OLDER as ARGO_OLDER
from argosy.dialects.argo_kinds import WORDS as ARGO_WORDS
from argosy.dialects.onepanel.inputs import problems_of, signature_of
from argosy.dialects.onepanel.lower import cron_of, workflow_of
from argosy.dialects.onepanel.names import LONGEST, TOO_LONG, is_too_long, name_of_file, uid_of
from argosy.dialects.onepanel.placeholders import cover
from argosy.dialects.onepanel.references import references_of
from argosy.dialects.onepanel.schema import (
    CRON_FIELDS,
    OLDER,
    TEMPLATE_KINDS,
    WORDS,
    WORKSPACE_FIELDS,
    OnepanelCronFile,
    OnepanelFile,
    OnepanelSpec,
)
from argosy.dialects.onepanel.server_calls import findings_of
from argosy.dialects.onepanel.sidecars import sidecar_problems
from argosy.dialects.onepanel.sketch import RULE as SKETCH
from argosy.dialects.onepanel.sketch import filled
from argosy.model.inputs import Signature
from argosy.model.manifest import Document
from argosy.syntax.decode import decode
from argosy.syntax.decoders import Manner
from argosy.syntax.diagnostics import Diagnostic, Severity, did_you_mean
from argosy.syntax.limits import Limits
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described
from argosy.syntax.parse import DEFAULT_LIMITS, parse
from argosy.syntax.source_map import SourceMap
from argosy.syntax.span import Source
from argosy.syntax.tree import shortened

# The words in which the server refuses a template.
ENTRYPOINT_NO_DAG = '"entrypoint" template should be a DAG'
ON_EXIT_NO_DAG = '"onExit" template should be a DAG'


def load(text: str | bytes, file: str, *, strict: bool = True, limits: Limits = DEFAULT_LIMITS) -> Loaded:
    """Read a template. Nothing is raised: `Loaded.checked` does that. strict: as `argosy.dialects.argo.load`."""
    given = _text(text)
    covered = cover(given, file) if given is not None else None
    parsed = parse(text if covered is None else covered.text, file, limits=limits)
    source = parsed.source if given is None or not parsed.source.text else Source(given, file)
    placeholders = covered.diagnostics if covered is not None else ()
    reader = _Reader(source, [*parsed.diagnostics, *placeholders], limits, strict)
    nodes = [one for one in parsed.documents if not (isinstance(one, Scalar) and one.value is None)]
    if not any(one.severity == "error" for one in parsed.diagnostics):
        for node in nodes:
            if covered is not None:
                covered.restore(node)
        reader.read(nodes)
    reader.diagnostics.sort(key=lambda one: (one.span.line, one.span.column) if one.span else (0, 0))
    return Loaded(documents=tuple(reader.documents), diagnostics=tuple(reader.diagnostics), source=source)


def _text(text: str | bytes) -> str | None:
    """The text as it will be parsed; None where that will say what is wrong with it."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            return None
    return text.removeprefix("\ufeff")


class _Reader:
    """Goes through the one document of a file."""

    def __init__(self, source: Source, diagnostics: list[Diagnostic], limits: Limits, strict: bool) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.limits = limits
        self.manner = Manner(
            strict=strict,
            older={**ARGO_OLDER, **OLDER},
            absent=ABSENT,
            words={**ARGO_WORDS, **WORDS},
            problems=limits.problems,
        )
        self.documents: list[LoadedDocument] = []

    def read(self, nodes: list[Node]) -> None:
        if not nodes:
            self.report("file-empty", "there is no template in this file", 0, hint="it starts with `entrypoint: ...`")
            return
        if len(nodes) > 1:
            message = "a file holds one workflow template"
            self.report("onepanel-documents", message, nodes[1].place, hint="put the others into files of their own")
            return
        node = nodes[0]
        if not isinstance(node, Mapping):
            message = f"expected a workflow template, found {described(node)}"
            self.report("kind-missing", message, node.place, hint="it starts with `entrypoint: ...`")
        elif "workflowSpec" in node.values:
            self._read_cron(node)
        elif "spec" in node.values and "templates" not in node.values:
            self._read_template(node, wrapped=True)
        else:
            self._read_template(_wrap(node), wrapped=False)

    def report(
        self, rule: str, message: str, place: int, *, severity: Severity = "error", why: str = "", hint: str = ""
    ) -> None:
        span = self.source.first_line(self.source.span(place))
        found = Diagnostic(rule=rule, severity=severity, message=message, span=span, why=why, hint=hint)
        self.diagnostics.append(found)

    def _read_template(self, node: Mapping, *, wrapped: bool) -> None:
        if self._is_workspace(node):
            return
        for one in filled(node.values.get("spec")):
            self.report(SKETCH, one.message, one.place, severity=one.severity, why=one.why, hint=one.hint)
        decoded = decode(node, OnepanelFile, self.source, manner=self.manner)
        self.diagnostics += decoded.diagnostics
        if decoded.value is None:
            return
        spec, metadata = decoded.value.spec, decoded.value.metadata
        name = metadata.name or name_of_file(self.source.file)
        found = list(_problems(spec))
        if wrapped and is_too_long(metadata.name):
            why = f"its uid {uid_of(metadata.name)} would have {len(uid_of(metadata.name))} characters, not {LONGEST}"
            found.append(_error("onepanel-name", ("metadata", "name"), TOO_LONG, why=why))
        self._take(decoded.source_map, spec, workflow_of(spec, name, metadata.labels), found)

    def _read_cron(self, node: Mapping) -> None:
        decoded = decode(_wrap(_with_schedules(node)), OnepanelCronFile, self.source, manner=self.manner)
        self.diagnostics += decoded.diagnostics
        if decoded.value is None:
            return
        cron = decoded.value.spec
        missing = [field for field in CRON_FIELDS if field not in node.values]
        found = list(_problems(cron.workflow_spec))
        if missing:
            message = f"Onepanel's form of a cron workflow asks for {', '.join(missing)} too"
            found.append(Finding(rule="onepanel-cron", severity="warning", path=("spec",), message=message))
        self._take(decoded.source_map, cron.workflow_spec, cron_of(cron, name_of_file(self.source.file)), found)

    def _take(self, places: SourceMap, spec: OnepanelSpec, value: Document, found: Iterable[Finding]) -> None:
        parameters = spec.arguments.parameters if spec.arguments is not None else ()
        signature: Signature = signature_of(parameters)
        cron = value.kind == "CronWorkflow"
        problems = [*found, *references_of(spec), *findings_of(spec), *sidecar_problems(spec), *problems_of(parameters)]
        if cron:
            problems = [replace(one, path=_in_cron(one.path)) for one in problems]
        self.diagnostics += [_diagnostic(one, places) for one in problems]
        self.documents.append(
            LoadedDocument(
                value=value,
                source_map=places,
                file=self.source.file,
                index=0,
                signature=None if cron else signature,
            )
        )

    def _is_workspace(self, node: Mapping) -> bool:
        spec, metadata = node.values.get("spec"), node.values.get("metadata")
        kind = metadata.values.get("kind") if isinstance(metadata, Mapping) else None
        named = isinstance(kind, Scalar) and kind.value == "Workspace"
        fields = [one for one in WORKSPACE_FIELDS if isinstance(spec, Mapping) and one in spec.values]
        if not named and (not fields or (isinstance(spec, Mapping) and "templates" in spec.values)):
            self._check_kind(kind)
            return False
        place = spec.key_place(fields[0]) if isinstance(spec, Mapping) and fields else node.place
        self.report(
            "onepanel-workspace",
            "a workspace template is not run here",
            place,
            why="a workspace is a set of programs that people reach with a browser until they stop it, not a workflow",
            hint="start its image with podman or docker; work that ends can be a workflow template with a DAG",
        )
        return True

    def _check_kind(self, kind: Node | None) -> None:
        if not isinstance(kind, Scalar) or kind.value in (None, "", "Workflow"):
            return
        near = did_you_mean(str(kind.value), TEMPLATE_KINDS)
        hint = f"did you mean `{near}`?" if near else f"the kinds are {', '.join(TEMPLATE_KINDS)}"
        message = f"Onepanel has no templates of kind `{shortened(str(kind.value))}`"
        self.report("onepanel-kind", message, kind.place, hint=hint)


def _wrap(node: Mapping) -> Mapping:
    """A bare spec as the wrapped form has it."""
    place = node.key_places[0] if node.key_places else node.place
    return Mapping(values={"spec": node}, key_places=[place], place=node.place)


def _with_schedules(node: Mapping) -> Mapping:
    """What Onepanel keeps of a cron workflow, with its one schedule in a list, as the model has it."""
    if "schedules" in node.values:
        return node
    values: dict[str, Node] = {}
    for key, child in node.values.items():
        given = key == "schedule" and isinstance(child, Scalar) and child.value is not None
        values["schedules" if key == "schedule" else key] = Sequence([child], child.place) if given else child
    return Mapping(values=values, key_places=node.key_places, place=node.place)


def _in_cron(path: Path) -> Path:
    """A path of a spec, where that is the workflow of a cron workflow."""
    return ("spec", "workflowSpec", *path[1:]) if path[1:] else path


def _error(rule: str, path: Path, message: str, *, why: str = "", hint: str = "") -> Finding:
    return Finding(rule=rule, severity="error", path=path, message=message, why=why, hint=hint)


def _problems(spec: OnepanelSpec) -> Iterable[Finding]:
    """What the server refuses of a spec besides what Argo refuses."""
    why = "Onepanel's workflows begin, and end, with a DAG; it has no steps templates"
    dags = {one.name for one in spec.templates if one.dag is not None}
    others = {one.name for one in spec.templates} - dags
    if spec.entrypoint in others:
        hint = f"add a DAG template with one task that calls {spec.entrypoint}, and begin there"
        yield _error("onepanel-dag", ("spec", "entrypoint"), ENTRYPOINT_NO_DAG, why=why, hint=hint)
    if spec.on_exit and spec.on_exit in others:
        hint = f"add a DAG template with one task that calls {spec.on_exit}, and name that in onExit"
        yield _error("onepanel-dag", ("spec", "onExit"), ON_EXIT_NO_DAG, why=why, hint=hint)


def _diagnostic(found: Finding, places: SourceMap) -> Diagnostic:
    path = found.path
    # What stands for a field that is not there is its parent's first line.
    span = places.span(path) if places.contains(path) else places.key_span(path[:-1] if path else path)
    return Diagnostic(
        rule=found.rule,
        severity=found.severity,
        message=found.message,
        span=places.source.first_line(span),
        why=found.why,
        hint=found.hint,
    )
