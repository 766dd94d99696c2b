"""Which template a call means: by name, by reference to a stored template, or written in place; with the defaults in.

It knows manifests, not nodes. Source: Argo docs: workflow-templates.md, template-defaults.md, inline-templates.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import cast

from argosy.errors import ExpressionError
from argosy.model.manifest import (
    CallFields,
    DAGTemplate,
    LifecycleHook,
    Template,
    TemplateRef,
    Workflow,
    WorkflowTemplate,
)
from argosy.model.status import NodeType
from argosy.plan.calls import PlannedCall
from argosy.plan.graph import Graph
from argosy.plan.merging import merge_defaults, with_workflow_template
from argosy.plan.substitution import text_of

__all__ = ["ResolvedTemplate", "TemplateReader", "TemplateScope", "Templates", "with_workflow_template"]

# A WorkflowTemplate, or with True a ClusterWorkflowTemplate, by name; None when there is none.
TemplateReader = Callable[[str, bool], WorkflowTemplate | None]

# The kinds of templates, by their field in the manifest, and the type of node that each makes.
NODE_TYPES: dict[str, NodeType] = {
    "container": NodeType.POD,
    "script": NodeType.POD,
    "resource": NodeType.POD,
    "data": NodeType.POD,
    "container_set": NodeType.POD,
    "http": NodeType.HTTP,
    "plugin": NodeType.PLUGIN,
    "steps": NodeType.STEPS,
    "dag": NodeType.DAG,
    "suspend": NodeType.SUSPEND,
}


# `steps.a.outputs.result`, `tasks['a'].outputs.result`; the quotes are escaped where they stand in JSON.
_RESULT = r"(?:steps|tasks)(?:\.([-\w]+)|\[(?:'|\\\\?\")([-\w]+)(?:'|\\\\?\")\])\.outputs\.result"


class TemplateScope:
    """A document whose templates call one another by name."""

    __slots__ = ("label", "name", "templates")

    def __init__(self, label: str, name: str, templates: dict[str, Template]) -> None:
        self.label = label
        self.name = name
        self.templates = templates


class ResolvedTemplate:
    """A template as it will be run, and what the planner derives from it once."""

    def __init__(self, template: Template, scope: TemplateScope, inline: bool) -> None:
        self.template = template
        self.scope = scope
        self.inline = inline
        self.kind = next((kind for kind in NODE_TYPES if getattr(template, kind) is not None), "")
        self.node_type = NODE_TYPES.get(self.kind, NodeType.POD)

    @cached_property
    def text(self) -> str:
        """The template as JSON, where its tags are replaced."""
        return text_of(self.template)

    @cached_property
    def tagged(self) -> bool:
        return "{{" in self.text

    @cached_property
    def results_wanted(self) -> frozenset[str]:
        """The calls whose standard output something in this template refers to."""
        return frozenset(dotted or quoted for dotted, quoted in re.findall(_RESULT, self.text))

    @cached_property
    def groups(self) -> tuple[tuple[PlannedCall, ...], ...]:
        """The groups of a steps template."""
        return tuple(tuple(PlannedCall(step) for step in group) for group in self.template.steps or ())

    @cached_property
    def graph(self) -> Graph:
        """The tasks of a dag template. Raises ExpressionError."""
        return Graph(self.template.dag or DAGTemplate(tasks=()))


class Templates:
    """The templates that a run can reach."""

    def __init__(self, workflow: Workflow, read: TemplateReader) -> None:
        self._spec = workflow.spec
        self._read = read
        self._scopes: dict[tuple[str, bool], TemplateScope] = {}
        self._resolved: dict[tuple[str, str], ResolvedTemplate] = {}
        self._inline: dict[int, ResolvedTemplate] = {}
        self.local = TemplateScope(
            f"local/{workflow.metadata.name}", "", {template.name: template for template in workflow.spec.templates}
        )

    def resolve(self, holder: CallFields | LifecycleHook, scope: TemplateScope) -> ResolvedTemplate:
        """The template that a call means, seen from `scope`. Raises ExpressionError."""
        inline = getattr(holder, "inline", None)
        if inline is not None:
            return self._written_in_place(cast("Template", inline), scope)
        reference = holder.template_ref
        if reference is not None and reference.name:
            return self._named(reference.template, self._stored(reference), reference.name)
        return self._named(holder.template, scope, "")

    def named(self, name: str, scope: TemplateScope) -> ResolvedTemplate:
        """The template of that name in a scope. Raises ExpressionError."""
        return self._named(name, scope, "")

    def _written_in_place(self, template: Template, scope: TemplateScope) -> ResolvedTemplate:
        found = self._inline.get(id(template))
        if found is None:
            found = ResolvedTemplate(self._with_defaults(template), scope, inline=True)
            # The template itself is kept too: its id must stay its own.
            self._inline[id(template)] = found
            found.__dict__["written"] = template
        return found

    def _named(self, name: str, scope: TemplateScope, document: str) -> ResolvedTemplate:
        key = (scope.label, name)
        found = self._resolved.get(key)
        if found is None:
            template = scope.templates.get(name)
            if template is None:
                place = f" in {document}" if document else ""
                raise ExpressionError(f"template reference {document + '.' if document else ''}{name} not found{place}")
            found = self._resolved[key] = ResolvedTemplate(self._with_defaults(template), scope, inline=False)
        return found

    def _stored(self, reference: TemplateRef) -> TemplateScope:
        key = (reference.name, reference.cluster_scope)
        scope = self._scopes.get(key)
        if scope is None:
            document = self._read(*key)
            if document is None:
                kind = "ClusterWorkflowTemplate" if reference.cluster_scope else "WorkflowTemplate"
                raise ExpressionError(
                    f"{kind} '{reference.name}' not found", hint="put it into the catalog with 'argosy apply -f FILE'"
                )
            label = f"{'cluster' if reference.cluster_scope else 'namespaced'}/{reference.name}"
            scope = TemplateScope(label, reference.name, {one.name: one for one in document.spec.templates})
            self._scopes[key] = scope
        return scope

    def _with_defaults(self, template: Template) -> Template:
        defaults = self._spec.template_defaults
        return merge_defaults(template, defaults) if defaults is not None else template
