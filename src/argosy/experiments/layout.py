"""Where the nodes of a graph go in a drawing: in layers, each beyond those it follows, with few crossings.

It knows names and edges, not what they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SWEEPS = 4


def layered(nodes: Sequence[str], followers: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int]]:
    """For each node its layer and its place there, both from 0.

    followers: for each node those that come after it; unknown ones are passed over, an edge that would lead back in a
    circle too.
    """
    known = dict.fromkeys(nodes)
    edges = {
        node: [one for one in dict.fromkeys(followers.get(node, ())) if one in known and one != node] for node in nodes
    }
    layers = _layers(nodes, edges)
    return _placed(nodes, edges, layers)


def _layers(nodes: Sequence[str], edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The length of the longest way to each node (Kahn's order)."""
    before = dict.fromkeys(nodes, 0)
    for node in nodes:
        for one in edges[node]:
            before[one] += 1
    layers = dict.fromkeys(nodes, 0)
    waiting = [node for node in nodes if not before[node]]
    seen = 0
    while seen < len(nodes):
        if seen == len(waiting):
            # What is left stands in circles: begin anywhere.
            waiting.append(next(node for node in nodes if before[node] > 0))
            before[waiting[-1]] = 0
        node = waiting[seen]
        seen += 1
        for one in edges[node]:
            if before[one] > 0:
                before[one] -= 1
                layers[one] = max(layers[one], layers[node] + 1)
                if not before[one]:
                    waiting.append(one)
    return layers


def _placed(
    nodes: Sequence[str], edges: Mapping[str, Sequence[str]], layers: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    rows: list[list[str]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for node in nodes:
        rows[layers[node]].append(node)
    back: dict[str, list[str]] = {node: [] for node in nodes}
    for node in nodes:
        for one in edges[node]:
            back[one].append(node)
    place = {node: number for row in rows for number, node in enumerate(row)}
    for sweep in range(SWEEPS):
        neighbours = edges if sweep % 2 else back
        for row in reversed(rows) if sweep % 2 else rows:
            # A stable sort: nodes without neighbours stay where they are.
            row.sort(key=lambda node: _middle(node, neighbours[node], place))
            place.update({node: number for number, node in enumerate(row)})
    return {node: (layers[node], place[node]) for node in nodes}


def _middle(node: str, neighbours: Sequence[str], place: Mapping[str, int]) -> float:
    return sum(place[one] for one in neighbours) / len(neighbours) if neighbours else place[node]
