"""A run as people and programs look at it, whether it goes on or is over.

It knows how a status follows from the record: by replaying its facts, or as the document kept when it ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from argosy.model.manifest import Workflow
from argosy.model.status import Node, NodeType, Phase
from argosy.project.submission import RunOptions
from argosy.record.queries import RunSummary

if TYPE_CHECKING:
    from argosy.plan.plan import Plan
    from argosy.project.project import Project

INTERRUPTED = "Interrupted"
# Up to this size of its status a finished run is replayed when exact times are wanted.
SMALL_BYTES = 1 << 20


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One run as it is now. status: as in Argo's `status`. nodes: by id, in the order in which they came to be."""

    summary: RunSummary
    workflow: Workflow
    options: RunOptions
    status: dict[str, Any]
    nodes: Mapping[str, Node]
    suspended: bool = False

    @property
    def phase(self) -> str:
        """The phase, or Interrupted for a run that is not over and that nobody drives."""
        return shown_phase(self.summary)

    def document(self) -> dict[str, Any]:
        """The whole as an Argo Workflow object."""
        from argosy.plan.document import workflow_of

        return workflow_of(self.workflow, self.status)

    def node(self, name: str) -> Node:
        """The node that a person means. Raises NotFound, UsageError when several are meant."""
        return find_node(self, name)


def shown_phase(summary: RunSummary) -> str:
    """A run's phase as lists show it."""
    return INTERRUPTED if summary.interrupted else summary.phase


def manifest_of(project: Project, run_id: int, generation: int | None = None) -> Workflow:
    """The Workflow as it is run."""
    return msgspec.json.decode(project.queries.manifest(run_id, generation), type=Workflow, strict=False)


def options_of(project: Project, run_id: int, generation: int | None = None) -> RunOptions:
    """What the record keeps besides the manifest."""
    return msgspec.json.decode(project.queries.options(run_id, generation), type=RunOptions)


def view(project: Project, summary: RunSummary, generation: int | None = None, *, exact: bool = False) -> RunView:
    """The run as it is now, or as an earlier generation ended. Raises DamagedRun.

    exact: times of nodes to the fraction of a second also of a run that is over, if that costs little.
    """
    workflow = manifest_of(project, summary.id, generation)
    options = options_of(project, summary.id, generation)
    kept = project.queries.status_document(summary.id, generation)
    if kept is not None:
        status: dict[str, Any] = msgspec.json.decode(kept)
        if exact and len(kept) < SMALL_BYTES:
            nodes = replayed(project, summary, workflow, options, generation).nodes
        else:
            nodes = nodes_of(status)
        return RunView(summary=summary, workflow=workflow, options=options, status=status, nodes=nodes)
    from argosy.plan.document import status_of

    plan = replayed(project, summary, workflow, options, generation)
    status = status_of(plan)
    if summary.interrupted:
        status["conditions"].append({"type": INTERRUPTED, "status": "True"})
    return RunView(
        summary=summary,
        workflow=workflow,
        options=options,
        status=status,
        nodes=plan.nodes,
        suspended=plan.suspended or bool(plan.waiting()),
    )


def replayed(
    project: Project,
    summary: RunSummary,
    workflow: Workflow,
    options: RunOptions,
    generation: int | None = None,
) -> Plan:
    """The plan of a run with every fact of its journal applied. Raises DamagedRun."""
    plan = new_plan(project, summary, workflow, options)
    for _, fact in project.queries.events(summary.id, generation=generation):
        plan.apply(fact)
    return plan


def new_plan(project: Project, summary: RunSummary, workflow: Workflow, options: RunOptions) -> Plan:
    """The plan of a run before its first fact."""
    from argosy.plan.plan import Plan, RunIdentity
    from argosy.project.needs import template_key

    surroundings = options.surroundings

    def read_template(name: str, cluster_scope: bool) -> Any:
        kept = surroundings.templates.get(template_key(name, cluster_scope))
        return kept or project.documents.workflow_template(name, cluster_scope)

    def read_config_map(selector: Any) -> str | None:
        kept = surroundings.config_maps.get(selector.name)
        return kept.get(selector.key) if kept is not None else project.documents.config_map_value(selector)

    identity = RunIdentity(
        name=summary.name, uid=summary.uid, namespace=summary.namespace, created_at=summary.created_at
    )
    return Plan(
        workflow, identity, read_template=read_template, read_config_map=read_config_map, carried=options.carried
    )


def nodes_of(status: Mapping[str, Any]) -> dict[str, Node]:
    """The nodes of a status document."""
    return {id: node_of(given) for id, given in cast("dict[str, dict[str, Any]]", status.get("nodes") or {}).items()}


def node_of(given: Mapping[str, Any]) -> Node:
    """A node of a status document, its times as seconds since the epoch."""
    built = dict(given)
    for key in ("startedAt", "finishedAt"):
        built[key] = seconds_of(built.get(key))
    return msgspec.convert(built, Node, strict=False)


def seconds_of(text: str | None) -> float:
    """Seconds since the epoch of an RFC 3339 time in UTC, 0.0 for none."""
    if not text:
        return 0.0
    import calendar

    return float(calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")))


class Branch(msgspec.Struct, frozen=True):
    """A node in the tree that people are shown."""

    node: Node
    depth: int
    last: tuple[bool, ...]


def tree(nodes: Mapping[str, Node], root: str) -> Iterator[Branch]:
    """The nodes as a tree: each below what called it, groups of steps left out. Begins with the root if it is there."""
    below: dict[str, list[Node]] = {}
    parents = _parents(nodes)
    for id, node in nodes.items():
        if id != root and node.type is not NodeType.STEP_GROUP:
            below.setdefault(parents[id], []).append(node)
    roots = [nodes[root]] if root in nodes else []
    roots += [one for one in below.get("", ()) if one.id != root]
    waiting = [Branch(one, 0, ()) for one in reversed(roots)]
    while waiting:
        branch = waiting.pop()
        yield branch
        children = below.get(branch.node.id, [])
        for place, child in reversed(list(enumerate(children))):
            waiting.append(Branch(child, branch.depth + 1, (*branch.last, place == len(children) - 1)))


def _parents(nodes: Mapping[str, Node]) -> dict[str, str]:
    """For each node the one that it is shown below: a loop or retry that has it as a child, else what called it."""
    parents: dict[str, str] = {}
    for id, node in nodes.items():
        if node.type in (NodeType.TASK_GROUP, NodeType.RETRY):
            for child in node.children:
                other = nodes.get(child)
                # A loop's children hang below it; what follows after the loop hangs below its members.
                if other is not None and other.name.startswith(f"{node.name}("):
                    parents[child] = id
    for id, node in nodes.items():
        if id not in parents:
            parents[id] = node.boundary_id if node.boundary_id in nodes else ""
    return parents


def leaf_types() -> tuple[NodeType, ...]:
    """The types of nodes that do work of their own."""
    return (NodeType.POD, NodeType.HTTP, NodeType.PLUGIN, NodeType.SUSPEND, NodeType.CONTAINER)


def find_node(run: RunView, name: str) -> Node:
    """The node with that id, name or display name; or the only one whose name ends so.

    Raises NotFound with names that look alike, UsageError when several are meant.
    """
    from argosy.errors import NotFound, UsageError

    if name in run.nodes:
        return run.nodes[name]
    shown = [one for one in run.nodes.values() if one.type is not NodeType.STEP_GROUP]
    for found in (
        [one for one in shown if one.name == name],
        [one for one in shown if one.display_name == name],
        [one for one in shown if one.name.endswith(f".{name}")],
        [one for one in shown if one.template_name == name],
        [one for one in shown if one.display_name.startswith(name)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(one.name for one in found[:5]) + (", ..." if len(found) > 5 else "")
            raise UsageError(f"Several steps are called {name}: {names}", hint="give the whole name")
    from argosy.syntax.diagnostics import did_you_mean

    near = did_you_mean(name, [one.display_name for one in shown])
    hint = f"did you mean {near}?" if near else f"argosy get {run.summary.name} shows the steps there are"
    raise NotFound(f"Run {run.summary.name} has no step {name!r}", hint=hint)


def is_over(phase: Phase | str) -> bool:
    """Whether a run of this phase has ended."""
    return Phase(phase).fulfilled
