"""The same graphs of no-op commands, written for argosy, ninja, make and doit.

A graph is a list with, for each node, the numbers of the nodes before it. It knows files, not how they are run.
"""

from __future__ import annotations

from pathlib import Path

Graph = list[list[int]]
COMMAND = "/bin/true"


def fan_out(nodes: int) -> Graph:
    """Nodes that depend on nothing."""
    return [[] for _ in range(nodes)]


def chain(nodes: int) -> Graph:
    """Each node depends on the one before it."""
    return [[number - 1] if number else [] for number in range(nodes)]


def layered(nodes: int, width: int = 100) -> Graph:
    """Layers of `width` nodes, each of which depends on three of the layer before."""
    graph: Graph = []
    for number in range(nodes):
        layer, place = divmod(number, width)
        graph.append([(layer - 1) * width + (place + step) % width for step in range(3)] if layer else [])
    return graph


def write_argosy(graph: Graph, path: Path) -> None:
    """A DAG of container steps; a graph without edges is a loop."""
    lines = [
        "apiVersion: argoproj.io/v1alpha1",
        "kind: Workflow",
        "metadata: {generateName: bench-}",
        "spec:",
        "  entrypoint: main",
        "  templates:",
        "    - name: leaf",
        f"      container: {{image: 'alpine:3.23', command: [{COMMAND}]}}",
        "    - name: main",
    ]
    if any(graph):
        lines += ["      dag:", "        tasks:"]
        for number, before in enumerate(graph):
            names = ", ".join(f"n{one}" for one in before)
            needs = f", dependencies: [{names}]" if before else ""
            lines.append(f"          - {{name: n{number}, template: leaf{needs}}}")
    else:
        lines += ["      steps:", f"        - - {{name: all, template: leaf, withSequence: {{count: {len(graph)}}}}}"]
    path.write_text("\n".join(lines) + "\n")


def write_ninja(graph: Graph, path: Path) -> None:
    """A build statement for each node."""
    lines = ["rule leaf", f"  command = {COMMAND}"]
    for number, before in enumerate(graph):
        lines.append(f"build n{number}: leaf {' '.join(f'n{one}' for one in before)}".rstrip())
    path.write_text("\n".join(lines) + "\n")


def write_make(graph: Graph, path: Path) -> None:
    """A phony target for each node."""
    names = [f"n{number}" for number in range(len(graph))]
    lines = [f"all: {' '.join(names)}", f".PHONY: all {' '.join(names)}"]
    for number, before in enumerate(graph):
        lines += [f"n{number}: {' '.join(f'n{one}' for one in before)}".rstrip(), f"\t@{COMMAND}"]
    path.write_text("\n".join(lines) + "\n")


def write_doit(graph: Graph, path: Path) -> None:
    """A task for each node, from one generator."""
    path.write_text(
        f"GRAPH = {graph!r}\n\n\n"
        "def task_n():\n"
        "    for number, before in enumerate(GRAPH):\n"
        "        yield {\n"
        '            "name": str(number),\n'
        f'            "actions": [["{COMMAND}"]],\n'
        '            "task_dep": [f"n:{one}" for one in before],\n'
        "        }\n"
    )
