"""The environment of a container, and its command: where values come from, and how $(NAME) in them is replaced.

It knows Kubernetes' rules for env, envFrom and $(NAME), and which values are secret; not what runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from math import ceil
from typing import Any, cast

import msgspec

from argosy.errors import InvalidFile, NotFound
from argosy.model.manifest import ConfigMap, ContainerFields, EnvVar, KeySelector, Resources, Secret, Template
from argosy.runners.local.context import RunContext
from argosy.runners.local.resources import quantity

_REFERENCE = r"\$(?:\$|\(([^)]*)\))"
_KEYED_FIELD = r"metadata\.(labels|annotations)\['(.*)'\]"


class Values(msgspec.Struct, kw_only=True):
    """An environment. shown: the same without what is secret; secrets: where each secret variable comes from.

    hidden: every value of a Secret that went into it.
    """

    all: dict[str, str]
    shown: dict[str, str]
    secrets: dict[str, str]
    hidden: list[bytes] = []

    def expand(self, text: str) -> str:
        """The text with its $(NAME)s replaced."""
        return expand(text, self.all)

    def expand_shown(self, text: str) -> str:
        """The text with its $(NAME)s replaced, but for those that are secret."""
        return expand(text, self.shown)


def expand(text: str, values: Mapping[str, str]) -> str:
    """$(NAME) replaced by its value, $$ by $; what has no value stays as it is (Kubernetes)."""
    if "$" not in text:
        return text

    def replaced(found: re.Match[str]) -> str:
        name = found.group(1)
        return "$" if name is None else values.get(name, found.group())

    return re.sub(_REFERENCE, replaced, text)


class PodFields:
    """What a step may ask about its pod: names, labels, annotations."""

    def __init__(self, context: RunContext, template: Template, *, node: str, node_name: str, pod_name: str) -> None:
        self._context = context
        self._template = template
        self._node, self._node_name, self._pod_name = node, node_name, pod_name

    def labels(self) -> dict[str, str]:
        found = {"workflows.argoproj.io/workflow": self._context.identity.name}
        return found | {"workflows.argoproj.io/completed": "false"} | self._metadata("labels")

    def annotations(self) -> dict[str, str]:
        found = {"workflows.argoproj.io/node-name": self._node_name, "workflows.argoproj.io/node-id": self._node}
        return found | self._metadata("annotations")

    def _metadata(self, kind: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for metadata in (self._context.workflow.spec.pod_metadata, self._template.metadata):
            if metadata is not None:
                found |= getattr(metadata, kind)
        return found

    def field(self, path: str) -> str:
        """The value of a field of the pod. Raises InvalidFile for one that there is not."""
        identity = self._context.identity
        if (keyed := re.fullmatch(_KEYED_FIELD, path)) is not None:
            values = self.labels() if keyed.group(1) == "labels" else self.annotations()
            return values.get(keyed.group(2), "")
        match path:
            case "metadata.name":
                return self._pod_name
            case "metadata.namespace":
                return identity.namespace
            case "metadata.uid":
                return f"{identity.uid}-{self._node}"
            case "metadata.labels":
                return _as_lines(self.labels())
            case "metadata.annotations":
                return _as_lines(self.annotations())
            case "spec.nodeName":
                return identity.host
            case "spec.serviceAccountName":
                return self._service_account()
            case "status.podIP" | "status.podIPs" | "status.hostIP" | "status.hostIPs":
                return "127.0.0.1"
            case _:
                raise InvalidFile(
                    f"fieldRef names {path!r}, which a step has no value for.",
                    hint="There are metadata.name, .namespace, .uid, .labels['key'], .annotations['key'].",
                )

    def _service_account(self) -> str:
        return self._template.service_account_name or self._context.workflow.spec.service_account_name or "default"


def _as_lines(pairs: Mapping[str, str]) -> str:
    return "\n".join(f"{key}={msgspec.json.encode(value).decode()}" for key, value in sorted(pairs.items()))


def environment_of(container: ContainerFields, context: RunContext, pod: PodFields) -> Values:
    """The environment that a container's manifest gives it.

    Raises NotFound for a ConfigMap, Secret or key that is not there, InvalidFile for a field that cannot be had.
    """
    found = Values(all={}, shown={}, secrets={})
    if not container.env and not container.env_from:
        return found
    for source in container.env_from:
        if source.config_map_ref is not None:
            reference = source.config_map_ref
            values = config_map_data(context, reference.name, optional=reference.optional)
            pairs = {source.prefix + key: text_of(value, key) for key, value in values.items()}
            found.all |= pairs
            found.shown |= pairs
        if source.secret_ref is not None:
            reference = source.secret_ref
            for key, value in secret_data(context, reference.name, optional=reference.optional).items():
                found.all[source.prefix + key] = text_of(value, key)
                found.hidden.append(value)
                found.shown.pop(source.prefix + key, None)
                found.secrets[source.prefix + key] = f"{reference.name}/{key}"
    own: dict[str, str] = {}
    for variable in container.env:
        _add(variable, own, found, container, context, pod)
    return found


def _add(
    variable: EnvVar,
    own: dict[str, str],
    found: Values,
    container: ContainerFields,
    context: RunContext,
    pod: PodFields,
) -> None:
    """Add one variable. Only those of `env` itself, above it, are replaced in a value."""
    name, source = variable.name, variable.value_from
    found.shown.pop(name, None)
    found.secrets.pop(name, None)
    if variable.value is not None or source is None:
        text = variable.value or ""
        value = expand(text, own)
        touched = [one for one in re.findall(_REFERENCE, text) if one in found.secrets]
        if touched:
            found.secrets[name] = found.secrets[touched[0]]
        else:
            found.shown[name] = value
    elif source.secret_key_ref is not None:
        secret = secret_key(context, source.secret_key_ref)
        if secret is None:
            return
        value = text_of(secret, name)
        found.hidden.append(secret)
        found.secrets[name] = f"{source.secret_key_ref.name}/{source.secret_key_ref.key}"
    else:
        plain = _plain_value(source, container, context, pod)
        if plain is None:
            return
        found.shown[name] = value = plain
    own[name] = found.all[name] = value


def _plain_value(source: Any, container: ContainerFields, context: RunContext, pod: PodFields) -> str | None:
    if source.config_map_key_ref is not None:
        value = config_map_key(context, source.config_map_key_ref)
        return None if value is None else text_of(value, source.config_map_key_ref.key)
    if source.field_ref is not None:
        return pod.field(source.field_ref.field_path)
    if source.resource_field_ref is not None:
        return resource_field(cast("Mapping[str, Any]", source.resource_field_ref), container.resources)
    if source.file_key_ref is not None:
        raise InvalidFile(
            "env valueFrom.fileKeyRef is not supported here.", hint="Write the value to an output parameter instead."
        )
    return None


def resource_field(reference: Mapping[str, Any], resources: Resources | None) -> str:
    """A container's own request or limit, in units of the divisor, rounded up; this machine's where it has none."""
    kind, _, name = str(reference.get("resource", "")).partition(".")
    if kind not in ("limits", "requests") or name not in ("cpu", "memory", "ephemeral-storage"):
        raise InvalidFile(
            f"resourceFieldRef names {reference.get('resource')!r}.", hint="It can be limits.cpu, requests.memory, ..."
        )
    given = resources or Resources()
    chosen = given.limits if kind == "limits" else {**given.limits, **given.requests}
    amount = quantity(chosen[name]) if name in chosen else _machine_has(name, kind)
    divisor = quantity(str(reference.get("divisor") or "1")) or quantity(1)
    return str(ceil(amount / divisor))


def _machine_has(name: str, kind: str) -> int:
    if kind == "requests":
        return 0
    if name == "cpu":
        return os.cpu_count() or 1
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if name == "memory" else 0


# -- ConfigMaps and Secrets


def config_map_data(context: RunContext, name: str, *, optional: bool = False) -> dict[str, bytes]:
    """All keys of a ConfigMap; none of one that is not there but optional. Raises NotFound."""
    found = context.config_map(name)
    if found is None:
        if optional:
            return {}
        raise _absent("ConfigMap", name)
    return _config_map_bytes(found)


def _config_map_bytes(found: ConfigMap) -> dict[str, bytes]:
    import base64

    data = {key: value.encode() for key, value in found.data.items()}
    return data | {key: base64.b64decode(value) for key, value in found.binary_data.items()}


def config_map_key(context: RunContext, selector: KeySelector) -> bytes | None:
    """One key of a ConfigMap; None if it is not there but optional. Raises NotFound."""
    return _one_key("ConfigMap", config_map_data(context, selector.name, optional=selector.optional), selector)


def secret_data(context: RunContext, name: str, *, optional: bool = False) -> dict[str, bytes]:
    """All keys of a Secret, decoded; none of one that is not there but optional. Raises NotFound."""
    found = context.secret(name)
    if found is None:
        if optional:
            return {}
        raise _absent("Secret", name)
    return secret_bytes(found)


def secret_bytes(found: Secret) -> dict[str, bytes]:
    """All keys of a Secret, decoded. Raises InvalidFile."""
    import base64
    import binascii

    try:
        data = {key: base64.b64decode(value) for key, value in found.data.items()}
    except binascii.Error:
        raise InvalidFile(
            f"The data of the Secret {found.metadata.name!r} is not base64.", hint="Use stringData for plain text."
        ) from None
    return data | {key: value.encode() for key, value in found.string_data.items()}


def secret_key(context: RunContext, selector: KeySelector) -> bytes | None:
    """One key of a Secret; None if it is not there but optional. Raises NotFound."""
    return _one_key("Secret", secret_data(context, selector.name, optional=selector.optional), selector)


def _one_key(kind: str, data: Mapping[str, bytes], selector: KeySelector) -> bytes | None:
    if selector.key in data:
        return data[selector.key]
    if selector.optional:
        return None
    raise NotFound(f"The {kind} {selector.name!r} has no key {selector.key!r}.", hint=f"Keys are {', '.join(data)}.")


def _absent(kind: str, name: str) -> NotFound:
    return NotFound(f"There is no {kind} {name!r} here.", hint=f"Apply it first: argosy apply -f FILE with the {kind}.")


def text_of(value: bytes, name: str) -> str:
    """The value as text for an environment. Raises InvalidFile if no environment can hold it."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise InvalidFile(f"The value of {name} is not text.", hint="Mount it as a file instead.") from None
    if "\0" in text:
        raise InvalidFile(f"The value of {name} contains a zero byte.", hint="Mount it as a file instead.")
    return text
