"""The resource template for objects that exist without a cluster: what kubectl would do to them, done locally.

It knows actions, flags and how long to wait; the objects themselves are behind `Objects`.
Source: Argo docs: walk-through/kubernetes-resources.md; kubectl's reference for each action.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, cast

import msgspec

from argosy.errors import UsageError
from argosy.model.events import AttemptExited
from argosy.model.manifest import Outputs, ResourceTemplate, Template
from argosy.model.status import Phase
from argosy.plan.actions import Start
from argosy.runners.local.context import Objects, RunContext
from argosy.runners.local.leaves.conditions import Requirement, requirements
from argosy.runners.local.leaves.manifests import (
    Flags,
    kind_and_name,
    kind_of,
    manifest_text,
    named,
    owned,
    read_flags,
    read_manifest,
    validated,
)
from argosy.runners.local.leaves.patches import json_patched, merged, strategically_merged
from argosy.runners.local.leaves.readings import read_parameter
from argosy.runners.local.leaves.surroundings import LeafFailed, Log

FIRST_LOOK_SECONDS = 0.05
LAST_LOOK_SECONDS = 1.0
CANCEL_LOOK_SECONDS = 0.1
# Objects of a custom kind have no schema that says how their lists merge.
NO_STRATEGY = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
WORKFLOW = "Workflow"
# A run that was made here may lose its driver so often before it is given up.
MOST_DRIVERS = 10
# A run that was made here has this long to end with the one that made it.
END_SECONDS = 60.0
END_LOOK_SECONDS = 0.25
Object = dict[str, Any]


def run_resource(start: Start, context: RunContext, cancelled: Callable[[], bool]) -> AttemptExited:
    """Do the action, wait for a condition, read the output parameters. Raises ArgosyError, OSError."""
    resource = start.template.resource
    if resource is None or context.objects is None:
        raise LeafFailed("there are no objects here that a resource template could change.")
    log = Log(start, context)
    _check_delete(start.template, resource)
    # Both are read first: a mistake in them must not leave an object behind.
    good, bad = _conditions(resource)
    if cancelled():
        raise LeafFailed("stopped before it began.")
    handling = Handling(start, context, context.objects, log)
    where = handling.act(resource, manifest_text(resource, start.template, context, log, cancelled))
    outputs: Outputs | None = None
    if resource.action != "delete":
        if where is not None:
            owner = context.identity.name if resource.set_owner_reference else ""
            _wait(Waiting(context.objects, where, owner, log, cancelled), good, bad)
        outputs = _outputs(start.template, _get(context.objects, *where) if where is not None else None)
    return AttemptExited(at=0.0, node=start.node, phase=Phase.SUCCEEDED, outputs=outputs or Outputs(exit_code="0"))


def _check_delete(template: Template, resource: ResourceTemplate) -> None:
    asked = template.outputs is not None and template.outputs.parameters
    if resource.action == "delete" and (resource.success_condition or resource.failure_condition or asked):
        raise LeafFailed(
            "successCondition, failureCondition and outputs are not supported for the action delete.",
            hint="Take them out.",
        )


def _conditions(resource: ResourceTemplate) -> tuple[tuple[Requirement, ...], tuple[Requirement, ...]]:
    return requirements(resource.success_condition), requirements(resource.failure_condition)


def _get(objects: Objects, kind: str, name: str) -> Object | None:
    found = objects.get(kind, name)
    return cast("Object", msgspec.json.decode(found)) if found is not None else None


class Handling:
    """The actions on one object, for one attempt."""

    def __init__(self, start: Start, context: RunContext, objects: Objects, log: Log) -> None:
        self._start = start
        self._context = context
        self._objects = objects
        self._log = log

    def act(self, resource: ResourceTemplate, text: str) -> tuple[str, str] | None:
        """Do what the template says and return the kind and name of its object; None if it need not be there."""
        flags = read_flags(resource.flags, self._context.identity.namespace)
        if resource.action == "patch":
            return self._patch(resource, flags, text)
        if flags.selector:
            return self._delete_selected(resource, flags)
        if resource.action in ("get", "delete") and not text.strip():
            where = flags.object()
            return self._get(where, flags) if resource.action == "get" else self._delete(where)
        document = read_manifest(text)
        match resource.action:
            case "create":
                return self._create(resource, document)
            case "apply":
                return self._apply(resource, document)
            case "replace":
                return self._replace(resource, document, flags)
            case "get":
                return self._get(kind_and_name(document), flags)
            case "delete":
                return self._delete(kind_and_name(document))
            case _:
                raise LeafFailed(
                    f'"{resource.action}" is not an action on a resource.',
                    hint="Use get, create, apply, delete, replace or patch.",
                )

    def _create(self, resource: ResourceTemplate, document: Object) -> tuple[str, str]:
        document = named(document, f"{self._context.identity.uid}/{self._context.attempt(self._start.node)}")
        kind, name = kind_and_name(document)
        # The driver may die between the object's making and the record of it: then the object is ours already.
        intent = self._log.path.with_name("creating.json")
        ours = json.dumps([kind, name])
        if self._objects.get(kind, name) is None:
            intent.write_text(ours)
        elif intent.is_file() and intent.read_text() == ours:
            self._log.say(f"{kind} {name} was created before an interruption")
            if kind == WORKFLOW:
                self._objects.go_on(name, False)
            return kind, name
        else:
            raise LeafFailed(f'{kind} "{name}" already exists.', hint="Use the action apply, or generateName.")
        self._put(self._owned(resource, document), must_be_new=True)
        self._log.say(f"{kind} {name} created")
        return kind, name

    def _apply(self, resource: ResourceTemplate, document: Object) -> tuple[str, str]:
        kind, name = kind_and_name(document)
        existing = _get(self._objects, kind, name)
        if existing is None:
            return self._create(resource, document)
        if kind == WORKFLOW and resource.set_owner_reference:
            return self._take_up(kind, name, existing)
        if kind == WORKFLOW:
            if existing.get("spec") != document.get("spec"):
                self._log.say(f"Workflow {name} is a run already: what differs in its spec is not taken over")
            self._log.say(f"{kind} {name} unchanged")
            return kind, name
        self._put(self._owned(resource, document), must_be_new=False)
        self._log.say(f"{kind} {name} configured")
        return kind, name

    def _take_up(self, kind: str, name: str, existing: Object) -> tuple[str, str]:
        """Go on with a run that an attempt before this one made; what failed of it is run again, once an attempt."""
        references = cast("list[Object]", existing.get("metadata", {}).get("ownerReferences") or [])
        if not any(one.get("uid") == self._context.identity.uid for one in references):
            raise LeafFailed(f'{kind} "{name}" is another run already.', hint="Delete it, or give this one a name.")
        intent = self._log.path.with_name("creating.json")
        known = intent.is_file()
        self._objects.go_on(name, not known)
        if not known:
            intent.write_text(json.dumps([kind, name]))
        self._log.say(f"{kind} {name} goes on")
        return kind, name

    def _replace(self, resource: ResourceTemplate, document: Object, flags: Flags) -> tuple[str, str]:
        kind, name = kind_and_name(document)
        existing = self._existing(kind, name)
        if kind == "Workflow":
            if not flags.force:
                raise LeafFailed(
                    f'Workflow "{name}" is a run, which cannot be replaced.', hint="Create another, or use --force."
                )
            self._objects.delete(kind, name)
            existing = None
        self._put(self._owned(resource, document), must_be_new=existing is None)
        self._log.say(f"{kind} {name} replaced")
        return kind, name

    def _get(self, where: tuple[str, str], flags: Flags) -> tuple[str, str] | None:
        kind, name = where
        if flags.ignore_not_found and self._objects.get(kind, name) is None:
            self._log.say(f"{kind} {name} is not there")
            return None
        found = self._existing(kind, name)
        # A Secret's values are nothing for a log.
        self._log.write(json.dumps(found, indent=2) + "\n" if kind != "Secret" else f"Secret {name}\n")
        return where

    def _delete(self, where: tuple[str, str]) -> None:
        kind, name = where
        deleted = self._objects.delete(kind, name)
        self._log.say(f"{kind} {name} {'deleted' if deleted else 'was not there'}")

    def _delete_selected(self, resource: ResourceTemplate, flags: Flags) -> None:
        if resource.action != "delete":
            raise LeafFailed(f"a selector is not supported for the action {resource.action}.", hint="Name one object.")
        kind, wanted = kind_of(flags), requirements(flags.selector)
        meant = [
            name for name, labels in self._objects.labels(kind).items() if all(one.selects(labels) for one in wanted)
        ]
        for name in meant:
            self._delete((kind, name))
        if not meant:
            self._log.say(f"no {kind} has the labels {flags.selector}")

    def _patch(self, resource: ResourceTemplate, flags: Flags, text: str) -> tuple[str, str]:
        strategy = resource.merge_strategy or "strategic"
        patch = read_manifest(text, any_kind=strategy == "json" or bool(flags.positional))
        is_object = isinstance(cast("object", patch), dict)
        kind, name = kind_and_name(patch) if is_object and "kind" in patch else flags.object()
        if kind == "Workflow":
            raise LeafFailed(
                f'Workflow "{name}" is a run, which cannot be patched here.',
                hint="Patch a WorkflowTemplate, or submit another Workflow.",
            )
        existing = self._existing(kind, name)
        if strategy == "strategic" and kind in NO_STRATEGY:
            raise LeafFailed(
                f"a {kind} cannot be patched with the strategy strategic.", hint="Set mergeStrategy: merge."
            )
        match strategy:
            case "strategic":
                changed = strategically_merged(existing, patch)
            case "merge":
                changed = merged(existing, patch)
            case "json":
                changed = json_patched(existing, patch)
            case _:
                raise LeafFailed(f'"{strategy}" is no mergeStrategy.', hint="Use strategic, merge or json.")
        if not isinstance(changed, dict):
            raise LeafFailed("the patch leaves no object.")
        document = cast("Object", changed)
        if kind_and_name(document) != (kind, name):
            raise LeafFailed("a patch cannot change an object's kind or name.", hint="Create another object.")
        self._put(document, must_be_new=False)
        self._log.say(f"{kind} {name} patched")
        return kind, name

    def _existing(self, kind: str, name: str) -> Object:
        found = _get(self._objects, kind, name)
        if found is None:
            raise LeafFailed(f'{kind} "{name}" is not found.', hint="Apply it first, or use the action create.")
        return found

    def _owned(self, resource: ResourceTemplate, document: Object) -> Object:
        return owned(document, self._context.identity) if resource.set_owner_reference else document

    def _put(self, document: Object, *, must_be_new: bool) -> None:
        kind, name = kind_and_name(document)
        data = validated(document)
        try:
            self._objects.put(kind, name, data, must_be_new)
        except UsageError as problem:
            raise LeafFailed(problem.message, hint=problem.hint) from problem


class Waiting(msgspec.Struct, frozen=True):
    """What is waited for. owner: the run that made it, "" for an object that nobody ends."""

    objects: Objects
    where: tuple[str, str]
    owner: str
    log: Log
    cancelled: Callable[[], bool]


def _wait(waiting: Waiting, good: tuple[Requirement, ...], bad: tuple[Requirement, ...]) -> None:
    """Return once every requirement of success holds; look less and less often. Raises LeafFailed."""
    if not good and not bad:
        return
    kind, name = waiting.where
    pause, tick, lost = FIRST_LOOK_SECONDS, threading.Event(), 0
    while True:
        document = _get(waiting.objects, kind, name)
        if document is None:
            raise LeafFailed(f'{kind} "{name}" was deleted while its state was waited for.')
        failed = next((one for one in bad if one.holds(document)), None)
        if failed is not None:
            raise LeafFailed(f"failure condition '{failed}' evaluated true")
        if all(one.holds(document) for one in good):
            waiting.log.say(f"the conditions on {kind} {name} hold")
            return
        if waiting.owner and kind == WORKFLOW and _is_interrupted(document):
            lost += 1
            if lost > MOST_DRIVERS:
                raise LeafFailed(f'{kind} "{name}" lost its driver {lost} times.')
            waiting.objects.go_on(name, False)
        waited = 0.0
        while waited < pause:
            if waiting.cancelled():
                _end(waiting, tick)
                raise LeafFailed(f"waiting for {kind} {name} was stopped.")
            tick.wait(min(CANCEL_LOOK_SECONDS, pause - waited))
            waited += CANCEL_LOOK_SECONDS
        pause = min(LAST_LOOK_SECONDS, pause * 1.5)


def _is_interrupted(document: Object) -> bool:
    status = cast("Object", document.get("status") or {})
    return any(one.get("type") == "Interrupted" for one in cast("list[Object]", status.get("conditions") or []))


def _end(waiting: Waiting, tick: threading.Event) -> None:
    """Have a run that this one made end with it, and wait until it has."""
    kind, name = waiting.where
    if kind != WORKFLOW or not waiting.owner:
        return
    waited = 0.0
    while (state := waiting.objects.end(name, waiting.owner)) == "ending" and waited < END_SECONDS:
        tick.wait(END_LOOK_SECONDS)
        waited += END_LOOK_SECONDS
    waiting.log.say(f"{kind} {name} {'is over' if state == 'over' else 'goes on'}")


def _outputs(template: Template, document: Object | None) -> Outputs | None:
    declared = template.outputs
    if declared is None:
        return None
    if declared.artifacts:
        raise LeafFailed(
            f'the output artifact "{declared.artifacts[0].name}" cannot come from a resource.',
            hint="Read output parameters with jsonPath or jqFilter.",
        )
    found = (read_parameter(one, document) for one in declared.parameters)
    return Outputs(exit_code="0", parameters=tuple(one for one in found if one is not None))
