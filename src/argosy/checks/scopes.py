"""Which names can be seen where: of the workflow, of a template's inputs, of other steps and tasks, of loops.

It knows the variables (Argo docs: variables.md) and who runs before whom; it judges no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal, cast

import msgspec

from argosy.checks.graph import Ancestry, Edges
from argosy.checks.rules.dags import edges_of
from argosy.checks.survey import PODS, Call, Place, Subject, kind_of
from argosy.model.manifest import CronWorkflow, Template, WorkflowSpec

# Tags that begin otherwise belong to somebody else (a script's own template language), or come later.
CHECKED_PREFIXES = ("item.", "steps.", "inputs.", "outputs.", "pod.", "workflow.", "tasks.")

# ok: visible. unordered: it exists, but is not sure to have run before. future: it exists, but runs later, or is
# the status of something that is not waited for. missing: there is no such name.
Sight = Literal["ok", "unordered", "future", "missing"]

_ALWAYS_OPEN = (
    "outputs.",
    "workflow.creationTimestamp",
    "workflow.scheduledTime",
    "workflow.duration",
    "tasks.name",
    "steps.name",
)
_WORKFLOW = ("name", "namespace", "mainEntrypoint", "serviceAccountName", "uid", "status")
_OF_EVERY_NODE = ("id", "startedAt", "finishedAt", "hostNodeName")
_LABELS_OF_CRON = ("workflows.argoproj.io/cron-workflow",)
_ANNOTATIONS_OF_CRON = ("workflows.argoproj.io/scheduled-time",)


class Layer(msgspec.Struct, frozen=True):
    """Some names, and prefixes under which any name may turn out to exist."""

    names: frozenset[str]
    open: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Whether the name is here."""
        return name in self.names or (bool(self.open) and name.startswith(self.open))


def global_layer(subject: Subject) -> Layer:
    """What can be seen everywhere in a workflow."""
    names = {f"workflow.{word}" for word in _WORKFLOW}
    opened: list[str] = list(_ALWAYS_OPEN)
    parameters = subject.arguments.parameters
    if parameters:
        names |= {"workflow.parameters", "workflow.parameters.json"}
    names |= {f"workflow.parameters.{parameter.name}" for parameter in parameters}
    if subject.standalone or subject.templates_home is None:
        opened.append("workflow.parameters")
    for word, keys in (("labels", _labels(subject)), ("annotations", _annotations(subject))):
        names |= {f"workflow.{word}", f"workflow.{word}.json"} | {f"workflow.{word}.{key}" for key in keys}
    specs = _specs(subject)
    if any(spec.priority is not None for spec in specs):
        names.add("workflow.priority")
    if any(spec.on_exit or spec.hooks for spec in specs) or subject.standalone:
        names.add("workflow.failures")
    _add_global_outputs(subject, names, opened)
    return Layer(frozenset(names), tuple(opened))


def _specs(subject: Subject) -> list[WorkflowSpec]:
    home = subject.templates_home
    return [subject.spec] if home is None or home is subject.home else [subject.spec, home.spec]


def _labels(subject: Subject) -> set[str]:
    keys = set(subject.document.metadata.labels)
    for spec in _specs(subject):
        if spec.workflow_metadata is not None:
            keys |= set(spec.workflow_metadata.labels) | set(spec.workflow_metadata.labels_from)
    if isinstance(subject.document, CronWorkflow):
        metadata = subject.document.spec.workflow_metadata
        keys |= set(_LABELS_OF_CRON) | set(metadata.labels if metadata else ())
    return keys


def _annotations(subject: Subject) -> set[str]:
    keys = set(subject.document.metadata.annotations)
    for spec in _specs(subject):
        if spec.workflow_metadata is not None:
            keys |= set(spec.workflow_metadata.annotations)
    if isinstance(subject.document, CronWorkflow):
        metadata = subject.document.spec.workflow_metadata
        keys |= set(_ANNOTATIONS_OF_CRON) | set(metadata.annotations if metadata else ())
    return keys


def _add_global_outputs(subject: Subject, names: set[str], opened: list[str]) -> None:
    """Outputs with a globalName, of any template in reach; a name made of tags can be any name."""
    for place in subject.places:
        outputs = place.template.outputs
        if outputs is None:
            continue
        for word, values in (("parameters", outputs.parameters), ("artifacts", outputs.artifacts)):
            for value in values:
                if "{{" in value.global_name:
                    opened.append(f"workflow.outputs.{word}.")
                elif value.global_name:
                    names.add(f"workflow.outputs.{word}.{value.global_name}")
    if any(not call.target.known for place in subject.places for call in place.calls):
        opened.append("workflow.outputs.")


def template_layer(place: Place) -> Layer:
    """What a template sees of itself."""
    template = place.template
    # All of them as JSON, null where there are none.
    names = {"inputs.parameters"}
    if template.inputs is not None:
        names |= {f"inputs.parameters.{parameter.name}" for parameter in template.inputs.parameters}
        for artifact in template.inputs.artifacts:
            names.add(f"inputs.artifacts.{artifact.name}")
            if place.is_leaf:
                names.add(f"inputs.artifacts.{artifact.name}.path")
    if place.kind in PODS:
        names.add("pod.name")
    return Layer(frozenset(names))


def item_layer(call: Call) -> Layer:
    """What a loop gives to each of its iterations."""
    step = call.call
    if step.with_param:
        return Layer(frozenset({"item"}), ("item.",))
    if step.with_sequence is not None:
        return Layer(frozenset({"item"}))
    names: set[str] = set()
    for item in step.with_items or ():
        names.add("item")
        if isinstance(item, dict):
            names |= {f"item.{key}" for key in cast("dict[str, object]", item)}
        elif isinstance(item, list | tuple):
            names |= {f"item.[{index}]" for index in range(len(cast("list[object]", item)))}
        elif isinstance(item, str) and item.lstrip().startswith(("{", "[")):
            # Text that holds JSON is read as what it holds.
            return Layer(frozenset({"item"}), ("item.",))
    return Layer(frozenset(names))


def output_names(template: Template, loops: bool) -> frozenset[str]:
    """What others can see of a node that ran this template, after `steps.<name>.`."""
    names = {*_OF_EVERY_NODE, "status"}
    kind = kind_of(template)
    container_set = template.container_set
    has_main = container_set is not None and any(c.name == "main" for c in container_set.containers)
    if template.daemon:
        names.add("ip")
    if kind in ("Container", "Script", "Data", "HTTP", "Plugin") or has_main:
        names |= {"outputs.result", "exitCode"}
    if template.outputs is not None:
        names |= {f"outputs.parameters.{parameter.name}" for parameter in template.outputs.parameters}
        names |= {f"outputs.artifacts.{artifact.name}" for artifact in template.outputs.artifacts}
    if loops:
        names.add("outputs.parameters")
        if kind in ("Script", "ContainerSet"):
            names |= {"outputs.result", "exitCode"}
    return frozenset(names)


def _has_open_outputs(template: Template) -> bool:
    """Whether a name of an output is made of tags."""
    outputs = template.outputs
    return outputs is not None and any("{{" in value.name for value in (*outputs.parameters, *outputs.artifacts))


class Nodes:
    """The steps or tasks of one template, as they can be seen from one of them or from the template's outputs."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.prefix = "steps." if place.kind == "Steps" else "tasks."
        self._names: dict[tuple[int, bool], frozenset[str]] = {}
        self._ancestry: Ancestry | None = None

    @cached_property
    def _edges(self) -> Edges:
        return edges_of(self.place) if self.place.kind == "DAG" else {}

    def split(self, name: str) -> tuple[Call | None, str]:
        """The node that a name such as `steps.a.outputs.result` is about, and the rest of the name."""
        node, _, rest = name[len(self.prefix) :].partition(".")
        return self.place.by_name.get(node), rest

    def outputs_of(self, call: Call) -> frozenset[str] | None:
        """What can be seen of a node; None if only the run can tell."""
        template = call.target.template
        if template is None or _has_open_outputs(template):
            return None
        key = (id(template), call.loops)
        found = self._names.get(key)
        if found is None:
            found = self._names[key] = output_names(template, call.loops)
        return found

    def sight(self, name: str, viewer: Call | None, in_hook: bool) -> Sight:
        """How `viewer` sees a name of a node; the template's own outputs (no viewer) see every node."""
        call, rest = self.split(name)
        if call is None:
            return "missing"
        known = self.outputs_of(call)
        if known is not None and rest not in known:
            return "missing"
        if viewer is None:
            return "ok"
        if viewer is call:
            return self._sight_of_itself(viewer, rest, in_hook)
        if self.place.kind == "Steps":
            return self._sight_of_step(call, viewer, rest)
        if self.precedes(call.call.name, viewer.call.name):
            return "ok"
        return "future" if rest == "status" else "unordered"

    def _sight_of_itself(self, viewer: Call, rest: str, in_hook: bool) -> Sight:
        has_exit_hook = bool(viewer.call.on_exit) or "exit" in viewer.call.hooks
        if self.place.kind == "Steps":
            return "ok" if rest == "status" or has_exit_hook else "future"
        if rest == "status":
            return "ok" if viewer.call.hooks else "future"
        return "ok" if in_hook or has_exit_hook else "unordered"

    def _sight_of_step(self, call: Call, viewer: Call, rest: str) -> Sight:
        if call.group < viewer.group:
            return "ok"
        if call.group == viewer.group and call.index < viewer.index:
            return "unordered"
        return "future"

    def precedes(self, earlier: str, later: str) -> bool:
        """Whether a task is an ancestor of another."""
        if earlier in self._edges.get(later, ()):
            return True
        if self._ancestry is None:
            self._ancestry = Ancestry(self._edges, self._edges)
        return earlier in self._edges and self._ancestry.precedes(earlier, later)


class Scope:
    """All that can be seen at one place: layers of names, and nodes as seen by `viewer`."""

    __slots__ = ("layers", "nodes", "viewer", "wider")

    def __init__(
        self,
        layers: tuple[Layer, ...],
        nodes: Nodes | None = None,
        viewer: Call | None = None,
        wider: Scope | None = None,
    ) -> None:
        self.layers = layers
        self.nodes = nodes
        self.viewer = viewer
        self.wider = wider

    def sight(self, name: str, in_hook: bool = False) -> Sight:
        """How the name can be seen from here."""
        for layer in self.layers:
            if layer.has(name):
                return "ok"
        found: Sight = "missing"
        if self.nodes is not None and name.startswith(self.nodes.prefix):
            found = self.nodes.sight(name, self.viewer, in_hook)
        if found == "missing" and self.wider is not None:
            return self.wider.sight(name, in_hook)
        return found

    def begins(self, name: str) -> bool:
        """Whether a known name goes on from `name`: expressions may stop halfway, at a map."""
        start = f"{name}."
        if any(known.startswith(start) for layer in self.layers for known in layer.names):
            return True
        if self.nodes is not None and (start == self.nodes.prefix or start.startswith(self.nodes.prefix)):
            call, rest = self.nodes.split(name) if name.startswith(self.nodes.prefix) else (None, "")
            if start == self.nodes.prefix:
                return True
            known = self.nodes.outputs_of(call) if call is not None else frozenset[str]()
            return known is None or (call is not None and (not rest or any(k.startswith(f"{rest}.") for k in known)))
        return self.wider is not None and self.wider.begins(name)

    def near(self, name: str) -> Iterator[str]:
        """Names to compare a mistyped one with, made as they are asked for."""
        if self.nodes is not None and name.startswith(self.nodes.prefix):
            call, rest = self.nodes.split(name)
            if call is None:
                yield from (f"{self.nodes.prefix}{node}.{rest}" for node in self.nodes.place.by_name)
            else:
                known = sorted(self.nodes.outputs_of(call) or ())
                yield from (f"{self.nodes.prefix}{call.call.name}.{word}" for word in known)
            return
        root = name.split(".", 1)[0]
        for layer in self.layers:
            yield from (known for known in sorted(layer.names) if known.startswith(f"{root}."))
        if self.wider is not None:
            yield from self.wider.near(name)
