"""Why a step of a run is as it is: what it waited for, what decided, what was taken over, what was tried again.

It knows a run's nodes and the calls in its templates; the words that the plan left on a node are told as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from argosy.model.manifest import DAGTask, Template, WorkflowStep
from argosy.model.status import REUSE_CACHE, MemoizationStatus, Node, NodeType, Phase
from argosy.project.views import RunView

_DISPLAY = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)*\)$")
_NAMES_IN_DEPENDS = re.compile(r"[A-Za-z0-9_][-\w]*(?:\.[A-Za-z]+)?")


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an answer. kind: a word for programs. text: for people."""

    kind: str
    text: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a node is as it is."""

    node: Node
    reasons: tuple[Reason, ...]


# Of a key that was not found, and when it was looked for: what differed.
Differences = Callable[[str, float], tuple[str, ...]]


def explain(run: RunView, node: Node, differences: Differences = lambda key, asked_at: ()) -> Explanation:
    """The answer for one node of a run."""
    reasons: list[Reason] = []
    _reused(run, node, reasons)
    _memoized(node, reasons, differences)
    _called(run, node, reasons)
    _outcome(run, node, reasons)
    _retried(run, node, reasons)
    return Explanation(node=node, reasons=tuple(reasons))


def _reused(run: RunView, node: Node, reasons: list[Reason]) -> None:
    carried = run.options.carried
    if node.name in carried:
        text = f"reused: it ended {carried[node.name].phase} in {run.options.origin}, and that was taken over"
        reasons.append(Reason(kind="reused", text=text))
    elif run.options.origin and node.type in (NodeType.POD, NodeType.HTTP, NodeType.SUSPEND):
        text = f"ran again: what it did in {run.options.origin} was not taken over"
        if run.options.changed:
            text += f"; {', '.join(run.options.changed)} was changed"
        reasons.append(Reason(kind="ran-again", text=text))


def _memoized(node: Node, reasons: list[Reason], differences: Differences) -> None:
    found = node.memoization_status
    if found is None:
        return
    if found.cache_name == REUSE_CACHE:
        _looked_up(node, found, reasons, differences)
    elif found.hit:
        text = f"reused: the cache {found.cache_name} had outputs under the key {found.key}"
        reasons.append(Reason(kind="memoized", text=text))
    else:
        text = f"not in the cache: {found.cache_name} had nothing under the key {found.key}"
        reasons.append(Reason(kind="not-memoized", text=text))


def _looked_up(node: Node, found: MemoizationStatus, reasons: list[Reason], differences: Differences) -> None:
    """Of a step of a run with --cache."""
    if found.hit:
        text = f"reused: everything that decides it was the same in {found.from_node} of run {found.from_run}"
        reasons.append(Reason(kind="memoized", text=text))
        return
    reasons.append(Reason(kind="not-memoized", text=f"not reused: {found.reason}" if found.reason else "not reused"))
    if found.key and not found.reason:
        for text in differences(found.key, node.started_at):
            reasons.append(Reason(kind="differs", text=f"  {text}"))


def _called(run: RunView, node: Node, reasons: list[Reason]) -> None:
    """What called the node, and what that call waited for."""
    flag = node.node_flag
    if flag is not None and flag.hooked:
        what = "the exit handler" if node.name.endswith(".onExit") else "a hook"
        reasons.append(Reason(kind="hook", text=f"it is {what} of {_hooked(node)}"))
        return
    boundary = run.nodes.get(node.boundary_id)
    if boundary is None:
        if node.id == run.summary.name or node.name == run.summary.name:
            reasons.append(Reason(kind="entrypoint", text=f"it is the entrypoint, {node.template_name}"))
        return
    template = _template_of(run, boundary)
    if template is None:
        return
    called = _DISPLAY.sub("", node.display_name)
    if template.dag is not None:
        task = next((one for one in template.dag.tasks if one.name == called), None)
        if task is not None:
            _depends(run, node, boundary, task, reasons)
            _conditions(node, task, reasons)
    for number, group in enumerate(template.steps or ()):
        step = next((one for one in group if one.name == called), None)
        if step is not None:
            before = f", after all of group {number - 1}" if number else ""
            text = f"it is in group {number} of the steps of {boundary.template_name}{before}"
            reasons.append(Reason(kind="steps", text=text))
            _conditions(node, step, reasons)


def _hooked(node: Node) -> str:
    return re.sub(r"\.(onExit|hooks\.[^.]*)$", "", node.name)


def _depends(run: RunView, node: Node, boundary: Node, task: DAGTask, reasons: list[Reason]) -> None:
    text = task.depends or " && ".join(task.dependencies)
    if not text:
        reasons.append(Reason(kind="depends", text=f"it depends on nothing in {boundary.template_name}"))
        return
    reasons.append(Reason(kind="depends", text=f"it depends on: {text}"))
    siblings = {one.display_name: one for one in run.nodes.values() if one.boundary_id == boundary.id}
    names = dict.fromkeys(found.partition(".")[0] for found in _NAMES_IN_DEPENDS.findall(text))
    for name in names:
        other = siblings.get(name)
        if other is not None:
            reasons.append(Reason(kind="dependency", text=f"  {name} {_state(other)}"))
        elif not name.isdigit():
            reasons.append(Reason(kind="dependency", text=f"  {name} was not reached"))


def _state(node: Node) -> str:
    text = f"is {node.phase}"
    return f"{text} ({node.message})" if node.message else text


def _conditions(node: Node, call: DAGTask | WorkflowStep, reasons: list[Reason]) -> None:
    if call.when:
        verdict = {Phase.SKIPPED: "did not hold", Phase.OMITTED: "was not asked"}.get(node.phase, "held")
        if node.phase is Phase.ERROR and node.type is NodeType.SKIPPED:
            verdict = "cannot be decided"
        reasons.append(Reason(kind="when", text=f"its condition {verdict}: {call.when}"))
    loop = "withItems" if call.with_items is not None else "withParam" if call.with_param else ""
    loop = "withSequence" if call.with_sequence is not None else loop
    if loop:
        reasons.append(Reason(kind="loop", text=f"it is called for each item of {loop}"))


def _outcome(run: RunView, node: Node, reasons: list[Reason]) -> None:
    words = {
        Phase.SKIPPED: "skipped",
        Phase.OMITTED: "omitted",
        Phase.FAILED: "failed",
        Phase.ERROR: "went wrong",
        Phase.PENDING: "waits",
    }
    if node.phase in words:
        message = re.sub(r"^(skipped|omitted): ", "", node.message)
        text = f"{words[node.phase]}: {message}" if message else words[node.phase]
        reasons.append(Reason(kind=str(node.phase).lower(), text=text))
    elif node.phase is Phase.RUNNING:
        text = "it waits for a person: argosy resume" if node.type is NodeType.SUSPEND else "it runs now"
        if run.summary.interrupted:
            text = f"its run is interrupted: argosy resume {run.summary.name} goes on with it"
        reasons.append(Reason(kind="running", text=text))
    below = [one for one in run.nodes.values() if one.boundary_id == node.id and one.phase.unsuccessful]
    for one in below[:5]:
        reasons.append(Reason(kind="because", text=f"  because of {one.name}: {one.message or one.phase}"))


def _retried(run: RunView, node: Node, reasons: list[Reason]) -> None:
    if node.type is not NodeType.RETRY:
        flag = node.node_flag
        if flag is not None and flag.retried:
            before = _attempt_before(run.nodes, node)
            if before is not None:
                text = f"retried: the attempt before it, {before.display_name}, {_state(before)}"
                reasons.append(Reason(kind="retried", text=text))
        return
    attempts = [run.nodes[one] for one in node.children if one in run.nodes]
    attempts = [one for one in attempts if one.name.startswith(f"{node.name}(")]
    for one in attempts:
        reasons.append(Reason(kind="attempt", text=f"  attempt {one.display_name} {_state(one)}"))


def _attempt_before(nodes: Mapping[str, Node], node: Node) -> Node | None:
    found = re.fullmatch(r"(.*)\((\d+)\)", node.name)
    if found is None or found[2] == "0":
        return None
    wanted = f"{found[1]}({int(found[2]) - 1})"
    return next((one for one in nodes.values() if one.name == wanted), None)


def _template_of(run: RunView, node: Node) -> Template | None:
    """The template that a node runs, where it is known by name."""
    scope, name = node.template_scope, node.template_name
    documents = run.options.surroundings.templates
    if node.template_ref is not None:
        reference = node.template_ref
        scope, name = f"{'cluster' if reference.cluster_scope else 'namespaced'}/{reference.name}", reference.template
    templates = documents[scope].spec.templates if scope in documents else run.workflow.spec.templates
    return next((one for one in templates if one.name == name), None)
