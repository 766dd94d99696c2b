"""The outputs of a loop, gathered from its iterations.

Source: Argo docs: walk-through/loops.md, walk-through/output-parameters.md. It knows nodes, not bodies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from argosy.errors import ExpressionError
from argosy.model.status import Node, Phase


def gather(nodes: Iterable[Node]) -> dict[str, object]:
    """The names after `outputs.` that a loop offers: `result`, `parameters`, `parameters.<name>`.

    Only iterations that succeeded count, in the order of the loop. Raises ExpressionError when an iteration's
    result is not JSON.
    """
    groups: list[dict[str, str]] = []
    values: dict[str, list[str]] = {}
    results: list[object] = []
    for node in nodes:
        if node.outputs is None or node.phase is not Phase.SUCCEEDED:
            continue
        given = {parameter.name: parameter.value or "" for parameter in node.outputs.parameters}
        for name, value in given.items():
            values.setdefault(name, []).append(value)
        if given:
            groups.append(given)
        if node.outputs.result is not None:
            results.append(_result(node.outputs.result, node.name))
    names: dict[str, object] = {"result": _json(results), "parameters": _json(groups)}
    for name, collected in values.items():
        names[f"parameters.{name}"] = _json(_decoded(collected))
    return names


def _result(text: str, node: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ExpressionError(f"the result of {node} is not JSON, so the loop's results cannot be listed") from None


def _decoded(values: list[str]) -> list[object]:
    """The values as lists and mappings when all of them are such in JSON, else as the strings they are."""
    decoded: list[object] = []
    for value in values:
        try:
            found: object = json.loads(value)
        except ValueError:
            return list(values)
        if not isinstance(found, list | dict):
            return list(values)
        decoded.append(cast("object", found))
    return decoded


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
