"""The graph of a DAG's tasks: what each waits for, whether it goes round in a circle, who comes before whom.

It knows tasks by name and by what they depend on. Nothing here recurses, and no set of all ancestors is built
unless a name asks for it, so that ten thousand tasks cost little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]


def find_cycle(edges: Edges) -> list[str]:
    """Names along one cycle, in the order in which each depends on the next; [] if there is none."""
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        trail: list[str] = [start]
        on_trail = {start}
        waiting = [iter(edges[start])]
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                done.add(trail[-1])
                on_trail.discard(trail.pop())
            elif following in on_trail:
                return [*trail[trail.index(following) :], following]
            elif following not in done and following in edges:
                trail.append(following)
                on_trail.add(following)
                waiting.append(iter(edges[following]))
    return []


class Ancestry:
    """Who comes before whom, for those names that are asked about (`wanted`), as bits of one number a task."""

    def __init__(self, edges: Edges, wanted: Iterable[str]) -> None:
        self._bit = {name: 1 << index for index, name in enumerate(dict.fromkeys(wanted))}
        self._before = _spread(edges, self._bit)

    def precedes(self, earlier: str, later: str) -> bool:
        """Whether `earlier` is an ancestor of `later`; `earlier` must be one of `wanted`."""
        return bool(self._before.get(later, 0) & self._bit[earlier])


def _spread(edges: Edges, bit: Mapping[str, int]) -> dict[str, int]:
    """For each task, the bits of the wanted tasks before it, found in an order where dependencies come first."""
    missing = {name: sum(1 for before in befores if before in edges) for name, befores in edges.items()}
    after: dict[str, list[str]] = {}
    for name, befores in edges.items():
        for before in befores:
            after.setdefault(before, []).append(name)
    ready = [name for name, count in missing.items() if count == 0]
    bits: dict[str, int] = {}
    while ready:
        name = ready.pop()
        found = 0
        for before in edges[name]:
            found |= bits.get(before, 0) | bit.get(before, 0)
        bits[name] = found
        for later in after.get(name, ()):
            missing[later] -= 1
            if missing[later] == 0:
                ready.append(later)
    return bits
