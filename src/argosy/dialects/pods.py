"""A Pod of Kubernetes as the Workflow of one step that does its work.

It knows which of a Pod's fields a workflow has too, and where; what is in them is read as of any workflow. The nodes
keep their places, so whatever is wrong is shown in the Pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from argosy.syntax.diagnostics import Severity, did_you_mean
from argosy.syntax.nodes import Mapping, Node, Scalar, Sequence, described

POD = "Pod"
# Fields of a Pod's spec that a workflow's spec has, and what they are called there.
_OF_WORKFLOW = {
    "activeDeadlineSeconds": "activeDeadlineSeconds",
    "affinity": "affinity",
    "automountServiceAccountToken": "automountServiceAccountToken",
    "dnsConfig": "dnsConfig",
    "dnsPolicy": "dnsPolicy",
    "hostAliases": "hostAliases",
    "hostNetwork": "hostNetwork",
    "imagePullSecrets": "imagePullSecrets",
    "nodeSelector": "nodeSelector",
    "priorityClassName": "podPriorityClassName",
    "schedulerName": "schedulerName",
    "securityContext": "securityContext",
    "serviceAccountName": "serviceAccountName",
    "tolerations": "tolerations",
    "volumes": "volumes",
}
_PROGRAMS = ("containers", "initContainers")
# What says where on a cluster a Pod is, or how it is kept alive there.
_NO_EFFECT = (
    "enableServiceLinks",
    "hostIPC",
    "hostPID",
    "hostUsers",
    "hostname",
    "hostnameOverride",
    "nodeName",
    "os",
    "overhead",
    "preemptionPolicy",
    "priority",
    "readinessGates",
    "resourceClaims",
    "resources",
    "runtimeClassName",
    "schedulingGates",
    "serviceAccount",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
)
_RESTART = "restartPolicy"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say of a Pod, at a place of its file."""

    rule: str
    message: str
    place: int
    severity: Severity = "error"
    why: str = ""
    hint: str = ""


class AsWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """The workflow that a Pod became, None when it has nothing to run, and what there is to say of it."""

    node: Mapping | None
    problems: tuple[Problem, ...]


def as_workflow(pod: Mapping) -> AsWorkflow:
    """The Pod as a workflow whose one template has its containers: one as `container`, several as `containerSet`.

    All of a Pod's containers are equal: it is over when all of them are, which is a container set's rule.
    """
    spec = pod.values.get("spec")
    if not isinstance(spec, Mapping):
        place = pod.place if spec is None else spec.place
        return _nothing("a Pod lacks `spec`" if spec is None else f"expected a spec, found {described(spec)}", place)
    containers = spec.values.get("containers")
    if not isinstance(containers, Sequence) or not containers.items:
        return _nothing("a Pod lacks `containers`", spec.key_places[0] if spec.key_places else spec.place)
    problems = tuple(_problems(spec, containers))
    name = _name(pod)
    workflow = _rewritten(pod, name, _spec(spec, containers, name or "main"))
    return AsWorkflow(node=workflow, problems=problems)


def _nothing(message: str, place: int) -> AsWorkflow:
    hint = "add `spec: {containers: [{name: ..., image: ..., command: [...]}]}`"
    return AsWorkflow(node=None, problems=(Problem(rule="field-missing", message=message, place=place, hint=hint),))


def _name(pod: Mapping) -> str:
    metadata = pod.values.get("metadata")
    given = metadata.values.get("name") if isinstance(metadata, Mapping) else None
    return given.value if isinstance(given, Scalar) and isinstance(given.value, str) else ""


def _rewritten(pod: Mapping, name: str, spec: Mapping) -> Mapping:
    """The manifest with another kind and spec. A Pod's name is the beginning of the names of runs, which are many."""
    fields: list[tuple[str, Node, int]] = []
    for (key, node), place in zip(pod.values.items(), pod.key_places, strict=True):
        if key == "kind":
            fields.append((key, Scalar("Workflow", node.place), place))
        elif key == "apiVersion":
            fields.append((key, Scalar("argoproj.io/v1alpha1", node.place), place))
        elif key == "metadata" and isinstance(node, Mapping):
            fields.append((key, _named(node, name), place))
        elif key == "spec":
            fields.append((key, spec, place))
        elif key != "status":
            fields.append((key, node, place))
    return _mapping(fields, pod.place)


def _named(metadata: Mapping, name: str) -> Mapping:
    fields: list[tuple[str, Node, int]] = []
    for (key, node), place in zip(metadata.values.items(), metadata.key_places, strict=True):
        renamed = key == "name" and bool(name)
        fields.append(("generateName", Scalar(f"{name}-", node.place), place) if renamed else (key, node, place))
    return _mapping(fields, metadata.place)


def _spec(spec: Mapping, containers: Sequence, name: str) -> Mapping:
    fields: list[tuple[str, Node, int]] = [("entrypoint", Scalar(name, spec.place), spec.place)]
    template: list[tuple[str, Node, int]] = [("name", Scalar(name, spec.place), spec.place)]
    for (key, node), place in zip(spec.values.items(), spec.key_places, strict=True):
        if key in _OF_WORKFLOW:
            fields.append((_OF_WORKFLOW[key], node, place))
        elif key == "initContainers":
            template.append((key, node, place))
        elif key == "containers" and len(containers.items) == 1:
            template.append(("container", containers.items[0], place))
        elif key == "containers":
            together = Mapping(values={"containers": node}, key_places=[place], place=place)
            template.append(("containerSet", together, place))
        elif key == _RESTART and isinstance(node, Scalar) and node.value == "OnFailure":
            template.append(("retryStrategy", _retry(node.place), place))
    templates = Sequence([_mapping(template, containers.place)], containers.place)
    return _mapping([*fields, ("templates", templates, containers.place)], spec.place)


def _retry(place: int) -> Mapping:
    """As a cluster starts a container again: after 10 s, and twice as long each time, up to 5 minutes."""
    waits = (("duration", "10s"), ("factor", 2), ("cap", "5m"))
    backoff = _mapping([(key, Scalar(value, place), place) for key, value in waits], place)
    return _mapping([("retryPolicy", Scalar("OnFailure", place), place), ("backoff", backoff, place)], place)


def _mapping(fields: Iterable[tuple[str, Node, int]], place: int) -> Mapping:
    kept = {key: (node, at) for key, node, at in fields}
    values = {key: node for key, (node, _) in kept.items()}
    return Mapping(values=values, key_places=[at for _, at in kept.values()], place=place)


def _problems(spec: Mapping, containers: Sequence) -> Iterator[Problem]:
    restart = spec.values.get(_RESTART)
    if not isinstance(restart, Scalar) or restart.value not in ("Never", "OnFailure"):
        message = "a Pod is run as a workflow of one step: what ends in it is not started again"
        place = containers.place if restart is None else restart.place
        yield Problem(rule="pod-once", message=message, place=place, severity="note")
    known = (*_OF_WORKFLOW, *_PROGRAMS, *_NO_EFFECT, _RESTART)
    for key, place in zip(spec.values, spec.key_places, strict=True):
        if key in _NO_EFFECT:
            message = f"`{key}` of a Pod has no effect here"
            why = "it says where on a cluster the Pod is, or how it ends there"
            yield Problem(rule="field-ignored", message=message, place=place, severity="warning", why=why)
        elif key not in known:
            near = did_you_mean(key, known)
            hint = f"did you mean `{near}`?" if near else ""
            yield Problem(rule="field-unknown", message=f"a Pod's spec has no field `{key}`", place=place, hint=hint)
