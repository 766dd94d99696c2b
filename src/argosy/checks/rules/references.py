"""Rules on tags: that each name in `{{...}}` can be seen from where it is written.

Source: Argo docs: variables.md. Where Argo lets a name pass that can never be filled in, this warns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from argosy.checks.finding import Path, Rule, Severity
from argosy.checks.report import Report
from argosy.checks.scopes import CHECKED_PREFIXES, Nodes, Scope, global_layer, item_layer, template_layer
from argosy.checks.survey import Call, Place, Subject
from argosy.checks.texts import marked_texts
from argosy.expressions import tags

UNRESOLVED = Rule(
    id="unresolved-reference",
    meaning="A tag names something that cannot be seen from there.",
    bad='args: ["{{inputs.parameters.mesage}}"]',
    fix="correct the name, or add what it names",
)
MISSING_DEPENDENCY = Rule(
    id="missing-dependency",
    meaning="A task uses an output of a task that it does not wait for.",
    bad='{name: C, arguments: {parameters: [{name: x, value: "{{tasks.B.outputs.result}}"}]}}',
    fix="add that task to dependencies or depends",
)
UNORDERED = Rule(
    id="unordered-reference",
    severity="warning",
    meaning="A step or task uses an output of one that is not sure to have run before; it would wait for ever.",
    bad='a step that uses "{{steps.b.outputs.result}}" in the same group as b',
    fix="move it to a later group, or add a dependency",
)
ITEM_OUTSIDE_LOOP = Rule(
    id="item-outside-loop",
    severity="warning",
    meaning="`{{item}}` stands where there is no loop; it stays as it is.",
    bad='container: {args: ["{{item}}"]}',
    fix="pass the item as a parameter from the step that loops",
)
TAG_UNCLOSED = Rule(
    id="tag-unclosed",
    meaning="A tag is opened with `{{` and never closed.",
    bad='args: ["{{inputs.parameters.x}"]',
    fix="close it with }}",
)
TAG_MISTYPED = Rule(
    id="tag-mistyped",
    severity="warning",
    meaning="A tag begins with a word that is nearly one of Argo's; it stays as it is.",
    bad='args: ["{{input.parameters.x}}"]',
    fix="correct the first word",
)
EXPRESSION_INVALID = Rule(
    id="expression-invalid",
    meaning="An expression cannot be parsed.",
    bad='value: "{{= inputs.parameters.x + }}"',
    fix="correct it at the place that is shown",
)
EXPRESSION_UNRESOLVED = Rule(
    id="expression-unresolved",
    severity="warning",
    meaning="An expression needs a name that cannot be seen from there.",
    bad='value: "{{= inputs.parameters.mesage }}"',
    fix="correct the name, or guard it: name ?? 'something'",
)
RULES = (
    UNRESOLVED,
    MISSING_DEPENDENCY,
    UNORDERED,
    ITEM_OUTSIDE_LOOP,
    TAG_UNCLOSED,
    TAG_MISTYPED,
    EXPRESSION_INVALID,
    EXPRESSION_UNRESOLVED,
)

_UNCLOSED = r"\{\{=?\s*(?:item|steps|inputs|outputs|pod|workflow|tasks)\.[^{}]*\}?$"
_MISTYPED = {
    "input": "inputs",
    "output": "outputs",
    "step": "steps",
    "task": "tasks",
    "workflows": "workflow",
    "items": "item",
}
# What Argo's validator itself looks into, of a template that calls others.
_STRICT_KEYS = frozenset({"outputs", "inputs"})
_CALLS = frozenset({"steps", "dag"})
_Texts = Iterable[tuple[Path, str]]


class References:
    """Checks every tag of one document against what can be seen where it stands."""

    def __init__(self, subject: Subject, report: Report) -> None:
        self.subject = subject
        self.report = report
        self.globals = global_layer(subject)
        # A template's scope by the identity of its place, for the templates that stand within it.
        self._scopes: dict[int, tuple[Scope, Nodes | None]] = {}

    def check_document(self) -> None:
        """Tags outside of templates, which see the workflow only."""
        spec, path = self.subject.spec, self.subject.home.path
        scope = Scope((self.globals,))
        # Fields such as volumes are filled in for each template, and may name what that template sees.
        found = marked_texts(spec, path, frozenset({"templates", "templateDefaults"}))
        for where, text in found:
            for tag in tags.references(text):
                raw = text[tag.start : tag.end]
                for name in tag.names:
                    if not tag.expression and name.startswith("workflow."):
                        self._check_name(name, raw, where, text, scope, "spec", None, "warning")

    def check_place(self, place: Place) -> None:
        """Tags within one template."""
        wider = None
        if place.caller is not None:
            holder, call = place.caller
            wider = self._call_scope(holder, call)
        scope, nodes = self._scope_of(place, wider)
        template = place.template
        if nodes is None:
            self._check(marked_texts(template, place.path), scope, f"{place.label}:")
            return
        for call in place.calls:
            found = marked_texts(call.call, call.path, frozenset({"inline"}))
            if found:
                self._check(found, self._call_scope(place, call), call.label, call=call, nodes=nodes)
        for where, text in marked_texts(template, place.path, _CALLS):
            strict = where[len(place.path)] in _STRICT_KEYS
            severity: Severity | None = None if strict else "warning"
            self._check([(where, text)], scope, f"{place.label}.{where[len(place.path)]}", severity=severity)
        if template.dag is not None and "{{" in template.dag.target:
            target = ((*place.path, "dag", "target"), template.dag.target)
            self._check([target], Scope(scope.layers, wider=wider), f"{place.label}.targets")

    def expression_scope(self, place: Place) -> Scope:
        """What the outputs of a template can see, for expressions without braces."""
        return self._scope_of(place, None)[0]

    def _scope_of(self, place: Place, wider: Scope | None) -> tuple[Scope, Nodes | None]:
        found = self._scopes.get(id(place))
        if found is None:
            nodes = Nodes(place) if place.kind in ("Steps", "DAG") else None
            found = (Scope((template_layer(place), self.globals), nodes, wider=wider), nodes)
            self._scopes[id(place)] = found
        return found

    def _call_scope(self, place: Place, call: Call) -> Scope:
        """What one call can see: the template that makes it, the nodes before it, and its own items."""
        wider = None
        if place.caller is not None and id(place) not in self._scopes:
            wider = self._call_scope(*place.caller)
        scope, nodes = self._scope_of(place, wider)
        return Scope((item_layer(call), *scope.layers), nodes, call, scope.wider)

    def _check(
        self,
        found: _Texts,
        scope: Scope,
        label: str,
        *,
        call: Call | None = None,
        nodes: Nodes | None = None,
        severity: Severity | None = None,
    ) -> None:
        for path, text in found:
            if re.search(_UNCLOSED, text):
                self.report.add(TAG_UNCLOSED, path, f"{label} a tag is not closed: {text[-60:]}", severity=severity)
            for tag in tags.references(text):
                if tag.expression:
                    self._check_expression(tag, path, scope, label)
                    continue
                for name in tag.names:
                    raw = text[tag.start : tag.end]
                    self._check_name(name, raw, path, text, scope, label, call, severity)

    def _check_name(
        self,
        name: str,
        raw: str,
        path: Path,
        text: str,
        scope: Scope,
        label: str,
        call: Call | None,
        severity: Severity | None,
    ) -> None:
        if not name.startswith(CHECKED_PREFIXES):
            self._check_other(name, raw, path, scope, label)
            return
        in_hook = call is not None and "hooks" in path[len(call.path) :]
        sight = scope.sight(name, in_hook)
        if sight == "ok":
            return
        if sight == "unordered":
            self._report_unordered(name, raw, path, text, label, call)
            return
        hint = "" if sight == "future" else self.report.suggest(name, scope.near(name))
        why = "it is not sure to have run before" if sight == "future" else ""
        self.report.add(UNRESOLVED, path, f"{label} failed to resolve {raw}", why=why, hint=hint, severity=severity)

    def _report_unordered(self, name: str, raw: str, path: Path, text: str, label: str, call: Call | None) -> None:
        node = name.split(".")[1]
        inside: Path = path[len(call.path) :] if call is not None else ()
        if call is not None and len(inside) > 2 and inside[0] == "arguments" and text.startswith("{{tasks."):
            arguments = call.call.arguments
            what, index = f"{inside[1]}"[:-1], inside[2]
            passed = (arguments.parameters if what == "parameter" else arguments.artifacts) if arguments else ()
            given = passed[index].name if isinstance(index, int) else ""
            message = f"{label} missing dependency '{node}' for {what} '{given}'"
            self.report.add(MISSING_DEPENDENCY, path, message, hint=f"add '{node}' to what this task depends on")
            return
        self.report.add(UNORDERED, path, f"{label} uses {raw}, but '{node}' is not sure to have run before")

    def _check_other(self, name: str, raw: str, path: Path, scope: Scope, label: str) -> None:
        if name == "item":
            if scope.sight("item") != "ok" and "withItems" not in path:
                self.report.add(ITEM_OUTSIDE_LOOP, path, f"{label} {raw} is not in a loop")
            return
        root, dot, rest = name.partition(".")
        meant = _MISTYPED.get(root)
        if dot and meant is not None:
            hint = f"did you mean '{{{{{meant}.{rest}}}}}'?"
            self.report.add(TAG_MISTYPED, path, f"{label} {raw} begins with '{root}'", hint=hint)

    def _check_expression(self, tag: tags.Tag, path: Path, scope: Scope, label: str) -> None:
        if tag.problem:
            shown = tag.text if len(tag.text) <= 100 else f"{tag.text[:97]}..."
            self.report.add(EXPRESSION_INVALID, path, f"{label} expression '{shown}': {tag.problem}")
            return
        self.check_names(required_names(tag.text), path, scope, label)

    def check_names(self, names: Iterable[str], path: Path, scope: Scope, label: str) -> None:
        """The names that an expression cannot do without."""
        for name in names:
            if not name.startswith(CHECKED_PREFIXES) or scope.sight(name, True) != "missing" or scope.begins(name):
                continue
            hint = self.report.suggest(name, scope.near(name))
            message = f"{label} the expression needs '{name}', which cannot be seen from here"
            self.report.add(EXPRESSION_UNRESOLVED, path, message, hint=hint)


def required_names(expression: str) -> tuple[str, ...]:
    """The names that an expression needs; it must be one that can be parsed."""
    from argosy.expressions import expr

    return expr.parse(expression).required()
