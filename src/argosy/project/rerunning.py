"""Running again: a run's failed part in a new generation of it, or its workflow as a new run.

It knows which outcomes can be taken over and which cannot; what follows from them is the plan's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from argosy.dialects.argo_inputs import signature_of
from argosy.errors import UsageError
from argosy.model.inputs import Signature
from argosy.model.manifest import Workflow
from argosy.model.status import Node, NodeType, Phase
from argosy.model.sweeps import SWEEP, TRIAL
from argosy.plan.plan import Carried
from argosy.project.hosting import CodeWanted, same_code, with_code
from argosy.project.needs import check_resources, surroundings_of
from argosy.project.reuse import EVERY_STEP
from argosy.project.submission import TAG_OF, Prepared, RunOptions, Wanted, checked, filled_in, with_machines
from argosy.project.views import RunView, find_node

if TYPE_CHECKING:
    from argosy.project.project import Project, Submitted

_TAKEN_OVER = (NodeType.POD, NodeType.HTTP, NodeType.PLUGIN, NodeType.SUSPEND)


class Rerun(msgspec.Struct, frozen=True, kw_only=True):
    """What a retry will do. carried: how many steps keep their outcome; again: the names of those that run again."""

    generation: int
    carried: int
    again: tuple[str, ...]


def retry(
    project: Project,
    run: RunView,
    *,
    start: Iterable[str] = (),
    parameters: Mapping[str, str] = {},
    working_code: bool = False,
) -> Rerun:
    """Begin a new generation of the run in which all that succeeded keeps its outcome.

    start: steps that run again with all that depends on them, besides those that failed. working_code: what runs again
    has the code of the working folder as it is now. Raises UsageError when
    nothing would run again or the run is not over, LeaseHeld when somebody drives it.
    """
    summary = run.summary
    if not summary.finished:
        hint = "follow it with argosy watch" if summary.driven else "go on with argosy resume"
        raise UsageError(f"Run {summary.name} is not over", hint=f"{hint} {summary.name}")
    if parameters or working_code:
        _check_no_sweep(run, "its trials are what they are; a single one can be retried so")
    chosen = [find_node(run, one).id for one in start]
    if summary.phase == Phase.SUCCEEDED and not chosen:
        raise UsageError(
            f"Run {summary.name} succeeded: there is nothing to retry",
            hint=f"argosy retry {summary.name} --from STEP runs a step and what depends on it again",
        )
    carried, again = divided(run.nodes, summary.name, chosen)
    workflow = filled_in(run.workflow, Wanted(parameters=parameters, signature=_takes(run)), project.documents)
    if parameters:
        checked(workflow, project.documents)
        workflow = with_machines(workflow, project.configuration)
        if not run.options.ignore_resources:
            check_resources(workflow, surroundings_of(workflow, project.documents), run.options.gpus)
    options = msgspec.structs.replace(
        run.options,
        carried=carried,
        origin=f"generation {summary.generation}",
        changed=dict(parameters),
        surroundings=surroundings_of(workflow, project.documents) if parameters else run.options.surroundings,
        # What a person wants run again is not to be found in the cache.
        refresh=(EVERY_STEP,) if chosen else run.options.refresh,
    )
    if parameters:
        from argosy.project.resolving import again as data_again

        workflow, options = data_again(project, summary, workflow, options)
    if working_code:
        workflow, options, _ = with_code(project, workflow, options, CodeWanted(take=True))
    generation = project.journal.reopen(
        summary.id,
        manifest=msgspec.json.encode(workflow),
        source=project.queries.source(summary.id),
        options=msgspec.json.encode(options),
    )
    return Rerun(generation=generation, carried=len(carried), again=tuple(again))


def _check_no_sweep(run: RunView, why: str) -> None:
    if run.options.sweep is not None:
        raise UsageError(f"Run {run.summary.name} is a sweep: {why}", hint="argosy run FILE makes another sweep")


def _takes(run: RunView) -> Signature | None:
    """What the run's file said that it takes; None for a run that is older than that."""
    return Signature(inputs=run.options.inputs) if run.options.inputs else None


def prefilled(run: RunView) -> Signature:
    """What the run takes, with the values that it had as defaults."""
    takes = _takes(run) or signature_of(run.workflow)
    arguments = run.workflow.spec.arguments
    values = {one.name: one.value for one in (arguments.parameters if arguments is not None else ())}
    inputs = (
        msgspec.structs.replace(one, default=values[one.name]) if values.get(one.name) is not None else one
        for one in takes.inputs
    )
    return msgspec.structs.replace(takes, inputs=tuple(inputs))


def divided(nodes: Mapping[str, Node], root: str, chosen: Iterable[str]) -> tuple[dict[str, Carried], list[str]]:
    """The outcomes that are taken over, by node name, and the names of the steps that run again.

    Taken over is what succeeded, unless it comes after a step that failed or was chosen, or belongs to an exit
    handler of the run. Attempts that failed before one that succeeded stay what they were.
    """
    lost = _after(nodes, [*_failed(nodes), *_inside(nodes, chosen)])
    settled = _settled_attempts(nodes)
    carried: dict[str, Carried] = {}
    again: list[str] = []
    for id, node in nodes.items():
        if node.type not in _TAKEN_OVER or node.phase in (Phase.SKIPPED, Phase.OMITTED):
            continue
        handler = node.name.startswith((f"{root}.onExit", f"{root}.hooks."))
        kept = node.phase is Phase.SUCCEEDED or id in settled
        if kept and id not in lost and not handler and not node.daemoned:
            carried[node.name] = _outcome(node)
        else:
            again.append(node.name)
    return carried, again


def _outcome(node: Node) -> Carried:
    return Carried(
        phase=str(node.phase),
        message=node.message,
        outputs=node.outputs,
        started_at=node.started_at,
        finished_at=node.finished_at,
    )


def _failed(nodes: Mapping[str, Node]) -> list[str]:
    """The leaves that did not succeed, but for attempts that a later one made good."""
    settled = _settled_attempts(nodes)
    return [
        id
        for id, node in nodes.items()
        if node.type in _TAKEN_OVER and (not node.phase.fulfilled or node.phase.unsuccessful) and id not in settled
    ]


def _settled_attempts(nodes: Mapping[str, Node]) -> set[str]:
    """Everything below a retried step that succeeded in the end."""
    attempts: list[str] = []
    for node in nodes.values():
        if node.type is NodeType.RETRY and node.phase is Phase.SUCCEEDED:
            prefix = f"{node.name}("
            attempts.extend(one for one in node.children if one in nodes and nodes[one].name.startswith(prefix))
    return set(_inside(nodes, attempts))


def _inside(nodes: Mapping[str, Node], chosen: Iterable[str]) -> list[str]:
    """The chosen nodes and all that they called."""
    found = set(chosen)
    # Nodes stand in the order in which they came to be: a node's caller stands before it.
    for id, node in nodes.items():
        if node.boundary_id in found:
            found.add(id)
    return list(found)


def _after(nodes: Mapping[str, Node], start: Iterable[str]) -> set[str]:
    """These nodes and all that hang below them."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        id = waiting.pop()
        if id in found or id not in nodes:
            continue
        found.add(id)
        waiting.extend(nodes[id].children)
    return found


def resubmit(
    project: Project, run: RunView, wanted: Wanted, *, memoized: bool, working_code: bool = False
) -> Submitted:
    """Put a new run of the same workflow into the record. memoized: take over what succeeded in the old one.

    working_code: with the code of the working folder as it is now, not with what the old run has kept.
    """
    from argosy.project.submission import prepare
    from argosy.project.views import shown_phase

    if memoized and not run.summary.finished:
        raise UsageError(f"Run {run.summary.name} is {shown_phase(run.summary).lower()}: it is not over")
    if wanted.parameters or memoized:
        _check_no_sweep(run, "all of it is made again, with the same values")
    workflow = renewed(run.workflow, run.summary.name)
    wanted = msgspec.structs.replace(
        wanted,
        runtime=wanted.runtime or run.options.runtime,
        signature=wanted.signature or _takes(run),
        sweep=run.options.sweep,
    )
    code = CodeWanted() if working_code else same_code(run.options)
    wanted = msgspec.structs.replace(wanted, code=code)

    def made() -> Prepared:
        return prepare(workflow, wanted, project.documents, project.configuration)

    prepared = made() if wanted.name else project.with_free_name(made(), made)
    if memoized:
        prepared = _with_carried(prepared, run)
    same = msgspec.structs.replace(prepared.options, workflow_name=run.options.workflow_name, data=run.options.data)
    prepared = msgspec.structs.replace(prepared, options=same)
    return project.submitted(prepared, project.queries.source(run.summary.id))


def renewed(workflow: Workflow, name: str) -> Workflow:
    """The workflow of a run without what made it that run."""
    if workflow.spec.workflow_template_ref is not None and workflow.spec.templates:
        # What the reference meant was put in when the run was made, and that is what is run again.
        workflow = msgspec.structs.replace(
            workflow, spec=msgspec.structs.replace(workflow.spec, workflow_template_ref=None)
        )
    metadata = workflow.metadata
    # Names of dstack's runs are made up anew.
    prefix = metadata.generate_name or ("" if TAG_OF in metadata.annotations else f"{name.rstrip('-')}-")
    # A trial that is run again is no trial of its sweep.
    labels = {key: value for key, value in metadata.labels.items() if key not in (SWEEP, TRIAL)}
    fresh = msgspec.structs.replace(
        metadata,
        name="",
        generate_name=prefix,
        uid="",
        creation_timestamp=None,
        resource_version="",
        labels=labels,
        owner_references=metadata.owner_references if labels == metadata.labels else None,
    )
    return msgspec.structs.replace(workflow, metadata=fresh, status=None)


def _with_carried(prepared: Prepared, run: RunView) -> Prepared:
    """The run with the outcomes of another, whose nodes are named after that one."""
    old, new = run.summary.name, prepared.identity.name
    carried, _ = divided(run.nodes, old, ())
    renamed = {new + name.removeprefix(old): outcome for name, outcome in carried.items()}
    options: RunOptions = msgspec.structs.replace(prepared.options, carried=renamed, origin=f"run {old}")
    return msgspec.structs.replace(prepared, options=options)
