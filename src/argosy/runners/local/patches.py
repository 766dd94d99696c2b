"""podSpecPatch: a strategic merge into the pod, as far as a pod's fields mean something here.

It knows a pod's fields in Kubernetes' words and what becomes of each; not how containers are run. Source: Argo docs:
pod-spec-patch (workflow level first, then the template's); Kubernetes: strategic merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from argosy.errors import EnvironmentTrouble, InvalidFile
from argosy.model.manifest import (
    Container,
    ContainerNode,
    Opaque,
    ScriptTemplate,
    Template,
    UserContainer,
    Volume,
    Workflow,
)
from argosy.plan.substitution import substitute_text

# Lists whose elements are merged by a key of theirs; other lists are replaced.
_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
}
# They say where a pod runs or what the cluster does with it: without effect here.
_PLACING = frozenset(
    (
        *("affinity", "nodeSelector", "nodeName", "tolerations", "schedulerName", "schedulingGates", "priority"),
        *("topologySpreadConstraints", "priorityClassName", "preemptionPolicy", "runtimeClassName", "overhead"),
        *("serviceAccountName", "serviceAccount", "automountServiceAccountToken", "imagePullSecrets", "hostAliases"),
        *("dnsConfig", "dnsPolicy", "hostNetwork", "enableServiceLinks", "readinessGates", "setHostnameAsFQDN"),
        *("hostname", "subdomain", "os", "resourceClaims", "resources"),
    )
)
_UNDERSTOOD = ("containers", "initContainers", "volumes", "securityContext")
_TIMES = ("activeDeadlineSeconds", "terminationGracePeriodSeconds")


class Patched(msgspec.Struct, frozen=True, kw_only=True):
    """A template after the patches. grace_seconds, deadline_seconds: what they say of times, or None."""

    template: Template
    grace_seconds: float | None = None
    deadline_seconds: float | None = None


def is_patched(template: Template, workflow: Workflow) -> bool:
    """Whether there is a podSpecPatch for it at all."""
    return bool(template.pod_spec_patch or workflow.spec.pod_spec_patch)


def patched(template: Template, workflow: Workflow, scope: Mapping[str, object]) -> Patched:
    """The template with the workflow's podSpecPatch and its own merged in.

    scope: values of tags in the workflow's patch. Raises InvalidFile for what is no patch, EnvironmentTrouble for a
    field that would mean something on a cluster and cannot here.
    """
    pod: dict[str, Any] = _as_pod(template)
    for where, text in (("the workflow", workflow.spec.pod_spec_patch), (template.name, template.pod_spec_patch)):
        if text:
            patch = _read(substitute_text(text, scope), where)
            _check(patch, where)
            pod = merge(pod, patch)
    return Patched(
        template=_from_pod(template, pod),
        grace_seconds=_seconds(pod, "terminationGracePeriodSeconds"),
        deadline_seconds=_seconds(pod, "activeDeadlineSeconds"),
    )


def _read(text: str, where: str) -> dict[str, Any]:
    """The patch as plain mappings: JSON is YAML too."""
    from argosy.syntax.nodes import plain
    from argosy.syntax.parse import parse

    found = parse(text, "podSpecPatch")
    value = plain(found.documents[0]) if len(found.documents) == 1 else None
    if found.diagnostics or not isinstance(value, dict):
        why = str(found.diagnostics[0].message) if found.diagnostics else "it has to be one mapping"
        raise InvalidFile(f"The podSpecPatch of {where} cannot be read: {why}", diagnostics=tuple(found.diagnostics))
    return cast("dict[str, Any]", value)


def _check(patch: Mapping[str, Any], where: str) -> None:
    for key in patch:
        if key not in _UNDERSTOOD and key not in _TIMES and key not in _PLACING and not key.startswith("$"):
            raise EnvironmentTrouble(
                f"The podSpecPatch of {where} sets {key}, which cannot be done here.",
                hint=f"Understood are {', '.join((*_UNDERSTOOD, *_TIMES))}. Leave it out, or run on a cluster.",
            )


def merge(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Kubernetes' strategic merge: mappings by key, the lists of `_KEYS` by element, null and $patch remove.

    Raises EnvironmentTrouble for directives other than $patch: delete, replace, merge.
    """
    result = dict(base)
    directive = patch.get("$patch", "merge")
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    for key, value in patch.items():
        if key == "$patch":
            if value not in ("merge", "delete"):
                raise _unknown_directive(f"$patch: {value}")
        elif key.startswith("$setElementOrder/"):
            continue
        elif key.startswith("$"):
            raise _unknown_directive(key)
        elif value is None or (isinstance(value, dict) and cast("dict[str, Any]", value).get("$patch") == "delete"):
            result.pop(key, None)
        else:
            result[key] = _merged(key, result.get(key), value)
    return result


def _merged(key: str, old: Any, value: Any) -> object:
    if isinstance(value, dict):
        return merge(cast("dict[str, Any]", old) if isinstance(old, dict) else {}, cast("dict[str, Any]", value))
    if isinstance(value, list) and key in _KEYS:
        elements = cast("list[dict[str, Any]]", value)
        return _merged_list(cast("list[dict[str, Any]]", old or []), elements, _KEYS[key])
    return cast("object", value)


def _merged_list(old: list[dict[str, Any]], patch: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    if any(one.get("$patch") == "replace" and by not in one for one in patch):
        return [one for one in patch if by in one]
    result = list(old)
    for one in patch:
        place = next((index for index, present in enumerate(result) if present.get(by) == one.get(by)), None)
        if one.get("$patch") == "delete":
            if place is not None:
                del result[place]
        elif place is None:
            result.append(merge({}, one))
        else:
            result[place] = merge(result[place], one)
    return result


def _unknown_directive(directive: str) -> EnvironmentTrouble:
    return EnvironmentTrouble(
        f"A podSpecPatch has the directive {directive}, which is not understood here.",
        hint="Understood are $patch: merge, replace and delete.",
    )


# -- a template as a pod, and back


def _as_pod(template: Template) -> dict[str, Any]:
    mains: list[dict[str, Any]] = []
    if template.container_set is not None:
        mains = [_plain(one) for one in template.container_set.containers]
    for one in (template.container, template.script):
        if one is not None:
            mains = [_plain(one) | {"name": "main"}]
    pod = {
        "containers": mains + [_plain(one) for one in template.sidecars],
        "initContainers": [_plain(one) for one in template.init_containers],
        "volumes": [_plain(one) for one in template.volumes],
    }
    if template.security_context is not None:
        pod["securityContext"] = template.security_context
    return pod


def _plain(piece: msgspec.Struct) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.to_builtins(piece))


def _from_pod(template: Template, pod: Mapping[str, Any]) -> Template:
    containers = {str(one.get("name", "")): one for one in pod.get("containers", ())}
    changes: dict[str, Any] = {"security_context": cast("Opaque", pod.get("securityContext"))}
    known = {"main"}
    try:
        if template.container is not None:
            changes["container"] = msgspec.convert(containers["main"], Container)
        elif template.script is not None:
            changes["script"] = msgspec.convert(containers["main"], ScriptTemplate)
        elif template.container_set is not None:
            nodes = tuple(
                msgspec.convert(containers[one.name], ContainerNode) for one in template.container_set.containers
            )
            known = {node.name for node in nodes}
            changes["container_set"] = msgspec.structs.replace(template.container_set, containers=nodes)
        # What a patch adds beside the template's containers runs beside them.
        beside = [one for name, one in containers.items() if name not in known and name not in _ARGOS_OWN]
        changes["sidecars"] = tuple(msgspec.convert(one, UserContainer) for one in beside)
        inits = [one for one in pod.get("initContainers", ()) if one.get("name") not in _ARGOS_OWN]
        changes["init_containers"] = tuple(msgspec.convert(one, UserContainer) for one in inits)
        changes["volumes"] = tuple(msgspec.convert(one, Volume) for one in pod.get("volumes", ()))
    except (msgspec.ValidationError, KeyError) as problem:
        raise InvalidFile(
            f"After its podSpecPatch, template {template.name!r} is not valid: {problem}.",
            hint="Check the patch's fields.",
        ) from None
    return msgspec.structs.replace(template, **changes)


# Argo's own containers of a pod, which people patch to give them more memory.
_ARGOS_OWN = frozenset({"wait", "init", "supervisor"})


def _seconds(pod: Mapping[str, Any], key: str) -> float | None:
    value: object = pod.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InvalidFile(f"A podSpecPatch sets {key} to {value!r}.", hint="Give a number of seconds.")
    return float(value)
