"""Metrics that a workflow or a template asks for, worked out when it has come to its end.

It knows what is asked and a scope, not where metrics are kept. Source: Argo docs: metrics.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from argosy.errors import ExpressionError
from argosy.model.manifest import Metrics, Prometheus
from argosy.model.status import Node
from argosy.plan.scope import Scope
from argosy.plan.substitution import substitute


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a metric. at: seconds since the epoch. problem: why there is no value, or ""."""

    name: str
    kind: str
    at: float
    node: str = ""
    value: float = 0.0
    labels: dict[str, str] = {}
    problem: str = ""


def measure(wanted: Metrics, node: Node, scope: Mapping[str, object], now: float) -> Iterator[Measured]:
    """The values of the metrics of a node that has come to its end."""
    outputs = node.outputs
    names: dict[str, object] = {
        "status": str(node.phase),
        "duration": f"{max(0.0, now - node.started_at):.6f}",
        "exitCode": (outputs.exit_code if outputs else None) or "0",
        # What Kubernetes would charge is not known here.
        "resourcesDuration.cpu": "0",
        "resourcesDuration.memory": "0",
    }
    if node.children:
        names["retries"] = str(len(node.children) - 1)
    if outputs is not None:
        names |= {f"outputs.parameters.{one.name}": one.value for one in outputs.parameters}
        if outputs.result is not None:
            names["outputs.result"] = outputs.result
    for metric in wanted.prometheus:
        found = _one(metric, Scope(names, scope), node.id, now)
        if found is not None:
            yield found


def _one(metric: Prometheus, scope: Scope, node: str, now: float) -> Measured | None:
    from argosy.expressions.condition import evaluate_when

    kind = "counter" if metric.counter else "gauge" if metric.gauge else "histogram"
    try:
        metric = substitute(metric, scope)
        if metric.when and not evaluate_when(metric.when):
            return None
        asked = metric.counter or metric.gauge or metric.histogram
        if asked is None:
            raise ExpressionError("a metric needs a counter, a gauge or a histogram")
        value = float(asked.value)
    except (ExpressionError, ValueError) as problem:
        return Measured(name=metric.name, kind=kind, at=now, node=node, problem=str(problem))
    labels = {label.key: label.value for label in metric.labels}
    return Measured(name=metric.name, kind=kind, at=now, node=node, value=value, labels=labels)
