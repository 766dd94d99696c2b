"""The names and ids of nodes, as Argo makes them; other programs look nodes up by these.

It knows no node. Source of the rules: Argo's node ids (FNV-1a of the name) and pod names, version 2.
"""

from __future__ import annotations

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


def pod_name(run: str, node_name: str, template: str) -> str:
    """What `{{pod.name}}` is for a node."""
    if node_name == run:
        return run
    prefix = run if not template else f"{run}-{template}"
    return f"{prefix[:_MAX_POD_PREFIX]}-{fnv1a_32(node_name.encode())}"


def item_name(name: str, index: int, item: object) -> str:
    """The name of one iteration of a loop: `name(index:item)`, without parentheses inside."""
    shown = describe_item(item).replace("(", "").replace(")", "")
    return f"{name}({index}:{shown})"


def describe_item(item: object) -> str:
    """How a loop's item reads in a name: sorted `key:value` pairs for a mapping, Go's %v for the rest."""
    if isinstance(item, dict):
        pairs = sorted(f"{key}:{go_text(value)}" for key, value in item.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return ",".join(pairs)
    return go_text(item)


def go_text(value: object) -> str:
    """A JSON value as Go's `%v` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return go_float(value)
    if isinstance(value, dict):
        pairs = sorted((str(k), go_text(v)) for k, v in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return "map[" + " ".join(f"{k}:{v}" for k, v in pairs) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(go_text(element) for element in value) + "]"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)


def go_float(value: float) -> str:
    """A float as Go's shortest form prints it: an exponent only below 1e-4 and from 1e21."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    if "e" in text and 1e-4 <= abs(value) < 1e21:
        text = format(value, "f").rstrip("0")
    return text
