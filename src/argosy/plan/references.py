"""The names under `steps.` or `tasks.`: what the calls of one body have given so far.

It knows nodes and declared outputs, not how a node came to its end. Source: Argo docs: variables.md; buildLocalScope.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from argosy.model.manifest import Artifact, Outputs, Template
from argosy.model.status import Node, Phase, timestamp
from argosy.plan.aggregation import gather


class _Given:
    """What one call offers."""

    __slots__ = ("declared", "gathered", "iterations", "node")

    def __init__(self, node: Node | None, iterations: Sequence[Node] | None, declared: Template | None) -> None:
        self.node = node
        self.iterations = iterations
        self.declared = declared
        self.gathered: dict[str, object] | None = None


class References(Mapping[str, object]):
    """The names that settled calls offer, each worked out when it is asked for."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        # A node stands for itself where there is nothing more to say of its call.
        self._given: dict[str, _Given | Node] = {}

    def settle(
        self, call: str, node: Node | None, iterations: Sequence[Node] | None = None, declared: Template | None = None
    ) -> None:
        """Make a call's outcome known. iterations: the nodes of a loop. declared: the template of a skipped call."""
        if node is not None and iterations is None and declared is None:
            self._given[call] = node
        else:
            self._given[call] = _Given(node, iterations, declared)

    def __getitem__(self, name: str) -> object:
        if not name.startswith(self._prefix):
            raise KeyError(name)
        call, _, rest = name[len(self._prefix) :].partition(".")
        given = self._given[call]
        if isinstance(given, Node):
            return _value(given, rest, None)
        if given.iterations is not None and rest.startswith("outputs."):
            if given.gathered is None:
                given.gathered = gather(given.iterations)
            return given.gathered[rest[len("outputs.") :]]
        if given.node is None:
            raise KeyError(name)
        return _value(given.node, rest, given.declared)

    def __iter__(self) -> Iterator[str]:
        for call, given in self._given.items():
            start = f"{self._prefix}{call}."
            if isinstance(given, Node):
                yield from (start + name for name in _names(given, None))
                continue
            if given.iterations is not None:
                if given.gathered is None:
                    given.gathered = gather(given.iterations)
                yield from (f"{start}outputs.{name}" for name in given.gathered)
            if given.node is not None:
                yield from (start + name for name in _names(given.node, given.declared))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _value(node: Node, name: str, declared: Template | None) -> object:
    match name:
        case "id":
            return node.id
        case "status":
            return str(node.phase)
        case "startedAt":
            return _present(timestamp(node.started_at) if node.started_at else None, name)
        case "finishedAt":
            return _present(timestamp(node.finished_at) if node.finished_at else None, name)
        case "ip":
            return _present(node.pod_ip or None, name)
        case "hostNodeName":
            return _present(node.host_node_name or None, name)
        case "exitCode":
            return _present(node.outputs.exit_code if node.outputs else None, name)
        case _:
            return _output(node, name, declared)


def _output(node: Node, name: str, declared: Template | None) -> object:
    outputs = node.outputs or Outputs()
    if name == "outputs.result":
        if outputs.result is not None:
            return outputs.result
        if _never_ran(node):
            return None
        raise KeyError(name)
    if name == "outputs.parameters" and outputs.parameters:
        return json.dumps([{"name": one.name, "value": one.value} for one in outputs.parameters], separators=(",", ":"))
    kind, _, output = name.removeprefix("outputs.").partition(".")
    if kind == "parameters":
        for parameter in outputs.parameters:
            if parameter.name == output:
                return parameter.value
        return _declared_parameter(node, output, declared)
    if kind == "artifacts":
        for artifact in outputs.artifacts:
            if artifact.name == output:
                return artifact
        if _never_ran(node) and declared is not None and declared.outputs is not None:
            _find(declared.outputs.artifacts, output)
            return None
    raise KeyError(name)


def _never_ran(node: Node) -> bool:
    return node.phase in (Phase.SKIPPED, Phase.OMITTED)


def _declared_parameter(node: Node, name: str, declared: Template | None) -> str | None:
    """The default that the producer declared, or None: an output that a skipped call never gave."""
    if not _never_ran(node) or declared is None or declared.outputs is None:
        raise KeyError(name)
    for parameter in declared.outputs.parameters:
        if parameter.name == name:
            return parameter.value_from.default if parameter.value_from is not None else None
    raise KeyError(name)


def _find(artifacts: Sequence[Artifact], name: str) -> Artifact:
    for artifact in artifacts:
        if artifact.name == name:
            return artifact
    raise KeyError(name)


def _present(value: str | None, name: str) -> str:
    if value is None:
        raise KeyError(name)
    return value


def _names(node: Node, declared: Template | None) -> Iterator[str]:
    yield from ("id", "status")
    if node.started_at:
        yield "startedAt"
    if node.finished_at:
        yield "finishedAt"
    if node.pod_ip:
        yield "ip"
    if node.host_node_name:
        yield "hostNodeName"
    if _never_ran(node):
        yield "outputs.result"
        if declared is not None and declared.outputs is not None:
            yield from (f"outputs.parameters.{one.name}" for one in declared.outputs.parameters)
            yield from (f"outputs.artifacts.{one.name}" for one in declared.outputs.artifacts)
    outputs = node.outputs
    if outputs is None:
        return
    if outputs.exit_code is not None:
        yield "exitCode"
    if outputs.result is not None:
        yield "outputs.result"
    if outputs.parameters:
        yield "outputs.parameters"
    yield from (f"outputs.parameters.{one.name}" for one in outputs.parameters)
    yield from (f"outputs.artifacts.{one.name}" for one in outputs.artifacts)
