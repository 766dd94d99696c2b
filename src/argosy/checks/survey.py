"""The lie of the land before any rule looks: every template in reach, every call of a template, what it resolves to.

It knows how names of templates are found (Argo docs: workflow-templates.md); it judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from argosy.checks.catalog import Catalog, Options
from argosy.checks.finding import Path
from argosy.model.manifest import (
    Arguments,
    Artifact,
    CronWorkflow,
    DAGTask,
    LifecycleHook,
    Parameter,
    Template,
    TemplateRef,
    Workflow,
    WorkflowSpec,
    WorkflowStep,
    WorkflowTemplate,
)

KINDS: tuple[tuple[str, str, str], ...] = (
    ("container", "container", "Container"),
    ("container_set", "containerSet", "ContainerSet"),
    ("steps", "steps", "Steps"),
    ("dag", "dag", "DAG"),
    ("script", "script", "Script"),
    ("resource", "resource", "Resource"),
    ("data", "data", "Data"),
    ("suspend", "suspend", "Suspend"),
    ("http", "http", "HTTP"),
    ("plugin", "plugin", "Plugin"),
)
LEAVES = frozenset({"Container", "ContainerSet", "Script", "Resource", "Data", "HTTP", "Plugin"})
PODS = frozenset({"Container", "ContainerSet", "Script", "Resource", "Data"})


def kind_of(template: Template) -> str:
    """Which kind of template it is ("Container", "DAG", ...), the first that is set, or "" for none."""
    for attribute, _, kind in KINDS:
        if getattr(template, attribute) is not None:
            return kind
    return ""


class Home:
    """A document that holds templates. path: where its spec is; name: of a referenced document, else ""."""

    def __init__(self, spec: WorkflowSpec, path: Path, name: str = "", cluster_scope: bool = False) -> None:
        self.spec = spec
        self.path = path
        self.name = name
        self.cluster_scope = cluster_scope
        self.templates: dict[str, Template] = {}
        for template in spec.templates:
            self.templates.setdefault(template.name, template)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a call resolves to. known: false when only the run can tell, or when the document is not at hand.

    trouble: "" or why there is no template: "document" (not in the catalog), "template" (not in its document),
    "incomplete", "both", "none".
    """

    template: Template | None = None
    home: Home | None = None
    known: bool = True
    trouble: str = ""


class Call:
    """A step or a task of a template, with what it resolves to."""

    __slots__ = ("call", "group", "index", "label", "path", "target")

    def __init__(self, call: WorkflowStep | DAGTask, path: Path, label: str, group: int, index: int) -> None:
        self.call = call
        self.path = path
        self.label = label
        self.group = group
        self.index = index
        self.target = Target(known=False)

    @property
    def loops(self) -> bool:
        """Whether it is expanded over items."""
        return bool(self.call.with_items) or bool(self.call.with_param) or self.call.with_sequence is not None


class Place:
    """A template where it stands.

    label: how messages name it. caller: the call that holds it inline, with the place of that call. abroad: for a
    template of another document, the place in this one that led there, and its label.
    """

    def __init__(
        self,
        template: Template,
        home: Home,
        path: Path,
        label: str,
        *,
        caller: tuple[Place, Call] | None = None,
        abroad: tuple[Path, str] | None = None,
    ) -> None:
        self.template = template
        self.home = home
        self.path = path
        self.label = label
        self.caller = caller
        self.abroad = abroad
        self.kind = kind_of(template)
        self.calls = tuple(_calls_of(self))
        self.by_name: dict[str, Call] = {}
        for call in self.calls:
            self.by_name.setdefault(call.call.name, call)

    @property
    def is_leaf(self) -> bool:
        """Whether it does work itself, instead of calling other templates or waiting."""
        return self.kind in LEAVES


def _calls_of(place: Place) -> Iterator[Call]:
    template = place.template
    if template.steps is not None:
        for group, steps in enumerate(template.steps):
            for index, step in enumerate(steps):
                label = f"{place.label}.steps[{group}].{step.name}"
                yield Call(step, (*place.path, "steps", group, index), label, group, index)
    elif template.dag is not None:
        for index, task in enumerate(template.dag.tasks):
            label = f"{place.label}.tasks.{task.name}"
            yield Call(task, (*place.path, "dag", "tasks", index), label, 0, index)


class Subject:
    """One document that is checked, and all that its rules need to know of its surroundings.

    home: the document itself. templates_home: where its templates are looked up, which is the referenced
    WorkflowTemplate if there is a workflowTemplateRef, and None if that is not at hand. standalone: it is a
    template, which gets its parameters from the workflow that will use it.
    """

    def __init__(
        self, document: Workflow | WorkflowTemplate | CronWorkflow, catalog: Catalog, options: Options
    ) -> None:
        self.document = document
        self.catalog = catalog
        self.options = options
        self.standalone = isinstance(document, WorkflowTemplate)
        if isinstance(document, CronWorkflow):
            self.home = Home(document.spec.workflow_spec, ("spec", "workflowSpec"))
        else:
            self.home = Home(document.spec, ("spec",))
        self.spec = self.home.spec
        self._homes: dict[tuple[str, bool], Home | None] = {}
        reference = self.spec.workflow_template_ref
        self.templates_home: Home | None = self.home
        if reference is not None:
            self.templates_home = self._home(reference.name, reference.cluster_scope)
        self.arguments = self._merged_arguments()
        self.places: list[Place] = []
        self._survey()

    def resolve(self, call: WorkflowStep | DAGTask | LifecycleHook, home: Home) -> Target:
        """What `call`, written in `home`, stands for."""
        reference = call.template_ref
        inline = None if isinstance(call, LifecycleHook) else call.inline
        if reference is not None:
            return self._resolve_reference(reference, call.template)
        if inline is not None:
            return Target(template=inline, home=home)
        if not call.template:
            return Target(trouble="none")
        return self.by_name(call.template, home)

    def by_name(self, name: str, home: Home | None) -> Target:
        """The template called `name` in a document."""
        if home is None:
            return Target(known=False)
        template = home.templates.get(name)
        if template is not None:
            return Target(template=template, home=home)
        return Target(known=False) if "{{" in name else Target(trouble="template")

    def referenced(self, reference: TemplateRef) -> Home | None:
        """The document that a templateRef names, if it is at hand."""
        return self._home(reference.name, reference.cluster_scope)

    def _resolve_reference(self, reference: TemplateRef, template_name: str) -> Target:
        if template_name:
            return Target(trouble="both")
        if not reference.name or not reference.template:
            return Target(trouble="incomplete")
        if "{{" in reference.name or "{{" in reference.template:
            return Target(known=False)
        home = self._home(reference.name, reference.cluster_scope)
        if home is None:
            return Target(known=False, trouble="document")
        return self.by_name(reference.template, home)

    def _home(self, name: str, cluster_scope: bool) -> Home | None:
        key = (name, cluster_scope)
        if key not in self._homes:
            document = self.catalog.workflow_template(name, cluster_scope)
            self._homes[key] = None if document is None else Home(document.spec, ("spec",), name, cluster_scope)
        return self._homes[key]

    def _merged_arguments(self) -> Arguments:
        own = self.spec.arguments or Arguments()
        home = self.templates_home
        if home is self.home or home is None or home.spec.arguments is None:
            return own
        parameters: dict[str, Parameter] = {p.name: p for p in home.spec.arguments.parameters}
        for parameter in own.parameters:
            below = parameters.get(parameter.name)
            if below is None or parameter.value is not None or parameter.value_from is not None:
                parameters[parameter.name] = parameter
        artifacts: dict[str, Artifact] = {a.name: a for a in home.spec.arguments.artifacts}
        artifacts.update({a.name: a for a in own.artifacts})
        return Arguments(parameters=tuple(parameters.values()), artifacts=tuple(artifacts.values()))

    def _survey(self) -> None:
        """Find every template in reach, breadth first, each once."""
        seen: set[int] = set()
        queue: list[Place] = []
        for index, template in enumerate(self.home.spec.templates):
            label = f"templates.{template.name}"
            queue.append(Place(template, self.home, (*self.home.path, "templates", index), label))
            seen.add(id(template))
        home = self.templates_home
        if home is not None and home is not self.home:
            abroad = ((*self.home.path, "workflowTemplateRef"), f"in WorkflowTemplate '{home.name}':")
            for template in home.spec.templates:
                queue.append(Place(template, home, (), f"templates.{template.name}", abroad=abroad))
                seen.add(id(template))
        for event, hook in self.spec.hooks.items():
            target = self.resolve(hook, self.templates_home or self.home)
            self._visit(target, ((*self.home.path, "hooks", event), f"hooks.{event}"), None, seen, queue)
        # The queue grows while it is read: templates lead to templates.
        for place in queue:
            for call in place.calls:
                call.target = self.resolve(call.call, place.home)
                self._follow(place, call, seen, queue)
                for event, hook in call.call.hooks.items():
                    site = ((*call.path, "hooks", event), f"{call.label}.hooks.{event}")
                    self._visit(self.resolve(hook, place.home), site, place.abroad, seen, queue)
        self.places = queue

    def _follow(self, place: Place, call: Call, seen: set[int], queue: list[Place]) -> None:
        inline = call.call.inline
        if inline is not None and call.target.template is inline:
            seen.add(id(inline))
            path = (*call.path, "inline")
            label = call.label
            queue.append(Place(inline, place.home, path, label, caller=(place, call), abroad=place.abroad))
            return
        self._visit(call.target, (call.path, call.label), place.abroad, seen, queue)

    def _visit(
        self,
        target: Target,
        site: tuple[Path, str],
        abroad: tuple[Path, str] | None,
        seen: set[int],
        queue: list[Place],
    ) -> None:
        """Queue a template of another document, the first time that a call leads there."""
        template, home = target.template, target.home
        if template is None or home is None or home is self.home or id(template) in seen:
            return
        seen.add(id(template))
        reached = abroad or site
        queue.append(Place(template, home, (), f"templates.{template.name}", abroad=reached))
