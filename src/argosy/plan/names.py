"""The names and ids of nodes, as Argo makes them; other programs look nodes up by these.

It knows no node. Source of the rules: Argo's node ids (FNV-1a of the name) and pod names, version 2.
"""

from __future__ import annotations

from typing import cast

from argosy.expressions.formatting import json_text

_FNV_OFFSET = 2166136261
_FNV_PRIME = 16777619
_MAX_POD_PREFIX = 253 - 11


def fnv1a_32(data: bytes) -> int:
    """The 32-bit FNV-1a hash."""
    value = _FNV_OFFSET
    for byte in data:
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def node_id(run: str, node_name: str) -> str:
    """The id of a node: the run's name for the root, else that name and a hash."""
    if node_name == run:
        return run
    return f"{run}-{fnv1a_32(node_name.encode())}"


def pod_name(run: str, id: str, template: str) -> str:
    """What `{{pod.name}}` is for the node of an id: its hash behind the names of the run and the template."""
    if id == run:
        return run
    prefix = run if not template else f"{run}-{template}"
    return f"{prefix[:_MAX_POD_PREFIX]}{id[len(run) :]}"


def item_name(name: str, index: int, item: object) -> str:
    """The name of one iteration of a loop: `name(index:item)`, without parentheses inside."""
    shown = describe_item(item).replace("(", "").replace(")", "")
    return f"{name}({index}:{shown})"


def describe_item(item: object) -> str:
    """How a loop's item reads in a name: sorted `key:value` pairs for a mapping, `[a b]` for a list."""
    if isinstance(item, dict):
        pairs = cast("dict[str, object]", item)
        return ",".join(sorted(f"{key}:{item_text(value)}" for key, value in pairs.items()))
    if isinstance(item, list | tuple):
        return "[" + " ".join(item_text(element) for element in cast("list[object]", item)) + "]"
    return item_text(item)


def item_text(value: object) -> str:
    """A value as text: a string as it is, anything else as compact JSON."""
    return value if isinstance(value, str) else json_text(value, escape_html=False)
